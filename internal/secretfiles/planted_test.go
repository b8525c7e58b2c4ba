package secretfiles_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"secretwrap/internal/secretfiles"
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
		"a device":                   func(place, _ string) error { return syscall.Mknod(place, syscall.S_IFCHR|0o666, 1<<8|5) },
	}
}

func TestWhatIsInThePlaceOfALinkIsReplacedAndNotFollowed(t *testing.T) {
	for name, plant := range planted() {
		for _, place := range []string{"A", "tls", "..data"} {
			t.Run(name+" at "+place, func(t *testing.T) {
				eachWriter(t, func(t *testing.T, write writer) { replacePlanted(t, write, plant, place) })
			})
		}
	}
}

func replacePlanted(t *testing.T, write writer, plant func(place, victim string) error, place string) {
	victim := filepath.Join(t.TempDir(), "victim")
	must(t, os.WriteFile(victim, []byte("untouched"), 0o644))
	dir := filepath.Join(t.TempDir(), "files")
	must(t, os.Mkdir(dir, 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "other"), []byte("untouched"), 0o644))
	err := plant(filepath.Join(dir, place), victim)
	if errors.Is(err, fs.ErrPermission) {
		t.Skip("needs the right to plant it")
	}
	must(t, err)

	must(t, write(dir, file("A", canary), file("tls/key", canary)))
	expectContent(t, filepath.Join(dir, "A"), canary)
	expectContent(t, filepath.Join(dir, "tls/key"), canary)
	expectMode(t, filepath.Join(dir, "A"), 0o400)
	expectEntries(t, dir, "..data", "..generation", "A", "tls", "other")
	for _, path := range []string{victim, filepath.Join(dir, "other")} {
		expectContent(t, path, "untouched")
		expectMode(t, path, 0o644)
	}
	expectEntries(t, filepath.Dir(victim), "victim")
}

func TestAnEmptyDirectoryInThePlaceOfTheDataLinkIsReplaced(t *testing.T) {
	eachWriter(t, func(t *testing.T, write writer) {
		dir := t.TempDir()
		must(t, os.Chmod(dir, 0o700))
		must(t, os.Mkdir(filepath.Join(dir, "..data"), 0o755))
		must(t, write(dir, file("A", canary)))
		expectContent(t, filepath.Join(dir, "A"), canary)
	})
}

func TestAFullDirectoryInThePlaceOfTheDataLinkIsRefused(t *testing.T) {
	eachWriter(t, func(t *testing.T, write writer) {
		dir := t.TempDir()
		must(t, os.Chmod(dir, 0o700))
		must(t, os.Mkdir(filepath.Join(dir, "..data"), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, "..data/A"), []byte("planted"), 0o644))
		expectRefusal(t, write(dir, file("A", canary)), `link "..data": a directory that is not ours is in its place`)
		must(t, secretfiles.Remove(dir))
		expectContent(t, filepath.Join(dir, "..data/A"), "planted")
		expectEntries(t, dir, "..data")
	})
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
		"a directory that all may write, with a file": {
			func(dir string) error {
				return errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, "theirs"), nil, 0o600), os.Chmod(dir, 0o777))
			},
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
			eachWriter(t, func(t *testing.T, write writer) {
				parent := t.TempDir()
				dir := filepath.Join(parent, "files")
				must(t, test.plant(dir))
				before, err := os.Lstat(dir)
				must(t, err)

				expectRefusal(t, write(dir, file("A", canary)), `directory "`+dir+`": `+test.want)
				secretfiles.Sweep(dir, time.Now())
				if secretfiles.Holds(dir, []secretfiles.File{file("A", canary)}) {
					t.Error("it holds a file")
				}
				expectEntries(t, parent, "files")
				if after, err := os.Lstat(dir); err != nil || after.Mode() != before.Mode() {
					t.Errorf("the mode is %v, was %v (%v)", after.Mode(), before.Mode(), err)
				}
			})
		})
	}
}

func TestADirectoryOfAnotherUserIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to give a directory away")
	}
	eachWriter(t, func(t *testing.T, write writer) {
		dir := filepath.Join(t.TempDir(), "files")
		must(t, os.MkdirAll(filepath.Join(dir, "..generation-THEIRS"), 0o700))
		must(t, os.Symlink("..generation-THEIRS", filepath.Join(dir, "..data")))
		must(t, os.Chown(dir, 65534, 65534))
		const want = "it belongs to another user"
		expectRefusal(t, write(dir, file("A", canary)), `directory "`+dir+`": `+want)
		expectRefusal(t, secretfiles.Remove(dir), `directory "`+dir+`": `+want)
		secretfiles.Sweep(dir, time.Now().Add(time.Hour))
		expectEntries(t, dir, "..data", "..generation")
	})
}

// plantVictim makes a directory of ours that looks like one that was published
// to, and returns what makes sure that nothing in it has changed.
func plantVictim(t *testing.T, parent string) (victim string, expectUntouched func()) {
	t.Helper()
	victim = filepath.Join(parent, "victim")
	must(t, os.MkdirAll(filepath.Join(victim, "..generation-VICTIM/tls"), 0o755))
	for _, name := range []string{"A", "tls/key"} {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(victim, name)), 0o755))
		must(t, os.WriteFile(filepath.Join(victim, name), []byte("victim"), 0o644))
	}
	must(t, os.Symlink("..generation-VICTIM", filepath.Join(victim, "..data")))
	must(t, os.Symlink("..data/STALE", filepath.Join(victim, "STALE")))
	must(t, os.Symlink("nowhere", filepath.Join(victim, "..link-VICTIM")))
	before := describe(t, victim)
	return victim, func() {
		t.Helper()
		if after := describe(t, victim); after != before {
			t.Errorf("the victim is now\n%s\nand was\n%s", after, before)
		}
	}
}

// describe lists all that can be known of a tree without opening its files.
func describe(t *testing.T, dir string) string {
	t.Helper()
	var lines []string
	must(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		found, err := entry.Info()
		lines = append(lines, fmt.Sprint(path, found.Mode(), found.Size(), found.ModTime()))
		return err
	}))
	return strings.Join(lines, "\n")
}

func TestNothingIsDoneThroughAPlantedLink(t *testing.T) {
	tests := map[string]func(dir, victim string) error{
		"..data leads outside": func(dir, victim string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "..data")), os.Symlink(victim, filepath.Join(dir, "..data")))
		},
		"..data leads into a generation outside": func(dir, victim string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "..data")), os.Symlink(victim+"/..generation-VICTIM", filepath.Join(dir, "..data")))
		},
		"the generation is a link": func(dir, victim string) error {
			generation := resolve(dir)
			return errors.Join(os.RemoveAll(generation), os.Symlink(victim, generation))
		},
		"another generation is a link": func(dir, victim string) error {
			planted := filepath.Join(dir, "..generation-PLANTED")
			return errors.Join(os.RemoveAll(planted), os.Symlink(victim, planted))
		},
		"a directory in the generation is a link": func(dir, victim string) error {
			tls := filepath.Join(resolve(dir), "tls")
			return errors.Join(os.RemoveAll(tls), os.Symlink(filepath.Join(victim, "tls"), tls))
		},
		"a file in the generation is a link": func(dir, victim string) error {
			a := filepath.Join(resolve(dir), "A")
			return errors.Join(os.Remove(a), os.Symlink(filepath.Join(victim, "A"), a))
		},
		"an old generation holds a link": func(dir, victim string) error {
			old := filepath.Join(dir, "..generation-OLD")
			return errors.Join(os.Mkdir(old, 0o700), os.Symlink(victim, filepath.Join(old, "victim")),
				os.Chtimes(old, time.Time{}, time.Now().Add(-time.Hour)))
		},
	}
	for name, plant := range tests {
		t.Run(name, func(t *testing.T) {
			eachWriter(t, func(t *testing.T, write writer) {
				victim, expectUntouched := plantVictim(t, t.TempDir())
				dir := filepath.Join(t.TempDir(), "files")
				files := []secretfiles.File{file("A", "new"), file("tls/key", "new")}
				publish(t, dir, append(files, file("KEPT", "kept"))...)
				must(t, plant(dir, victim))
				secretfiles.Sweep(dir, time.Now().Add(time.Hour))
				secretfiles.Holds(dir, files)
				must(t, write(dir, files...))
				if !secretfiles.Holds(dir, files) {
					t.Error("what was published is not held")
				}
				expectUntouched()
				must(t, plant(dir, victim))
				must(t, secretfiles.Remove(dir))
				expectUntouched()
			})
		})
	}
}

func TestAnUpdateBringsOnlyWhatMayHaveBeenPublished(t *testing.T) {
	victim, expectUntouched := plantVictim(t, t.TempDir())
	dir := filepath.Join(t.TempDir(), "files")
	publish(t, dir, file("A", "old"), file("tls/KEPT", "kept"))
	planted := filepath.Join(resolve(dir), "tls")
	must(t, os.Symlink(filepath.Join(victim, "A"), filepath.Join(planted, "link")))
	must(t, os.Symlink(victim, filepath.Join(planted, "directory")))
	must(t, syscall.Mkfifo(filepath.Join(planted, "pipe"), 0o600))
	must(t, os.WriteFile(filepath.Join(planted, "..name"), nil, 0o600))
	must(t, os.WriteFile(filepath.Join(planted, "100%"), nil, 0o600))
	must(t, os.Symlink(victim, filepath.Join(resolve(dir), "..data")))
	must(t, os.MkdirAll(filepath.Join(resolve(dir), "..generation-IN"), 0o700))
	if os.Geteuid() == 0 {
		must(t, os.WriteFile(filepath.Join(planted, "theirs"), nil, 0o600))
		must(t, os.Chown(filepath.Join(planted, "theirs"), 65534, 65534))
	}

	update(t, dir, time.Now(), file("A", "new"))
	expectContent(t, filepath.Join(dir, "tls/KEPT"), "kept")
	expectEntries(t, resolve(dir), "A", "tls")
	expectEntries(t, filepath.Join(dir, "tls"), "KEPT")
	expectPublished(t, dir, "A", "tls")
	expectUntouched()
}

// Whoever may write in the parent can put a link in the place of the directory
// at any moment.
func TestTheDirectoryMayBecomeALinkAtAnyMoment(t *testing.T) {
	const writes = 1000
	parent := memoryDir(t)
	_, expectUntouched := plantVictim(t, parent)
	dir, aside := filepath.Join(parent, "files"), filepath.Join(parent, "aside")
	var wg sync.WaitGroup
	var done atomic.Bool
	wg.Go(func() {
		for !done.Load() { // whatever fails, because the writer was faster
			_ = os.Rename(dir, aside)
			_ = os.Symlink("victim", dir)
			_ = os.Remove(dir)
			if os.Rename(aside, dir) != nil {
				_ = os.RemoveAll(aside)
			}
		}
	})
	published := 0
	for range writes {
		if secretfiles.Publish(dir, pair("0")) == nil {
			published++
		}
		_ = secretfiles.Update(dir, pair("1"), time.Now())
		secretfiles.Holds(dir, pair("1"))
		secretfiles.Sweep(dir, time.Now().Add(time.Hour))
		_ = secretfiles.Remove(dir)
	}
	done.Store(true)
	wg.Wait()
	expectUntouched()
	if published == 0 || published == writes {
		t.Errorf("%d of %d publishes were let through: nothing was in the way, or everything", published, writes)
	}
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
		expectRefusal(t, secretfiles.Publish(dir, []secretfiles.File{file("A", canary)}), want)
		expectRefusal(t, secretfiles.Update(dir, []secretfiles.File{file("A", canary)}, time.Now()), want)
	}
}
