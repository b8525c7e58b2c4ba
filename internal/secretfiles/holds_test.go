package secretfiles_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"secretwrap/internal/secretfiles"
)

func TestHoldsIsExact(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	files := []secretfiles.File{file("A", canary), file("tls/key", "\x00\xff"), file("EMPTY", "")}
	if secretfiles.Holds(dir, files) {
		t.Error("an absent directory holds files")
	}
	publish(t, dir, append(files, file("other", "x"))...)
	if !secretfiles.Holds(dir, files) {
		t.Error("what was published is not held")
	}
	wide := file("A", canary)
	wide.Mode = 0o440
	for _, other := range []secretfiles.File{
		file("A", canary+"x"), file("A", strings.ToLower(canary)), file("EMPTY", "x"), file("tls/key", ""),
		file("absent", ""), file("tls", ""), file("tls/key/x", ""), file("../files/A", canary), wide,
	} {
		if secretfiles.Holds(dir, []secretfiles.File{files[0], other}) {
			t.Errorf("%s is held, which was not published so", other.Path)
		}
	}
	if !secretfiles.Holds(dir, nil) {
		t.Error("of no files one is missing")
	}
}

// sabotage is what a program may do to the files.
func sabotage() map[string]func(dir string) error {
	key := func(dir string) string { return filepath.Join(resolve(dir), "tls/key") }
	return map[string]func(dir string) error{
		"removed everything":           func(dir string) error { return os.RemoveAll(dir) },
		"removed a link":               func(dir string) error { return os.Remove(filepath.Join(dir, "tls")) },
		"removed ..data":               func(dir string) error { return os.Remove(filepath.Join(dir, "..data")) },
		"removed a file":               func(dir string) error { return os.Remove(key(dir)) },
		"removed a directory of files": func(dir string) error { return os.RemoveAll(filepath.Dir(key(dir))) },
		"removed the generation":       func(dir string) error { return os.RemoveAll(resolve(dir)) },
		"renamed the generation":       func(dir string) error { return os.Rename(resolve(dir), filepath.Join(dir, "..generation-moved")) },
		"opened the directory":         func(dir string) error { return os.Chmod(dir, 0o777) },
		"closed the directory":         func(dir string) error { return os.Chmod(dir, 0o000) },
		"opened a file":                func(dir string) error { return os.Chmod(key(dir), 0o666) },
		"closed a file":                func(dir string) error { return os.Chmod(key(dir), 0o000) },
		"closed a directory of files":  func(dir string) error { return os.Chmod(filepath.Dir(key(dir)), 0o000) },
		"closed the generation":        func(dir string) error { return os.Chmod(resolve(dir), 0o000) },
		"opened the generation":        func(dir string) error { return os.Chmod(resolve(dir), 0o077) },
		"replaced a link by a file":    func(dir string) error { return replace(filepath.Join(dir, "A"), copyFile) },
		"replaced a link by a pipe":    func(dir string) error { return replace(filepath.Join(dir, "A"), pipe) },
		"replaced a link by another":   func(dir string) error { return replace(filepath.Join(dir, "A"), linkToCopy) },
		"replaced ..data by a file":    func(dir string) error { return replace(filepath.Join(dir, "..data"), copyFile) },
		"replaced ..data by a copy":    func(dir string) error { return replace(filepath.Join(dir, "..data"), linkToCopy) },
		"replaced the generation":      func(dir string) error { return replace(resolve(dir), linkToCopy) },
		"replaced it by a file":        func(dir string) error { return replace(resolve(dir), copyFile) },
		"replaced a directory of files": func(dir string) error {
			return replace(filepath.Dir(key(dir)), linkToCopy)
		},
		"replaced a file by a link":      func(dir string) error { return replace(key(dir), linkToCopy) },
		"replaced a file by a pipe":      func(dir string) error { return replace(key(dir), pipe) },
		"replaced a file by a directory": func(dir string) error { return replace(key(dir), directory) },
		"overwrote a file": func(dir string) error {
			return errors.Join(os.Chmod(key(dir), 0o600), os.WriteFile(key(dir), []byte("bad"), 0o600), os.Chmod(key(dir), 0o400))
		},
		"appended to a file": func(dir string) error {
			return errors.Join(os.Chmod(key(dir), 0o600), os.WriteFile(key(dir), []byte("good\n"), 0o600), os.Chmod(key(dir), 0o400))
		},
		"gave a file away": func(dir string) error { return os.Chown(key(dir), 65533, 65533) },
	}
}

func replace(path string, by func(path, former string) error) error {
	former := filepath.Join(filepath.Dir(filepath.Dir(path)), "former")
	return errors.Join(os.Rename(path, former), by(path, former))
}

func copyFile(path, _ string) error   { return os.WriteFile(path, []byte("good"), 0o400) }
func pipe(path, _ string) error       { return syscall.Mkfifo(path, 0o400) }
func directory(path, _ string) error  { return os.Mkdir(path, 0o700) }
func linkToCopy(path, f string) error { return os.Symlink(f, path) }

func TestWhatAProgramDoesToTheFilesIsSeenAndRepaired(t *testing.T) {
	alsoAsNobody(t)
	for name, harm := range sabotage() {
		t.Run(name, func(t *testing.T) {
			eachWriter(t, func(t *testing.T, write writer) {
				dir := filepath.Join(t.TempDir(), "inner", "files")
				must(t, os.Mkdir(filepath.Dir(dir), 0o700))
				files := []secretfiles.File{file("A", "good"), file("tls/key", "good")}
				publish(t, dir, files...)
				err := harm(dir)
				if errors.Is(err, fs.ErrPermission) {
					t.Skip("needs root to give a file away")
				}
				must(t, err)
				if secretfiles.Holds(dir, files) {
					t.Error("it is not seen")
				}
				secretfiles.Sweep(dir, time.Now())

				must(t, write(dir, files...))
				if !secretfiles.Holds(dir, files) {
					t.Error("it is not repaired")
				}
				expectContent(t, filepath.Join(dir, "A"), "good")
				expectContent(t, filepath.Join(dir, "tls/key"), "good")
				expectMode(t, filepath.Join(dir, "tls/key"), 0o400)
				expectMode(t, dir, fs.ModeDir|0o700)
			})
		})
	}
}

// The files that an update does not name are there still, as far as the program
// left them.
func TestAnUpdateAfterSabotageKeepsWhatIsLeft(t *testing.T) {
	alsoAsNobody(t)
	for name, harm := range map[string]func(dir string) error{
		"closed the generation": func(dir string) error { return os.Chmod(resolve(dir), 0o000) },
		"closed a directory":    func(dir string) error { return os.Chmod(filepath.Join(resolve(dir), "kept"), 0o000) },
		"closed a file":         func(dir string) error { return os.Chmod(filepath.Join(resolve(dir), "kept/B"), 0o000) },
		"removed a link":        func(dir string) error { return os.Remove(filepath.Join(dir, "kept")) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "files")
			publish(t, dir, file("A", "old"), file("kept/B", "kept"))
			must(t, harm(dir))
			update(t, dir, time.Now(), file("A", "new"))
			expectContent(t, filepath.Join(dir, "A"), "new")
			must(t, os.Chmod(filepath.Join(dir, "kept/B"), 0o400))
			expectContent(t, filepath.Join(dir, "kept/B"), "kept")
			expectPublished(t, dir, "A", "kept")
		})
	}
}
