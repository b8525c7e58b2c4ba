package secretfiles_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"secretwrap/internal/secretfiles"
)

// pair is a certificate with its key, both of one version.
func pair(version string) []secretfiles.File {
	return []secretfiles.File{file("tls/client.pem", version), file("tls/client.key", version)}
}

// readPair reads both files of the current generation. It reports whether neither
// was missing.
func readPair(dir string) (certificate, key string, whole bool) {
	generation := resolve(dir)
	first, err1 := os.ReadFile(filepath.Join(generation, "tls/client.pem"))
	second, err2 := os.ReadFile(filepath.Join(generation, "tls/client.key"))
	return string(first), string(second), err1 == nil && err2 == nil
}

// memoryDir returns a directory in memory where the system has one, because
// thousands of publishes take their time on a disk.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "secretfiles-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func TestAReaderThatResolvesOnceNeverSeesAMixedPair(t *testing.T) {
	const publishes = 2000
	dir := filepath.Join(memoryDir(t), "files")
	publish(t, dir, pair("0")...)

	var wg sync.WaitGroup
	var done atomic.Bool
	wg.Go(func() {
		for !done.Load() {
			if certificate, key, whole := readPair(dir); whole && (certificate != key || key == "") {
				t.Errorf("certificate %q with key %q", certificate, key)
			}
		}
	})
	for version := range publishes {
		publish(t, dir, pair(strconv.Itoa(version+1))...)
	}
	done.Store(true)
	wg.Wait()
	if certificate, key, whole := readPair(dir); !whole || certificate != key || key != strconv.Itoa(publishes) {
		t.Errorf("in the end certificate %q with key %q", certificate, key)
	}
}

// rotating are files whose length tells half a file from a whole one.
func rotating(version int) []secretfiles.File {
	return pair(strings.Repeat(strconv.Itoa(version)+" ", 500))
}

// isWhole reports whether a file is one that rotating made.
func isWhole(content string) bool {
	version, _, _ := strings.Cut(content, " ")
	return version != "" && content == strings.Repeat(version+" ", 500)
}

// tally counts what readers saw.
type tally struct{ reads, missing, mixed, torn atomic.Int64 }

// pinned resolves the directory once for both files of a pair.
func (seen *tally) pinned(dir string) {
	certificate, key, whole := readPair(dir)
	seen.count(certificate, key, whole)
}

// naive goes through the stable path for each file.
func (seen *tally) naive(dir string) {
	certificate, err1 := os.ReadFile(filepath.Join(dir, "tls/client.pem"))
	key, err2 := os.ReadFile(filepath.Join(dir, "tls/client.key"))
	seen.count(string(certificate), string(key), err1 == nil && err2 == nil)
}

func (seen *tally) count(certificate, key string, whole bool) {
	switch {
	case !whole:
		seen.missing.Add(1)
	case certificate != key:
		seen.mixed.Add(1)
	}
	if whole && (!isWhole(certificate) || !isWhole(key)) {
		seen.torn.Add(1)
	}
}

// publishInTurn publishes, and waits for its turn however long it takes: on a busy
// machine that may be longer than the second after which Publish gives up.
func publishInTurn(dir string, files []secretfiles.File) error {
	for {
		if err := secretfiles.Publish(dir, files); err == nil || !strings.Contains(err.Error(), "another process is writing there") {
			return err
		}
	}
}

func TestTwoWritersDoNotInterleave(t *testing.T) {
	const writers, publishes = 4, 50
	dir := filepath.Join(memoryDir(t), "files")
	var wg sync.WaitGroup
	for writer := range writers {
		wg.Go(func() {
			for range publishes {
				if err := publishInTurn(dir, pair(strconv.Itoa(writer))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if certificate, key, whole := readPair(dir); !whole || certificate != key {
		t.Errorf("in the end certificate %q with key %q", certificate, key)
	}
	expectEntries(t, dir, "..data", "..generation", "tls")
}

// BenchmarkUpdate replaces 2 files, alone and beside others, in a directory with
// what the last minute left.
func BenchmarkUpdate(b *testing.B) {
	for _, others := range []int{0, 8} {
		b.Run(fmt.Sprintf("beside %d", others), func(b *testing.B) {
			dir := filepath.Join(b.TempDir(), "files")
			files := pair("old")
			for i := range others {
				files = append(files, file("kept/"+strconv.Itoa(i), "kept"))
			}
			if err := secretfiles.Publish(dir, files); err != nil {
				b.Fatal(err)
			}
			now := time.Now()
			for b.Loop() {
				now = now.Add(secretfiles.Grace)
				if err := secretfiles.Update(dir, pair("new"), now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkHolds looks at 2 files, BenchmarkSweep at a directory without old
// ones.
func BenchmarkHolds(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "files")
	if err := secretfiles.Publish(dir, pair("new")); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if !secretfiles.Holds(dir, pair("new")) {
			b.Fatal("the files are not held")
		}
	}
}

func BenchmarkSweep(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "files")
	if err := secretfiles.Publish(dir, pair("new")); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		secretfiles.Sweep(dir, time.Now())
	}
}
