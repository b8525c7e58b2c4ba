package environ_test

import (
	"math"
	"testing"

	"secretwrap/internal/environ"
)

func TestLimitIsAQuarterOfTheStack(t *testing.T) {
	const kib, mib, spare = 1 << 10, 1 << 20, 4 << 10
	tests := map[string]struct {
		stack uint64
		want  int
	}{
		"none at all":                   {0, 128*kib - spare},
		"so small that the floor holds": {256 * kib, 128*kib - spare},
		"just above the floor":          {512*kib + 4, 128*kib + 1 - spare},
		"1 MiB":                         {1 * mib, 256*kib - spare},
		"8 MiB":                         {8 * mib, 2*mib - spare},
		"just at the ceiling":           {24 * mib, 6*mib - spare},
		"above the ceiling":             {1024 * mib, 6*mib - spare},
		"RLIM_INFINITY of Linux":        {math.MaxUint64, 6*mib - spare},
		"RLIM_INFINITY of macOS":        {math.MaxInt64, 6*mib - spare},
	}
	for name, test := range tests {
		if got := environ.Limit(test.stack); got != test.want {
			t.Errorf("%s: Limit(%d) = %d, want %d", name, test.stack, got, test.want)
		}
	}
}

func TestSizeCountsStringsAndPointers(t *testing.T) {
	got := environ.Size("/bin/x", []string{"x", ""}, []string{"A=1"})
	if want := (6 + 1) + (1 + 1 + 8) + (0 + 1 + 8) + (3 + 1 + 8); got != want {
		t.Errorf("Size() = %d, want %d", got, want)
	}
}
