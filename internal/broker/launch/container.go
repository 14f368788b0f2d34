package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	private "amqp-tutorials/internal/broker"
)

const image = "rabbitmq:4-management"

// remover removes a container as soon as its standard input is at end of file: when this process is gone.
const remover = `
read -r _
docker rm --force --volumes "$1" >/dev/null 2>&1
`

func containersRun(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return exec.CommandContext(ctx, "docker", "info").Run() == nil
}

// launchContainer starts a broker with Docker.
func launchContainer(ctx context.Context, s private.Settings) (*broker, error) {
	say("starting RabbitMQ in a container (%s)", image)
	amqp, err := published(s.Address, s.Port)
	if err != nil {
		return nil, err
	}
	page, err := published(s.Address, s.ManagementPort)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("broker-%d", os.Getpid())
	remove, err := removeAtTheEnd(name)
	if err != nil {
		return nil, err
	}
	// guest may only log in from the container itself, unless told otherwise by name.
	run := exec.CommandContext(ctx, "docker", "run", "--rm", "--detach", "--name", name,
		"--publish", amqp+":5672", "--publish", page+":15672",
		"--env", "RABBITMQ_DEFAULT_USER", "--env", "RABBITMQ_DEFAULT_PASS", image)
	run.Env = append(os.Environ(), "RABBITMQ_DEFAULT_USER="+s.User, "RABBITMQ_DEFAULT_PASS="+s.Password)
	if output, err := run.CombinedOutput(); err != nil {
		remove()
		return nil, fmt.Errorf("docker run: %w: %s", err, bytes.TrimSpace(output))
	}
	ended := make(chan struct{})
	go func() {
		_ = exec.Command("docker", "wait", name).Run()
		close(ended)
	}()
	_, port, _ := net.SplitHostPort(amqp)
	number, _ := strconv.Atoi(port)
	url := fmt.Sprintf("amqp://%s:%s@%s/", s.User, s.Password, amqp)
	b := &broker{
		url: url, publicURL: url, page: "http://" + page + "/", user: s.User, password: s.Password,
		local: net.ParseIP(s.Address).IsLoopback(),
		ended: ended,
		log: func() string {
			output, _ := exec.Command("docker", "logs", "--tail", "20", name).CombinedOutput()
			return string(output)
		},
		stop: remove,
		entry: entry{
			Ports:      []int{number},
			Management: "http://" + page + "/",
			Command:    []string{"docker", "exec", name, "rabbitmqctl"},
		},
	}
	if err := awaitAnswer(ctx, b, amqp); err != nil {
		b.stop()
		return nil, err
	}
	return b, nil
}

// removeAtTheEnd has a container removed when this process ends, or when the returned function is called.
func removeAtTheEnd(container string) (remove func(), err error) {
	cmd := exec.Command("/bin/sh", "-c", remover, "remover", container)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // out of reach of the terminal's Ctrl-C
	hold, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() {
		_ = hold.Close()
		_ = cmd.Wait()
	}, nil
}

// published is the address of a port of the container: the wanted port, or one that is free.
func published(address string, port int) (string, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// awaitAnswer waits until the broker is ready.
func awaitAnswer(ctx context.Context, b *broker, address string) error {
	limit := time.After(2 * time.Minute)
	for !private.Greets(address) {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-b.ended:
			return fmt.Errorf("RabbitMQ did not start. The end of its log:\n%s", b.log())
		case <-limit:
			return fmt.Errorf("RabbitMQ was not ready in two minutes. The end of its log:\n%s", b.log())
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

// install installs RabbitMQ on this machine.
func install(ctx context.Context, command string) error {
	cmd := exec.CommandContext(ctx, command)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it has to put things back
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return errors.New("there is no RabbitMQ on this machine, and it could not be installed")
	}
	return nil
}

func withoutPassword(url string) string {
	scheme, rest, _ := strings.Cut(url, "://")
	login, host, ok := cutLast(rest, "@")
	if !ok {
		return url
	}
	if user, _, ok := strings.Cut(login, ":"); ok {
		login = user + ":***"
	}
	return scheme + "://" + login + "@" + host
}

func cutLast(s, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(s, separator); i >= 0 {
		return s[:i], s[i+len(separator):], true
	}
	return s, "", false
}
