package machine

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// process is a process with the memory that it holds, in bytes.
type process struct{ parent, resident int64 }

// ResidentBelow returns what the processes hold that a process and its descendants
// have started, in bytes.
func ResidentBelow(pid int) (int64, error) {
	all := make(map[int64]process)
	directories, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	for _, directory := range directories {
		// Processes end all the time: what cannot be read is none of ours.
		text, _ := os.ReadFile(filepath.Join(directory, "status"))
		status := parseStatus(string(text))
		all[status["Pid"]] = process{status["PPid"], status["VmRSS"] * 1024}
	}
	sum := int64(0)
	for id, one := range all {
		if id != int64(pid) && descends(all, id, int64(pid)) {
			sum += one.resident
		}
	}
	if sum == 0 {
		return 0, fmt.Errorf("process %d has no children", pid)
	}
	return sum, nil
}

// descends reports whether a process comes from an ancestor.
func descends(all map[int64]process, id, ancestor int64) bool {
	for range all {
		if id == ancestor {
			return true
		}
		id = all[id].parent
	}
	return false
}

// parseStatus returns the numbers in a /proc/PID/status; sizes are in KiB.
func parseStatus(text string) map[string]int64 {
	numbers := make(map[string]int64)
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(line, ":")
		number, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err == nil {
			numbers[name] = number
		}
	}
	return numbers
}
