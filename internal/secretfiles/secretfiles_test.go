package secretfiles_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"secretwrap/internal/secret"
	"secretwrap/internal/secretfiles"
)

// canary is in every file, so that no error may quote it.
const canary = "CANARY-c4b81e6a"

func file(path, content string) secretfiles.File {
	return secretfiles.File{Path: path, Content: secret.FromString(content)}
}

func publish(t *testing.T, dir string, files ...secretfiles.File) {
	t.Helper()
	if err := secretfiles.Publish(dir, files); err != nil {
		t.Fatal(err)
	}
}

func update(t *testing.T, dir string, now time.Time, files ...secretfiles.File) {
	t.Helper()
	if err := secretfiles.Update(dir, files, now); err != nil {
		t.Fatal(err)
	}
}

// writer is Publish, or Update at this moment.
type writer func(dir string, files ...secretfiles.File) error

func eachWriter(t *testing.T, test func(t *testing.T, write writer)) {
	t.Helper()
	t.Run("Publish", func(t *testing.T) {
		test(t, func(dir string, files ...secretfiles.File) error { return secretfiles.Publish(dir, files) })
	})
	t.Run("Update", func(t *testing.T) {
		test(t, func(dir string, files ...secretfiles.File) error { return secretfiles.Update(dir, files, time.Now()) })
	})
}

// expectRefusal wants an error that ends like this.
func expectRefusal(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("there is no error, want %s", want)
	}
	if !strings.HasSuffix(err.Error(), want) {
		t.Errorf("the error is %v, want %s", err, want)
	}
	for _, private := range []string{canary, "generation-", "..link-"} {
		if strings.Contains(err.Error(), private) {
			t.Errorf("the error is %v, which holds %s", err, private)
		}
	}
}

// expectPublished wants these names beside one generation, when readers have had
// their time with the former ones.
func expectPublished(t *testing.T, dir string, names ...string) {
	t.Helper()
	secretfiles.Sweep(dir, time.Now().Add(2*secretfiles.Grace))
	expectEntries(t, dir, append([]string{"..data", "..generation"}, names...)...)
}

func expectContent(t *testing.T, path, want string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	} else if string(content) != want {
		t.Errorf("%s holds %q, want %q", path, content, want)
	}
}

func expectMode(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Error(err)
	} else if info.Mode() != want {
		t.Errorf("%s has mode %v, want %v", path, info.Mode(), want)
	}
}

// expectEntries compares the names in dir, where each name of ours that ends at
// random stands as its beginning.
func expectEntries(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Error(err)
	}
	var got []string
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, "..") {
			name, _, _ = strings.Cut(name, "-")
		}
		got = append(got, name)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s holds %q, want %q", dir, got, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const nobody = 65534

// becomeNobody runs a process without the rights of root, who may enter a
// directory without any permission.
func becomeNobody(cmd *exec.Cmd) {
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
}

// alsoAsNobody runs root's test once more without root's rights.
func alsoAsNobody(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 || runtime.GOOS != "linux" {
		return
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Dir = "/"
	becomeNobody(cmd)
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("as nobody: %v\n%s", err, output)
	}
}

func TestFilesHoldTheExactBytes(t *testing.T) {
	contents := map[string]string{
		"PASSWORD":       canary,
		"EMPTY":          "",
		"tls/client.key": "\x00\x01\xff" + canary + "\r\n\x00",
		"a/b/c/d":        string(bytes.Repeat([]byte{0, 'x', 0xfe, '\n'}, 65536/4)),
		"a/b/e":          " ",
	}
	eachWriter(t, func(t *testing.T, write writer) {
		dir := filepath.Join(t.TempDir(), "files")
		var files []secretfiles.File
		for path, content := range contents {
			files = append(files, file(path, content))
		}
		must(t, write(dir, files...))
		for path, content := range contents {
			expectContent(t, filepath.Join(dir, path), content)
		}
		expectEntries(t, dir, "..data", "..generation", "EMPTY", "PASSWORD", "a", "tls")
		if !secretfiles.Holds(dir, files) {
			t.Error("the files are not held")
		}
	})
}

func TestAPublishReplacesTheFormerOne(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	publish(t, dir, file("A", "old"), file("gone/x", "old"), file("GONE", "old"), file("shape", "a file"))
	publish(t, dir, file("A", "new"), file("B", "new"), file("shape/now", "a directory"))

	expectContent(t, filepath.Join(dir, "A"), "new")
	expectContent(t, filepath.Join(dir, "B"), "new")
	expectContent(t, filepath.Join(dir, "shape/now"), "a directory")
	expectEntries(t, dir, "..data", "..generation", "A", "B", "shape")
}

func TestPublishingNothingRemovesEverything(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	publish(t, dir, file("A", canary))
	publish(t, dir)
	expectEntries(t, dir, "..data", "..generation")
}

func TestABadPathIsRefusedBeforeAnythingIsTouched(t *testing.T) {
	eachWriter(t, func(t *testing.T, write writer) {
		dir := filepath.Join(t.TempDir(), "files")
		expectRefusal(t, write(dir, file("good", canary), file("a/../../b", canary)),
			`file "a/../../b": an element of the path begins with two dots`)
		if _, err := os.Lstat(dir); err == nil {
			t.Error("the directory was created")
		}
	})
}

func TestAFailureLeavesTheFormerFiles(t *testing.T) {
	tests := map[string]struct {
		files []secretfiles.File
		want  string
	}{
		"a file twice":            {[]secretfiles.File{file("A", canary), file("A", canary)}, `file "A": file exists`},
		"a file below a file":     {[]secretfiles.File{file("A", canary), file("A/b", canary)}, `file "A/b": not a directory`},
		"a file over a directory": {[]secretfiles.File{file("A/b", canary), file("A", canary)}, `file "A": file exists`},
		"a directory in the way":  {[]secretfiles.File{file("A", canary), file("taken", canary)}, `link "taken": a directory that is not ours is in its place`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			eachWriter(t, func(t *testing.T, write writer) {
				dir := filepath.Join(t.TempDir(), "files")
				publish(t, dir, file("A", "old"), file("tls/key", "old"))
				must(t, os.Mkdir(filepath.Join(dir, "taken"), 0o755))

				expectRefusal(t, write(dir, test.files...), test.want)
				expectContent(t, filepath.Join(dir, "A"), "old")
				expectContent(t, filepath.Join(dir, "tls/key"), "old")
				expectEntries(t, dir, "..data", "..generation", "A", "taken", "tls")
				expectMode(t, filepath.Join(dir, "taken"), fs.ModeDir|0o755)
			})
		})
	}
}

func TestLeftoversAreSweptAndForeignEntriesAreNot(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	outside := filepath.Join(t.TempDir(), "outside")
	must(t, os.Mkdir(outside, 0o755))
	must(t, os.WriteFile(filepath.Join(outside, "A"), []byte("outside"), 0o644))
	publish(t, dir, file("A", "old"))
	for i := range 50 {
		generation := filepath.Join(dir, "..generation-"+string(rune('A'+i)))
		must(t, os.MkdirAll(filepath.Join(generation, "tls"), 0o700))
		must(t, os.WriteFile(filepath.Join(generation, "tls/key"), []byte(canary), 0o400))
		must(t, os.Symlink(outside, filepath.Join(generation, "link")))
	}
	must(t, os.Symlink("..generation-A", filepath.Join(dir, "..link-LEFT")))
	must(t, os.Symlink("..data/STALE", filepath.Join(dir, "STALE")))

	must(t, os.Mkdir(filepath.Join(dir, "foreign"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "foreign/A"), []byte("foreign"), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "..generation-"), []byte("a file"), 0o644))
	must(t, os.Symlink("nowhere", filepath.Join(dir, "dangling")))
	must(t, os.Symlink(outside, filepath.Join(dir, "..foreign")))

	publish(t, dir, file("A", "new"))
	expectEntries(t, dir, "..data", "..generation", "..generation", "..foreign", "A", "dangling", "foreign")
	expectContent(t, filepath.Join(dir, "foreign/A"), "foreign")
	expectContent(t, filepath.Join(dir, "..generation-"), "a file")
	expectContent(t, filepath.Join(outside, "A"), "outside")
}

// resolve returns the directory of the current generation.
func resolve(dir string) string {
	generation, _ := os.Readlink(filepath.Join(dir, "..data"))
	return filepath.Join(dir, generation)
}
