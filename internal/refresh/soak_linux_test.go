package refresh_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"secretwrap/internal/awsfake"
)

// refreshes is how many the soak makes.
var refreshes = flag.Int("refreshes", 1000, "how many refreshes the soak makes")

func TestManyRefreshesLeaveNothingBehind(t *testing.T) {
	cycles := *refreshes
	faults := []awsfake.Fault{
		awsfake.Throttled, awsfake.Denied, awsfake.Internal, awsfake.Reset, awsfake.Truncated, awsfake.Empty, awsfake.NotFound, awsfake.Hang, awsfake.HTML, awsfake.ExpiredToken,
	}
	bubble(t, append(tls(), "other=other#x"), []awsfake.Secret{secretOf("tls", "0", pair("0")), secretOf("other", "0", `{"x":"0"}`)}, func(t *testing.T, l *lab) {
		var before, after usage
		version, written, stale := 0, 0, 0
		for cycle := range cycles {
			if cycle == cycles/2 { // pools, caches and the list of calls are full
				before = used(t)
			}
			version++
			one := secretOf("tls", fmt.Sprint(version), pair(fmt.Sprint(version)))
			if cycle%20 == 7 { // five in a hundred fail
				one.Faults = []awsfake.Fault{faults[cycle/20%len(faults)]}
			}
			l.put(one)
			report := l.overdue()
			l.keeper.Sweep()
			written += report.Written
			stale += len(report.Stale)
		}
		after = used(t)
		t.Logf("%d refreshes, %d files written, %d times stale; descriptors %d then %d, goroutines %d then %d, heap %d then %d KiB",
			cycles, written, stale, before.descriptors, after.descriptors, before.goroutines, after.goroutines, before.heap>>10, after.heap>>10)
		if written < 2*cycles*9/10 || stale < cycles/40 {
			t.Error("the soak did not do what it should")
		}
		if after.descriptors > before.descriptors || after.goroutines > before.goroutines || after.heap > before.heap+before.heap/5 {
			t.Errorf("grew from %+v to %+v", before, after)
		}
		if entries := generations(t, l.dir); entries > 2 {
			t.Errorf("%d generations", entries)
		}
	})
}

// usage is what a process holds.
type usage struct {
	descriptors, goroutines int
	// heap is in bytes.
	heap uint64
}

func used(t *testing.T) usage {
	t.Helper()
	descriptors, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	runtime.GC()
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return usage{len(descriptors), runtime.NumGoroutine(), memory.HeapAlloc}
}

func generations(t *testing.T, dir string) int {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	n := 0
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), "..generation-") {
			n++
		}
	}
	return n
}
