package secretfiles_test

import (
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

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

func TestTwoWritersDoNotInterleave(t *testing.T) {
	const writers, publishes = 4, 50
	dir := filepath.Join(memoryDir(t), "files")
	var wg sync.WaitGroup
	for writer := range writers {
		wg.Go(func() {
			for range publishes {
				if err := secretfiles.Publish(dir, pair(strconv.Itoa(writer))); err != nil {
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
