package lambdafake_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"secretwrap/internal/lambdafake"
)

// function returns a function whose runtime and extensions are this test.
func function(t *testing.T, runtime []string, extensions ...string) lambdafake.Function {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	layer := t.TempDir()
	// A directory among the extensions is none.
	if err := os.MkdirAll(filepath.Join(layer, "extensions", "directory"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range extensions {
		if err := os.Symlink(program, filepath.Join(layer, "extensions", name)); err != nil {
			t.Fatal(err)
		}
	}
	return lambdafake.Function{
		Layer:           layer,
		Task:            t.TempDir(),
		Bootstrap:       append([]string{program, "runtime"}, runtime...),
		ShutdownTimeout: 500 * time.Millisecond,
	}
}

func environmentOf(t *testing.T, f lambdafake.Function) *lambdafake.Environment {
	t.Helper()
	e := lambdafake.NewEnvironment(f)
	t.Cleanup(e.Close)
	return e
}

func invoke(t *testing.T, e *lambdafake.Environment, payload string) lambdafake.Result {
	t.Helper()
	result, err := e.Invoke(t.Context(), []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestOneStartServesManyInvocations(t *testing.T) {
	var out bytes.Buffer
	f := function(t, []string{"echo"}, "both", "shutdown-only")
	f.Stdout = &out
	e := environmentOf(t, f)

	cold, warm := invoke(t, e, "1"), invoke(t, e, "2")
	if string(cold.Payload) != "echo 1" || string(warm.Payload) != "echo 2" {
		t.Errorf("payloads %q, %q", cold.Payload, warm.Payload)
	}
	if cold.Init == 0 || cold.RuntimeInit == 0 || cold.RuntimeInit > cold.Init || warm.Init != 0 {
		t.Errorf("Init %v, %v; RuntimeInit %v", cold.Init, warm.Init, cold.RuntimeInit)
	}
	if cold.RequestID == warm.RequestID || cold.FunctionError+warm.FunctionError != "" {
		t.Errorf("results %+v, %+v", cold, warm)
	}
	e.Close()
	for line, want := range map[string]int{"both: INVOKE \n": 2, "both: SHUTDOWN SPINDOWN\n": 1, "shutdown-only: INVOKE": 0, "shutdown-only: SHUTDOWN SPINDOWN\n": 1} {
		if got := strings.Count(out.String(), line); got != want {
			t.Errorf("%q is there %d times, want %d, in:\n%s", line, got, want, out.String())
		}
	}
	if _, err := e.Invoke(t.Context(), nil); err == nil {
		t.Error("a closed environment can be invoked")
	}
}

func TestExtensionsRegisterBeforeTheRuntimeStarts(t *testing.T) {
	e := environmentOf(t, function(t, []string{"echo"}, "a", "b", "c"))
	invoke(t, e, "")
	registered := 0
	for _, r := range e.Requests() {
		if strings.HasSuffix(r.Path, "/register") {
			registered++
		}
		if strings.HasSuffix(r.Path, "/invocation/next") {
			break
		}
	}
	if registered != 3 {
		t.Errorf("%d extensions had registered when the runtime asked for work", registered)
	}
}

func TestRuntimeAndExtensionsSeeTheirPartOfTheEnvironment(t *testing.T) {
	t.Setenv("INHERITED", "by nobody")
	var out bytes.Buffer
	f := function(t, []string{"environment"}, "environment")
	f.Stdout = &out
	f.ExecutionEnv = "AWS_Lambda_nodejs22.x"
	f.LogFormat = "JSON"
	f.Env = []string{"MINE=old", "MINE=a=b", "_HIDDEN=yes", "PATH=/mine", "AWS_REGION=mars", "LAMBDA_TASK_ROOT=/mars"}
	e := environmentOf(t, f)
	runtime := variables(t, invoke(t, e, "").Payload)
	e.Close()
	first, _, _ := strings.Cut(out.String(), "\n")
	extension := variables(t, []byte(first))

	for name, want := range map[string]string{
		"MINE": "a=b", "_HIDDEN": "yes", "PATH": "/mine", "AWS_REGION": "eu-west-1", "LAMBDA_TASK_ROOT": f.Task, "_HANDLER": "bootstrap",
		"AWS_EXECUTION_ENV": "AWS_Lambda_nodejs22.x", "AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_FUNCTION_NAME": "function",
		"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "INHERITED": "",
	} {
		if got := runtime[name]; got != want {
			t.Errorf("the runtime sees %s=%q, want %q", name, got, want)
		}
	}
	if directory, _ := filepath.EvalSymlinks(f.Task); runtime["cwd"] != directory {
		t.Errorf("the runtime works in %q", runtime["cwd"])
	}
	for name, want := range map[string]string{
		"MINE": "a=b", "PATH": "/mine", "AWS_REGION": "eu-west-1", "AWS_LAMBDA_LOG_FORMAT": "JSON",
		"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "AWS_LAMBDA_RUNTIME_API": runtime["AWS_LAMBDA_RUNTIME_API"], "AWS_SESSION_TOKEN": runtime["AWS_SESSION_TOKEN"],
	} {
		if got := extension[name]; got != want {
			t.Errorf("the extension sees %s=%q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"_HIDDEN", "_HANDLER", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_STREAM_NAME", "INHERITED"} {
		if value, there := extension[name]; there {
			t.Errorf("the extension sees %s=%q", name, value)
		}
	}
}

func TestWhatTheCallerReadsWhenSomethingFails(t *testing.T) {
	const id = "RequestId: [0-9a-f-]{36} Error: "
	tests := map[string]struct {
		runtime    []string
		extensions []string
		errorType  string
		payload    string
	}{
		"the runtime reports why it cannot start": {
			runtime: []string{"reports"}, extensions: []string{"both"}, errorType: "Runtime.SecretNotFound",
			payload: `\{"errorType":"Runtime.SecretNotFound","errorMessage":"no"\}`,
		},
		"the runtime exits with an error": {
			runtime: []string{"exits", "7"}, errorType: "Runtime.ExitError",
			payload: `\{"errorMessage":"` + id + `Runtime exited with error: exit status 7","errorType":"Runtime.ExitError"\}`,
		},
		"the runtime exits without one": {
			runtime: []string{"exits", "0"}, errorType: "Runtime.ExitError",
			payload: `\{"errorMessage":"` + id + `Runtime exited without providing a reason","errorType":"Runtime.ExitError"\}`,
		},
		"the runtime dies in an invocation": {
			runtime: []string{"dies"}, errorType: "Runtime.ExitError",
			payload: `\{"errorMessage":"` + id + `Runtime exited with error: exit status 3","errorType":"Runtime.ExitError"\}`,
		},
		"the function fails": {
			runtime: []string{"fails"}, errorType: "Function.Bad", payload: `\{"errorType":"Function.Bad"\}`,
		},
		"the function takes too long": {
			runtime: []string{"hangs"}, errorType: "Sandbox.Timedout",
			payload: `\{"errorMessage":"` + id + `Task timed out after 0.30 seconds","errorType":"Sandbox.Timedout"\}`,
		},
		"an extension exits with status 0": {
			runtime: []string{"echo"}, extensions: []string{"crashes"}, errorType: "Extension.Crash",
			payload: `\{"errorMessage":"` + id + `exit code 0","errorType":"Extension.Crash"\}`,
		},
		"an extension reports why it cannot start": {
			runtime: []string{"echo"}, extensions: []string{"reports"}, errorType: "Extension.InitError",
			payload: `\{"errorMessage":"` + id + `exit status 1","errorType":"Extension.InitError"\}`,
		},
		"an extension does not register": {
			runtime: []string{"echo"}, extensions: []string{"silent"}, errorType: "Sandbox.Timedout",
			payload: `\{"errorMessage":"` + id + `Task timed out after 0.20 seconds","errorType":"Sandbox.Timedout"\}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := function(t, test.runtime, test.extensions...)
			if strings.Contains(test.payload, "timed out") {
				f.Timeout, f.InitTimeout = 300*time.Millisecond, time.Minute
			}
			if test.extensions != nil && test.extensions[0] == "silent" {
				f.InitTimeout = 200 * time.Millisecond
			}
			got := invoke(t, environmentOf(t, f), "")
			if got.FunctionError != test.errorType || !regexp.MustCompile("^"+test.payload+"$").Match(got.Payload) {
				t.Errorf("FunctionError %q, payload %s", got.FunctionError, got.Payload)
			}
		})
	}
}

func TestWhatCannotBeStartedIsNamed(t *testing.T) {
	layer := t.TempDir()
	readme := filepath.Join(layer, "extensions", "README")
	if err := os.MkdirAll(filepath.Dir(readme), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(readme, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]lambdafake.Function{
		"Runtime.InvalidEntrypoint": {Task: t.TempDir(), Bootstrap: []string{"/nowhere/bootstrap"}},
		"Extension.LaunchError":     {Layer: layer, Task: t.TempDir(), Bootstrap: []string{"/nowhere/bootstrap"}},
	}
	for want, f := range tests {
		if got := invoke(t, environmentOf(t, f), ""); got.FunctionError != want {
			t.Errorf("FunctionError %q, want %q", got.FunctionError, want)
		}
	}
	if got := invoke(t, environmentOf(t, lambdafake.Function{}), ""); got.FunctionError != "Runtime.InvalidEntrypoint" {
		t.Errorf("without a bootstrap: %q", got.FunctionError)
	}
}

func TestAFailedInitIsRepeatedAtTheNextInvocation(t *testing.T) {
	e := environmentOf(t, function(t, []string{"recovers", filepath.Join(t.TempDir(), "note")}, "both"))
	first := invoke(t, e, "1")
	for _, r := range e.Requests() {
		if strings.HasSuffix(r.Path, "/invocation/next") {
			t.Error("the runtime that failed had asked for work")
		}
	}
	second := invoke(t, e, "2")
	if first.FunctionError != "Runtime.ExitError" || first.Init == 0 {
		t.Errorf("first result %+v", first)
	}
	if string(second.Payload) != "echo 2" || second.Init == 0 {
		t.Errorf("second result %+v", second)
	}
}

func TestAnExtensionThatQuitsTakesTheEnvironmentWithIt(t *testing.T) {
	e := environmentOf(t, function(t, []string{"echo"}, "quits"))
	for range 2 {
		// The runtime's answer may win against the end of the extension, but not
		// the environment: both starts are cold.
		if got := invoke(t, e, ""); got.Init == 0 {
			t.Errorf("result %+v", got)
		}
	}
}

func TestCloseKillsWhatDoesNotEndByItself(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	f := function(t, []string{"forks", listener.Addr().String()}, "stays")
	f.ShutdownTimeout = 50 * time.Millisecond
	e := environmentOf(t, f)
	invoke(t, e, "")
	child, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer child.Close()
	e.Close()
	// The child's connection ends with the child.
	if _, err := child.Read(make([]byte, 1)); err == nil {
		t.Error("the runtime's child said something")
	}
}

func TestTheEndOfTheContextEndsTheInvocation(t *testing.T) {
	e := environmentOf(t, function(t, []string{"hangs"}))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := e.Invoke(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}
