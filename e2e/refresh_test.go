//go:build linux

package e2e_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"secretwrap/e2e/emulator"
	"secretwrap/internal/awsfake"
)

// refreshing is far more than a copy's age of 10 seconds, which is the shortest
// that can be set, with the attempts that follow.
const refreshing = time.Minute

// refreshed returns what functions need whose copies age as fast as they can, and
// which say everything that could be said.
func refreshed(env ...string) []string {
	return append([]string{
		"SECRETWRAP_REFRESH=10s",
		"SECRETWRAP_LOG_LEVEL=debug", "GODEBUG=http2debug=2", "GOTRACEBACK=all",
	}, env...)
}

// testRefreshes checks that rotated secrets arrive in files. Every test deploys
// its function and rotates its secret before it becomes parallel: so all of them
// age at the same time, however few may go on at once.
func (l lab) testRefreshes(t *testing.T) {
	tests := map[string]func(*testing.T){
		"a pair for a Go handler":                      func(t *testing.T) { l.testRotatedPair(t, l.osOnly) },
		"a pair for a Python handler":                  func(t *testing.T) { l.testRotatedPair(t, l.python) },
		"a pair that the wrapper wrote":                func(t *testing.T) { l.testRotatedPair(t, l.python, "SECRETWRAP_HANDOVER=off") },
		"a pair after the environment was frozen":      l.testFrozen,
		"a pair without a wrapper":                     func(t *testing.T) { l.testRotatedPair(t, l.unwrapped) },
		"by a timer in a managed instance":             l.testManagedInstance,
		"by a timer what nobody declared to be a file": l.testMovedValue,
		"when a snapshot is restored":                  l.testSnapshot,
		"nothing when Secrets Manager fails":           l.testStale,
	}
	for name, test := range tests {
		t.Run(name, test)
	}
}

// testRotatedPair rotates a certificate with its key under a function that reads
// them all the time.
func (l lab) testRotatedPair(t *testing.T, function func(*testing.T, ...string) emulator.Function, env ...string) {
	const often = 3000
	d, fake := l.deployPair(t, function(t, refreshed(env...)...))
	d.checkPair(t, 1)
	fake.put(t, pairSecret(t, 2))
	t.Parallel()
	eventually(t, refreshing, "version 2 in the files", func() bool {
		seen := d.look(t, often)
		seen.checkWhole(t, 1)
		return seen.isOnly(2)
	})
	if calls := len(fake.Calls()); calls != 2 {
		t.Errorf("%d calls of Secrets Manager, want one for each version", calls)
	}
	d.checkStarts(t, 1)
	if log := d.wholeLog(t); strings.Count(log, "2 files written: new version of prod/tls [SecretRefreshed]") != 1 {
		t.Error("the log does not tell once that files were written")
	}
}

// testFrozen stops extension and runtime, as Lambda does between invocations, for
// longer than copies may be old. Nothing is asked meanwhile, and the first
// invocation has the new version fetched.
func (l lab) testFrozen(t *testing.T) {
	const longer = 13 * time.Second // by more than the fifth that ages may differ
	d, fake := l.deployPair(t, l.osOnly(t, refreshed()...))
	d.checkPair(t, 1)
	fake.put(t, pairSecret(t, 2))
	all := []process{d.extension(t), d.runtime(t)}
	signalEach(t, all, syscall.SIGSTOP)
	frozen := time.Now()
	t.Parallel()
	eventually(t, refreshing, "the age at which copies are fetched again", func() bool { return time.Since(frozen) > longer })
	if calls := len(fake.Calls()); calls != 1 {
		t.Errorf("%d calls of Secrets Manager, want none while all is frozen", calls-1)
	}
	signalEach(t, all, syscall.SIGCONT)
	d.look(t, 1)
	eventually(t, invoking, "version 2 in the file", func() bool { return d.copied(pairFiles[0]) == pair(2)[0] })
	d.checkPair(t, 2)
	d.checkStarts(t, 1)
}

// signalEach sends a signal to processes.
func signalEach(t *testing.T, all []process, signal syscall.Signal) {
	t.Helper()
	for _, p := range all {
		if err := syscall.Kill(int(p), signal); err != nil {
			t.Fatal(err)
		}
	}
}

// copied returns the content of a file copy, empty while there is none.
func (d deployed) copied(name string) string {
	content, _ := os.ReadFile(filepath.Join(d.Tmp(), "secretwrap", name))
	return string(content)
}

// testManagedInstance runs a function as Lambda Managed Instances do, where an
// extension that asks for invocations is turned away: a timer stands in for them.
func (l lab) testManagedInstance(t *testing.T) {
	d, fake := l.deployPair(t, l.osOnly(t, refreshed(managedInstance(t)...)...))
	d.checkPair(t, 1)
	fake.put(t, pairSecret(t, 2))
	t.Parallel()
	eventually(t, refreshing, "version 2 in the file, without an invocation", func() bool {
		return d.copied(pairFiles[0]) == pair(2)[0]
	})
	d.checkPair(t, 2)
	d.checkGone(t)
}

// testMovedValue rotates a value that went to a file because of its size. That
// shows only when it has been fetched, so Lambda is not asked to tell of
// invocations.
func (l lab) testMovedValue(t *testing.T) {
	former, next := "former "+strings.Repeat(canary, 100), "next "+strings.Repeat(canary, 100)
	fake := startScript(t, awsfake.Config{Secrets: []awsfake.Secret{plainSecret("prod/large", former)}})
	d := l.deploy(t, fake.reachable(l.managed(t, []string{"/var/task/handler"},
		refreshed("SECRETWRAP_MAX_ENV_VALUE=1KiB", "LARGE=secretsmanager://prod/large")...)), canary)
	if seen := d.seen(t, event{Names: []string{"LARGE"}}); seen["LARGE"] != former {
		t.Fatalf("the function sees %v", seen)
	}
	fake.put(t, plainSecret("prod/large", next))
	t.Parallel()
	eventually(t, refreshing, "version 2 in the file", func() bool {
		return d.copied("LARGE") == next
	})
	if seen := d.seen(t, event{Names: []string{"LARGE"}}); seen["LARGE"] != next {
		t.Errorf("the function sees %v", seen)
	}
	d.checkRegistered(t, "[SHUTDOWN]")
}

// testSnapshot has a function as SnapStart starts it: between its init and its
// first invocation, days may pass. Here it is as long as the program, which the
// wrapper has started, waits for a file.
func (l lab) testSnapshot(t *testing.T) {
	fn := l.osOnly(t, "AWS_LAMBDA_INITIALIZATION_TYPE=snap-start", "SECRETWRAP_SNAPSTART=allow")
	write(t, filepath.Join(fn.Task, "restored"), "#!/bin/sh\nuntil [ -e /tmp/restored ]; do sleep 0.01; done\nexec /var/task/handler\n", 0o755)
	write(t, filepath.Join(fn.Task, "bootstrap"), "#!/bin/sh\nexec /opt/secretwrap /var/task/restored\n", 0o755)
	d, fake := l.deployPair(t, fn)
	t.Parallel()
	invoked := make(chan error, 1)
	go func() { invoked <- d.succeeds(t.Context()) }()
	eventually(t, starting, "version 1 in the snapshot", func() bool { return d.copied(pairFiles[0]) == pair(1)[0] })
	fake.put(t, pairSecret(t, 2))
	write(t, filepath.Join(d.Tmp(), "restored"), "", 0o644)
	if err := <-invoked; err != nil {
		t.Fatal(err)
	}
	eventually(t, invoking, "version 2 in the file", func() bool { return d.copied(pairFiles[0]) == pair(2)[0] })
	d.checkPair(t, 2)
	if calls := len(fake.Calls()); calls != 2 {
		t.Errorf("%d calls of Secrets Manager, want one for the snapshot and one after it", calls)
	}
}

// testStale has Secrets Manager fail in three ways when copies are due, and
// recover. Invocations go on as if nothing were, within a timeout that leaves
// little more than a refresh may take.
func (l lab) testStale(t *testing.T) {
	faults := map[string]awsfake.Fault{"denied": awsfake.Denied, "throttled": awsfake.Throttled, "silent": awsfake.Hang}
	fake := startScript(t, awsfake.Config{})
	var env []string
	for name := range faults {
		fake.put(t, plainSecret(name, "old "+canary))
		env = append(env, name+"=secretsmanager://"+name+"?file")
	}
	fn := fake.reachable(l.osOnly(t, refreshed(env...)...))
	fn.Timeout = 3 * time.Second
	d := l.deploy(t, fn, canary)
	d.checkFiles(t, faults, "old "+canary)
	for name, fault := range faults {
		fake.put(t, plainSecret(name, "new "+canary, fault))
	}
	t.Parallel()
	eventually(t, refreshing, "warnings for all three secrets", func() bool {
		d.checkFiles(t, faults, "old "+canary)
		return len(staleLines(d.Logs())) >= len(faults)
	})
	attempted := len(fake.Calls())
	eventually(t, refreshing, "a further attempt", func() bool {
		d.checkFiles(t, faults, "old "+canary)
		return len(fake.Calls()) > attempted
	})
	for name := range faults {
		fake.put(t, plainSecret(name, "new "+canary))
	}
	eventually(t, refreshing, "the new files, and the lines that follow them", func() bool {
		response := d.invoke(t, event{Files: slices.Sorted(maps.Keys(faults))})
		return strings.Count(string(response.Body), "new "+canary) == len(faults) && d.tellsFresh(faults)
	})
	log := d.wholeLog(t)
	if lines := staleLines(log); len(lines) != len(faults) {
		t.Errorf("%d warnings, want one for each secret: %q", len(lines), lines)
	}
	for name := range faults {
		old := regexp.MustCompile(name + `: kept as it was [0-9hms]+ ago: ` + name + `: secret "` + name + `": `)
		if !old.MatchString(log) || len(freshLine(name).FindAllString(log, -1)) != 1 {
			t.Errorf("the log does not tell how old %s is, and once that it is fresh again", name)
		}
	}
	d.checkStarts(t, 1)
}

// freshLine matches what tells that a file is fresh again.
func freshLine(name string) *regexp.Regexp {
	return regexp.MustCompile(`fresh again: .*` + name + `.* \[SecretRefreshed\]`)
}

// tellsFresh reports whether the log tells that all files are fresh again.
func (d deployed) tellsFresh(names map[string]awsfake.Fault) bool {
	for name := range names {
		if !freshLine(name).MatchString(d.Logs()) {
			return false
		}
	}
	return true
}

// plainSecret returns a secret of one text.
func plainSecret(name, text string, faults ...awsfake.Fault) awsfake.Secret {
	return awsfake.Secret{Name: name, Versions: []awsfake.Version{{String: &text}}, Faults: faults}
}

// checkFiles checks that the function, which must succeed, reads content in the
// files of all variables.
func (d deployed) checkFiles(t *testing.T, variables map[string]awsfake.Fault, content string) {
	t.Helper()
	for name, seen := range d.seen(t, event{Files: slices.Sorted(maps.Keys(variables))}) {
		if seen != content {
			t.Errorf("%s holds %q, want %q", name, seen, content)
		}
	}
}

// staleLines returns the warnings of copies that are older than they should be.
func staleLines(log string) []string {
	var lines []string
	for line := range strings.Lines(log) {
		if strings.Contains(line, "[secretwrap] warning: ") && strings.Contains(line, "[SecretStale]") {
			lines = append(lines, line)
		}
	}
	return lines
}
