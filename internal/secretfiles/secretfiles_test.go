package secretfiles_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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

// refuse publishes, and wants an error that ends like this.
func refuse(t *testing.T, dir, want string, files ...secretfiles.File) {
	t.Helper()
	err := secretfiles.Publish(dir, files)
	if err == nil {
		t.Fatalf("Publish() = nil, want %s", want)
	}
	if !strings.HasSuffix(err.Error(), want) {
		t.Errorf("Publish() = %v, want %s", err, want)
	}
	for _, private := range []string{canary, "generation-", "..link-"} {
		if strings.Contains(err.Error(), private) {
			t.Errorf("Publish() = %v, which holds %s", err, private)
		}
	}
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

func TestFilesHoldTheExactBytes(t *testing.T) {
	contents := map[string]string{
		"PASSWORD":       canary,
		"EMPTY":          "",
		"tls/client.key": "\x00\x01\xff" + canary + "\r\n\x00",
		"a/b/c/d":        string(bytes.Repeat([]byte{0, 'x', 0xfe, '\n'}, 65536/4)),
		"a/b/e":          " ",
	}
	dir := filepath.Join(t.TempDir(), "files")
	var files []secretfiles.File
	for path, content := range contents {
		files = append(files, file(path, content))
	}
	publish(t, dir, files...)
	for path, content := range contents {
		expectContent(t, filepath.Join(dir, path), content)
	}
	expectEntries(t, dir, "..data", "..generation", "EMPTY", "PASSWORD", "a", "tls")
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
	dir := filepath.Join(t.TempDir(), "files")
	refuse(t, dir, `file "a/../../b": an element of the path begins with two dots`,
		file("good", canary), file("a/../../b", canary))
	if _, err := os.Lstat(dir); err == nil {
		t.Error("the directory was created")
	}
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
			dir := filepath.Join(t.TempDir(), "files")
			publish(t, dir, file("A", "old"), file("tls/key", "old"))
			must(t, os.Mkdir(filepath.Join(dir, "taken"), 0o755))

			refuse(t, dir, test.want, test.files...)
			expectContent(t, filepath.Join(dir, "A"), "old")
			expectContent(t, filepath.Join(dir, "tls/key"), "old")
			expectEntries(t, dir, "..data", "..generation", "A", "taken", "tls")
			expectMode(t, filepath.Join(dir, "taken"), fs.ModeDir|0o755)
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

func TestAPublishRepairsWhatTheProgramDidToTheFiles(t *testing.T) {
	tests := map[string]func(dir string) error{
		"removed everything":        func(dir string) error { return os.RemoveAll(dir) },
		"removed a link":            func(dir string) error { return os.Remove(filepath.Join(dir, "tls")) },
		"removed ..data":            func(dir string) error { return os.Remove(filepath.Join(dir, "..data")) },
		"removed a file":            func(dir string) error { return os.Remove(filepath.Join(dir, "tls/key")) },
		"removed the generation":    func(dir string) error { return os.RemoveAll(resolve(dir)) },
		"opened the directory":      func(dir string) error { return os.Chmod(dir, 0o777) },
		"closed the directory":      func(dir string) error { return os.Chmod(dir, 0o000) },
		"opened a file":             func(dir string) error { return os.Chmod(filepath.Join(dir, "tls/key"), 0o666) },
		"closed the generation":     func(dir string) error { return os.Chmod(resolve(dir), 0o000) },
		"replaced a link by a file": func(dir string) error { return replace(filepath.Join(dir, "A")) },
		"replaced ..data by a file": func(dir string) error { return replace(filepath.Join(dir, "..data")) },
		"removed links and generation": func(dir string) error {
			return os.Rename(resolve(dir), filepath.Join(dir, "..generation-elsewhere"))
		},
	}
	for name, sabotage := range tests {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "files")
			publish(t, dir, file("A", "old"), file("tls/key", "old"))
			must(t, sabotage(dir))

			publish(t, dir, file("A", "new"), file("tls/key", "new"))
			expectContent(t, filepath.Join(dir, "A"), "new")
			expectContent(t, filepath.Join(dir, "tls/key"), "new")
			expectMode(t, filepath.Join(dir, "tls/key"), 0o400)
			expectMode(t, dir, fs.ModeDir|0o700)
			expectEntries(t, dir, "..data", "..generation", "A", "tls")
		})
	}
}

// resolve returns the directory of the current generation.
func resolve(dir string) string {
	generation, _ := os.Readlink(filepath.Join(dir, "..data"))
	return filepath.Join(dir, generation)
}

func replace(path string) error {
	if err := os.Remove(path); err != nil {
		return err
	}
	return os.WriteFile(path, []byte("planted"), 0o666)
}
