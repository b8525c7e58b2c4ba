package secretfiles_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// planted are things that somebody put where Publish wants a link. Each gets the
// place, and a victim that Publish must not touch.
func planted() map[string]func(place, victim string) error {
	return map[string]func(place, victim string) error{
		"a link to a file outside":   func(place, victim string) error { return os.Symlink(victim, place) },
		"a link to a directory":      func(place, victim string) error { return os.Symlink(filepath.Dir(victim), place) },
		"a link to nothing":          func(place, _ string) error { return os.Symlink("nowhere", place) },
		"a link to itself":           func(place, _ string) error { return os.Symlink(filepath.Base(place), place) },
		"a link inside":              func(place, _ string) error { return os.Symlink("other", place) },
		"a hard link":                func(place, victim string) error { return os.Link(victim, place) },
		"a file that all may write":  func(place, _ string) error { return os.WriteFile(place, []byte("planted"), 0o666) },
		"a pipe that nobody reads":   func(place, _ string) error { return syscall.Mkfifo(place, 0o666) },
		"a link with our own prefix": func(place, _ string) error { return os.Symlink("..data/other", place) },
	}
}

func TestWhatIsInThePlaceOfALinkIsReplacedAndNotFollowed(t *testing.T) {
	for name, plant := range planted() {
		for _, place := range []string{"A", "tls", "..data"} {
			t.Run(name+" at "+place, func(t *testing.T) {
				victim := filepath.Join(t.TempDir(), "victim")
				must(t, os.WriteFile(victim, []byte("untouched"), 0o644))
				dir := filepath.Join(t.TempDir(), "files")
				must(t, os.Mkdir(dir, 0o700))
				must(t, os.WriteFile(filepath.Join(dir, "other"), []byte("untouched"), 0o644))
				must(t, plant(filepath.Join(dir, place), victim))

				publish(t, dir, file("A", canary), file("tls/key", canary))
				expectContent(t, filepath.Join(dir, "A"), canary)
				expectContent(t, filepath.Join(dir, "tls/key"), canary)
				expectMode(t, filepath.Join(dir, "A"), 0o400)
				expectEntries(t, dir, "..data", "..generation", "A", "tls", "other")
				for _, path := range []string{victim, filepath.Join(dir, "other")} {
					expectContent(t, path, "untouched")
					expectMode(t, path, 0o644)
				}
				expectEntries(t, filepath.Dir(victim), "victim")
			})
		}
	}
}

func TestAnEmptyDirectoryInThePlaceOfTheDataLinkIsReplaced(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o700))
	must(t, os.Mkdir(filepath.Join(dir, "..data"), 0o755))
	publish(t, dir, file("A", canary))
	expectContent(t, filepath.Join(dir, "A"), canary)
}

func TestAFullDirectoryInThePlaceOfTheDataLinkIsRefused(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o700))
	must(t, os.Mkdir(filepath.Join(dir, "..data"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "..data/A"), []byte("planted"), 0o644))
	refuse(t, dir, `link "..data": a directory that is not ours is in its place`, file("A", canary))
	expectContent(t, filepath.Join(dir, "..data/A"), "planted")
	expectEntries(t, dir, "..data")
}

func TestTheDirectoryMustBeOurs(t *testing.T) {
	tests := map[string]struct {
		plant func(dir string) error
		want  string
	}{
		"a link to a directory of ours": {
			func(dir string) error { return os.Symlink(filepath.Dir(dir), dir) }, "it is a link",
		},
		"a link to nothing": {
			func(dir string) error { return os.Symlink("nowhere", dir) }, "it is a link",
		},
		"a file": {
			func(dir string) error { return os.WriteFile(dir, nil, 0o600) }, "it is not a directory",
		},
		"a pipe": {
			func(dir string) error { return syscall.Mkfifo(dir, 0o600) }, "it is not a directory",
		},
		"a directory in which others work": {
			func(dir string) error { return os.MkdirAll(filepath.Join(dir, "theirs"), 0o755) },
			"it is open to other users and holds more than our files",
		},
		"an empty directory that all share, like /tmp": {
			func(dir string) error {
				return errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o777|fs.ModeSticky))
			},
			"it is open to other users and holds more than our files",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			parent := t.TempDir()
			dir := filepath.Join(parent, "files")
			must(t, test.plant(dir))
			before, err := os.Lstat(dir)
			must(t, err)

			refuse(t, dir, `directory "`+dir+`": `+test.want, file("A", canary))
			expectEntries(t, parent, "files")
			if after, err := os.Lstat(dir); err != nil || after.Mode() != before.Mode() {
				t.Errorf("the mode is %v, was %v (%v)", after.Mode(), before.Mode(), err)
			}
		})
	}
}

func TestADirectoryOfAnotherUserIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to give a directory away")
	}
	dir := filepath.Join(t.TempDir(), "files")
	must(t, os.Mkdir(dir, 0o700))
	must(t, os.Chown(dir, 65534, 65534))
	refuse(t, dir, `directory "`+dir+`": it belongs to another user`, file("A", canary))
	expectEntries(t, dir)
}

func TestAnEmptyDirectoryOfOursIsMadePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	must(t, os.Mkdir(dir, 0o700))
	must(t, os.Chmod(dir, 0o777))
	publish(t, dir, file("A", canary))
	expectMode(t, dir, fs.ModeDir|0o700)
}

func TestThePathOfTheDirectoryIsCleaned(t *testing.T) {
	parent := t.TempDir()
	for _, dir := range []string{"/files/", "/other/../files", "//files/.", "/files"} {
		publish(t, parent+dir, file("A", dir))
		expectContent(t, filepath.Join(parent, "files/A"), dir)
	}
	expectEntries(t, parent, "files")
}

func TestADirectoryThatCannotBeCreatedIsNamed(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing", "files")
	tests := map[string]string{
		"relative/files": `directory "relative/files": the path is not absolute`,
		"":               `directory "": the path is not absolute`,
		missing:          `directory "` + missing + `": its parent: no such file or directory`,
		"/":              `directory "/": it is the root of the file system`,
	}
	for dir, want := range tests {
		refuse(t, dir, want, file("A", canary))
	}
}
