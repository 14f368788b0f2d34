// Client is what the suite's programs are measured against besides other people's clients: frames encoded
// beforehand on a bare socket (the limit), and the shortest programs that use the Go library (the plain ones). And it
// listens to a fanout exchange with more queues than there can well be processes.
//
//	client raw-publish URL QUEUE N SIZE confirm|as-send|none|transient
//	client raw-drain URL QUEUE N PREFETCH
//	client plain-publish URL QUEUE
//	client plain-drain URL QUEUE N PREFETCH ACK
//	client plain-send URL QUEUE
//	client plain-receive URL QUEUE
//	client plain-rpc URL QUEUE
//	client listen URL EXCHANGE QUEUES N PATIENCE
package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "client:", err)
	os.Exit(1)
}

// wanted is the number of arguments, with the command itself.
var wanted = map[string]int{
	"raw-publish": 6, "raw-drain": 5, "plain-publish": 3, "plain-drain": 6, "plain-send": 3, "plain-receive": 3,
	"plain-rpc": 3, "listen": 6,
}

func run(args []string) error {
	if len(args) == 0 || len(args) != wanted[args[0]] {
		return errors.New("wrong arguments: see go doc ./bench/client")
	}
	url, queue := args[1], args[2]
	number := func(i int) int {
		n, err := strconv.Atoi(args[i])
		if err != nil || n < 0 {
			fail(fmt.Errorf("argument %d: %q is no number", i, args[i]))
		}
		return n
	}
	switch args[0] {
	case "raw-publish":
		return rawPublish(url, queue, number(3), number(4), args[5])
	case "raw-drain":
		return rawDrain(url, queue, number(3), number(4))
	case "plain-publish":
		return plainPublish(url, queue)
	case "plain-drain":
		return plainDrain(url, queue, number(3), number(4), number(5))
	case "plain-send":
		return plainSend(url, queue)
	case "plain-receive":
		return plainReceive(url, queue)
	case "plain-rpc":
		return plainRPC(url, queue)
	}
	patience, err := time.ParseDuration(args[5])
	if err != nil {
		return err
	}
	return listen(url, queue, number(3), number(4), patience)
}
