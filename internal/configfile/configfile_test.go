package configfile_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"secretwrap/internal/configfile"
	"secretwrap/internal/problem"
)

// manifest is a kind of file, largest its size in bytes.
var manifest = configfile.Kind{Name: "manifest", MaxKiB: 256}

const largest = 256 << 10

func TestReadReturnsTheContent(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		size int
	}{
		{"an empty file", 0},
		{"a file of the largest size", largest},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "secretwrap.yaml")
			want := bytes.Repeat([]byte("#"), test.size)
			must(t, os.WriteFile(path, want, 0o600))
			got, err := manifest.Read(path)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("got %d bytes, %v, want %d", len(got), err, len(want))
			}
		})
	}
}

func TestReadFollowsALink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "a"), []byte("env:"), 0o600))
	must(t, os.Symlink("a", filepath.Join(dir, "b")))
	got, err := manifest.Read(filepath.Join(dir, "b"))
	if err != nil || string(got) != "env:" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestReadProblem(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		make  func(path string) error
		cause string
	}{
		{"nothing", func(string) error { return nil }, "does not exist"},
		{"a link to nothing", func(path string) error { return os.Symlink("nothing", path) }, "is a link to a file that does not exist"},
		{"a link to itself", func(path string) error { return os.Symlink("secretwrap.yaml", path) }, "cannot be read: "},
		{"a directory", func(path string) error { return os.Mkdir(path, 0o700) }, "is not a regular file"},
		{"a pipe that nobody writes to", func(path string) error { return syscall.Mkfifo(path, 0o600) }, "is not a regular file"},
		{"a device", func(path string) error { return os.Symlink("/dev/zero", path) }, "is not a regular file"},
		{"a file of one byte more than the largest size", func(path string) error {
			return os.WriteFile(path, make([]byte, largest+1), 0o600)
		}, "is larger than 256 KiB"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "secretwrap.yaml")
			must(t, test.make(path))
			_, err := manifest.Read(path)
			p, ok := errors.AsType[*problem.Problem](err)
			if !ok {
				t.Fatalf("not a problem: %v", err)
			}
			if p.Class != problem.Config || p.Source != path || p.Hint == "" || !strings.HasPrefix(p.Cause, test.cause) {
				t.Errorf("got %+v", *p)
			}
			if got, want := errors.Is(err, fs.ErrNotExist), test.cause == "does not exist"; got != want {
				t.Errorf("errors.Is(err, fs.ErrNotExist) is %t, want %t", got, want)
			}
			if err.Error() != p.Error() {
				t.Errorf("the error says %q, its problem %q", err, p)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
