package environ_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"secretwrap/internal/environ"
)

// The test binary is also the program that executes at the limit, and the one
// that is executed there.
const (
	launcher = "ENVIRON_TEST_LAUNCHER"
	target   = "ENVIRON_TEST_TARGET=yes"
	// spare is what Limit leaves free, which the kernel would still take.
	spare = 4 << 10

	exitTooBig = 7
	exitOther  = 8
)

func TestMain(m *testing.M) {
	if os.Getenv("ENVIRON_TEST_TARGET") != "" {
		os.Exit(0)
	}
	if size := os.Getenv(launcher); size != "" {
		launch(size)
	}
	os.Exit(m.Run())
}

// launch executes the test binary with an environment of the given size, or of
// one entry of that size, under the given limit of the stack.
func launch(task string) {
	var kind string
	var stack uint64
	var over int
	if _, err := fmt.Sscan(task, &kind, &stack, &over); err != nil {
		os.Exit(exitOther)
	}
	limit := syscall.Rlimit{Cur: stack, Max: math.MaxUint64}
	if err := syscall.Setrlimit(syscall.RLIMIT_STACK, &limit); err != nil {
		os.Exit(exitOther)
	}
	path, argv := "/proc/self/exe", []string{"target", ""}
	env := []string{target}
	if kind == "entry" {
		env = append(env, entry(environ.MaxEntry+over))
	} else {
		env = fill(path, argv, env, environ.Limit(stack)+spare+over)
	}
	if errors.Is(syscall.Exec(path, argv, env), syscall.E2BIG) {
		os.Exit(exitTooBig)
	}
	os.Exit(exitOther)
}

// fill adds entries to env until execve counts size bytes.
func fill(path string, argv, env []string, size int) []string {
	const perEntry, chunk = 1 + 8, 64 << 10
	for {
		rest := size - environ.Size(path, argv, env) - perEntry
		if rest <= environ.MaxEntry {
			return append(env, entry(rest))
		}
		env = append(env, entry(chunk))
	}
}

func entry(size int) string { return "E=" + strings.Repeat("x", size-len("E=")) }

// launchChild returns the status with which launch ended.
func launchChild(t *testing.T, kind string, stack uint64, over int) int {
	t.Helper()
	child := exec.Command("/proc/self/exe")
	child.Env = []string{launcher + "=" + fmt.Sprint(kind, " ", strconv.FormatUint(stack, 10), " ", over)}
	_ = child.Run() // the status tells more
	return child.ProcessState.ExitCode()
}

func TestTheKernelAgreesAboutTheLimits(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_STACK, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Max != math.MaxUint64 {
		t.Skip("needs a stack without a hard limit")
	}
	stacks := map[string]uint64{
		"256 KiB": 256 << 10, "1 MiB": 1 << 20, "8 MiB": 8 << 20, "unlimited": math.MaxUint64,
	}
	for name, stack := range stacks {
		t.Run("in all under a stack of "+name, func(t *testing.T) {
			expectLimit(t, "all", stack)
		})
	}
	t.Run("in one entry", func(t *testing.T) {
		expectLimit(t, "entry", 8<<20)
	})
}

func expectLimit(t *testing.T, kind string, stack uint64) {
	t.Helper()
	if status := launchChild(t, kind, stack, 0); status != 0 {
		t.Errorf("at the limit: status %d", status)
	}
	if status := launchChild(t, kind, stack, 1); status != exitTooBig {
		t.Errorf("one byte above the limit: status %d, want E2BIG", status)
	}
}
