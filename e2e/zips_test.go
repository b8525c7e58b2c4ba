//go:build linux

package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"secretwrap/e2e/emulator"
)

// testZips runs functions with the layers as they are published: packed, and
// unpacked again, which keeps their links.
func (l lab) testZips(t *testing.T) {
	dist := compiled(t, l.compilers.dist)
	for variant, function := range map[string]func(*testing.T, ...string) emulator.Function{
		"": l.python, "os-only-": l.layered, "wrapper-": l.osOnly,
	} {
		t.Run(variant+"zip", func(t *testing.T) {
			t.Parallel()
			delivery := newDelivery(t)
			fake := startFake(t, delivery.secrets)
			fn := function(t, delivery.env...)
			fn.Layer = unpacked(t, filepath.Join(dist, "secretwrap-layer-"+variant+architecture()+".zip"))
			l.checkDelivery(t, fn, fake.store, delivery)
			fake.checkCalledOnce(t, delivery.secrets)
		})
	}
}

// architecture returns this machine's as Lambda calls it.
func architecture() string {
	if runtime.GOARCH == "amd64" {
		return "x86_64"
	}
	return runtime.GOARCH
}

// unpacked returns what an archive holds, with its links.
func unpacked(t *testing.T, path string) string {
	t.Helper()
	toolNamed(t, "unzip")
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "unzip", "-q", path, "-d", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if info, err := os.Lstat(filepath.Join(dir, "secretwrap")); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Fatalf("secretwrap is no link: %v", err)
	}
	return dir
}
