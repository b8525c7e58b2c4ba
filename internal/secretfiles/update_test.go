package secretfiles_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"secretwrap/internal/secretfiles"
)

// generations returns the paths of all generations.
func generations(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "..generation-*"))
	must(t, err)
	return paths
}

func inode(t *testing.T, path string) fs.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	return info
}

func TestAnUpdateReplacesAndAddsAndLeavesTheRest(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	kept := file("tls/deep/kept", "kept")
	kept.Mode = 0o440
	publish(t, dir, file("A", "old"), file("tls/key", "old"), kept, file("B", "kept"))
	before := inode(t, filepath.Join(dir, "tls/deep/kept"))

	update(t, dir, time.Now(), file("A", "new"), file("tls/key", "new"), file("tls/more", "new"), file("c/d", "new"))
	for path, want := range map[string]string{
		"A": "new", "tls/key": "new", "tls/more": "new", "c/d": "new", "tls/deep/kept": "kept", "B": "kept",
	} {
		expectContent(t, filepath.Join(dir, path), want)
	}
	expectMode(t, filepath.Join(dir, "tls/deep/kept"), 0o440)
	expectMode(t, filepath.Join(dir, "tls/deep"), fs.ModeDir|0o700)
	expectEntries(t, dir, "..data", "..generation", "..generation", "A", "B", "c", "tls")
	if !os.SameFile(before, inode(t, filepath.Join(dir, "tls/deep/kept"))) {
		t.Error("the file that stays was copied")
	}
}

func TestAnUpdateOfNothingPublishes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	update(t, dir, time.Now(), file("A", "new"))
	expectContent(t, filepath.Join(dir, "A"), "new")
	expectEntries(t, dir, "..data", "..generation", "A")
}

func TestWhatIsInTheWayOfAnUpdateIsPublishedNoMore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	publish(t, dir, file("A", "a file"), file("b/c", "below"), file("d/e", "a file"), file("kept", "kept"))
	update(t, dir, time.Now(), file("A/now", "below"), file("b", "a file"), file("d/e/f", "below"))
	for path, want := range map[string]string{"A/now": "below", "b": "a file", "d/e/f": "below", "kept": "kept"} {
		expectContent(t, filepath.Join(dir, path), want)
	}
	expectEntries(t, dir, "..data", "..generation", "..generation", "A", "b", "d", "kept")
}

func TestWhatIsInThePlaceOfOneFileStopsNoUpdateOfAnother(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	publish(t, dir, file("blocked", "old"), file("free", "old"))
	must(t, os.Remove(filepath.Join(dir, "blocked")))
	must(t, os.MkdirAll(filepath.Join(dir, "blocked", "theirs"), 0o700))

	update(t, dir, time.Now(), file("free", "new"))
	expectContent(t, filepath.Join(dir, "free"), "new")
	if err := secretfiles.Update(dir, []secretfiles.File{file("blocked", "new"), file("free", "newer")}, time.Now()); err == nil {
		t.Error("an update of the file itself succeeded")
	}
	expectContent(t, filepath.Join(dir, "free"), "new")

	must(t, os.RemoveAll(filepath.Join(dir, "blocked")))
	update(t, dir, time.Now(), file("free", "newest"))
	expectContent(t, filepath.Join(dir, "blocked"), "old")
}

func TestWhatAnUpdateReplacesStaysForTheGrace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	now := time.Now()
	publish(t, dir, file("A", "first"), file("B", "kept"))
	first := resolve(dir)
	// Long after the publish, so that the age since then would be too much.
	now = now.Add(time.Hour)
	update(t, dir, now, file("A", "second"))
	second := resolve(dir)
	update(t, dir, now.Add(secretfiles.Grace/2), file("A", "third"))

	secretfiles.Sweep(dir, now.Add(secretfiles.Grace))
	expectContent(t, filepath.Join(first, "A"), "first")
	expectContent(t, filepath.Join(first, "B"), "kept")
	secretfiles.Sweep(dir, now.Add(secretfiles.Grace+time.Second))
	if _, err := os.Lstat(first); err == nil {
		t.Error("the first generation is still there")
	}
	expectContent(t, filepath.Join(second, "A"), "second")
	update(t, dir, now.Add(secretfiles.Grace*2), file("A", "fourth"))
	if _, err := os.Lstat(second); err == nil {
		t.Error("the second generation is still there")
	}
	expectContent(t, filepath.Join(dir, "A"), "fourth")
	expectContent(t, filepath.Join(dir, "B"), "kept")
}

func TestAPublishSweepsWithoutGrace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	for _, version := range []string{"1", "2", "3"} {
		update(t, dir, time.Now(), file("A", version))
	}
	publish(t, dir, file("B", "start"))
	expectEntries(t, dir, "..data", "..generation", "B")
}

func TestTheClockMayBeSet(t *testing.T) {
	for name, step := range map[string]time.Duration{"back": -24 * time.Hour, "a little back": -secretfiles.Grace / 2, "forward": 0} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "files")
			now := time.Now()
			publish(t, dir, file("A", "old"))
			update(t, dir, now, file("A", "new"))

			now = now.Add(step)
			secretfiles.Sweep(dir, now)
			secretfiles.Sweep(dir, now.Add(secretfiles.Grace))
			if step < 0 && len(generations(t, dir)) != 2 {
				t.Error("the replaced generation was removed under a reader")
			}
			secretfiles.Sweep(dir, now.Add(2*secretfiles.Grace))
			expectEntries(t, dir, "..data", "..generation", "A")
			expectContent(t, filepath.Join(dir, "A"), "new")
		})
	}
}

func TestASweepLeavesWhatIsNotOurs(t *testing.T) {
	parent := t.TempDir()
	absent := filepath.Join(parent, "absent")
	foreign := filepath.Join(parent, "foreign")
	must(t, os.MkdirAll(filepath.Join(foreign, "..generation-THEIRS"), 0o700))
	link := filepath.Join(parent, "link")
	must(t, os.Symlink(foreign, link))
	for _, dir := range []string{absent, foreign, link, "", "relative", "/"} {
		secretfiles.Sweep(dir, time.Now().Add(time.Hour))
	}
	expectEntries(t, parent, "foreign", "link")
	expectEntries(t, foreign, "..generation")
}
