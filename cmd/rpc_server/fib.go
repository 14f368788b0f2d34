package main

import (
	"fmt"
	"math/big"
	"strconv"
	"time"

	"amqp-tutorials/internal/cli"
)

// function is what --max-n and --delay change.
type function struct {
	maxN  int
	delay time.Duration
}

// mostN is the number whose Fibonacci number has two million digits: seconds of work, and a reply of 2 MB.
const mostN = 10_000_000

func (f *function) Flags(p *cli.Program) {
	g := p.Group("Function")
	g.IntVar(&f.maxN, "max-n", 100000, "answer requests above fib(`N`) with an error")
	g.DurationVar(&f.delay, "delay", 0, "take `DURATION` longer for each request")
}

func (f *function) Check() error {
	switch {
	case f.maxN < 0 || f.maxN > mostN:
		return cli.Usage("", "--max-n: %d is not from 0 to %d", f.maxN, mostN)
	case f.delay < 0:
		return cli.Usage("", "--delay: %s is less than nothing", f.delay)
	}
	return nil
}

// argument reads the request's number and checks its range.
func (f *function) argument(body []byte) (int, error) {
	n, err := strconv.Atoi(string(body))
	switch {
	case err != nil:
		return 0, fmt.Errorf("%.40q is not a whole number", body)
	case n < 0 || n > f.maxN:
		return 0, fmt.Errorf("the number must be from 0 to %d", f.maxN)
	}
	return n, nil
}

// fib returns the n-th Fibonacci number, exactly, by fast doubling: one step for each binary digit of n.
func fib(n int) *big.Int {
	a, b := big.NewInt(0), big.NewInt(1) // fib(k) and fib(k+1), k being the digits of n seen so far
	for bit := 1 << 30; bit > 0; bit >>= 1 {
		// fib(2k) = fib(k) (2 fib(k+1) - fib(k)); fib(2k+1) = fib(k)² + fib(k+1)²
		even := new(big.Int).Lsh(b, 1)
		even.Mul(even.Sub(even, a), a)
		odd := a.Mul(a, a)
		odd.Add(odd, b.Mul(b, b))
		a, b = even, odd
		if n&bit != 0 {
			a, b = b, a.Add(a, b)
		}
	}
	return a
}
