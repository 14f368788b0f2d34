package show

import (
	"testing"
	"time"
)

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 18115: "18,115", 1234567: "1,234,567"} {
		if got := Thousands(n); got != want {
			t.Errorf("Thousands(%d) = %s", n, got)
		}
	}
}

func TestPerSecond(t *testing.T) {
	for _, test := range []struct {
		n    int
		d    time.Duration
		want int
	}{{50000, 1900 * time.Millisecond, 26315}, {1, 0, 0}, {0, time.Second, 0}, {1, 2 * time.Second, 0}} {
		if got := PerSecond(test.n, test.d); got != test.want {
			t.Errorf("%d in %s: %d, not %d", test.n, test.d, got, test.want)
		}
	}
}
