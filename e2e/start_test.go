//go:build linux

package e2e_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// awkward are arguments that anything but an exact copy would change.
var awkward = []string{"/var/task/handler", "a b", "", "--flag=x  y", "$HOME", "*", "it's", "new\nline", "-"}

// testStarts checks what the layer changes about a function's start.
func (l lab) testStarts(t *testing.T) {
	tests := map[string]func(*testing.T){
		"unchanged where nothing is configured":      l.testNothingConfigured,
		"with its arguments untouched":               l.testArguments,
		"through the next wrapper":                   l.testChain,
		"not at all without the next wrapper":        l.testChainBroken,
		"not at all without the program":             l.testProgramMissing,
		"not at all without the wrapper":             l.testWrapperMissing,
		"not at all with a wrapper not executable":   l.testWrapperNotExecutable,
		"with the secrets of a manifest in its code": l.testManifest,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

func (l lab) testNothingConfigured(t *testing.T) {
	fake := startFake(t, nil)
	environ := func(env ...string) []string {
		fn := fake.reachable(l.managed(t, []string{"/var/task/handler"}, env...))
		seen, _ := l.deploy(t, fn).seen(t, event{Environ: true})["environ"].([]any)
		return without(seen, "AWS_LAMBDA_EXEC_WRAPPER", "AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_METADATA_API", "AWS_LAMBDA_METADATA_TOKEN")
	}
	plain, wrapped := environ("AWS_LAMBDA_EXEC_WRAPPER=", "_KEPT=1", "EMPTY="), environ("_KEPT=1", "EMPTY=")
	if !slices.Equal(plain, wrapped) {
		t.Errorf("environment %q, without the wrapper %q", wrapped, plain)
	}
	if !slices.Contains(wrapped, "_KEPT=1") {
		t.Errorf("_KEPT is not in %q", wrapped)
	}
	if calls := fake.Calls(); len(calls) > 0 {
		t.Errorf("called Secrets Manager: %+v", calls)
	}
}

func (l lab) testArguments(t *testing.T) {
	seen := l.deploy(t, l.managed(t, awkward)).seen(t, event{Argv: true})
	if got, want := mustJSON(t, seen["argv"]), mustJSON(t, awkward); got != want {
		t.Errorf("arguments %s, want %s", got, want)
	}
}

func (l lab) testChain(t *testing.T) {
	fake := startFake(t, oneSecret())
	l.layer = copyTree(t, l.layer)
	write(t, filepath.Join(l.layer, "next"), "#!/bin/sh\nexport NEXT=\"$#, $DB_PASSWORD\"\nexec \"$@\"\n", 0o755)
	fn := fake.reachable(l.managed(t, awkward, "SECRETWRAP_EXEC_WRAPPER=/opt/next", "DB_PASSWORD=secretsmanager://prod/db#password"))
	seen := l.deploy(t, fn, canary).seen(t, event{Names: []string{"NEXT"}, Argv: true})
	if want := "9, " + canary; seen["NEXT"] != want {
		t.Errorf("NEXT is %q, want %q", seen["NEXT"], want)
	}
	if got, want := mustJSON(t, seen["argv"]), mustJSON(t, awkward); got != want {
		t.Errorf("arguments %s, want %s", got, want)
	}
}

func (l lab) testChainBroken(t *testing.T) {
	d := l.deploy(t, l.managed(t, awkward, "SECRETWRAP_EXEC_WRAPPER=/opt/absent"))
	d.checkError(t, failure{errorType: "Runtime.ExecFailed"})
	d.checkExit(t, "127")
}

func (l lab) testProgramMissing(t *testing.T) {
	d := l.deploy(t, l.managed(t, []string{"/var/task/absent"}))
	d.checkError(t, failure{errorType: "Runtime.ExecFailed"})
	d.checkExit(t, "127")
}

func (l lab) testWrapperMissing(t *testing.T) {
	d := l.deploy(t, l.managed(t, awkward, "AWS_LAMBDA_EXEC_WRAPPER=/opt/absent"))
	if response := d.invoke(t, event{}); response.Status == http.StatusOK {
		t.Errorf("the function runs: %s", response.Body)
	}
	d.checkExit(t, "127")
}

func (l lab) testWrapperNotExecutable(t *testing.T) {
	l.layer = copyTree(t, l.layer)
	write(t, filepath.Join(l.layer, "zipped-on-windows"), "#!/bin/sh\nexec \"$@\"\n", 0o644)
	d := l.deploy(t, l.managed(t, awkward, "AWS_LAMBDA_EXEC_WRAPPER=/opt/zipped-on-windows"))
	if response := d.invoke(t, event{}); response.Status == http.StatusOK {
		t.Errorf("the function runs: %s", response.Body)
	}
	d.checkExit(t, "126")
}

func (l lab) testManifest(t *testing.T) {
	fake := startFake(t, oneSecret())
	fn := fake.reachable(l.osOnly(t, "STAGE=prod"))
	const manifest = `env:
  DB_PASSWORD: "${STAGE}/db#password"
env_from:
  - "${STAGE}/db?prefix=APP_&upper"
files:
  tls/client.key: "${STAGE}/db?mode=0440#password"
`
	write(t, filepath.Join(fn.Task, "secretwrap.yaml"), manifest, 0o644)
	d := l.deploy(t, fn, canary)
	seen := d.seen(t, event{Names: []string{"DB_PASSWORD", "APP_PASSWORD", "APP_USER_NAME"}})
	if got, want := mustJSON(t, seen), mustJSON(t, map[string]string{
		"DB_PASSWORD": canary, "APP_PASSWORD": canary, "APP_USER_NAME": "app",
	}); got != want {
		t.Errorf("variables %s, want %s", got, want)
	}
	checkFile(t, filepath.Join(d.Tmp(), "secretwrap", "tls", "client.key"), canary, 0o440)
	fake.checkCalledOnce(t, oneSecret())
}

// checkExit checks that the log tells the status of the runtime's process.
func (d deployed) checkExit(t *testing.T, status string) {
	t.Helper()
	if !strings.Contains(d.wholeLog(t), "exit status "+status) {
		t.Errorf("no exit status %s in the log", status)
	}
}

// mustJSON returns v as JSON, which orders the members of objects.
func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
