package main

import (
	"math/big"
	"testing"
)

func TestFib(t *testing.T) {
	a, b := big.NewInt(0), big.NewInt(1)
	for n := range 2000 {
		if got := fib(n); got.Cmp(a) != 0 {
			t.Fatalf("fib(%d) = %s, want %s", n, got, a)
		}
		a.Add(a, b)
		a, b = b, a
	}
}

func TestArgument(t *testing.T) {
	f := function{maxN: 100}
	for body, ok := range map[string]bool{"0": true, "100": true, "101": false, "-1": false, "": false, "1.5": false, "thirty": false, "99999999999999999999": false} {
		if _, err := f.argument([]byte(body)); (err == nil) != ok {
			t.Errorf("%q: %v", body, err)
		}
	}
}

func BenchmarkFib(b *testing.B) {
	for b.Loop() {
		fib(100000)
	}
}
