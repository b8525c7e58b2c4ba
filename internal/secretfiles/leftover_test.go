package secretfiles_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// plantGeneration makes what looks like a generation that a killed predecessor left.
func plantGeneration(t *testing.T, dir string) string {
	t.Helper()
	planted := filepath.Join(dir, "..generation-PLANTED")
	must(t, os.MkdirAll(planted, 0o700))
	must(t, os.Chmod(dir, 0o700))
	return planted
}

func TestALeftoverOfManyFilesIsRemovedBitByBit(t *testing.T) {
	const many = 25_000
	dir := memoryDir(t)
	planted := plantGeneration(t, dir)
	for i := range many {
		must(t, os.WriteFile(filepath.Join(planted, strconv.Itoa(i)), nil, 0o400))
	}
	// A sweep before and one after the files are written take a bounded part each.
	publish(t, dir, file("key", "1"))
	kept, err := os.ReadDir(planted)
	must(t, err)
	if len(kept) == 0 {
		t.Error("the start has removed everything, however long that took")
	}
	publish(t, dir, file("key", "2"))
	expectEntries(t, dir, "..data", "..generation", "key")
	expectContent(t, filepath.Join(dir, "key"), "2")
}

func TestALeftoverThatIsDeepIsInNobodysWay(t *testing.T) {
	const deep = 1500
	dir := memoryDir(t)
	here := plantGeneration(t, dir)
	for range deep / 100 { // no path may be longer than 4,096 bytes
		here = filepath.Join(here, strings.Repeat("d/", 100))
		must(t, os.MkdirAll(here, 0o700))
	}
	for _, content := range []string{"1", "2"} {
		publish(t, dir, file("key", content))
		expectContent(t, filepath.Join(dir, "key"), content)
	}
}
