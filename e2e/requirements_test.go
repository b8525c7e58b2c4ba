package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// need ends a test that cannot run here: it is skipped, or has failed where
// E2E_REQUIRE=1 says that everything must run.
func need(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("E2E_REQUIRE") == "1" {
		t.Fatal("needed here: " + reason)
	}
	t.Skip(reason)
}

// needMore ends a test that needs more than Go where nothing else is to be used, as in
// make test.
func needMore(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs more than Go; make e2e runs it")
	}
}

// runtimeEmulator returns the path of AWS's Runtime Interface Emulator.
func runtimeEmulator(t *testing.T) string {
	t.Helper()
	needMore(t)
	if path := os.Getenv("AWS_LAMBDA_RIE"); path != "" {
		return path
	}
	if path, err := exec.LookPath("aws-lambda-rie"); err == nil {
		return path
	}
	path := cached(t, "aws-lambda-rie")
	if _, err := os.Stat(path); err != nil {
		need(t, "no Runtime Interface Emulator: set AWS_LAMBDA_RIE to aws-lambda-rie")
	}
	return path
}

// cached returns where scripts/install-e2e.sh puts a file.
func cached(t *testing.T, name string) string {
	t.Helper()
	needMore(t)
	dir, err := os.UserCacheDir()
	if err != nil {
		need(t, "no directory for caches: "+err.Error())
	}
	return filepath.Join(dir, "secretwrap", name)
}

// python is a Python that holds what the tests need.
type python struct {
	path string
	// homes are the directories that the interpreter needs to see.
	homes []string
}

// pythonWith returns the Python of the tests, which has the given modules.
func pythonWith(t *testing.T, modules ...string) python {
	t.Helper()
	needMore(t)
	path := os.Getenv("E2E_PYTHON")
	if path == "" {
		path = cached(t, "venv/bin/python")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	const ask = "import importlib.util, sys\n" +
		"missing = [m for m in sys.argv[1:] if importlib.util.find_spec(m) is None]\n" +
		"sys.exit(f'no module {missing}') if missing else print(sys.prefix, sys.base_prefix, sep='\\n')"
	out, err := exec.CommandContext(ctx, path, append([]string{"-c", ask}, modules...)...).CombinedOutput()
	if err != nil {
		need(t, "no Python with "+strings.Join(modules, ", ")+": set E2E_PYTHON to one")
	}
	return python{path: path, homes: strings.Fields(string(out))}
}
