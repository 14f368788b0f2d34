package cli

import (
	"testing"
	"time"
)

func TestProgressLine(t *testing.T) {
	for _, test := range []struct {
		total, done int64
		want        string
	}{
		{300, 0, "  0% [                              ] 0/300 (0 msg/s)"},
		{300, 150, " 50% [===============               ] 150/300 (75 msg/s)"},
		{300, 300, "100% [==============================] 300/300 (150 msg/s)"},
		{300, 400, "100% [==============================] 400/300 (200 msg/s)"},
		{-1, 150, "150 messages (75 msg/s)"},
		{1_000_000_000_000, 999_999_999_999, " 99% [============================= ] 999999999999/1000000000000 (500000000000 msg/s)"},
	} {
		if got := (&Progress{total: test.total}).line(test.done, 2*time.Second); got != test.want {
			t.Errorf("%d of %d: got  %s\nwant %s", test.done, test.total, got, test.want)
		}
	}
}
