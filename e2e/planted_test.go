//go:build linux

package e2e_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// testGuards checks functions in whose /tmp something lies in wait before their
// first start.
func (l lab) testGuards(t *testing.T) {
	tests := map[string]func(*testing.T){
		"a socket against a link":                    func(t *testing.T) { l.checkAlone(t, plantLink) },
		"a socket against a file":                    func(t *testing.T) { l.checkAlone(t, plantFile) },
		"a socket against a directory open to all":   func(t *testing.T) { l.checkAlone(t, plantOpen) },
		"a socket against a directory of another's":  func(t *testing.T) { l.checkAlone(t, plantForeign) },
		"files against a link":                       func(t *testing.T) { l.checkRefused(t, plantLink) },
		"files against a file":                       func(t *testing.T) { l.checkRefused(t, plantFile) },
		"files against a directory of another's":     func(t *testing.T) { l.checkRefused(t, plantForeign) },
		"a directory in which a predecessor crashed": l.testLeftovers,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// plantLink plants a link that leads to the directory victim beside it.
func plantLink(t *testing.T, path string) { link(t, "victim", path) }

func plantFile(t *testing.T, path string) { write(t, path, "planted", 0o600) }

func plantOpen(t *testing.T, path string) { directory(t, path, 0o777) }

// plantForeign plants a directory of a user that is not this one.
func plantForeign(t *testing.T, path string) {
	t.Helper()
	if os.Geteuid() != 0 {
		need(t, "not root, who alone can give files away")
	}
	directory(t, path, 0o700)
	if err := os.Chown(path, 12345, 12345); err != nil {
		t.Fatal(err)
	}
}

// directory makes a directory with exactly that mode.
func directory(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(path, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// plant deploys a function with a variable and a file, and with something planted
// in its /tmp. When the test ends, what was planted must be as it was.
func (l lab) plant(t *testing.T, name string, plant func(*testing.T, string)) (deployed, fakeStore) {
	t.Helper()
	fake := startFake(t, oneSecret())
	d := l.deploy(t, fake.reachable(l.managed(t, plainHandler,
		"DB_PASSWORD=secretsmanager://prod/db#password", "KEY_PATH=secretsmanager://prod/db?file=key#password")), canary)
	directory(t, filepath.Join(d.Tmp(), "victim"), 0o755)
	write(t, filepath.Join(d.Tmp(), "victim", "kept"), "kept", 0o644)
	path := filepath.Join(d.Tmp(), name)
	plant(t, path)
	before := []string{describe(t, path), describe(t, filepath.Join(d.Tmp(), "victim"))}
	t.Cleanup(func() {
		if after := []string{describe(t, path), describe(t, filepath.Join(d.Tmp(), "victim"))}; !slices.Equal(before, after) {
			t.Errorf("what was planted has changed from %q to %q", before, after)
		}
	})
	return d, fake
}

// describe tells what is at path, and what is in it, without following links.
func describe(t *testing.T, path string) string {
	t.Helper()
	var text strings.Builder
	err := filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			fmt.Fprintf(&text, "%s %v %v\n", path, info.Mode(), info.ModTime())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// checkAlone plants something in the place of the socket's directory: the wrapper
// works alone.
func (l lab) checkAlone(t *testing.T, plant func(*testing.T, string)) {
	d, fake := l.plant(t, "secretwrap.handover", plant)
	for range 2 {
		seen := d.seen(t, event{Names: []string{"DB_PASSWORD"}, Files: []string{"KEY_PATH"}})
		if seen["DB_PASSWORD"] != canary || seen["KEY_PATH"] != canary {
			t.Errorf("the function sees %v", seen)
		}
	}
	fake.checkCalledOnce(t, oneSecret())
	log := d.wholeLog(t)
	for _, line := range []string{
		`[secretwrap] warning: wrapper and extension each work alone: directory "/tmp/secretwrap.handover": `,
		`[secretwrap] warning: the files are not refreshed: the wrapper worked alone, since it found no socket to ask on `,
	} {
		if strings.Count(log, line) != 1 {
			t.Errorf("the log does not hold once %q", line)
		}
	}
	if strings.Count(log, "[secretwrap] warning: ") != 2 {
		t.Error("the log holds other warnings")
	}
	if !strings.Contains(log, " ms, direct [SecretsDelivered]") {
		t.Error("the wrapper has not worked alone")
	}
}

// checkRefused plants something in the place of the files' directory: the
// function does not start.
func (l lab) checkRefused(t *testing.T, plant func(*testing.T, string)) {
	d, _ := l.plant(t, "secretwrap", plant)
	d.checkError(t, failure{errorType: "Runtime.SecretFileFailed"})
	d.checkExit(t, "73")
}

// testLeftovers starts a function where a predecessor has been killed in the
// midst of everything.
func (l lab) testLeftovers(t *testing.T) {
	d, _ := l.deployPair(t, l.osOnly(t))
	files := filepath.Join(d.Tmp(), "secretwrap")
	for _, generation := range []string{"..generation-AAAA", "..generation-BBBB"} {
		directory(t, filepath.Join(files, generation, "tls"), 0o700)
		write(t, filepath.Join(files, generation, "tls", "client.pem"), "old", 0o400)
	}
	directory(t, files, 0o700)
	link(t, "..generation-AAAA", filepath.Join(files, "..data"))
	link(t, "..generation-BBBB", filepath.Join(files, "..link-CCCC"))
	link(t, "..data/tls", filepath.Join(files, "tls"))
	link(t, "..data/gone", filepath.Join(files, "gone"))
	socket := filepath.Join(d.Tmp(), "secretwrap.handover")
	directory(t, socket, 0o700)
	write(t, filepath.Join(socket, "socket"), "", 0o600)
	d.checkPair(t, 1)
	d.checkTidy(t)
	if log := d.wholeLog(t); strings.Contains(log, "[secretwrap] warning") || strings.Contains(log, " direct ") {
		t.Error("the leftovers are in the way")
	}
}
