package e2e

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"amqp-tutorials/internal/broker"
)

// frameProxy stands between programs and a broker and cuts what they send into AMQP's frames, so that it can keep
// single methods from the broker, stop reading, fall silent, or say things in the broker's name.
type frameProxy struct {
	broker   string
	listener net.Listener
	attempts chan struct{} // one for each connection that a program makes, as many as fit

	mu        sync.Mutex
	change    *sync.Cond               // frozen or closed has changed
	seen      map[string]chan struct{} // by method: closed when it has been seen
	swallowed map[string]bool          // methods that don't reach the broker
	injected  map[string]injection     // by the broker's method after which it happens
	links     map[*link]bool
	frozen    bool // nothing more is read from programs
	silent    bool // nothing goes through, in either direction
	closed    bool
}

// injection says something to a program in the broker's name. The frame is that of the method after which it happens.
type injection func(l *link, after []byte)

// link is one connection through the proxy. The broker's side is nil for one that was made during a silence.
type link struct {
	p              *frameProxy
	client, broker net.Conn
	writing        sync.Mutex // to the client: whole frames
	skipping       map[uint16]bool
}

func startFrameProxy(t *testing.T, n *broker.Node) *frameProxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &frameProxy{
		broker:    fmt.Sprintf("127.0.0.1:%d", n.Port()),
		listener:  listener,
		attempts:  make(chan struct{}, 1000),
		seen:      map[string]chan struct{}{},
		swallowed: map[string]bool{},
		injected:  map[string]injection{},
		links:     map[*link]bool{},
	}
	p.change = sync.NewCond(&p.mu)
	go p.accept()
	t.Cleanup(p.close)
	return p
}

// url leads to a vhost through the proxy.
func (p *frameProxy) url(vhost string) string {
	return fmt.Sprintf("amqp://guest:guest@%s/%s", p.listener.Addr(), url.PathEscape(vhost))
}

// watch returns what is closed when this method, whoever sends it, has gone through the proxy or ended there. With "-> "
// before its name it is the program that has sent it.
func (p *frameProxy) watch(method string) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.event(method)
}

func (p *frameProxy) event(method string) chan struct{} {
	if p.seen[method] == nil {
		p.seen[method] = make(chan struct{})
	}
	return p.seen[method]
}

// swallow keeps a method of the programs' from the broker, each time, with the content that belongs to it. All else
// goes through, heartbeats included: this broker is alive and does not answer. It returns what watch does.
func (p *frameProxy) swallow(method string) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.swallowed[method] = true
	return p.event(method)
}

// after lets something be said to each program that has been sent this method by the broker.
func (p *frameProxy) after(method string, say injection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.injected[method] = say
}

// freeze stops reading from programs, so that what they write comes to a stand. What the broker says goes through.
func (p *frameProxy) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frozen = true
}

// silence lets nothing through any more, as a network does whose cable is cut: nobody is told.
func (p *frameProxy) silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = true
}

// speak ends a silence for new connections. Those from before have missed something: they are cut.
func (p *frameProxy) speak() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = false
	p.cutAll()
}

func (p *frameProxy) close() {
	p.listener.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.change.Broadcast()
	p.cutAll()
}

// cutAll is called with mu held.
func (p *frameProxy) cutAll() {
	for l := range p.links {
		l.cut()
	}
}

func (p *frameProxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		select {
		case p.attempts <- struct{}{}:
		default: // nobody counts that far
		}
		p.connect(client)
	}
}

func (p *frameProxy) connect(client net.Conn) {
	l := &link{p: p, client: client, skipping: map[uint16]bool{}}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.silent {
		broker, err := net.Dial("tcp", p.broker)
		if err != nil {
			client.Close()
			return
		}
		l.broker = broker
		go l.pass(l.down)
	}
	if p.closed {
		l.cut()
		return
	}
	p.links[l] = true
	go l.pass(l.up)
}

// pass passes on in one direction until an end closes the connection.
func (l *link) pass(direction func() error) {
	_ = direction()
	l.cut()
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	delete(l.p.links, l)
}

func (l *link) cut() {
	l.client.Close()
	if l.broker != nil {
		l.broker.Close()
	}
}

// up passes a program's frames on to the broker.
func (l *link) up() error {
	r := bufio.NewReaderSize(l.client, 64<<10)
	if l.broker == nil {
		_, err := io.Copy(io.Discard, r)
		return err
	}
	if _, err := io.CopyN(l.broker, r, int64(len("AMQP\x00\x00\x09\x01"))); err != nil {
		return err
	}
	for l.p.reads() {
		frame, err := readFrame(r)
		if err != nil {
			return err
		}
		if !l.ends(frame) {
			if _, err := l.broker.Write(frame); err != nil {
				return err
			}
		}
		l.p.saw(methodOf(frame))
		l.p.saw("-> " + methodOf(frame))
	}
	return nil
}

// down passes the broker's frames on to a program, and what is put into the broker's mouth.
func (l *link) down() error {
	r := bufio.NewReaderSize(l.broker, 64<<10)
	for {
		frame, err := readFrame(r)
		if err != nil {
			return err
		}
		say, silent := l.p.saying(methodOf(frame))
		if silent {
			continue
		}
		if err := l.say(frame); err != nil {
			return err
		}
		l.p.saw(methodOf(frame))
		if say != nil {
			say(l, frame)
		}
	}
}

// say writes whole frames to the program.
func (l *link) say(frames ...[]byte) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	for _, frame := range frames {
		if _, err := l.client.Write(frame); err != nil {
			return err
		}
	}
	return nil
}

// ends tells of a program's frame that it goes no further. A method's content ends with it: the frames up to the
// channel's next method.
func (l *link) ends(frame []byte) bool {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	channel := binary.BigEndian.Uint16(frame[1:])
	switch frame[0] {
	case frameMethod:
		l.skipping[channel] = l.p.swallowed[methodOf(frame)]
		return l.p.silent || l.skipping[channel]
	case frameHeader, frameBody:
		return l.p.silent || l.skipping[channel]
	}
	return l.p.silent
}

// reads waits while nothing is to be read, and is false when the proxy is closed.
func (p *frameProxy) reads() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.frozen && !p.closed {
		p.change.Wait()
	}
	return !p.closed
}

func (p *frameProxy) saying(method string) (say injection, silent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.injected[method], p.silent
}

func (p *frameProxy) saw(method string) {
	if method == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	event := p.event(method)
	select {
	case <-event:
	default:
		close(event)
	}
}

// watchNext is watch, but what has been seen before does not count.
func (p *frameProxy) watchNext(method string) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.seen, method)
	return p.event(method)
}

// forgetAttempts makes attempt wait for connections that are made from now on.
func (p *frameProxy) forgetAttempts() {
	for len(p.attempts) > 0 {
		<-p.attempts
	}
}

// attempt has something in it for each connection that a program makes.
func (p *frameProxy) attempt() <-chan struct{} { return p.attempts }
