package publish

import (
	"errors"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/conn"
)

func TestShape(t *testing.T) {
	for _, test := range []struct {
		name    string
		options Options
		text    string
		want    string // a regular expression
	}{
		{"as it is", Options{}, "Hello", "Hello"},
		{"number", Options{number: true}, "Hello!", "7 Hello!"},
		{"padded", Options{size: 8}, "Hello", "Hello   "},
		{"cut", Options{size: 2}, "Hello", "He"},
		{"template", Options{template: true}, "{{.Count}} {{.Random 3 3}}", "7 3"},
		{"uuid", Options{template: true}, "{{.UUID}}", "[0-9a-f]{8}-[0-9a-f-]{27}"},
		{"time", Options{template: true}, "{{.Time}}", `\d{4}-\d\d-\d\dT.*`},
		{"all", Options{template: true, number: true, size: 5}, "{{.Count}}", "7 7  "},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := shaper{Options: &test.options}
			got, err := s.body([]byte(test.text), 7)
			if err != nil || !regexp.MustCompile("^(?:"+test.want+")$").Match(got) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestWrongTemplates(t *testing.T) {
	for _, text := range []string{"{{", "{{.Nothing}}", "{{.Random 2 1}}", "{{.Random}}", "{{template \"x\"}}"} {
		s := shaper{Options: &Options{template: true}}
		var usage *cli.Error
		if _, err := s.body([]byte(text), 1); !errors.As(err, &usage) || usage.Status != cli.WrongUsage {
			t.Errorf("%s: got %v, want a usage error", text, err)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	f.Add("{{.Count}} {{.Random 1 2}}")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 100 {
			return // {{range}} upon {{range}} takes for ever, as the user asked
		}
		s := shaper{Options: &Options{template: true}}
		var usage *cli.Error
		if _, err := s.body([]byte(text), 1); err != nil && !errors.As(err, &usage) {
			t.Errorf("%q: %v is no usage error", text, err)
		}
	})
}

func TestUnconfirmed(t *testing.T) {
	var u unconfirmed
	next := 1
	for range 100 { // it grows, and wraps around
		for range 7 {
			u.push(Message{number: next, Publishing: amqp.Publishing{MessageId: string(rune('a' + next%26))}})
			u.published++
			next++
		}
		want := u.at(0).number
		for range 5 {
			if m := u.pop(); m.number != want {
				t.Fatalf("got message %d, want %d", m.number, want)
			}
			want++
		}
	}
	if u.n != 200 || u.published != 200 || u.at(199).number != 700 {
		t.Errorf("%d messages, %d published, the last is %d", u.n, u.published, u.at(199).number)
	}
	first := u.find(amqp.Return{MessageId: u.at(0).MessageId})
	first.returned = true
	if again := u.find(amqp.Return{MessageId: first.MessageId}); again == first || again == nil {
		t.Error("a message that was returned is found again, or the next with its id is not")
	}
	if u.find(amqp.Return{MessageId: "nobody"}) != nil {
		t.Error("found a message that isn't there")
	}
	if n := u.unreturn(); n != 1 || first.returned {
		t.Errorf("%d messages were returned, and the first still is: %t", n, first.returned)
	}
}

// A message put back after a nack comes behind the others.
func TestUnconfirmedAgain(t *testing.T) {
	var u unconfirmed
	for i := range 3 {
		u.push(Message{number: i})
		u.published++
	}
	u.push(u.pop())
	if u.n != 3 || u.published != 2 || u.at(0).number != 1 || u.at(2).number != 0 {
		t.Errorf("got %+v", u)
	}
}

// After a loss, the nack of the first message is a reason to look for a better channel, some times.
func TestTrial(t *testing.T) {
	p := &publisher{Options: &Options{count: 1}, strategy: async, trial: true}
	p.unconfirmed.push(Message{number: 1})
	for range maxTrials {
		p.unconfirmed.published = 1
		var lost *conn.LostError
		if err := p.refused(nil); !errors.As(err, &lost) || p.unconfirmed.n != 1 {
			t.Fatalf("got %v, and %d messages are kept", err, p.unconfirmed.n)
		}
	}
	if err := p.refused(nil); err != nil || p.nacked != 1 || p.unconfirmed.n != 0 {
		t.Errorf("after %d trials: %v, message %d is nacked, %d are kept", maxTrials, err, p.nacked, p.unconfirmed.n)
	}
}

// The first message does not wait; each other one waits for its place in the schedule.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pace
		began := time.Now()
		for i := range 10 {
			for !p.due(time.Hour) {
				<-p.next()
			}
			if took, want := time.Since(began), time.Duration(i)*time.Hour; took != want {
				t.Errorf("message %d is due after %v, not %v", i+1, took, want)
			}
			p.sent(time.Hour)
			time.Sleep(time.Minute) // which publishing takes: it does not add up
		}
		if !p.due(0) || p.next() != nil {
			t.Error("without an interval there is something to wait for")
		}
	})
}

// A publisher makes up for a short delay and then keeps to its schedule again, but not for an hour.
func TestPaceMakesUp(t *testing.T) {
	const interval = 100 * time.Millisecond
	for late, want := range map[time.Duration]int{0: 1, 350 * time.Millisecond: 4, lag: 11, time.Hour: 1} {
		synctest.Test(t, func(t *testing.T) {
			var p pace
			p.sent(interval) // the first
			time.Sleep(interval + late)
			now := 0
			for ; p.due(interval); now++ {
				p.sent(interval)
			}
			if now != want {
				t.Errorf("%v late: %d messages at once, not %d", late, now, want)
			}
		})
	}
}

// A message whose time comes between the two looks of a publisher, whether it is due and how long to wait, goes out at once.
func TestPaceMissesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pace
		p.sent(time.Second)
		if p.due(time.Second) {
			t.Fatal("the second message does not wait")
		}
		time.Sleep(time.Minute)
		woken := time.Now()
		if <-p.next(); time.Since(woken) != 0 {
			t.Errorf("it waits for %v", time.Since(woken))
		}
	})
}

// What is put off waits however much is due.
func TestPaceHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace{hold: time.Now().Add(time.Second)}
		began := time.Now()
		for p.held() {
			<-p.next()
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("it was put off for %v", took)
		}
	})
}

// What keeping a message until its confirm costs, with a full window.
func BenchmarkUnconfirmed(b *testing.B) {
	var u unconfirmed
	body := []byte("a line of a log")
	for i := range 5000 {
		u.push(Message{number: i, Publishing: amqp.Publishing{Body: body}})
		u.published++
	}
	for b.Loop() {
		u.pop()
		u.push(Message{number: 1, Publishing: amqp.Publishing{Body: body}})
		u.published++
	}
}

func BenchmarkShape(b *testing.B) {
	o := &Options{contentType: "text/plain", Persistent: true}
	s := shaper{Options: o, shared: o.properties()}
	body := []byte("a line of a log")
	for b.Loop() {
		if _, err := s.message(body, 1); err != nil {
			b.Fatal(err)
		}
	}
}
