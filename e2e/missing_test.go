//go:build linux

package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"secretwrap/e2e/emulator"
	"secretwrap/internal/awsfake"
)

// testMisses checks functions that no wrapper starts, which only the extension
// can help, or tell about it.
func (l lab) testMisses(t *testing.T) {
	tests := map[string]func(*testing.T){
		"a wrapper, and has its files": func(t *testing.T) { l.testFilesWithoutWrapper(t, l.bare(t)) },
		"a wrapper, and does not start when denied its files": func(t *testing.T) {
			l.checkImpossible(t, awsfake.Denied, "access denied", "allow secretsmanager:GetSecretValue ")
		},
		"a wrapper, and does not start when there are no files": func(t *testing.T) { l.checkImpossible(t, awsfake.NotFound, "no such secret", "check the name") },
		"a wrapper on an OS-only runtime": func(t *testing.T) {
			l.checkUnresolved(t, l.bare(t, wrapped()...), "OS-only runtimes ignore AWS_LAMBDA_EXEC_WRAPPER")
		},
		"a wrapper on an OS-only runtime, and knows of none": func(t *testing.T) { l.checkUnresolved(t, l.bare(t), "set AWS_LAMBDA_EXEC_WRAPPER=/opt/secretwrap; ") },
		"a wrapper on a managed runtime": func(t *testing.T) {
			l.checkUnresolved(t, l.unwrapped(t), "set AWS_LAMBDA_EXEC_WRAPPER=/opt/secretwrap; ")
		},
		"a wrapper on a managed runtime, and no hand-over is wanted": func(t *testing.T) {
			l.checkUnresolved(t, l.unwrapped(t, "SECRETWRAP_HANDOVER=off"), "set AWS_LAMBDA_EXEC_WRAPPER=/opt/secretwrap; ")
		},
		"a wrapper that its runtime ignores":         l.testIgnoredWrapper,
		"the layer's bootstrap for its own":          l.testHiddenBootstrap,
		"nothing":                                    l.testNothingMissed,
		"the announcement of its wrapper":            l.testUnannouncedWrapper,
		"a wrapper and a file":                       l.testMissedFile,
		"a usable TMPDIR":                            l.testBadTemporary,
		"a wrapper, as with lambda-secrets-prefetch": l.testFilesAsSquares,
		"files, and has variables that the manifest's give way to": func(t *testing.T) {
			l.checkNoFile(t, "env:\n  V: v\n", "V=local")
		},
		"files, and has a misspelt setting":             func(t *testing.T) { l.checkNoFile(t, "", "SECRET_WRAP_TIMEOUT=3s") },
		"the announcement of its wrapper, and a socket": func(t *testing.T) { l.testLoneWrapper(t, nil) },
		"the announcement of its wrapper, and wants no hand-over": func(t *testing.T) {
			l.testLoneWrapper(t, []string{"SECRETWRAP_HANDOVER=off"})
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// testUnannouncedWrapper has a bootstrap that starts the wrapper although nothing
// announces it, and a server that never answers: extension and wrapper have one
// budget together, so that the typed error comes before the function's timeout,
// from the second start on, which Lambda runs inside that.
func (l lab) testUnannouncedWrapper(t *testing.T) {
	fake := startScript(t, awsfake.Config{Secrets: []awsfake.Secret{plainSecret("f", canary, awsfake.Hang), plainSecret("v", canary, awsfake.Hang)}})
	fn := l.osOnly(t)
	fn.Env = []string{"F=secretsmanager://f?file", "V=secretsmanager://v"}
	fn.Timeout = 3 * time.Second
	d := l.deploy(t, fake.reachable(fn), canary)
	d.invoke(t, event{}) // the emulator applies the timeout to the first start too
	d.checkError(t, failure{errorType: "Runtime.SecretTimeout"})
}

// testMissedFile has a variable that nobody resolves, which keeps the extension
// from ending a start whose files cannot be made: it says so at the first
// invocation, once nobody else has.
func (l lab) testMissedFile(t *testing.T) {
	fake := startScript(t, awsfake.Config{Secrets: []awsfake.Secret{plainSecret("v", canary), plainSecret("f", canary, awsfake.Denied)}})
	fn := l.unwrapped(t, "V=secretsmanager://v", "F=secretsmanager://f?file", "SECRETWRAP_HANDOVER=off")
	write(t, filepath.Join(fn.Task, "secretwrap.yaml"), "files:\n  key: v\n", 0o644)
	d := l.deploy(t, fake.reachable(fn), canary)
	for range 3 {
		d.seen(t, event{})
	}
	log := d.wholeLog(t)
	for _, line := range []string{`[secretwrap] error: F, V, key: ` + unresolvedLine, `[secretwrap] error: F: secret "f": access denied `} {
		if strings.Count(log, line) != 1 {
			t.Errorf("the log does not hold once %q", line)
		}
	}
}

// checkNoFile has a file that cannot be made, and no wrapper: whatever else is
// declared, the function does not start.
func (l lab) checkNoFile(t *testing.T, manifest string, env ...string) {
	t.Helper()
	fake := startScript(t, awsfake.Config{Secrets: []awsfake.Secret{plainSecret("f", canary, awsfake.Denied)}})
	fn := l.unwrapped(t, env...)
	write(t, filepath.Join(fn.Task, "secretwrap.yaml"), manifest+"files:\n  key: f\n", 0o644)
	l.deploy(t, fake.reachable(fn), canary).checkNoStart(t)
}

// testBadTemporary has a TMPDIR that leads nowhere.
func (l lab) testBadTemporary(t *testing.T) {
	d, _ := l.deployPair(t, l.unwrapped(t, "TMPDIR=/tmp/missing", "SECRETWRAP_REFRESH=10s"))
	d.checkPair(t, 1)
	if log := d.wholeLog(t); strings.Contains(log, "[secretwrap]") {
		t.Error("the extension complains")
	}
}

// testLoneWrapper has a bootstrap that starts the wrapper although nothing
// announces it, and no way for that to ask the extension: either makes the files,
// and the wrapper's are its own unless the operator wanted it so.
func (l lab) testLoneWrapper(t *testing.T, env []string) {
	fake := startFake(t, oneSecret())
	fn := l.osOnly(t)
	fn.Env = append(env, "DB_PASSWORD=secretsmanager://prod/db#password", "KEY_PATH=secretsmanager://prod/db?file=key#password")
	d := l.deploy(t, fake.reachable(fn), canary)
	if env == nil {
		plantFile(t, filepath.Join(d.Tmp(), "secretwrap.handover"))
	}
	seen := d.seen(t, event{Names: []string{"DB_PASSWORD"}, Files: []string{"KEY_PATH"}})
	if seen["DB_PASSWORD"] != canary || seen["KEY_PATH"] != canary {
		t.Errorf("the function sees %v", seen)
	}
	log := d.wholeLog(t)
	dropped := strings.Contains(log, "the files are not refreshed: the wrapper worked alone, since it found no socket to ask on")
	if strings.Contains(log, "] error: ") || dropped != (env == nil) {
		t.Error("the extension complains, or does not know whose the files are")
	}
}

// unwrapped returns a function of a managed runtime without AWS_LAMBDA_EXEC_WRAPPER.
func (l lab) unwrapped(t *testing.T, env ...string) emulator.Function {
	t.Helper()
	fn := l.managed(t, plainHandler, env...)
	fn.Env = slices.DeleteFunc(fn.Env, func(entry string) bool { return name(entry) == "AWS_LAMBDA_EXEC_WRAPPER" })
	return fn
}

// bare returns a function of an OS-only runtime whose bootstrap starts the
// handler without the wrapper.
func (l lab) bare(t *testing.T, env ...string) emulator.Function {
	t.Helper()
	fn := l.osOnly(t)
	fn.Env = env
	write(t, filepath.Join(fn.Task, "bootstrap"), "#!/bin/sh\nexec /var/task/handler\n", 0o755)
	return fn
}

// testFilesWithoutWrapper has the runtime copy the files as the first thing it
// does.
func (l lab) testFilesWithoutWrapper(t *testing.T, fn emulator.Function) {
	write(t, filepath.Join(fn.Task, "bootstrap"), "#!/bin/sh\ncp -RL /tmp/secretwrap/tls /tmp/"+programsOwn+"\nexec /var/task/handler\n", 0o755)
	d, fake := l.deployPair(t, fn)
	d.checkPair(t, 1)
	checkFile(t, filepath.Join(d.Tmp(), programsOwn, "client.pem"), pair(1)[0], 0o400)
	checkFile(t, filepath.Join(d.Tmp(), programsOwn, "client.key"), pair(1)[1], 0o400)
	if calls := len(fake.Calls()); calls != 1 {
		t.Errorf("%d calls of Secrets Manager, want 1", calls)
	}
	d.checkRegistered(t, "[INVOKE SHUTDOWN]")
}

// checkImpossible has files that cannot be made, and nobody but the extension to
// say so. Once they can, the function starts.
func (l lab) checkImpossible(t *testing.T, fault awsfake.Fault, cause, hint string) {
	t.Helper()
	fn := l.bare(t)
	write(t, filepath.Join(fn.Task, "bootstrap"), "#!/bin/sh\n: >/tmp/started\nexec /var/task/handler\n", 0o755)
	d, fake := l.deployPair(t, fn, fault)
	for range 2 {
		d.checkNoStart(t)
	}
	if _, err := os.Stat(filepath.Join(d.Tmp(), "started")); err == nil {
		t.Error("the function's program was started")
	}
	if calls := len(fake.Calls()); calls != 1 {
		t.Errorf("%d calls of Secrets Manager in two starts within a moment, want 1", calls)
	}
	fake.put(t, pairSecret(t, 2))
	eventually(t, starting, "the function's recovery", func() bool { return d.succeeds(t.Context()) == nil })
	d.checkPair(t, 2)
	line := `[secretwrap] error: secretwrap.yaml:2: tls/client.pem, tls/client.key: secret "prod/tls": ` + cause
	if log := d.wholeLog(t); !strings.Contains(log, line) || !strings.Contains(log, "[secretwrap] hint: "+hint) {
		t.Errorf("the log does not hold %q with the hint %q", line, hint)
	}
}

// checkNoStart invokes a function that the extension keeps from starting. The
// emulator tells the invoker no more than that.
func (d deployed) checkNoStart(t *testing.T) {
	t.Helper()
	if response := d.invoke(t, event{}); response.Status != http.StatusBadGateway || len(response.Body) > 0 {
		t.Errorf("status %d, want 502 without a body: %s", response.Status, response.Body)
	}
}

// unresolvedLine is what stands in the log if references reach a function.
const unresolvedLine = "nobody resolved the references"

// checkUnresolved invokes a function that sees its references as they are
// written, and checks that the log says so once, and what to do.
func (l lab) checkUnresolved(t *testing.T, fn emulator.Function, hint string) {
	t.Helper()
	fake := startFake(t, oneSecret())
	const reference = "secretsmanager://prod/db#password"
	fn.Env = append(fn.Env, "DB_PASSWORD="+reference, "URL=postgres://app:{{"+reference+"}}@db")
	d := l.deploy(t, fake.reachable(fn), canary)
	for range 5 {
		if seen := d.seen(t, event{Names: []string{"DB_PASSWORD"}}); seen["DB_PASSWORD"] != reference {
			t.Errorf("the function sees %v, so somebody has resolved it", seen)
		}
	}
	log := d.wholeLog(t)
	line := regexp.MustCompile(`\[secretwrap\] error: (DB_PASSWORD, URL|URL, DB_PASSWORD): ` + unresolvedLine)
	if len(line.FindAllString(log, -1)) != 1 || strings.Count(log, "[secretwrap] error: ") != 1 {
		t.Errorf("the log does not hold one error in five invocations, %s", line)
	}
	if !strings.Contains(log, "[secretwrap] hint: "+hint) {
		t.Errorf("no hint %q", hint)
	}
	d.checkStarts(t, 1)
}

// testHiddenBootstrap has a layer for OS-only runtimes, whose bootstrap the
// function's own hides.
func (l lab) testHiddenBootstrap(t *testing.T) {
	l.layer = l.osOnlyLayer(t)
	l.checkUnresolved(t, l.bare(t), "/var/task/bootstrap hides /opt/bootstrap")
}

// testIgnoredWrapper has a runtime that starts no wrapper. Only the end shows that
// nobody came, for a managed runtime is trusted to start it.
func (l lab) testIgnoredWrapper(t *testing.T) {
	fn := l.managed(t, plainHandler)
	write(t, filepath.Join(fn.Runtime, "bootstrap"), "#!/bin/sh\nexec /var/task/handler\n", 0o755)
	l.checkUnresolved(t, fn, "AWS_LAMBDA_EXEC_WRAPPER is set, but the runtime did not start it; ")
}

// testNothingMissed has a function that needs no wrapper, for it refers to
// nothing.
func (l lab) testNothingMissed(t *testing.T) {
	d := l.deploy(t, l.bare(t, "PASSWORD=hunter2", "ARN=arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/api-AbCdEf"))
	d.seen(t, event{})
	if log := d.wholeLog(t); strings.Contains(log, "[secretwrap]") {
		t.Error("the extension complains")
	}
	d.checkRegistered(t, "[SHUTDOWN]")
}
