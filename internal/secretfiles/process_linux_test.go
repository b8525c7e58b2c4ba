package secretfiles_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"secretwrap/internal/secretfiles"
)

// The test binary is also a process that publishes: once under an umask, or on
// and on until it is killed.
const (
	childDir   = "SECRETFILES_TEST_DIR"
	childUmask = "SECRETFILES_TEST_UMASK"
)

func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	if umask, err := strconv.ParseInt(os.Getenv(childUmask), 8, 32); err == nil {
		syscall.Umask(int(umask))
		publishOrExit(dir, "once")
		os.Exit(0)
	}
	for version := 0; ; version++ {
		publishOrExit(dir, strconv.Itoa(version))
		fmt.Println(version)
	}
}

func publishOrExit(dir, version string) {
	if err := secretfiles.Publish(dir, pair(version)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child returns the test binary as a process that publishes. /proc/self/exe can
// be executed by a user who cannot reach the file that it leads to.
func child(dir string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{childDir + "=" + dir}
	cmd.Stderr = os.Stderr
	return cmd
}

func TestTheUmaskDoesNotChangeModes(t *testing.T) {
	for _, umask := range []string{"0", "022", "0777"} {
		t.Run(umask, func(t *testing.T) {
			parent := t.TempDir()
			dir := filepath.Join(parent, "files")
			cmd := child(dir)
			cmd.Env = append(cmd.Env, childUmask+"="+umask)
			if os.Geteuid() == 0 { // root may enter a directory without any permission
				const nobody = 65534
				must(t, os.Chown(parent, nobody, nobody))
				must(t, os.Chmod(filepath.Dir(parent), 0o711))
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
			}
			must(t, cmd.Run())

			for _, path := range []string{".", "..data", "tls"} {
				expectMode(t, filepath.Join(dir, path), fs.ModeDir|0o700)
			}
			expectMode(t, filepath.Join(dir, "tls/client.key"), 0o400)
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
	cmd := child(dir)
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

func TestAFullDiskLeavesTheFormerFiles(t *testing.T) {
	if !enterNamespace(t) {
		return
	}
	disk := t.TempDir()
	must(t, syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"))
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	dir := filepath.Join(disk, "files")
	publish(t, dir, file("A", "old"))

	big := canary + string(make([]byte, 65536))
	refuse(t, dir, `file "B": no space left on device`, file("A", canary), file("B", big))
	expectContent(t, filepath.Join(dir, "A"), "old")
	expectEntries(t, dir, "..data", "..generation", "A")

	leftover := filepath.Join(dir, "..generation-LEFT")
	must(t, os.Mkdir(leftover, 0o700))
	if os.WriteFile(filepath.Join(leftover, "B"), []byte(big), 0o400) == nil {
		t.Error("the leftover does not fill the disk")
	}
	publish(t, dir, file("A", "new"), file("B", "fits"))
	expectContent(t, filepath.Join(dir, "A"), "new")
}

// Each number of inodes makes another step of the second publish fail.
func TestADiskWithoutRoomForALinkLeavesTheFormerFiles(t *testing.T) {
	if !enterNamespace(t) {
		return
	}
	linkFailed := false
	for inodes := range 16 {
		disk := t.TempDir()
		must(t, syscall.Mount("tmpfs", disk, "tmpfs", 0, fmt.Sprint("nr_inodes=", inodes+1)))
		dir := filepath.Join(disk, "files")
		if secretfiles.Publish(dir, []secretfiles.File{file("A", "old")}) == nil {
			err := secretfiles.Publish(dir, []secretfiles.File{file("A", "new"), file("B", "new")})
			if err == nil {
				expectContent(t, filepath.Join(dir, "A"), "new")
				expectEntries(t, dir, "..data", "..generation", "A", "B")
			} else {
				if !errors.Is(err, syscall.ENOSPC) {
					t.Errorf("Publish() = %v, which is not ENOSPC", err)
				}
				expectContent(t, filepath.Join(dir, "A"), "old")
				expectEntries(t, dir, "..data", "..generation", "A")
				linkFailed = linkFailed || err.Error() == `link "..data": no space left on device`
			}
		}
		must(t, syscall.Unmount(disk, syscall.MNT_DETACH))
	}
	if !linkFailed {
		t.Error("no number of inodes made the link fail")
	}
}

func TestAReadOnlyDiskLeavesTheFormerFiles(t *testing.T) {
	if !enterNamespace(t) {
		return
	}
	disk := t.TempDir()
	must(t, syscall.Mount("tmpfs", disk, "tmpfs", 0, ""))
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	dir := filepath.Join(disk, "files")
	publish(t, dir, file("A", "old"))
	must(t, syscall.Mount("", disk, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))

	refuse(t, dir, "directory for new files: read-only file system", file("A", canary))
	expectContent(t, filepath.Join(dir, "A"), "old")
	refuse(t, filepath.Join(disk, "other"), "read-only file system", file("A", canary))
}
