package main

import (
	"bytes"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
)

// work is what --unit, --delay, --exec and --fail change.
type work struct {
	unit, delay time.Duration
	exec        string
	fail        string
}

func (w *work) Flags(p *cli.Program) {
	f := p.Group("Work")
	f.DurationVar(&w.unit, "unit", time.Second, "a dot is `DURATION` of work")
	f.DurationVar(&w.delay, "delay", 0, "each task takes `DURATION` longer")
	f.StringVar(&w.exec, "exec", "", "the work is this shell `COMMAND`; --requeue then puts back what fails")
	f.StringVar(&w.fail, "fail", "", "reject a task whose body contains `TEXT`; --requeue then puts back what fails")
}

func (w *work) Check() error {
	if w.unit < 0 || w.delay < 0 {
		return cli.Usage("", "--unit and --delay take no negative duration")
	}
	in.OnFailure = w.exec != "" || w.fail != ""
	return nil
}

// on spends the time that the task's dots stand for, or runs the command; done is false if that failed.
func (w *work) on(d *amqp.Delivery) (done bool, err error) {
	if err := in.Flush(); err != nil {
		return false, err
	}
	time.Sleep(w.delay)
	if w.exec != "" {
		return in.Exec(w.exec, d)
	}
	time.Sleep(time.Duration(bytes.Count(d.Body, []byte("."))) * w.unit)
	return true, nil
}
