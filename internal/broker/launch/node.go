package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"

	private "amqp-tutorials/internal/broker"
)

// broker is a running broker that was started here.
type broker struct {
	url       string // for commands on this machine, without TLS
	publicURL string // what people are told
	ca        string // the file with the CA's certificate, if it has TLS
	page      string // its management page
	user      string
	password  string
	local     bool // only this machine reaches it

	entry entry // for scripts/broker ctl
	ended <-chan struct{}
	log   func() string // the end of it
	stop  func()
}

const (
	amqpPort       = 5672
	tlsPort        = 5671
	managementPort = 15672
)

// launch starts a broker in the best way there is.
func launch(ctx context.Context, o options) (*broker, error) {
	if o.listen == "" {
		o.listen = "127.0.0.1"
	}
	address, err := net.ResolveIPAddr("ip", o.listen)
	if err != nil {
		return nil, fmt.Errorf("--listen %s: %w", o.listen, err)
	}
	settings := settingsFor(o, address.IP)
	if err := choosePorts(&settings, o.port); err != nil {
		return nil, err
	}
	switch {
	case private.Installed():
	case containersRun(ctx):
		if o.data != "" || o.tls {
			return nil, fmt.Errorf("--data and --tls need a RabbitMQ on this machine, not in a container: %s installs it", o.install)
		}
		return launchContainer(ctx, settings)
	case o.install == "":
		return nil, errors.New("there is no RabbitMQ on this machine")
	default:
		if err := install(ctx, o.install); err != nil {
			return nil, err
		}
	}
	return launchNode(ctx, o.data, settings)
}

// settingsFor has no password that everybody knows where others may listen.
func settingsFor(o options, address net.IP) private.Settings {
	s := private.Settings{Address: address.String(), TLS: o.tls, User: "guest", Password: "guest", Keep: o.data != ""}
	if !address.IsLoopback() {
		s.User, s.Password = "class", rand.Text()
	}
	return s
}

// choosePorts takes the wanted port, and the usual ones if they are free. Commands that were not told of a port, and
// brokers beside others, get some that are free.
func choosePorts(s *private.Settings, wanted int) error {
	amqp, usual := &s.Port, amqpPort
	if s.TLS {
		amqp, usual = &s.TLSPort, tlsPort
	}
	management := managementPort
	switch {
	case wanted < 0:
		return nil
	case wanted > 65535:
		return fmt.Errorf("--port %d: the highest port is 65535", wanted)
	case wanted > 0 && !private.Free(s.Address, wanted):
		return fmt.Errorf("--port %d: somebody listens there already", wanted)
	case wanted > 0:
		*amqp = wanted
		management = wanted - usual + managementPort
	case private.Free(s.Address, usual):
		*amqp = usual
	}
	if management > 0 && management <= 65535 && management != *amqp && private.Free(s.Address, management) {
		s.ManagementPort = management
	}
	return nil
}

func launchNode(ctx context.Context, data string, settings private.Settings) (*broker, error) {
	dir, release, err := folder(data, &settings)
	if err != nil {
		return nil, err
	}
	say("starting RabbitMQ (a few seconds)")
	n, err := private.Launch(ctx, dir, settings)
	if err != nil {
		release()
		return nil, err
	}
	b := &broker{
		url:       n.URL("/"),
		publicURL: n.PublicURL(),
		page:      n.ManagementURL(),
		user:      n.User(),
		password:  n.Password(),
		local:     net.ParseIP(settings.Address).IsLoopback(),
		ended:     n.Ended(),
		log:       n.LogTail,
		entry:     entry{Ports: []int{n.Port()}, Management: n.LocalManagementURL()},
	}
	if settings.TLS {
		b.ca = n.CAFile()
		b.entry.Ports = append(b.entry.Ports, n.TLSPort())
	}
	command, environment := n.CtlCommand()
	b.entry.Command, b.entry.Environment = []string{command}, environment
	b.stop = func() {
		if settings.Keep {
			say("stopping RabbitMQ")
			if err := n.Shutdown(context.Background()); err != nil {
				say("it had to be killed: %v", err)
			}
		}
		n.Stop()
		release()
	}
	return b, nil
}

// folder is where the node writes, and who releases it in the end. A folder that is kept is ours alone, and keeps the
// login as well.
func folder(data string, settings *private.Settings) (dir string, release func(), err error) {
	if data == "" {
		dir, err = os.MkdirTemp("", "broker")
		return dir, func() { _ = os.RemoveAll(dir) }, err
	}
	if dir, err = filepath.Abs(data); err != nil {
		return "", nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, err
	}
	login := filepath.Join(dir, "login.json")
	if _, err := os.Stat(login); err != nil {
		if there, err := os.ReadDir(dir); err != nil || len(there) > 0 {
			return "", nil, errors.Join(fmt.Errorf("--data %s: there is something in this folder, but no broker's data", data), err)
		}
	}
	lock, err := os.OpenFile(login, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", nil, err
	}
	release = func() { _ = lock.Close() }
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		release()
		return "", nil, fmt.Errorf("--data %s: another broker uses this folder", data)
	}
	if err := keepPassword(lock, settings); err != nil {
		release()
		return "", nil, fmt.Errorf("%s: %w", login, err)
	}
	return dir, release, nil
}

// keepPassword takes the password that the file has for the user, or else writes it there.
func keepPassword(file *os.File, settings *private.Settings) error {
	passwords := map[string]string{}
	if info, err := file.Stat(); err != nil || info.Size() > 0 {
		if err := errors.Join(err, json.NewDecoder(file).Decode(&passwords)); err != nil {
			return err
		}
	}
	if kept := passwords[settings.User]; kept != "" {
		settings.Password = kept
		return nil
	}
	passwords[settings.User] = settings.Password
	text, err := json.Marshal(passwords)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(text, 0)
	return err
}
