package wire

import (
	"net"
	"strconv"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Dial connects to a broker and opens channel 1, with each step sent as early as AMQP allows.
func Dial(url string) (net.Conn, Reader, error) {
	uri, err := amqp.ParseURI(url)
	if err != nil {
		return nil, Reader{}, err
	}
	c, err := net.Dial("tcp", net.JoinHostPort(uri.Host, strconv.Itoa(uri.Port)))
	if err != nil {
		return nil, Reader{}, err
	}
	r := NewReader(c)
	login := Long("\x00" + uri.Username + "\x00" + uri.Password)
	steps := []struct {
		send []byte
		want ID
	}{
		{[]byte(Header), ConnectionStart},
		{Method(0, ConnectionStartOk, Long(nil), Short("PLAIN"), login, Short("en_US")), ConnectionTune},
		{Method(0, ConnectionTuneOk, uint16(10), uint32(MaxFrame), uint16(0)), 0},
		{Method(0, ConnectionOpen, Short(uri.Vhost), Short(""), uint8(0)), ConnectionOpenOk},
		{Method(1, ChannelOpen, Short("")), ChannelOpenOk},
	}
	for _, step := range steps {
		if _, err = c.Write(step.send); err == nil && step.want != 0 {
			_, err = r.Await(step.want)
		}
		if err != nil {
			c.Close()
			return nil, r, err
		}
	}
	return c, r, nil
}

// Close says goodbye and waits for the answer: by then the broker has taken everything that was sent before.
func Close(c net.Conn, r Reader) error {
	defer c.Close()
	if _, err := c.Write(Method(0, ConnectionClose, uint16(200), Short("bye"), uint16(0), uint16(0))); err != nil {
		return err
	}
	_, err := r.Await(ConnectionCloseOk)
	return err
}
