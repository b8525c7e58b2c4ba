//go:build linux

package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// A script in which something that is searched shows a secret fails, whatever else it
// does as it should.
func TestALeakFailsAScript(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ line, place string }{
		"nothing":               {`starts sh -c 'echo all is well >&2'`, ""},
		"standard error":        {`starts sh -c 'echo s3cr3t-CANARY >&2'`, "standard error"},
		"its beginning":         {`starts sh -c 'echo s3cr3t-C >&2'`, "standard error"},
		"base64":                {`starts sh -c 'echo czNjcjN0LUNBTkFSWQ== >&2'`, "standard error"},
		"hexadecimal":           {`starts sh -c 'printf s3cr3t-CANARY | od -An -tx1 | tr -d " " >&2'`, "standard error"},
		"a field":               {`starts sh -c 'echo f13ld-CANARY >&2'`, "standard error"},
		"a session token":       {`starts sh -c 'echo $AWS_SESSION_TOKEN >&2'`, "standard error"},
		"a failed start":        {`fails 1 sh -c 'echo s3cr3t-CANARY >&2; exit 1'`, "standard error"},
		"a note":                {`starts sh -c 'echo s3cr3t-CANARY >$TMPDIR/secretwrap.failed'`, "the file secretwrap.failed"},
		"an argument":           {`starts sh -c 'echo s3cr3t-CANARY >$PROBE_RECORD'`, "the command line"},
		"what check prints":     {`prints 0 sh -c 'echo s3cr3t-CANARY'`, "standard error"},
		"what the caller reads": {"tells s3cr3t-CANARY\nstarts true", "the answer to the caller"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			script := "secretsmanager store.json\nruntimeapi\n" + test.line + "\n-- store.json --\n" +
				`{"secrets": {"text": {"string": "s3cr3t-CANARY"}, "document": {"json": {"field": "f13ld-CANARY"}}}}` + "\n"
			failure := failureOf(t, script)
			if failed := failure != ""; failed != (test.place != "") || !strings.Contains(failure, test.place+" shows a secret") && failed {
				t.Errorf("the script fails with %q, want a leak in %q", failure, test.place)
			}
		})
	}
}

// failureOf runs a script, and returns how it fails; "" if it does not.
func failureOf(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script.txtar")
	write(t, path, script, 0o600)
	base := []string{"PATH=" + os.Getenv("PATH"), "AWS_SECRET_ACCESS_KEY=" + credentialKey, "AWS_SESSION_TOKEN=" + credentialToken}
	told := &silent{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		testscript.RunT(told, testscript.Params{
			Files: []string{path},
			Setup: func(env *testscript.Env) error { return setUp(env, base) },
			Cmds:  withTells(commands()),
		})
	}()
	<-done
	if !told.failed {
		return ""
	}
	return told.log.String()
}

// withTells adds the command that tells the Runtime API a text.
func withTells(commands map[string]func(*testscript.TestScript, bool, []string)) map[string]func(*testscript.TestScript, bool, []string) {
	commands["tells"] = func(ts *testscript.TestScript, neg bool, args []string) {
		usage(ts, neg, args, 1, 1)
		response, err := http.Post("http://"+ts.Getenv("AWS_LAMBDA_RUNTIME_API")+"/2018-06-01/runtime/init/error", "", strings.NewReader(args[0]))
		ts.Check(err)
		ts.Check(response.Body.Close())
	}
	return commands
}

// silent takes what a script says, and whether it fails, in the place of a test.
type silent struct {
	log    strings.Builder
	failed bool
}

func (s *silent) Log(args ...any)                           { fmt.Fprintln(&s.log, args...) }
func (s *silent) Parallel()                                 {}
func (s *silent) Verbose() bool                             { return false }
func (s *silent) Run(_ string, script func(t testscript.T)) { script(s) }

func (s *silent) Fatal(args ...any) {
	s.Log(args...)
	s.FailNow()
}

func (s *silent) FailNow() {
	s.failed = true
	runtime.Goexit()
}

func (s *silent) Skip(args ...any) { s.Fatal(args...) }
