//go:build linux

package machine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"
)

func TestHierarchies(t *testing.T) {
	mounts := `proc /proc proc rw,nosuid 0 0
tmpfs /sys/fs/cgroup tmpfs ro,mode=755 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,nsdelegate 0 0
cgroup /sys/fs/cgroup/cpuset cgroup rw,cpuset 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,cpu,cpuacct 0 0
`
	want := []hierarchy{
		{"/sys/fs/cgroup/unified", 2, true, true},
		{"/sys/fs/cgroup/cpuset", 1, false, false},
		{"/sys/fs/cgroup/cpu,cpuacct", 1, true, true},
	}
	if got := hierarchies(mounts); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A group that cannot limit the CPU must not stay.
func TestJoinWithoutController(t *testing.T) {
	dir := t.TempDir()
	for _, version := range []int{1, 2} {
		if _, err := new(Group).join(hierarchy{dir, version, true, false}, "group", true, 128); err == nil {
			t.Errorf("version %d: a directory that is no control group limits the CPU", version)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("version %d: left %v, %v", version, left, err)
		}
	}
}

// What a process left that was killed goes, what is in use stays.
func TestLeftAreGroupsOfProcessesThatEnded(t *testing.T) {
	ended := exec.Command("true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var want []string
	for _, name := range []string{
		fmt.Sprintf(groupName, ended.Process.Pid, 128), fmt.Sprintf(groupName, os.Getpid(), 128), "secretwrap-bench-x-1", "another",
	} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = []string{filepath.Join(dir, name)}
		}
	}
	if got := left(dir); !slices.Equal(got, want) {
		t.Errorf("left %v, want %v", got, want)
	}
}

func TestParseStatus(t *testing.T) {
	got := parseStatus("Name:\tsecretwrap\nPid:\t19\nPPid:\t17\nUid:\t0\t0\t0\t0\nVmHWM:\t    9048 kB\nVmRSS:\t    8800 kB\n")
	if want := map[string]int64{"Pid": 19, "PPid": 17, "VmHWM": 9048, "VmRSS": 8800}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestParseUsage(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"1500000\n":                      1500 * time.Microsecond,
		"usage_usec 1500\nuser_usec 1\n": 1500 * time.Microsecond,
	} {
		if got, err := parseUsage(text); got != want || err != nil {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "user_usec 1\n", "usage_usec much\n"} {
		if got, err := parseUsage(text); err == nil {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

// What others hold does not count.
func TestResidentBelow(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "sleep 60 & echo; wait")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if held, err := ResidentBelow(cmd.Process.Pid); err != nil || held < 1<<16 || held > 1<<25 {
		t.Errorf("sleep holds %d bytes, %v", held, err)
	}
	if held, err := ResidentBelow(1 << 30); err == nil {
		t.Errorf("below nobody: %d bytes", held)
	}
}

// What was just written, and read, is in the page cache, until it is evicted.
func TestEvict(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	before := cachedPages(t, path)
	if err := Evict(dir); err != nil {
		t.Skip(err) // a file system in memory
	}
	if after := cachedPages(t, path); before == 0 || after > before/10 {
		t.Errorf("%d pages before, %d after", before, after)
	}
}

func cachedPages(t *testing.T, path string) int {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	kept, _, err := cached(file)
	if err != nil {
		t.Fatal(err)
	}
	return kept
}
