package main

import (
	"fmt"
	"os"
)

// start is the broker in the foreground.
func start(o options) int {
	if o.port == 0 && o.data == "" && o.listen == "" && !o.tls {
		if url, ok := answering(orDefault(os.Getenv("AMQP_URL"))); ok {
			say("a broker already answers at %s", withoutPassword(url))
			return 0
		}
	}
	signals := listenToSignals()
	b, status := launched(o, signals)
	if b == nil {
		return status
	}
	forget, err := b.register()
	if err != nil {
		say("scripts/broker ctl will not know this broker: %v", err)
	}
	defer forget()
	announce(o, b)
	select {
	case <-signals:
		stop(b, signals)
		return 0
	case <-b.ended:
		say("RabbitMQ has ended by itself. The end of its log:\n%s", b.log())
		stop(b, signals)
		return failed
	}
}

func announce(o options, b *broker) {
	say("RabbitMQ is ready. In another terminal:")
	fmt.Fprintf(os.Stderr, "\n    export AMQP_URL=%s\n", b.publicURL)
	if b.ca != "" {
		fmt.Fprintf(os.Stderr, "    export AMQP_CACERT=%s\n", b.ca)
	}
	fmt.Fprintln(os.Stderr)
	say("its management page is %s (user %s, password %s)", b.page, b.user, b.password)
	switch {
	case b.ca != "":
		say("on other machines AMQP_CACERT is a copy of that file, the certificate of this broker's CA")
	case !b.local:
		say("warning: nothing is encrypted: whoever can watch the network reads the password and every message (--tls)")
	}
	if o.data != "" {
		say("Ctrl-C stops it; what is in it stays in %s", o.data)
	} else {
		say("Ctrl-C stops it; nothing in it is kept")
	}
}
