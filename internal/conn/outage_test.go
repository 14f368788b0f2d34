package conn

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Of an outage the user is told once for each reason that it has, and once that it is over, and after how long.
func TestOutage(t *testing.T) {
	told := spoken(t)
	synctest.Test(t, func(t *testing.T) {
		var o outage
		o.end("broker:5672") // there was none
		for range 3 {
			o.begin("broker:5672", "EOF")
			time.Sleep(time.Minute)
			o.begin("broker:5672", "its node is down")
			time.Sleep(time.Minute)
		}
		o.end("other:5672")
		o.begin("broker:5672", "EOF") // this is another one
		time.Sleep(1234 * time.Millisecond)
		o.end("broker:5672")
	})
	var lines []string
	for line := range strings.Lines(told()) {
		_, line, _ = strings.Cut(line, ": ")
		lines = append(lines, line)
	}
	want := `connection to broker:5672 lost: EOF; connecting again
connection to broker:5672 lost: its node is down; connecting again
connected again to other:5672 after 6m0s
connection to broker:5672 lost: EOF; connecting again
connected again to broker:5672 after 1.2s
`
	if got := strings.Join(lines, ""); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// A broker that is not there is tried again as long as --wait says, to the second, and that is told once. Without it once.
func TestWait(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close() // nobody listens at its port now
	_, port, _ := net.SplitHostPort(closed.Addr().String())
	s := &Settings{nodes: []node{{host: "127.0.0.1", port: port, timeout: time.Minute}}, warned: true}
	for _, wait := range []time.Duration{0, time.Minute} {
		told := spoken(t)
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			_, err := s.connect(context.Background(), wait, backoff.NewConstantBackOff(7*time.Second))
			if took := time.Since(began); err == nil || took != wait {
				t.Errorf("waited for %v, not %v: %v", took, wait, err)
			}
		})
		if said, want := told(), fmt.Sprintf("trying for %v\n", wait); strings.Count(said, want) != min(int(wait), 1) {
			t.Errorf("--wait %v: said %q", wait, said)
		}
	}
	synctest.Test(t, func(t *testing.T) { // Ctrl-C ends the waiting at once
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		began := time.Now()
		if _, err := s.connect(ctx, forever, backoff.NewConstantBackOff(7*time.Second)); err == nil || time.Since(began) != 10*time.Second {
			t.Errorf("ended after %v: %v", time.Since(began), err)
		}
	})
}
