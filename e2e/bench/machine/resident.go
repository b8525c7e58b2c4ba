package machine

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Process is a process with its memory.
type Process struct {
	parent int64
	// Path is what the process was started as.
	Path string
	// Resident and Peak are what it holds now and held at most, in bytes.
	Resident, Peak int64
}

// Below returns the processes that a process and its descendants have started,
// those only that are still there.
func Below(pid int) ([]Process, error) {
	all := make(map[int64]Process)
	directories, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	for _, directory := range directories {
		// Processes end all the time: what cannot be read is none of ours.
		text, _ := os.ReadFile(filepath.Join(directory, "status"))
		command, _ := os.ReadFile(filepath.Join(directory, "cmdline"))
		status := parseStatus(string(text))
		path, _, _ := strings.Cut(string(command), "\x00")
		all[status["Pid"]] = Process{status["PPid"], path, status["VmRSS"] * 1024, status["VmHWM"] * 1024}
	}
	var found []Process
	for id, process := range all {
		if id != int64(pid) && descends(all, id, int64(pid)) {
			found = append(found, process)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("process %d has no children", pid)
	}
	return found, nil
}

// descends reports whether a process comes from an ancestor.
func descends(all map[int64]Process, id, ancestor int64) bool {
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
