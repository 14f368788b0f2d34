package publish

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"text/template"
	"time"

	"github.com/google/uuid"
	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/show"
)

// shaper makes messages out of the source's texts.
type shaper struct {
	*Options
	key      string                   // the routing key of messages that have none of their own
	keyGiven bool                     // it comes from the command line
	shared   amqp.Publishing          // the properties that all messages have
	wanted   []func(*amqp.Publishing) // with --json: sets what the command line says
	bare     bool                     // messages need no id and no timestamp
	parsed   *template.Template       // of the text below
	text     string
}

// data is what a template may use.
type data struct {
	Count int
	Time  string
	UUID  string
}

// Random returns a whole number from low to high.
func (data) Random(low, high int) (int, error) {
	if high < low {
		return 0, fmt.Errorf("Random %d %d: the second number is the smaller one", low, high)
	}
	if span := uint64(high) - uint64(low); span < math.MaxUint64 {
		return low + int(rand.Uint64N(span+1)), nil // which may be more than an int holds, and wraps around to where it belongs
	}
	return int(rand.Uint64()), nil
}

// message takes the routing key off the text, if it holds one, and applies --template, --number and --size to the
// rest. The properties are shared; id and timestamp are the message's own.
func (s *shaper) message(text []byte, number int) (Message, error) {
	if s.json {
		return s.fromJSON(text, number)
	}
	m := Message{RoutingKey: s.key, Publishing: s.shared, number: number}
	if s.keySeparator != "" {
		key, rest, found := bytes.Cut(text, []byte(s.keySeparator))
		if !found || len(key) > 255 {
			return m, &cli.Error{
				Status: cli.Failed, What: fmt.Sprintf("message %d", number),
				Why: fmt.Sprintf("no routing key of at most 255 bytes before a %q", s.keySeparator),
			}
		}
		m.RoutingKey, text = string(key), rest
	}
	body, err := s.body(text, number)
	m.Body = body
	if s.bare {
		return m, err
	}
	if m.MessageId == "" {
		m.MessageId = uuid.NewString()
	}
	m.Timestamp = time.Now()
	return m, err
}

func (s *shaper) body(text []byte, number int) ([]byte, error) {
	if s.template {
		expanded, err := s.expand(string(text), number)
		if err != nil {
			return nil, err
		}
		text = expanded
	}
	if s.number {
		text = append(append(strconv.AppendInt(nil, int64(number), 10), ' '), text...)
	}
	switch missing := s.size - len(text); {
	case s.size == 0 || missing == 0:
		return text, nil
	case missing < 0:
		return text[:s.size], nil
	default:
		// Spaces, because a dot would be a second of work to tutorial 2's worker.
		return append(append(make([]byte, 0, s.size), text...), bytes.Repeat([]byte{' '}, missing)...), nil
	}
}

func (s *shaper) expand(text string, number int) ([]byte, error) {
	var b bytes.Buffer
	err := s.parse(text)
	if err == nil {
		err = s.parsed.Execute(&b, data{number, time.Now().Format(time.RFC3339Nano), uuid.NewString()})
	}
	if err != nil {
		wrong := show.ExplainTemplate(err, text, "known are {{.Count}}, {{.Time}}, {{.UUID}} and {{.Random 1 10}}")
		return nil, cli.Usage(wrong.Hint(), "--template: %s", wrong)
	}
	return b.Bytes(), nil
}

// parse keeps the template of the last text: with --count it is always the same.
func (s *shaper) parse(text string) (err error) {
	if s.parsed == nil || s.text != text {
		s.text = text
		s.parsed, err = template.New("message").Parse(text)
	}
	return err
}
