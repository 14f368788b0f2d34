// Package seed gives tests their chance: which moment a fault comes at, or which of several is hit. A test that has failed
// says with which number it was, and FAULT_SEED=NUMBER plays it again:
//
//	FAULT_SEED=4711 go test -run TestWorkersLoseNothing ./e2e
package seed

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// Random returns a source of random numbers for one test, and logs its seed. It is for one goroutine.
func Random(t testing.TB) *rand.Rand {
	t.Helper()
	number := rand.Uint64()
	if given := os.Getenv("FAULT_SEED"); given != "" {
		var err error
		if number, err = strconv.ParseUint(given, 10, 64); err != nil {
			t.Fatalf("FAULT_SEED: %v", err)
		}
	}
	t.Logf("FAULT_SEED=%d", number)
	return rand.New(rand.NewPCG(number, 0))
}
