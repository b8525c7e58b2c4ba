package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// samplePause is the time between two looks at the extension.
	samplePause = 250 * time.Millisecond
	// extensionPath is what the emulator starts as the extension.
	extensionPath = "/opt/extensions/secretwrap"
)

// watch follows the processes of the extension.
type watch struct {
	emulator int

	mu    sync.Mutex
	pid   int
	life  *life
	lives int
	// judged is how many lives were long enough to be judged.
	judged int
	grown  examples
	// compared tells of the last one that was judged.
	compared string
}

func newWatch(emulator int) *watch { return &watch{emulator: emulator} }

// run takes samples until ctx ends.
func (w *watch) run(ctx context.Context) {
	tick := time.NewTicker(samplePause)
	defer tick.Stop()
	for {
		w.look()
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.judge()
			return
		}
	}
}

// look takes a sample. A process that was replaced is judged.
func (w *watch) look() {
	pid := extensionOf(w.emulator)
	if pid == 0 {
		return
	}
	taken, err := takeSample(pid)
	if err != nil {
		return // it has just ended
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if pid != w.pid {
		w.conclude()
		w.pid, w.life = pid, new(life)
		w.lives++
	}
	w.life.add(taken)
}

// judge judges the process that runs.
func (w *watch) judge() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conclude()
}

// conclude judges a life; mu is held.
func (w *watch) conclude() {
	if w.life == nil || !w.life.isLong() {
		return
	}
	w.judged++
	first, last := w.life.first(), w.life.last()
	w.compared = fmt.Sprintf("RSS %s and %s, descriptors %d and %d, %d samples",
		mebibytes(first.resident), mebibytes(last.resident), first.descriptors, last.descriptors, len(w.life.samples))
	if err := w.life.grew(); err != nil {
		w.grown.add("%v", err)
	}
}

// latest returns the last sample, and how often the extension was started again.
func (w *watch) latest() (sample, int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.life == nil {
		return sample{}, 0
	}
	return w.life.samples[len(w.life.samples)-1], w.lives - 1
}

// takeSample looks at a process.
func takeSample(pid int) (sample, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return sample{}, err
	}
	descriptors, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return sample{}, err
	}
	kib, err := strconv.Atoi(strings.TrimSuffix(field(string(text), "VmRSS:"), " kB"))
	return sample{resident: kib << 10, descriptors: len(descriptors)}, err
}

// field returns what follows a name in a file of /proc.
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if value, found := strings.CutPrefix(line, name); found {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// children returns the children of a process.
func children(pid int) []int {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	var found []int
	for _, list := range lists {
		text, _ := os.ReadFile(list) // of a thread that has ended there is none
		for _, word := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				found = append(found, child)
			}
		}
	}
	slices.Sort(found)
	return found
}

// extensionOf returns the extension's process below an emulator, 0 if there is none.
func extensionOf(emulator int) int {
	for _, child := range children(emulator) {
		if program(child) == extensionPath {
			return child
		}
	}
	return 0
}

// program returns what a process was started as, nothing for one that has ended.
func program(pid int) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	name, _, _ := strings.Cut(string(text), "\x00")
	return name
}

// descendants returns all processes below one, each by the path that it was started
// as, or by its state if that is not there any more.
func descendants(pid int) []string {
	var found []string
	for _, child := range children(pid) {
		name := program(child)
		if name == "" {
			text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", child))
			name = field(string(text), "Name:") + " in state " + field(string(text), "State:")
		}
		found = append(found, name)
		found = append(found, descendants(child)...)
	}
	slices.Sort(found)
	return found
}

// beginning returns what the extension that runs held at first, if it has lived for
// long enough to tell.
func (w *watch) beginning() (sample, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.life == nil || !w.life.isLong() || extensionOf(w.emulator) != w.pid {
		return sample{}, false
	}
	return w.life.first(), true
}

// comparison tells what the process that was last judged held at the beginning and at
// the end of its life.
func (w *watch) comparison() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.compared == "" {
		return "of no process"
	}
	return w.compared
}
