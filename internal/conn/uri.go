package conn

import (
	"net/url"
	"strconv"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
)

// parts are single settings under the names of their flags. What is not in it was not said.
type parts map[string]string

// splitURLs splits at the commas between URIs and leaves those within one alone.
func splitURLs(texts ...string) []string {
	var urls []string
	for _, text := range texts {
		text = strings.ReplaceAll(text, ",amqp://", "\namqp://")
		text = strings.ReplaceAll(text, ",amqps://", "\namqps://")
		for u := range strings.SplitSeq(text, "\n") {
			if u = strings.TrimSpace(u); u != "" {
				urls = append(urls, u)
			}
		}
	}
	return urls
}

// parseURI reads an AMQP URI (https://www.rabbitmq.com/docs/uri-spec) and its query parameters
// (https://www.rabbitmq.com/docs/uri-query-parameters). The library does the parsing; this function finds out which
// parts the URI names at all, since those it leaves out may be set elsewhere. Its errors quote nothing of the URI,
// for any piece of it may be a piece of the password.
func parseURI(text string) (parts, error) {
	uri, err := amqp.ParseURI(text)
	u, plainErr := url.Parse(text)
	if err != nil || plainErr != nil {
		return nil, uriError(text)
	}
	p := parts{"scheme": uri.Scheme}
	if u.Hostname() != "" {
		p["host"] = uri.Host
	}
	if u.Port() != "" {
		p["port"] = u.Port()
	}
	if u.User != nil {
		p["user"] = uri.Username
		if _, ok := u.User.Password(); ok {
			p["password"] = uri.Password
		}
	}
	if u.Path != "" {
		p["vhost"] = uri.Vhost
	}
	return p, p.addQuery(u.Query())
}

// addQuery takes over the standard query parameters.
func (p parts) addQuery(query url.Values) error {
	for name, values := range query {
		value := values[len(values)-1]
		switch name {
		case "cacertfile":
			p["cacert"] = value
		case "certfile":
			p["cert"] = value
		case "keyfile":
			p["key"] = value
		case "server_name_indication":
			p["server-name"] = value
		case "auth_mechanism":
			p["auth"] = strings.ToLower(value)
		case "heartbeat":
			p["heartbeat"] = value + "s"
		case "connection_timeout":
			p["connect-timeout"] = value + "ms"
		case "channel_max":
			p["channel-max"] = value
		case "verify":
			if value != "verify_peer" && value != "verify_none" {
				return cli.Usage("", "the AMQP URI's verify is %q, neither verify_peer nor verify_none", value)
			}
			p["insecure"] = strconv.FormatBool(value == "verify_none")
		case "fail_if_no_peer_cert": // concerns servers
		default:
			return cli.Usage("known are cacertfile, certfile, keyfile, server_name_indication, verify, auth_mechanism, heartbeat, connection_timeout and channel_max",
				"the AMQP URI has an unknown query parameter %q", name)
		}
	}
	return nil
}

func uriError(text string) error {
	what := "not a valid AMQP URI"
	hint := "amqp://USER:PASSWORD@HOST:PORT/VHOST, any of : / ? # @ % in a part written as %3A %2F %3F %23 %40 %25; or use --user, --password-file and --vhost, which take every character as it is"
	if scheme, _, ok := strings.Cut(text, "://"); ok && scheme != "amqp" && scheme != "amqps" && !strings.Contains(scheme, "@") {
		return cli.Usage(hint, "%s: the scheme is %q and must be amqp or amqps", what, scheme)
	}
	return cli.Usage(hint, "%s", what)
}
