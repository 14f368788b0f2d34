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
	if err := checkScheme(text); err != nil {
		return nil, err
	}
	uri, err := amqp.ParseURI(text)
	u, plainErr := url.Parse(text)
	if err != nil || plainErr != nil || torn(u) {
		return nil, cli.Usage(uriForm, "not a valid AMQP URI")
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
				return cli.Usage("", "the AMQP URI's verify is neither verify_peer nor verify_none")
			}
			p["insecure"] = strconv.FormatBool(value == "verify_none")
		case "fail_if_no_peer_cert": // concerns servers
		default:
			return cli.Usage("known are cacertfile, certfile, keyfile, server_name_indication, verify, auth_mechanism, heartbeat, connection_timeout and channel_max",
				"the AMQP URI has an unknown query parameter")
		}
	}
	return nil
}

const uriForm = "amqp://USER:PASSWORD@HOST:PORT/VHOST, any of : / ? # @ % in a part written as %3A %2F %3F %23 %40 %25; or use --user, --password-file and --vhost, which take every character as it is"

// checkScheme: without the two slashes amqp:user:secret@host would be a URI too, one that names neither host nor user,
// and lead to this machine.
func checkScheme(text string) error {
	lower := strings.ToLower(text)
	scheme, _, slashes := strings.Cut(lower, "://")
	switch {
	case slashes && (scheme == "amqp" || scheme == "amqps"):
		return nil
	case strings.HasPrefix(lower, "amqp:"), strings.HasPrefix(lower, "amqps:"):
		return cli.Usage(uriForm, "not a valid AMQP URI: two slashes follow amqp: and amqps:")
	case slashes:
		return cli.Usage(uriForm, "not a valid AMQP URI: the scheme must be amqp or amqps")
	}
	return cli.Usage("amqp://HOST:PORT, or --host HOST --port PORT", "not a valid AMQP URI: amqp:// is missing")
}

// torn says whether a URI breaks off where a password was meant to go on: amqp://user:12/34@host is, to the letter, the
// vhost 34@host on port 12 of the host user, and what follows # is no part of an AMQP URI.
func torn(u *url.URL) bool {
	return u.User == nil && strings.Contains(u.EscapedPath(), "@") || u.Fragment != ""
}
