//go:build linux

package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// pause is how often eventually looks.
const pause = 50 * time.Millisecond

// eventually waits until done, and fails with what was waited for.
func eventually(t *testing.T, patience time.Duration, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain: %s", patience, what)
		}
		<-tick.C
	}
}

// process is one in a function's environment, by its id out here.
type process int

// processes returns the emulator with everything that it has started.
func (d deployed) processes(t *testing.T) []process {
	t.Helper()
	directories, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	parents := make(map[process]process)
	for _, directory := range directories {
		id, _ := strconv.Atoi(filepath.Base(directory))
		parents[process(id)] = process(id).parent()
	}
	var found []process
	for id := range parents {
		ancestor := id
		for ancestor > 1 && int(ancestor) != d.PID() {
			ancestor = parents[ancestor]
		}
		if int(ancestor) == d.PID() {
			found = append(found, id)
		}
	}
	return found
}

// running returns the process that was started as path.
func (d deployed) running(t *testing.T, path string) process {
	t.Helper()
	for _, p := range d.processes(t) {
		if p.argv()[0] == path {
			return p
		}
	}
	t.Fatalf("nothing runs as %s", path)
	return 0
}

// extension returns the extension's process.
func (d deployed) extension(t *testing.T) process {
	t.Helper()
	return d.running(t, "/opt/extensions/secretwrap")
}

// runtime returns the process that Lambda started as the runtime: the one that is
// neither an extension nor one's child.
func (d deployed) runtime(t *testing.T) process {
	t.Helper()
	for _, p := range d.processes(t) {
		if int(p.parent()) == d.PID() && filepath.Dir(p.argv()[0]) != "/opt/extensions" {
			return p
		}
	}
	t.Fatal("no runtime is there")
	return 0
}

// file returns the path of what /proc tells about the process.
func (p process) file(name string) string { return filepath.Join("/proc", strconv.Itoa(int(p)), name) }

// parent returns the process's parent, 0 for one that has ended.
func (p process) parent() process {
	text, _ := os.ReadFile(p.file("status"))
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, "PPid:"); found {
			id, _ := strconv.Atoi(strings.TrimSpace(value))
			return process(id)
		}
	}
	return 0
}

// argv returns the arguments, one empty one of a process that has ended.
func (p process) argv() []string {
	text, _ := os.ReadFile(p.file("cmdline"))
	return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
}

// environ returns the variables that the process was started with.
func (p process) environ(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(p.file("environ"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
}

// owner returns to whom the system says that the process's environment belongs.
func (p process) owner(t *testing.T) uint32 {
	t.Helper()
	info, err := os.Stat(p.file("environ"))
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Uid
}

// listeners returns where the process listens on TCP, as the system writes it.
func (p process) listeners(t *testing.T) []string {
	t.Helper()
	sockets := p.descriptors(t)
	var found []string
	for _, table := range []string{"net/tcp", "net/tcp6"} {
		text, _ := os.ReadFile(p.file(table)) // a system without IPv6 has one of them
		for line := range strings.Lines(string(text)) {
			const address, state, inode, listening = 1, 3, 9, "0A"
			fields := strings.Fields(line)
			if fields[state] == listening && slices.Contains(sockets, fmt.Sprintf("socket:[%s]", fields[inode])) {
				found = append(found, fields[address])
			}
		}
	}
	return found
}

// descriptors returns what the process has open.
func (p process) descriptors(t *testing.T) []string {
	t.Helper()
	links, err := filepath.Glob(p.file("fd/*"))
	if err != nil || len(links) == 0 {
		t.Fatalf("no descriptors of process %d to be seen: %v", p, err)
	}
	open := make([]string, len(links))
	for i, link := range links {
		open[i], _ = os.Readlink(link) // empty if closed in between
	}
	return open
}
