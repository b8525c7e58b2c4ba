package main

import (
	"bytes"
	"io"
	"runtime/debug"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// called runs the program as if called with args, in an environment of its own.
func called(args []string, environ ...string) (launched *launch, status int, out, log string) {
	var stdout, stderr bytes.Buffer
	launched, status = run(process{args: args, environ: environ, stdout: &stdout, stderr: &stderr, stackLimit: 8 << 20, started: time.Now()})
	return launched, status, stdout.String(), stderr.String()
}

func TestTheArgumentsChooseTheRole(t *testing.T) {
	tests := map[string]struct {
		args   []string
		status int
		want   string
	}{
		"an absolute path is the wrapper's":     {[]string{"/opt/secretwrap", "/nonexistent"}, 127, "no such program"},
		"so it is from the extension's folder":  {[]string{"/opt/extensions/secretwrap", "/nonexistent"}, 127, "no such program"},
		"the folder alone is the extension's":   {[]string{"/opt/extensions/secretwrap"}, 64, "exten"},
		"the name bootstrap is the bootstrap's": {[]string{"/var/task/bootstrap", "/nonexistent"}, 64, "_HANDLER: no handler is set"},
		"a word is a command":                   {[]string{"secretwrap", "help"}, 0, "SECRETWRAP_TIMEOUT"},
		"nothing is a mistake":                  {[]string{"secretwrap"}, 64, "no command is given"},
		"no argument at all is a mistake, too":  {nil, 64, "no command is given"},
		"a relative path is an unknown command": {[]string{"secretwrap", "./x"}, 64, "no such command"},
	}
	for name, test := range tests {
		launched, status, out, log := called(test.args)
		if !strings.Contains(out+log, test.want) || status != test.status || launched != nil {
			t.Errorf("%s: launch %v, status %d, %s%s", name, launched, status, out, log)
		}
	}
}

func TestWithoutReferencesTheProgramIsLaunchedAsItIs(t *testing.T) {
	argv := []string{"/bin/sh", "-c", "", "a b"}
	launched, status, _, log := called(append([]string{"secretwrap"}, argv...), "A=1", "SECRETWRAP_TIMEOUT=2s", "A=2", "_X=y", "SECRETWRAP_DIR=/d")
	if launched == nil {
		t.Fatalf("status %d, %s", status, log)
	}
	if launched.path != "/bin/sh" || strings.Join(launched.argv, "|") != strings.Join(argv, "|") {
		t.Errorf("launches %q with %q", launched.path, launched.argv)
	}
	if got := strings.Join(launched.env, " "); got != "A=1 _X=y SECRETWRAP_DIR=/d" || log != "" {
		t.Errorf("environment %q, log %q", got, log)
	}
}

func TestALogThatNobodyReadsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, writer := io.Pipe()
		log := &patientWriter{out: writer}
		began := time.Now()
		for range 10 {
			if n, err := log.Write([]byte("line")); n != 4 || err != nil {
				t.Fatalf("Write: %d, %v", n, err)
			}
		}
		if waited := time.Since(began); waited != logPatience {
			t.Errorf("waited %v for ten lines", waited)
		}
		reader.Close()
	})
}

func TestALogThatIsReadGetsEveryLine(t *testing.T) {
	var out bytes.Buffer
	log := &patientWriter{out: &out}
	for range 3 {
		if _, err := log.Write([]byte("line\n")); err != nil {
			t.Fatal(err)
		}
	}
	if out.String() != "line\nline\nline\n" {
		t.Errorf("the log holds %q", out.String())
	}
}

// A collection in the middle of a start takes time that is paid in full where
// there is little CPU.
func TestAStartKeepsTheCollectorOut(t *testing.T) {
	before := debug.SetGCPercent(100)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	called([]string{"/opt/secretwrap", "/bin/true"})
	if got := debug.SetGCPercent(100); got != startPercent {
		t.Errorf("the collector starts at %d percent, want %d", got, startPercent)
	}
}
