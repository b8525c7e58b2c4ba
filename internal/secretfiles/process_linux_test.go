package secretfiles_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"secretwrap/internal/secretfiles"
)

// The test binary is also a process that does one of these with a directory.
const (
	childDo    = "SECRETFILES_TEST_DO"
	childDir   = "SECRETFILES_TEST_DIR"
	childUmask = "SECRETFILES_TEST_UMASK"
)

func children() map[string]func(dir string) error {
	return map[string]func(dir string) error{
		"publish": func(dir string) error { return secretfiles.Publish(dir, append(pair("new"), file("KEPT", "kept"))) },
		"update": func(dir string) error {
			return secretfiles.Update(dir, append(pair("new"), file("ADDED", "added")), time.Now())
		},
		"remove": secretfiles.Remove,
		"update on and on": func(dir string) error {
			for version := 0; ; version++ {
				if err := secretfiles.Update(dir, rotating(version), time.Now()); err != nil {
					return err
				}
				fmt.Println(version)
			}
		},
		"publish on and on": func(dir string) error {
			for version := 0; ; version++ {
				if err := secretfiles.Publish(dir, pair(strconv.Itoa(version))); err != nil {
					return err
				}
				fmt.Println(version)
			}
		},
	}
}

func TestMain(m *testing.M) {
	do := children()[os.Getenv(childDo)]
	if do == nil {
		os.Exit(m.Run())
	}
	if umask, err := strconv.ParseInt(os.Getenv(childUmask), 8, 32); err == nil {
		syscall.Umask(int(umask))
	}
	// Whoever traces this thread learns that it begins. Otherwise it is ignored.
	runtime.LockOSThread()
	_ = syscall.Tgkill(os.Getpid(), syscall.Gettid(), beginning)
	if err := do(os.Getenv(childDir)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// beginning is a signal that nothing else sends.
const beginning = syscall.SIGWINCH

func childEnvironment(do, dir string) []string {
	// With the race detector a program sleeps for a second before it ends.
	return []string{childDo + "=" + do, childDir + "=" + dir, "GORACE=atexit_sleep_ms=0"}
}

// child returns the test binary as another process. /proc/self/exe can be
// executed by a user who cannot reach the file that it leads to.
func child(do, dir string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = childEnvironment(do, dir)
	cmd.Stderr = os.Stderr
	return cmd
}

func TestTheUmaskDoesNotChangeModes(t *testing.T) {
	for _, umask := range []string{"0", "022", "0777"} {
		t.Run(umask, func(t *testing.T) {
			parent := t.TempDir()
			dir := filepath.Join(parent, "files")
			if os.Geteuid() == 0 {
				must(t, os.Chown(parent, nobody, nobody))
				must(t, os.Chmod(filepath.Dir(parent), 0o711))
			}
			for _, do := range []string{"update", "publish", "update"} {
				cmd := child(do, dir)
				cmd.Env = append(cmd.Env, childUmask+"="+umask)
				becomeNobody(cmd)
				must(t, cmd.Run())

				for _, path := range []string{".", "..data", "tls"} {
					expectMode(t, filepath.Join(dir, path), fs.ModeDir|0o700)
				}
				expectMode(t, filepath.Join(dir, "tls/client.key"), 0o400)
			}
		})
	}
}

func TestAFileHasTheModeThatItAsksFor(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	for _, mode := range []fs.FileMode{0o400, 0o440, 0o444, 0o600, 0o640, 0o644} {
		asked := file("A", canary)
		asked.Mode = mode
		publish(t, dir, asked)
		expectMode(t, filepath.Join(dir, "A"), mode)
	}
}

func TestAStartAfterAKillConverges(t *testing.T) {
	const kills = 20
	dir := filepath.Join(memoryDir(t), "files")
	for kill := range kills {
		killWhilePublishing(t, dir, kill)
		if certificate, key, whole := readPair(dir); !whole || certificate != key {
			t.Errorf("after the kill: certificate %q with key %q", certificate, key)
		}
		publish(t, dir, pair("after")...)
		expectContent(t, filepath.Join(dir, "tls/client.pem"), "after")
		expectContent(t, filepath.Join(dir, "tls/client.key"), "after")
		expectEntries(t, dir, "..data", "..generation", "tls")
	}
}

// killWhilePublishing kills a process right after it has told of some publishes,
// so amid another one.
func killWhilePublishing(t *testing.T, dir string, publishes int) {
	t.Helper()
	cmd := child("publish on and on", dir)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for range publishes + 1 {
		lines.Scan()
	}
	must(t, cmd.Process.Kill())
	_ = cmd.Wait() // the status says that it was killed
}

// readWhileUpdating lets 64 readers read so many files while another process
// updates them on and on. In the same process the readers leave it no time.
func readWhileUpdating(t *testing.T, reads int64, read func(seen *tally, dir string)) *tally {
	t.Helper()
	const readers = 64
	dir := filepath.Join(memoryDir(t), "files")
	publish(t, dir, append(rotating(0), file("KEPT", "kept"))...)
	cmd := child("update on and on", dir)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewScanner(out)
	lines.Scan()

	var seen tally
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			for seen.reads.Add(2) <= reads {
				read(&seen, dir)
			}
		})
	}
	updates := 0
	wg.Go(func() {
		for lines.Scan() {
			if updates++; seen.reads.Load() >= reads {
				_ = cmd.Process.Kill()
			}
		}
	})
	wg.Wait()
	if _ = cmd.Wait(); cmd.ProcessState.Exited() {
		t.Error("the other process failed before it was killed")
	}

	expectContent(t, filepath.Join(dir, "KEPT"), "kept")
	t.Logf("%d readers, %d reads, %d updates: %d missing, %d mixed, %d torn",
		readers, reads, updates, seen.missing.Load(), seen.mixed.Load(), seen.torn.Load())
	return &seen
}

func TestAReaderThatResolvesOnceMissesNothingWhileFilesAreUpdated(t *testing.T) {
	seen := readWhileUpdating(t, 100_000, (*tally).pinned)
	if seen.missing.Load()+seen.mixed.Load()+seen.torn.Load() > 0 {
		t.Error("not all pairs were whole")
	}
}

// A pair may be mixed then.
func TestAReaderOfStablePathsSeesWholeFilesWhileTheyAreUpdated(t *testing.T) {
	seen := readWhileUpdating(t, 20_000, (*tally).naive)
	if seen.missing.Load()+seen.torn.Load() > 0 {
		t.Error("not all files were whole")
	}
}

const inNamespace = "SECRETFILES_TEST_NAMESPACE"

// enterNamespace runs the test again in a mount namespace of its own, and tells
// whether this is that run.
func enterNamespace(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inNamespace) != "" {
		return true
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root to mount a file system")
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), inNamespace+"=yes")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
	return false
}

// mountDisk mounts a file system in memory until the test ends.
func mountDisk(t *testing.T, options string) string {
	t.Helper()
	disk := t.TempDir()
	mount(t, disk, options)
	return disk
}

func mount(t *testing.T, place, options string) {
	t.Helper()
	must(t, syscall.Mount("tmpfs", place, "tmpfs", 0, options))
	t.Cleanup(func() { _ = syscall.Unmount(place, syscall.MNT_DETACH) })
}

func TestAFullDiskLeavesTheFormerFiles(t *testing.T) {
	if !enterNamespace(t) {
		return
	}
	eachWriter(t, func(t *testing.T, write writer) {
		dir := filepath.Join(mountDisk(t, "size=64k"), "files")
		publish(t, dir, file("A", "old"))

		big := canary + string(make([]byte, 65536))
		expectRefusal(t, write(dir, file("A", canary), file("B", big)), `file "B": no space left on device`)
		expectContent(t, filepath.Join(dir, "A"), "old")
		expectEntries(t, dir, "..data", "..generation", "A")
		must(t, write(dir, file("A", "new"), file("B", big[:32768]))) // for which there is room
		expectContent(t, filepath.Join(dir, "A"), "new")
	})
}

func TestALeftoverThatFillsTheDiskIsRemovedFirst(t *testing.T) {
	if !enterNamespace(t) {
		return
	}
	eachWriter(t, func(t *testing.T, write writer) {
		dir := filepath.Join(mountDisk(t, "size=64k"), "files")
		publish(t, dir, file("A", "old"))
		leftover := filepath.Join(dir, "..generation-LEFT")
		must(t, os.Mkdir(leftover, 0o700))
		if os.WriteFile(filepath.Join(leftover, "B"), make([]byte, 65536), 0o400) == nil {
			t.Error("the leftover does not fill the disk")
		}
		must(t, os.Chtimes(leftover, time.Time{}, time.Now().Add(-2*secretfiles.Grace)))
		must(t, write(dir, file("A", "new"), file("B", "fits")))
		expectContent(t, filepath.Join(dir, "A"), "new")
	})
}

// Each number of inodes makes another step of the second write fail.
func TestADiskWithoutRoomForALinkLeavesTheFormerFiles(t *testing.T) {
	if !enterNamespace(t) {
		return
	}
	want := []string{`directory for new files`, `file "B"`, `link "..data"`, `link "B"`}
	eachWriter(t, func(t *testing.T, write writer) {
		failures := make(map[string]bool)
		for inodes := range 20 {
			dir := filepath.Join(mountDisk(t, fmt.Sprint("nr_inodes=", inodes+1)), "files")
			if secretfiles.Publish(dir, []secretfiles.File{file("A", "old"), file("KEPT", "kept")}) != nil {
				continue
			}
			err := write(dir, file("A", "new"), file("B", "new"))
			if err == nil {
				expectContent(t, filepath.Join(dir, "A"), "new")
				continue
			}
			if !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("the error is %v, not ENOSPC", err)
			}
			failures[err.Error()] = true
			expectContent(t, filepath.Join(dir, "A"), "old")
			expectContent(t, filepath.Join(dir, "KEPT"), "kept")
			expectEntries(t, dir, "..data", "..generation", "A", "KEPT")
		}
		for _, step := range want {
			if !failures[step+": no space left on device"] {
				t.Errorf("no number of inodes stopped it at %s, only at %v", step, failures)
			}
		}
		want = append(want, `file "KEPT"`) // which an update links
	})
}

func TestAReadOnlyDiskLeavesTheFormerFiles(t *testing.T) {
	if !enterNamespace(t) {
		return
	}
	eachWriter(t, func(t *testing.T, write writer) {
		disk := mountDisk(t, "")
		dir := filepath.Join(disk, "files")
		publish(t, dir, file("A", "old"))
		must(t, syscall.Mount("", disk, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))

		expectRefusal(t, write(dir, file("A", canary)), "directory for new files: read-only file system")
		expectContent(t, filepath.Join(dir, "A"), "old")
		expectRefusal(t, write(filepath.Join(disk, "other"), file("A", canary)), "read-only file system")
		expectRefusal(t, secretfiles.Remove(dir), `directory "`+dir+`": read-only file system`)
		expectContent(t, filepath.Join(dir, "A"), "old")
	})
}

// A link cannot lead to another file system.
func TestAFileThatCannotBeLinkedIsCopied(t *testing.T) {
	if !enterNamespace(t) {
		return
	}
	dir := filepath.Join(mountDisk(t, ""), "files")
	publish(t, dir, file("A", "old"), file("tls/key", "old"))
	mount(t, filepath.Join(resolve(dir), "tls"), "mode=0700")
	must(t, os.WriteFile(filepath.Join(dir, "tls/key"), []byte(canary), 0o440))

	update(t, dir, time.Now(), file("A", "new"))
	expectContent(t, filepath.Join(dir, "A"), "new")
	expectContent(t, filepath.Join(dir, "tls/key"), canary)
	expectMode(t, filepath.Join(dir, "tls/key"), 0o440)
	if !secretfiles.Holds(dir, []secretfiles.File{file("A", "new"), {Path: "tls/key", Content: file("", canary).Content, Mode: 0o440}}) {
		t.Error("the copy is not held")
	}
}

// A file of a terabyte takes no room, unless it is read.
func TestAFileThatIsTooLargeToCopyStopsAnUpdate(t *testing.T) {
	if !enterNamespace(t) {
		return
	}
	dir := filepath.Join(mountDisk(t, ""), "files")
	publish(t, dir, file("A", "old"), file("tls/key", "old"))
	mount(t, filepath.Join(resolve(dir), "tls"), "mode=0700")
	planted := filepath.Join(dir, "tls/key")
	must(t, os.WriteFile(planted, nil, 0o600))
	must(t, os.Truncate(planted, 1<<40))

	expectRefusal(t, secretfiles.Update(dir, []secretfiles.File{file("A", "new")}, time.Now()), `file "tls/key": it can neither be linked nor, for its size, be copied`)
	expectContent(t, filepath.Join(dir, "A"), "old")
	must(t, os.Truncate(planted, 3))
	update(t, dir, time.Now(), file("A", "new"))
	expectContent(t, filepath.Join(dir, "A"), "new")
}

// Each number of file descriptors makes another step fail.
func TestWithoutFileDescriptorsTheFormerFilesStay(t *testing.T) {
	eachWriter(t, func(t *testing.T, write writer) {
		failures := 0
		for spare := range 12 {
			dir := filepath.Join(t.TempDir(), "files")
			publish(t, dir, file("tls/key", "old"), file("tls/KEPT", "kept"))
			var err error
			withFileDescriptors(t, spare, func() { err = write(dir, file("tls/key", "new")) })
			if err == nil {
				expectContent(t, filepath.Join(dir, "tls/key"), "new")
				expectPublished(t, dir, "tls")
				continue
			}
			failures++
			if !errors.Is(err, syscall.EMFILE) {
				t.Errorf("with %d to spare the error is %v, not EMFILE", spare, err)
			}
			expectContent(t, filepath.Join(dir, "tls/key"), "old")
			expectContent(t, filepath.Join(dir, "tls/KEPT"), "kept")
			expectEntries(t, dir, "..data", "..generation", "tls")
		}
		if failures < 5 {
			t.Errorf("it failed at %d numbers only", failures)
		}
	})
}

// withFileDescriptors lets this process open that many files more.
func withFileDescriptors(t *testing.T, spare int, do func()) {
	t.Helper()
	var before syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before))
	open, err := os.Open(os.DevNull) // which gets the lowest number that is free
	must(t, err)
	lowest := uint64(open.Fd())
	must(t, open.Close())
	must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: lowest + uint64(spare), Max: before.Max}))
	do()
	must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before))
}

// Lambda's file system tells them apart.
func TestNamesThatLookAlikeAreFilesOfTheirOwn(t *testing.T) {
	eachWriter(t, func(t *testing.T, write writer) {
		dir := filepath.Join(memoryDir(t), "files")
		names := []string{"key", "KEY", "caf\u00e9", "cafe\u0301", "tls/\u212b", "tls/\u00c5", "tls/A\u030a"}
		var files []secretfiles.File
		for _, name := range names {
			files = append(files, file(name, name))
		}
		must(t, write(dir, files...))
		for _, name := range names {
			expectContent(t, filepath.Join(dir, name), name)
		}
	})
}

// What no disk here can be brought to, such as the end of a quota, the kernel is
// told to answer.
func TestAWriteThatTheSystemRefusesLeavesTheFormerFiles(t *testing.T) {
	content := canary + string(make([]byte, refusedSize-len(canary)))
	for _, errno := range []syscall.Errno{syscall.EDQUOT, syscall.EIO, syscall.EFBIG} {
		t.Run(errno.Error(), func(t *testing.T) {
			eachWriter(t, func(t *testing.T, write writer) {
				dir := filepath.Join(t.TempDir(), "files")
				publish(t, dir, file("A", "old"), file("KEPT", "kept"))
				err := refusingWrites(t, errno, func() error { return write(dir, file("A", content)) })
				if !errors.Is(err, errno) {
					t.Errorf("the error is %v, not %v", err, errno)
				}
				expectRefusal(t, err, `file "A": `+errno.Error())
				expectContent(t, filepath.Join(dir, "A"), "old")
				expectContent(t, filepath.Join(dir, "KEPT"), "kept")
				expectEntries(t, dir, "..data", "..generation", "A", "KEPT")
			})
		})
	}
}

// refusedSize is that of the writes that are refused. Neither the runtime's own nor
// what the package testing writes has it.
const refusedSize = 77

// refusingWrites calls do on a thread, which then ends, whose writes of that size fail
// with an error.
func refusingWrites(t *testing.T, errno syscall.Errno, do func() error) error {
	t.Helper()
	const (
		setNoNewPrivileges, setSeccomp, filterMode = 38, 22, 2
		allow, refuse                              = 0x7fff0000, 0x00050000
		number, size                               = 0, 32 // where they stand in struct seccomp_data, on little-endian machines
	)
	filter := []syscall.SockFilter{
		{Code: syscall.BPF_LD | syscall.BPF_W | syscall.BPF_ABS, K: number},
		{Code: syscall.BPF_JMP | syscall.BPF_JEQ | syscall.BPF_K, Jf: 3, K: syscall.SYS_WRITE},
		{Code: syscall.BPF_LD | syscall.BPF_W | syscall.BPF_ABS, K: size},
		{Code: syscall.BPF_JMP | syscall.BPF_JEQ | syscall.BPF_K, Jf: 1, K: refusedSize},
		{Code: syscall.BPF_RET | syscall.BPF_K, K: refuse | uint32(errno)},
		{Code: syscall.BPF_RET | syscall.BPF_K, K: allow},
	}
	program := syscall.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	done, refused := make(chan error), make(chan syscall.Errno, 1)
	go func() {
		runtime.LockOSThread() // for good: a thread cannot be rid of its filter
		_, _, failed := syscall.RawSyscall6(syscall.SYS_PRCTL, setNoNewPrivileges, 1, 0, 0, 0, 0)
		if failed == 0 {
			_, _, failed = syscall.RawSyscall6(syscall.SYS_PRCTL, setSeccomp, filterMode, uintptr(unsafe.Pointer(&program)), 0, 0, 0)
		}
		refused <- failed
		if failed == 0 {
			done <- do()
		}
	}()
	if failed := <-refused; failed != 0 {
		t.Skipf("needs seccomp: %v", failed)
	}
	return <-done
}
