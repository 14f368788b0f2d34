package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hostile is a broker that breaks the protocol.
type hostile struct {
	name     string
	after    string // the method after which it does
	say      injection
	floods   bool // what it says has no end
	swallows string
	programs []string
}

var hostiles = []hostile{
	{
		name: "second tune", after: "connection.open-ok", programs: []string{"receive", "send"},
		say: func(l *link, _ []byte) { l.say(newMethod(0, "connection.tune", 7, 255, 0, 2, 0, 0, 0, 10)) },
	},
	{
		name: "second open-ok", after: "connection.open-ok", programs: []string{"receive", "send"},
		say: func(l *link, _ []byte) { l.say(newMethod(0, "connection.open-ok", 0)) },
	},
	{
		name: "close-ok unasked", after: "connection.open-ok", programs: []string{"receive", "send"},
		say: func(l *link, _ []byte) { l.say(newMethod(0, "connection.close-ok")) },
	},
	{
		name: "delivery on channel 0", after: "connection.open-ok", programs: []string{"receive", "send"},
		say: func(l *link, _ []byte) {
			l.say(newDelivery(0, "nobody", 1), newHeader(0, 1), newFrame(frameBody, 0, []byte("x")))
		},
	},
	{name: "ack of everything at the start", after: "confirm.select-ok", programs: []string{"send"}, say: ackEverything},
	{name: "ack of everything", after: "basic.ack", programs: []string{"send"}, say: ackEverything},
	{
		name: "endless body", after: "basic.consume-ok", programs: []string{"receive"}, floods: true,
		say: func(l *link, after []byte) {
			channel := channelOf(after)
			l.say(newDelivery(channel, consumerTagOf(after), 1), newHeader(channel, 1<<50))
			go flood(l, func() [][]byte { return [][]byte{newFrame(frameBody, channel, make([]byte, 100<<10))} })
		},
	},
	{
		name: "endless deliveries", after: "basic.consume-ok", programs: []string{"receive", "worker"}, floods: true,
		swallows: "basic.ack", // the real broker does not know what is acknowledged
		say: func(l *link, after []byte) {
			channel, consumer, tag := channelOf(after), consumerTagOf(after), uint64(0)
			body := append(bytes.Repeat([]byte{'x'}, 10<<10), '.')
			go flood(l, func() [][]byte {
				tag++
				return [][]byte{newDelivery(channel, consumer, tag), newHeader(channel, uint64(len(body))), newFrame(frameBody, channel, body)}
			})
		},
	},
}

// ackEverything confirms messages that were never published: all up to the greatest number, and multiple.
func ackEverything(l *link, after []byte) {
	tag := bytes.Repeat([]byte{255}, 8)
	l.say(newMethod(channelOf(after), "basic.ack", append(tag, 1)...))
}

func channelOf(frame []byte) uint16 { return binary.BigEndian.Uint16(frame[1:]) }

// consumerTagOf is that in a basic.consume-ok.
func consumerTagOf(frame []byte) string {
	tag := frame[frameHead+4:]
	return string(tag[1 : 1+int(tag[0])])
}

// flood says something again and again, until the program hangs up.
func flood(l *link, next func() [][]byte) {
	for l.say(next()...) == nil {
	}
}

// A broker that breaks the protocol can neither keep a program from ending at the first signal, nor take the machine's
// memory or processor, and one line says what it has done. The programs are those that users have: the race detector
// takes memory of its own.
func TestHostileBroker(t *testing.T) {
	url := vhostOf(t, "hostile")
	dir := t.TempDir()
	build := exec.Command("go", "build", "-trimpath", "-o", dir+"/", "../cmd/send", "../cmd/receive", "../cmd/worker")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	for _, h := range hostiles {
		for _, name := range h.programs {
			t.Run(h.name+" "+name, func(t *testing.T) {
				t.Parallel()
				p := startFrameProxy(t, node)
				p.after(h.after, h.say)
				if h.swallows != "" {
					p.swallow(h.swallows)
				}
				queue := strings.ReplaceAll(h.name+" "+name, " ", "-")
				fill(t, url, queue, 1, 0, "")
				cmd := program(p.url("hostile"), name, "-q", queue)
				if name == "send" {
					cmd.Args = append(cmd.Args, "--lines")
				}
				if name == "worker" {
					cmd.Args = append(cmd.Args, "--unit", "100ms")
				}
				cmd.Path = filepath.Join(dir, name)
				h.run(t, cmd)
			})
		}
	}
}

func (h hostile) run(t *testing.T, cmd *exec.Cmd) {
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = io.Discard
	r := launch(t, cmd)
	fmt.Fprintln(stdin, "one") // who reads it waits for more: it stays open
	peak := make(chan int, 1)
	go func() { peak <- peakMemory(r.Process.Pid) }()
	told := r.tells()
	if !told {
		t.Errorf("%s says nothing of what the broker does", r)
	}
	itself := false
	select {
	case <-r.ended:
		itself = true
	default:
		r.mark()
		r.Process.Signal(syscall.SIGINT) // it may just end
	}
	// A consumer that was about to connect again when it was stopped is a consumer that was stopped.
	status := r.end(hang)
	if itself && status == 0 {
		t.Errorf("%s ended by itself as if all were well", r)
	}
	if memory := <-peak; memory > 300 {
		t.Errorf("%s needed %d MiB", r, memory)
	}
	if used := r.ProcessState.UserTime() + r.ProcessState.SystemTime(); !h.floods && used > 3*time.Second {
		t.Errorf("%s, which had nothing to do, used %s of a processor", r, used)
	}
}

// tells waits until the program has said something in its own name, or has ended, and says whether it has.
func (r *running) tells() bool {
	own := []byte(filepath.Base(r.Path) + ": ")
	late := time.After(hang)
	for {
		text, more := r.stderr.now()
		if bytes.Contains(text, own) {
			return true
		}
		select {
		case <-more:
		case <-r.ended:
			text, _ = r.stderr.now()
			return bytes.Contains(text, own)
		case <-late:
			return false
		}
	}
}
