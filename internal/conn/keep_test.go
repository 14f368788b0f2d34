package conn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"weak"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/cenkalti/backoff/v5"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"amqp-tutorials/internal/broker"
	"amqp-tutorials/internal/cli"
)

// With a real broker, for all tests that need one.
func TestKeep(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a broker: make test runs it")
	}
	clearEnvironment(t)
	n, err := broker.Start(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer n.Stop()
	t.Run("does not grow", func(t *testing.T) { testKeepDoesNotGrow(t, n) })
	t.Run("tells refusals", func(t *testing.T) { testKeepTellsRefusals(t, n) })
	t.Run("survives a lost handshake", func(t *testing.T) { testLostHandshake(t, n) })
	t.Run("reopens channels", func(t *testing.T) { testReopen(t, n) })
}

// proxied returns settings that lead to the broker through a proxy, without pauses.
func proxied(t *testing.T, n *broker.Node) (*Settings, *toxiproxy.Proxy) {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, "broker", "127.0.0.1:0", fmt.Sprintf("127.0.0.1:%d", n.Port()))
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	s, p := &Settings{pause: backoff.NewConstantBackOff(time.Millisecond)}, &cli.Program{Name: "test"}
	s.Flags(p)
	if err := s.flags.Parse([]string{"--url", "amqp://" + proxy.Listen}); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	return s, proxy
}

// silentOutput is a standard output that is never stuck.
type silentOutput struct{}

func (silentOutput) Stuck() time.Time { return time.Time{} }
func (silentOutput) GiveUp()          {}

// keep is Keep under a guard of its own.
func keep(t *testing.T, s *Settings, use func(*Channel) error) error {
	t.Helper()
	g := NewGuard(context.Background(), silentOutput{})
	defer g.Close()
	return s.Keep(g, use)
}

// The pauses grow from half a second, to half a minute or to a tenth of the time that a program has; who has no time to
// lose, but waits for the first connection, does not hammer at the broker's door.
func TestPauses(t *testing.T) {
	const spread = 1.3 // they are chosen at random around what they should be
	for patience, want := range map[time.Duration]time.Duration{
		0: longest, time.Hour: longest, time.Minute: 6 * time.Second, time.Millisecond: shortest,
	} {
		pause := (&Settings{}).pauses(patience)
		if first := float64(pause.NextBackOff()); first > spread*float64(shortest) {
			t.Errorf("patience of %v: the first pause is %v", patience, time.Duration(first))
		}
		for range 20 {
			pause.NextBackOff()
		}
		if last := float64(pause.NextBackOff()); last > spread*float64(want) || last < float64(want)/spread/spread {
			t.Errorf("patience of %v: the last pause is %v", patience, time.Duration(last))
		}
	}
}

// silent keeps what two hundred losses say out of the test's output.
func silent(t *testing.T) {
	stderr := os.Stderr
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	os.Stderr = null
	t.Cleanup(func() { os.Stderr = stderr; null.Close() })
}

// Two hundred lost connections leave no goroutine behind and nothing that belonged to their sessions, and each session
// begins on a channel of its own. The heap of the whole process would say nothing of that: the proxy and the tests beside
// this one are in it.
func testKeepDoesNotGrow(t *testing.T, n *broker.Node) {
	s, proxy := proxied(t, n)
	before := goleak.IgnoreCurrent()
	silent(t)
	var past []weak.Pointer[connection]
	sessions := 0
	err := keep(t, s, func(ch *Channel) error {
		sessions++
		if ch.Again() != (sessions > 1) {
			t.Errorf("session %d: again is %t", sessions, ch.Again())
		}
		past = append(past, weak.Make(ch.connection))
		q, err := ch.QueueDeclare("", false, false, true, false, nil)
		if err != nil {
			return err
		}
		deliveries, err := ch.Consume(q.Name, "", true, false, false, false, nil)
		if err != nil {
			return err
		}
		if sessions == 200 {
			return nil
		}
		proxy.Stop()
		for range deliveries {
			t.Error("a delivery")
		}
		if err := proxy.Start(); err != nil {
			t.Error(err)
		}
		return ch.Reason()
	})
	if err != nil || sessions < 200 {
		t.Fatalf("%d sessions: %v", sessions, err)
	}
	proxy.Stop()
	goleak.VerifyNone(t, before)
	runtime.GC()
	runtime.GC() // what a finalizer has held
	kept := 0
	for _, c := range past {
		if c.Value() != nil {
			kept++
		}
	}
	if kept > 1 { // the compiler may keep the last one until its function returns
		t.Errorf("%d of %d connections are still in memory", kept, len(past))
	}
}

// What the broker refuses is not tried again, and ends as an error for the user.
func testKeepTellsRefusals(t *testing.T, n *broker.Node) {
	s, _ := proxied(t, n)
	sessions := 0
	err := keep(t, s, func(ch *Channel) error {
		sessions++
		_, err := ch.QueueDeclarePassive("missing", false, false, false, false, nil)
		return err
	})
	var refused *cli.Error
	if !errors.As(err, &refused) || refused.Status != cli.Failed || sessions != 1 {
		t.Errorf("after %d sessions: %v", sessions, err)
	}
	limit := "/user-limits/guest/max-channels"
	if err := n.API(http.MethodPut, limit, map[string]int{"value": 0}, nil); err != nil {
		t.Fatal(err)
	}
	err = keep(t, s, func(*Channel) error { return nil })
	if !errors.As(err, &refused) || !strings.Contains(refused.Why, "limit") {
		t.Errorf("no channels allowed: %v", err)
	}
	if err := n.API(http.MethodDelete, limit, nil, nil); err != nil {
		t.Fatal(err)
	}
	own := errors.New("the session's own")
	if err := keep(t, s, func(*Channel) error { return own }); err != own {
		t.Errorf("got %v, want %v", err, own)
	}
	g := NewGuard(context.Background(), silentOutput{})
	defer g.Close()
	err = s.Keep(g, func(ch *Channel) error {
		g.End(ErrStopped)
		ch.Sever()
		return ch.Reason()
	})
	var lost *LostError
	if !errors.As(err, &lost) {
		t.Errorf("lost while being stopped: %v", err)
	}
}

// A broker that dies while a client logs in has not refused the login, neither the first one nor the one after a lost
// connection: whoever has time tries again.
func testLostHandshake(t *testing.T, n *broker.Node) {
	s, proxy := proxied(t, n)
	s.wait = time.Minute
	s.nodes[0].port = hangUpAtLogin(t, proxy.Listen, 1, 3)
	silent(t)
	sessions := 0
	err := keep(t, s, func(ch *Channel) error {
		if sessions++; sessions == 1 {
			ch.Sever()
			return ch.Reason()
		}
		return nil
	})
	if err != nil || sessions != 2 {
		t.Errorf("%d sessions: %v", sessions, err)
	}
}

// hangUpAtLogin returns the port of a way to the broker on which the connections with these numbers, counted from 1,
// end when the client has said who it is.
func hangUpAtLogin(t *testing.T, broker string, numbers ...int) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for number := 1; ; number++ {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", broker)
			if err != nil {
				t.Error(err)
				client.Close()
				return
			}
			go func() {
				defer client.Close()
				defer server.Close()
				if slices.Contains(numbers, number) {
					go io.Copy(client, server) // connection.start
					// The protocol header, and the first byte of connection.start-ok.
					io.CopyN(server, client, int64(len("AMQP\x00\x00\x09\x01")+1))
					return
				}
				go io.Copy(server, client)
				io.Copy(client, server)
			}()
		}
	}()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port
}

// A channel that the broker has closed is replaced on the same connection.
func testReopen(t *testing.T, n *broker.Node) {
	s, _ := proxied(t, n)
	err := keep(t, s, func(ch *Channel) error {
		_, err := ch.QueueDeclarePassive("missing", false, false, false, false, nil)
		if e := ch.Refusal(err); e == nil || e.Code != amqp.NotFound {
			t.Errorf("got %v, want 404", err)
		}
		if err := ch.Reopen(); err != nil {
			return err
		}
		if !ch.Offers("publisher_confirms") || ch.Offers("telepathy") {
			t.Error("the broker's capabilities are misread")
		}
		_, err = ch.QueueDeclare("", false, false, true, false, nil)
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
