package secretfiles_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"secretwrap/internal/secretfiles"
)

func expectAbsent(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); err == nil {
		t.Errorf("%s is still there", path)
	}
}

func TestRemoveLeavesWhatIsNotOurs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	publish(t, dir, file("A", "old"), file("tls/key", "old"))
	update(t, dir, time.Now(), file("A", "new"))
	foreign := map[string]string{"theirs": "theirs", "folder/A": "theirs", "..generation-": "a file"}
	for path, content := range foreign {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, path), []byte(content), 0o644))
	}
	if os.Geteuid() == 0 {
		foreign["..generation-THEIRS/A"] = "theirs"
		must(t, os.Mkdir(filepath.Join(dir, "..generation-THEIRS"), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, "..generation-THEIRS/A"), []byte("theirs"), 0o644))
		must(t, os.Chown(filepath.Join(dir, "..generation-THEIRS"), 65533, 65533))
		must(t, os.Chtimes(filepath.Join(dir, "..generation-THEIRS"), time.Time{}, time.Now().Add(-time.Hour)))
		secretfiles.Sweep(dir, time.Now())
	}
	must(t, os.Symlink("theirs", filepath.Join(dir, "link")))
	must(t, os.Symlink("..data/A", filepath.Join(dir, "B"))) // not its own name
	for range 2 {
		must(t, secretfiles.Remove(dir))
		for _, name := range []string{"..data", "A", "tls"} {
			expectAbsent(t, filepath.Join(dir, name))
		}
		for _, name := range []string{"B", "link"} {
			if _, err := os.Readlink(filepath.Join(dir, name)); err != nil {
				t.Error(err)
			}
		}
		for path, content := range foreign {
			expectContent(t, filepath.Join(dir, path), content)
		}
	}
}

func TestRemoveRemovesAllThatIsOurs(t *testing.T) {
	alsoAsNobody(t)
	for name, harm := range map[string]func(dir string) error{
		"as it was":             func(string) error { return nil },
		"removed before":        func(dir string) error { return os.RemoveAll(dir) },
		"closed the directory":  func(dir string) error { return os.Chmod(dir, 0o000) },
		"opened the directory":  func(dir string) error { return os.Chmod(dir, 0o777) },
		"closed the generation": func(dir string) error { return os.Chmod(resolve(dir), 0o000) },
		"closed what is in it":  func(dir string) error { return os.Chmod(filepath.Join(resolve(dir), "tls"), 0o000) },
		"removed ..data":        func(dir string) error { return os.Remove(filepath.Join(dir, "..data")) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "files")
			publish(t, dir, file("A", "old"), file("tls/key", "old"))
			update(t, dir, time.Now(), file("A", "new"))
			must(t, os.Symlink("nowhere", filepath.Join(dir, "..link-LEFT")))
			must(t, harm(dir))
			for range 2 {
				must(t, secretfiles.Remove(dir))
				expectAbsent(t, dir)
			}
		})
	}
}

func TestRemoveRefusesADirectoryThatIsNotOurs(t *testing.T) {
	victim, expectUntouched := plantVictim(t, t.TempDir())
	dir := filepath.Join(t.TempDir(), "files")
	must(t, os.Symlink(victim, dir))
	expectRefusal(t, secretfiles.Remove(dir), `directory "`+dir+`": it is a link`)
	expectUntouched()
	expectRefusal(t, secretfiles.Remove("files"), `directory "files": the path is not absolute`)
	must(t, secretfiles.Remove(filepath.Join(t.TempDir(), "absent", "files")))
}

// hold takes the lock as another process does.
func hold(t *testing.T, dir string) {
	t.Helper()
	held, err := os.Open(dir)
	must(t, err)
	t.Cleanup(func() { _ = held.Close() })
	must(t, syscall.Flock(int(held.Fd()), syscall.LOCK_EX))
}

func TestAHeldLockStopsWritersButNotTheRemoval(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	now := time.Now()
	publish(t, dir, file("A", "old"))
	update(t, dir, now, file("A", "new"))
	hold(t, dir)

	eachWriter(t, func(t *testing.T, write writer) {
		expectRefusal(t, write(dir, file("A", canary)), `directory "`+dir+`": another process is writing there`)
	})
	secretfiles.Sweep(dir, now.Add(time.Hour))
	expectContent(t, filepath.Join(dir, "A"), "new")
	expectEntries(t, dir, "..data", "..generation", "..generation", "A")

	must(t, secretfiles.Remove(dir))
	expectAbsent(t, dir)
}
