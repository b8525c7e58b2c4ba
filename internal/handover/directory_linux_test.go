package handover_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"secretwrap/internal/handover"
)

const nobody = 65534

func TestTheSocketIsPrivate(t *testing.T) {
	served := serve(t, newExtension())
	for path, want := range map[string]fs.FileMode{served.dir: fs.ModeDir | 0o700, filepath.Join(served.dir, "socket"): fs.ModeSocket | 0o600} {
		if info, err := os.Lstat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v; want %v", path, info, err, want)
		}
	}
}

func TestTheDirectoryLiesBelowTheTemporaryOne(t *testing.T) {
	if got := handover.Directory("/tmp/"); got != "/tmp/secretwrap.handover" {
		t.Errorf("Directory = %q", got)
	}
}

func TestTheDirectoryMustBeOurs(t *testing.T) {
	tests := map[string]struct {
		plant func(dir string) error
		want  string
	}{
		"a link to a directory of ours": {
			func(dir string) error { return errors.Join(os.Mkdir(dir+"x", 0o700), os.Symlink(dir+"x", dir)) }, "it is not a directory",
		},
		"a link to nothing":         {func(dir string) error { return os.Symlink("nowhere", dir) }, "it is not a directory"},
		"a file":                    {func(dir string) error { return os.WriteFile(dir, nil, 0o700) }, "it is not a directory"},
		"a directory that all read": {func(dir string) error { return os.Mkdir(dir, 0o755) }, "its mode is not 0700"},
		"a directory that the group may pass": {
			func(dir string) error { return os.Mkdir(dir, 0o710) }, "its mode is not 0700",
		},
		"a directory of another user": {
			func(dir string) error { return errors.Join(os.Mkdir(dir, 0o700), os.Chown(dir, nobody, nobody)) }, "it belongs to another user",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if strings.Contains(name, "another user") && os.Geteuid() != 0 {
				t.Skip("needs root to give a directory away")
			}
			dir := newDir(t)
			must(t, test.plant(dir))
			want := `directory "` + dir + `": ` + test.want
			if _, err := handover.Listen(dir, identity); err == nil || err.Error() != want {
				t.Errorf("Listen = %v, want %s", err, want)
			}
			_, err := handover.Dial(dir, identity)
			expectAlone(t, err, want)
			if _, err := os.Lstat(filepath.Join(dir, "socket")); err == nil {
				t.Error("there is a socket")
			}
		})
	}
}

func TestAPathThatCannotBeOneIsRefused(t *testing.T) {
	tests := map[string]string{
		filepath.Join(newDir(t), "d\n\x1b["): "no such file or directory",
		"relative":                           "the path is not absolute",
		"@abstract":                          "the path is not absolute",
		"":                                   "the path is not absolute",
		"/tmp/a\x00b":                        "invalid argument",
		"/dev/null/d":                        "not a directory",
	}
	for dir, want := range tests {
		_, err := handover.Dial(dir, identity)
		expectAlone(t, err, want)
		_, failed := handover.Listen(dir, identity)
		if failed == nil || !strings.HasSuffix(failed.Error(), want) {
			t.Errorf("Listen(%q) = %v, want %s", dir, failed, want)
		}
		if strings.ContainsAny(errors.Join(err, failed).Error(), "\x00\x1b") {
			t.Errorf("the path is printed as it is: %q, %q", err, failed)
		}
	}
}

func TestThePathOfASocketHas107BytesAtMost(t *testing.T) {
	parent := filepath.Dir(newDir(t))
	longest := parent + "/" + strings.Repeat("x", 107-len(parent)-len("//socket"))

	served := serveIn(t, longest, newExtension())
	talk(t, served)
	served.expectEvents(t, "documents", "publish")

	tooLong := longest + "x"
	if _, err := handover.Listen(tooLong, identity); err == nil || !strings.Contains(err.Error(), "longer than 107 bytes") {
		t.Errorf("Listen = %v", err)
	}
	_, err := handover.Dial(tooLong, identity)
	expectAlone(t, err, "longer than 107 bytes")
	if _, err := os.Lstat(tooLong); err == nil {
		t.Error("the directory was created")
	}
}

func TestWhatIsInThePlaceOfTheSocketIsReplaced(t *testing.T) {
	tests := map[string]func(path, victim string) error{
		"a stale socket": func(path, _ string) error {
			listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
			if err != nil {
				return err
			}
			listener.SetUnlinkOnClose(false)
			return listener.Close()
		},
		"a file":             func(path, _ string) error { return os.WriteFile(path, []byte("planted"), 0o600) },
		"a pipe":             func(path, _ string) error { return syscall.Mkfifo(path, 0o600) },
		"a link":             func(path, victim string) error { return os.Symlink(victim, path) },
		"a hard link":        func(path, victim string) error { return os.Link(victim, path) },
		"a link to nothing":  func(path, victim string) error { return os.Symlink(victim+"x", path) },
		"an empty directory": func(path, _ string) error { return os.Mkdir(path, 0o755) },
	}
	for name, plant := range tests {
		t.Run(name, func(t *testing.T) {
			dir := newDir(t)
			must(t, os.Mkdir(dir, 0o700))
			victim := filepath.Join(filepath.Dir(dir), "victim")
			must(t, os.WriteFile(victim, []byte("untouched"), 0o640))
			must(t, plant(filepath.Join(dir, "socket"), victim))
			_, err := handover.Dial(dir, identity)
			expectAlone(t, err, "nobody answers")

			served := serveIn(t, dir, newExtension())
			talk(t, served)
			served.expectEvents(t, "documents", "publish")
			content, err := os.ReadFile(victim)
			info, failed := os.Stat(victim)
			if must(t, errors.Join(err, failed)); string(content) != "untouched" || info.Mode() != 0o640 {
				t.Errorf("the victim is %q, %v", content, info.Mode())
			}
			if _, err := os.Lstat(victim + "x"); err == nil {
				t.Error("the link was followed")
			}
		})
	}
}

func TestAFullDirectoryInThePlaceOfTheSocketIsRefused(t *testing.T) {
	dir := newDir(t)
	must(t, os.MkdirAll(filepath.Join(dir, "socket/theirs"), 0o700))
	want := `directory "` + dir + `": a former socket: directory not empty`
	if _, err := handover.Listen(dir, identity); err == nil || err.Error() != want {
		t.Errorf("Listen = %v, want %s", err, want)
	}
}

func TestCloseRemovesTheSocket(t *testing.T) {
	dir := newDir(t)
	server, err := handover.Listen(dir, identity)
	must(t, err)
	server.Close()
	server.Close()
	must(t, os.Remove(dir)) // which it could not if there were a socket
	server.Serve(newExtension())
}
