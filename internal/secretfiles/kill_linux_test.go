package secretfiles_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"secretwrap/internal/secretfiles"
)

// changes are the system calls that change something in a file system.
func changes() map[uint64]string {
	return map[uint64]string{
		syscall.SYS_OPENAT:    "openat",
		syscall.SYS_WRITE:     "write",
		syscall.SYS_MKDIRAT:   "mkdirat",
		syscall.SYS_FCHMOD:    "fchmod",
		syscall.SYS_FCHMODAT:  "fchmodat",
		452:                   "fchmodat2",
		syscall.SYS_LINKAT:    "linkat",
		syscall.SYS_SYMLINKAT: "symlinkat",
		syscall.SYS_RENAMEAT:  "renameat",
		syscall.SYS_UNLINKAT:  "unlinkat",
		syscall.SYS_UTIMENSAT: "utimensat",
	}
}

// syscallInfo is the beginning of the kernel's struct ptrace_syscall_info.
type syscallInfo struct {
	op        uint8
	_         [3]uint8
	_         uint32
	_, _      uint64
	number    uint64
	arguments [6]uint64
	_         [16]uint64
}

// call returns the name of the system call that a stopped thread is about to
// make, if it opens or changes something.
func call(t *testing.T, thread int) string {
	const getSyscallInfo, entry = 0x420e, 1
	var info syscallInfo
	_, _, errno := syscall.Syscall6(syscall.SYS_PTRACE, getSyscallInfo, uintptr(thread), unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0)
	if errno == syscall.EIO || errno == syscall.EINVAL {
		t.Skip("needs Linux 5.3 to see system calls")
	}
	if errno != 0 || info.op != entry { // an error means that the thread is gone
		return ""
	}
	if info.number == syscall.SYS_OPENAT && info.arguments[2]&syscall.O_CREAT == 0 {
		return opening
	}
	return changes()[info.number]
}

// opening is what call returns for the opening of something that exists.
const opening = "open"

// killAt runs a child until it has made so many changes, and kills it before the
// next one. It returns the names of those that it made, and whether the child
// came to its end.
func killAt(t *testing.T, do, dir string, count int) (made []string, ended bool) {
	t.Helper()
	changed := 0
	status := trace(t, do, dir, func(pid int, name string) {
		if name == opening {
			return
		}
		if changed++; changed > count {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			return
		}
		made = append(made, name)
	})
	return made, status.Exited() && status.ExitStatus() == 0
}

// trace runs a child, calls before with the name of each system call that the
// child is about to make from its beginning on, and returns how the child ended.
func trace(t *testing.T, do, dir string, before func(pid int, name string)) syscall.WaitStatus {
	t.Helper()
	// All that is asked of a traced process must come from one thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	pid, err := syscall.ForkExec("/proc/self/exe", []string{"child"}, &syscall.ProcAttr{
		Env:   childEnvironment(do, dir),
		Files: []uintptr{0, 1, 2},
		Sys:   &syscall.SysProcAttr{Ptrace: true},
	})
	if err == syscall.EPERM {
		t.Skip("needs the right to trace a process")
	}
	must(t, err)
	const killWithUs = 0x100000
	var status syscall.WaitStatus
	_, err = syscall.Wait4(pid, &status, syscall.WALL, nil)
	must(t, err)
	must(t, syscall.PtraceSetOptions(pid, syscall.PTRACE_O_TRACESYSGOOD|syscall.PTRACE_O_TRACECLONE|killWithUs))
	must(t, syscall.PtraceCont(pid, 0))
	worker := 0
	for {
		thread, err := syscall.Wait4(-1, &status, syscall.WALL, nil)
		must(t, err)
		if thread == pid && (status.Exited() || status.Signaled()) {
			return status
		}
		if !status.Stopped() {
			continue // another thread's end
		}
		signal := status.StopSignal()
		switch signal {
		case beginning:
			worker, signal = thread, 0
		case syscall.SIGTRAP | 0x80:
			signal = 0
			if name := call(t, thread); name != "" {
				before(pid, name)
			}
		case syscall.SIGTRAP, syscall.SIGSTOP: // a new thread
			signal = 0
		}
		if thread == worker {
			_ = syscall.PtraceSyscall(thread, int(signal)) // which fails if it is gone
		} else {
			_ = syscall.PtraceCont(thread, int(signal))
		}
	}
}

// eachKill prepares a directory and kills a child there, at each step in turn.
func eachKill(t *testing.T, do string, prepare func(t *testing.T, dir string), check func(t *testing.T, dir string), want ...string) {
	t.Helper()
	parent := memoryDir(t)
	for kills := 0; ; kills++ {
		dir := filepath.Join(parent, "files")
		must(t, os.RemoveAll(dir))
		prepare(t, dir)
		made, ended := killAt(t, do, dir, kills)
		check(t, dir)
		if t.Failed() {
			t.Fatalf("after %q", made)
		}
		if !ended {
			continue
		}
		t.Logf("killed at each of %d steps: %s", kills, strings.Join(made, " "))
		for _, name := range want {
			if !slices.Contains(made, name) {
				t.Errorf("the child made no %s: the test sees nothing", name)
			}
		}
		return
	}
}

// prepareOld publishes a pair, and leaves what a killed predecessor may leave.
func prepareOld(t *testing.T, dir string) {
	t.Helper()
	publish(t, dir, append(pair("old"), file("KEPT", "kept"))...)
	longAgo := time.Now().Add(-time.Hour)
	must(t, os.Chtimes(resolve(dir), time.Time{}, longAgo))
	leftover := filepath.Join(dir, "..generation-LEFT")
	must(t, os.MkdirAll(filepath.Join(leftover, "tls"), 0o700))
	must(t, os.WriteFile(filepath.Join(leftover, "tls/client.key"), []byte("left"), 0o400))
	must(t, os.Chtimes(leftover, time.Time{}, longAgo))
	must(t, os.Symlink("..generation-LEFT", filepath.Join(dir, "..link-LEFT")))
}

// expectOldOrNew wants all files in their places, from one generation.
func expectOldOrNew(t *testing.T, dir string) {
	t.Helper()
	certificate, key, whole := readPair(dir)
	if !whole || certificate != key || key != "old" && key != "new" {
		t.Errorf("certificate %q with key %q", certificate, key)
	}
	expectContent(t, filepath.Join(dir, "tls/client.pem"), key)
	expectContent(t, filepath.Join(dir, "tls/client.key"), key)
	expectContent(t, filepath.Join(dir, "KEPT"), "kept")
}

// expectConverged wants exactly these files, and nothing but them once readers
// have had their time.
func expectConverged(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	names := make(map[string]bool)
	for path, content := range want {
		expectContent(t, filepath.Join(dir, path), content)
		expectContent(t, filepath.Join(resolve(dir), path), content)
		name, _, _ := strings.Cut(path, "/")
		names[name] = true
	}
	expectPublished(t, dir, slices.Collect(maps.Keys(names))...)
}

func TestAWriteKilledAtAnyStepLeavesOldOrNewAndTheNextOneConverges(t *testing.T) {
	steps := map[string][]string{
		"publish": {"mkdirat", "openat", "write", "fchmod", "symlinkat", "renameat", "unlinkat"},
		"update":  {"mkdirat", "openat", "write", "fchmod", "linkat", "symlinkat", "renameat", "unlinkat", "utimensat"},
	}
	for do, want := range steps {
		t.Run(do+", then Publish", func(t *testing.T) {
			eachKill(t, do, prepareOld, func(t *testing.T, dir string) {
				expectOldOrNew(t, dir)
				publish(t, dir, pair("next")...)
				expectEntries(t, dir, "..data", "..generation", "tls") // at once
				expectConverged(t, dir, map[string]string{"tls/client.pem": "next", "tls/client.key": "next"})
			}, want...)
		})
		t.Run(do+", then Update", func(t *testing.T) {
			eachKill(t, do, prepareOld, func(t *testing.T, dir string) {
				expectOldOrNew(t, dir)
				pinned := resolve(dir)
				update(t, dir, time.Now(), append(pair("next"), file("ADDED", "next"))...)
				expectYoung(t, dir)
				expectContent(t, filepath.Join(pinned, "KEPT"), "kept")
				if do == "update" && !holdsOld(t, dir) {
					t.Error("the generation that was replaced just now is gone")
				}
				expectConverged(t, dir, map[string]string{
					"tls/client.pem": "next", "tls/client.key": "next", "ADDED": "next", "KEPT": "kept",
				})
			}, want...)
		})
	}
}

// holdsOld reports whether a generation with the first files is there.
func holdsOld(t *testing.T, dir string) bool {
	t.Helper()
	return slices.ContainsFunc(generations(t, dir), func(generation string) bool {
		content, _ := os.ReadFile(filepath.Join(generation, "tls/client.key"))
		return string(content) == "old"
	})
}

// expectYoung wants no generation but the current one and those that somebody
// may still read, and no temporary links.
func expectYoung(t *testing.T, dir string) {
	t.Helper()
	for _, generation := range generations(t, dir) {
		if age := time.Since(inode(t, generation).ModTime()); generation != resolve(dir) && age > secretfiles.Grace {
			t.Errorf("%s is left, which was replaced %v ago", generation, age)
		}
	}
	links, err := filepath.Glob(filepath.Join(dir, "..link-*"))
	if err != nil || len(links) > 0 {
		t.Errorf("temporary links are left: %q (%v)", links, err)
	}
}

func TestAFirstPublishKilledAtAnyStepConverges(t *testing.T) {
	nothing := func(*testing.T, string) {}
	check := func(t *testing.T, dir string) {
		if content, err := os.ReadFile(filepath.Join(dir, "tls/client.key")); err == nil && string(content) != "new" {
			t.Errorf("the key is %q", content)
		}
		publish(t, dir, pair("next")...)
		expectEntries(t, dir, "..data", "..generation", "tls")
		expectContent(t, filepath.Join(dir, "tls/client.key"), "next")
	}
	eachKill(t, "publish", nothing, check, "mkdirat", "openat", "write", "symlinkat", "renameat")
	eachKill(t, "update", nothing, check, "mkdirat", "openat", "write", "symlinkat", "renameat")
}

func TestARemovalKilledAtAnyStepLeavesAllOrNothing(t *testing.T) {
	eachKill(t, "remove", prepareOld, func(t *testing.T, dir string) {
		readable := 0
		for _, path := range []string{"tls/client.pem", "tls/client.key", "KEPT"} {
			if _, err := os.ReadFile(filepath.Join(dir, path)); err == nil {
				readable++
			}
		}
		if readable != 0 && readable != 3 {
			t.Errorf("%d files of 3 can be read", readable)
		}
		must(t, secretfiles.Remove(dir))
		expectAbsent(t, dir)
	}, "unlinkat")
}

// swap replaces a directory or a file by a link to another one of ours.
type swap struct {
	do, what string
	path     func(dir string) string
	target   string
}

func swaps() []swap {
	var all []swap
	for _, do := range []string{"update", "remove"} {
		all = append(all, swap{do, "the directory", func(dir string) string { return dir }, "victim"})
	}
	return append(all,
		swap{"update", "the generation", resolve, "victim"},
		swap{"update", "a directory of files", func(dir string) string { return filepath.Join(resolve(dir), "tls") }, "../victim"},
		swap{"update", "a file", func(dir string) string { return filepath.Join(resolve(dir), "KEPT") }, "../victim/A"},
		swap{"remove", "a leftover", func(dir string) string { return filepath.Join(dir, "..generation-LEFT") }, "victim"},
		swap{"remove", "a directory in a leftover", func(dir string) string { return filepath.Join(dir, "..generation-LEFT/tls") }, "../victim"},
	)
}

// The moment between a look at something and its opening is too short for
// another process, so the child is stopped there.
func TestWhatBecomesALinkAtAnyStepIsNotFollowed(t *testing.T) {
	for _, s := range swaps() {
		t.Run(s.what+" in "+s.do, func(t *testing.T) {
			parent := memoryDir(t)
			step := 0
			for swapAt(t, s, filepath.Join(parent, strconv.Itoa(step)), step) && !t.Failed() {
				step++
			}
			t.Logf("replaced at each of %d steps", step)
		})
	}
}

// swapAt prepares a directory with a victim in it and one beside it, and makes
// the swap at one step of a child. It reports whether the child came that far.
func swapAt(t *testing.T, s swap, parent string, step int) (stopped bool) {
	t.Helper()
	dir := filepath.Join(parent, "files")
	must(t, os.Mkdir(parent, 0o700))
	prepareOld(t, dir)
	_, expectOuterUntouched := plantVictim(t, parent)
	inner, expectInnerUntouched := plantVictim(t, dir)
	before, path := resolve(dir), s.path(dir)
	steps := 0
	trace(t, s.do, dir, func(_ int, name string) {
		if !slices.Contains([]string{opening, "fchmodat", "fchmodat2", "linkat", "utimensat"}, name) {
			return // what creates or removes a name follows nothing
		}
		if steps == step {
			stopped = true
			_ = os.Rename(path, filepath.Join(filepath.Dir(path), "aside")) // unless the child removed it by now
			_ = os.Symlink(s.target, path)
		}
		steps++
	})
	expectOuterUntouched()
	if _, err := os.Lstat(inner); err == nil { // else it is aside, with the directory
		expectInnerUntouched()
	}
	if generation := resolve(dir); generation != before && generation != dir {
		expectNoLinks(t, generation)
	}
	return stopped
}

func expectNoLinks(t *testing.T, generation string) {
	t.Helper()
	must(t, filepath.WalkDir(generation, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type() == fs.ModeSymlink {
			t.Errorf("%s is a link", path)
		}
		return err
	}))
}
