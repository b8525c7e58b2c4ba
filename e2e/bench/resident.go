package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// resident is how much memory a process holds, in bytes.
type resident struct{ now, peak int64 }

// residentOf returns the memory of the child of parent that runs the program at
// path, as the child sees it.
func residentOf(parent int, path string) (resident, error) {
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return resident{}, err
	}
	for _, process := range processes {
		// Processes end all the time: what cannot be read is none of ours.
		text, _ := os.ReadFile(filepath.Join(process, "status"))
		if status := parseStatus(string(text)); status["PPid"] == int64(parent) && runs(process, path) {
			return resident{now: status["VmRSS"] * 1024, peak: status["VmHWM"] * 1024}, nil
		}
	}
	return resident{}, fmt.Errorf("process %d has no child that runs %s", parent, path)
}

// runs reports whether a process was started as path.
func runs(process, path string) bool {
	command, _ := os.ReadFile(filepath.Join(process, "cmdline"))
	name, _, _ := strings.Cut(string(command), "\x00")
	return name == path
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
