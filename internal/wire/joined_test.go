package wire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// pair is a TCP connection on loopback.
func pair(tb testing.TB) (client, server net.Conn) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	client, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	server, err = l.Accept()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// Everything written arrives, in order, and Close leaves nothing behind.
func TestJoinedWritesKeepTheirOrder(t *testing.T) {
	client, server := pair(t)
	c := join(client)
	var want bytes.Buffer
	for i := range 20000 {
		want.WriteString("message ")
		want.WriteByte(byte(i))
	}
	var got []byte
	var err error
	var read sync.WaitGroup
	read.Go(func() { got, err = io.ReadAll(server) })
	for piece := want.Bytes(); len(piece) > 0; piece = piece[9:] {
		if _, err := c.Write(piece[:9]); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	read.Wait()
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%d of %d bytes arrived, or in another order: %v", len(got), want.Len(), err)
	}
}

// A reader that does not read holds up the writer, whose memory stays bounded, until the socket is closed below it.
func TestJoinedWritesWaitForTheReader(t *testing.T) {
	client, _ := pair(t)
	c := join(client)
	failed := make(chan error)
	go func() {
		piece := make([]byte, 64<<10)
		for {
			if _, err := c.Write(piece); err != nil {
				failed <- err
				return
			}
		}
	}()
	for full := false; !full; {
		c.mu.Lock()
		full = len(c.buf) > writeRoom
		if len(c.buf) > writeRoom+64<<10 {
			t.Errorf("%d bytes are waiting", len(c.buf))
		}
		c.mu.Unlock()
		time.Sleep(time.Millisecond)
	}
	client.Close()
	if err := <-failed; !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want %v", err, net.ErrClosed)
	}
}

func BenchmarkJoinedWrites(b *testing.B) {
	client, server := pair(b)
	go io.Copy(io.Discard, server)
	c := join(client)
	message := make([]byte, 180)
	b.SetBytes(int64(len(message)))
	for b.Loop() {
		if _, err := c.Write(message); err != nil {
			b.Fatal(err)
		}
	}
}
