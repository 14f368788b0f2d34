package wire

import (
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// heartbeat is a whole frame.
const heartbeat = "\x08\x00\x00\x00\x00\x00\x00\xce"

// silent is when the library takes a broker for dead: after so long without a byte.
const silent = 30 * time.Second

// The library moves its deadline on in the goroutine that writes heartbeats. While a broker does not read, that is stuck in
// a write. A broker that still sends is not dead all the same, and one that has stopped sending is.
func TestBrokerThatSendsIsNotDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, broker := net.Pipe()
		c := New(client, client, nil)
		defer c.Sever()
		if err := c.SetReadDeadline(time.Now().Add(silent)); err != nil {
			t.Fatal(err)
		}
		writes := make(chan error)
		go func() {
			for {
				if _, err := c.Write(make([]byte, writeRoom)); err != nil {
					writes <- err
					return
				}
			}
		}()
		synctest.Wait()
		if c.Stuck().IsZero() {
			t.Fatal("the write is not stuck")
		}
		go func() {
			for range 100 {
				time.Sleep(silent - time.Second)
				broker.Write([]byte(heartbeat))
			}
		}()
		began := time.Now()
		read := 0
		for {
			n, err := c.Read(make([]byte, 4096))
			read += n
			if err != nil {
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Error(err)
				}
				break
			}
		}
		if read != 100*len(heartbeat) {
			t.Errorf("%d bytes were read", read)
		}
		if took, want := time.Since(began), 100*(silent-time.Second)+silent; took != want {
			t.Errorf("the broker was dead after %v, not %v", took, want)
		}
		c.Sever()
		if err := <-writes; !errors.Is(err, net.ErrClosed) {
			t.Errorf("the write that was stuck: %v", err)
		}
	})
}

// Without heartbeats no silence is too long, also if there were some before.
func TestNoDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, broker := net.Pipe()
		c := New(client, client, nil)
		defer c.Sever()
		for _, deadline := range []time.Time{time.Now().Add(silent), {}} {
			if err := c.SetReadDeadline(deadline); err != nil {
				t.Fatal(err)
			}
		}
		go func() {
			time.Sleep(1000 * time.Hour)
			broker.Write([]byte(heartbeat))
		}()
		if n, err := c.Read(make([]byte, 4096)); n != len(heartbeat) || err != nil {
			t.Errorf("read %d bytes, %v", n, err)
		}
	})
}

// The times that a guard goes by: since when a write is stuck, when the last one was done, and when the broker last did
// something that was due. Heartbeats are no such thing.
func TestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, broker := net.Pipe()
		c := New(client, client, nil)
		defer c.Sever()
		began := time.Now()
		time.Sleep(time.Second)
		go func() {
			for range 3 { // the second waits in the buffer for the first, and there is no room for the third
				c.Write(make([]byte, writeRoom+1))
			}
		}()
		synctest.Wait()
		if got := c.Stuck().Sub(began); got != time.Second || !c.Written().IsZero() {
			t.Errorf("stuck after %v, written at %v", got, c.Written())
		}
		time.Sleep(time.Second)
		broker.Read(make([]byte, 2*writeRoom))
		synctest.Wait()
		if got := c.Written().Sub(began); got != 2*time.Second || !c.Stuck().IsZero() {
			t.Errorf("written after %v, stuck since %v", got, c.Stuck())
		}
		go broker.Write([]byte(heartbeat))
		c.Read(make([]byte, 4096))
		if !c.Answered().Equal(began) {
			t.Error("a heartbeat is an answer")
		}
		go broker.Write([]byte(frame(frameMethod, 0, "\x00\x0a\x00\x0a\x00\x09")))
		c.Read(make([]byte, 4096))
		if got := c.Answered().Sub(began); got != 2*time.Second {
			t.Errorf("the last answer came after %v", got)
		}
	})
}
