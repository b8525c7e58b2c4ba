//go:build linux

package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"secretwrap/internal/awsfake"
)

// holder is the program in one of its roles, which has one secret and waits for
// another.
type holder struct{ argv, env []string }

// holders returns the roles that hold secrets. Each has a core file written if the
// system would write one.
func holders(t *testing.T) map[string]holder {
	t.Helper()
	fake := startScript(t, awsfake.Config{Secrets: []awsfake.Secret{plainSecret("held", canary), plainSecret("late", canary, awsfake.Hang)}})
	env := append([]string{
		"AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=" + credentialKey, "AWS_SESSION_TOKEN=" + credentialToken, "SECRETWRAP_TIMEOUT=5m", "AWS_LAMBDA_RUNTIME_API=127.0.0.1:1",
	}, slices.Concat(talkative(), fake.env)...)
	manifest := filepath.Join(t.TempDir(), "secretwrap.yaml")
	write(t, manifest, "files:\n  held: held\n  late: late\n", 0o644)
	dir, command := layer(t), built(t, "..", "secretwrap", "./wrapper")
	variables := []string{"HELD=secretsmanager://held", "LATE=secretsmanager://late"}
	return map[string]holder{
		"the wrapper":   {[]string{filepath.Join(dir, "secretwrap"), "/bin/true"}, append(variables, env...)},
		"the extension": {[]string{filepath.Join(dir, "extensions", "secretwrap")}, append([]string{"SECRETWRAP_MANIFEST=" + manifest}, env...)},
		"check":         {[]string{command, "check"}, append(variables, env...)},
		"exec":          {[]string{command, "exec", "--", "/bin/true"}, append(variables, env...)},
	}
}

// A crash shows no secret, and what holds one leaves it nowhere while it runs: in no
// argument, in no file, in no core.
func TestACrashShowsNoSecret(t *testing.T) {
	t.Parallel()
	levels := map[syscall.Signal]string{syscall.SIGQUIT: "all", syscall.SIGABRT: "crash", syscall.SIGSEGV: "system"}
	for name, role := range holders(t) {
		for signal, level := range levels {
			t.Run(fmt.Sprintf("%s, %v, %s", name, signal, level), func(t *testing.T) {
				t.Parallel()
				role.crash(t, level, signal)
			})
		}
	}
}

// crash starts the role, looks around while it waits, and has it crash.
func (h holder) crash(t *testing.T, level string, signal syscall.Signal) {
	t.Helper()
	dir := t.TempDir()
	cmd := withCores(t, dir, slices.Concat(h.env, []string{"GOTRACEBACK=" + level, "SSLKEYLOGFILE=" + filepath.Join(dir, "tls-keys")}), h.argv...)
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stderr)
	said := untilWaiting(t, lines)
	checkHeld(t, cmd.Process.Pid)
	places := argumentsOfAll(t)
	if err := cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(lines)
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // how it ended is in its state
	if cmd.ProcessState.Sys().(syscall.WaitStatus).CoreDump() {
		t.Error("it has left a core")
	}
	if !strings.Contains(string(rest), "goroutine ") {
		t.Errorf("it shows no trace:\n%s", rest)
	}
	maps.Copy(places, filesIn(t, dir, "files"))
	if _, err := os.Stat(filepath.Join(dir, "tls-keys")); err == nil {
		t.Error("it has written the keys of its connections")
	}
	places["standard error"], places["standard output"] = said+string(rest), stdout.String()
	for place, text := range places {
		for _, secret := range []string{canary, credentialKey, credentialToken} {
			if found := slices.Concat(leaks(text, secret), words(text, secret)); len(found) > 0 {
				t.Errorf("%s shows a secret: %v", place, found)
			}
		}
	}
}

// withCores returns a command that works in dir alone, and may leave a core there.
func withCores(t *testing.T, dir string, env []string, argv ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/bin/sh", append([]string{"-c", `ulimit -c unlimited; exec "$@"`, "sh"}, argv...)...)
	cmd.Dir, cmd.Env = dir, append([]string{"TMPDIR=" + dir, "SECRETWRAP_DIR=" + filepath.Join(dir, "files")}, env...)
	return cmd
}

// untilWaiting returns the lines up to the one that tells that one secret is there,
// and the other is not.
func untilWaiting(t *testing.T, lines *bufio.Reader) string {
	t.Helper()
	var said strings.Builder
	for {
		line, err := lines.ReadString('\n')
		said.WriteString(line)
		if strings.Contains(line, "still waiting for 1 of 2 secrets: late") {
			return said.String()
		}
		if err != nil {
			t.Fatalf("it does not wait: %v\n%s", err, said.String())
		}
	}
}

// checkHeld looks into the memory of a process, as nobody but root may: the secret
// must be there, or the test would find nothing for a bad reason.
func checkHeld(t *testing.T, pid int) {
	t.Helper()
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if isRoot := os.Geteuid() == 0; isRoot != (err == nil) {
		t.Fatalf("the process's memory, as user %d: %v", os.Geteuid(), err)
	}
	if err != nil {
		return
	}
	defer memory.Close()
	for line := range strings.Lines(read(t, fmt.Sprintf("/proc/%d/maps", pid))) {
		var from, to int64
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err != nil || mode != "rw-p" {
			continue
		}
		content := make([]byte, to-from)
		if n, _ := memory.ReadAt(content, from); bytes.Contains(content[:n], []byte(canary)) {
			return
		}
	}
	t.Error("the process does not hold the secret")
}

// argumentsOfAll returns the arguments of all processes.
func argumentsOfAll(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no processes to be seen: %v", err)
	}
	var all strings.Builder
	for _, path := range paths {
		text, _ := os.ReadFile(path) // empty if it has ended
		all.Write(text)
		all.WriteByte('\n')
	}
	return map[string]string{"an argument": all.String()}
}

// words returns which eight characters of secret stand in text as a register holds
// them, of which a trace shows what was there.
func words(text, secret string) []string {
	var found []string
	for i := range len(secret) - 7 {
		if word := fmt.Sprintf("%x", binary.LittleEndian.Uint64([]byte(secret[i:]))); strings.Contains(text, word) {
			found = append(found, "word "+word)
		}
	}
	return found
}

func TestWordsFindsASecretInARegister(t *testing.T) {
	t.Parallel()
	const register = "rax    0x3732564d51785137" // "7QxQMV27" turned round
	if found := words(register, "7QxQMV27, and more"); len(found) != 1 {
		t.Errorf("found %v", found)
	}
}

// The program that takes the wrapper's place is one of which the system writes a
// core, as without the wrapper.
func TestProgramsMayLeaveACore(t *testing.T) {
	t.Parallel()
	crash := []string{"/bin/sh", "-c", "kill -ABRT $$"}
	if !leavesCore(t, nil, crash) {
		need(t, "the system writes no core files")
	}
	for name, argv := range map[string][]string{
		"the wrapper": {filepath.Join(layer(t), "secretwrap")},
		"exec":        {built(t, "..", "secretwrap", "./wrapper"), "exec", "--"},
	} {
		fake := startFake(t, oneSecret())
		env := append([]string{"AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=key", "V=secretsmanager://prod/db"}, fake.env...)
		if !leavesCore(t, env, append(argv, crash...)) {
			t.Errorf("%s keeps the program from leaving a core", name)
		}
	}
}

// leavesCore reports whether a process leaves a core when it is aborted.
func leavesCore(t *testing.T, env, argv []string) bool {
	t.Helper()
	cmd := withCores(t, t.TempDir(), env, argv...)
	err := cmd.Run()
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || status.Signal() != syscall.SIGABRT {
		t.Fatalf("it was not aborted: %v", err)
	}
	return status.CoreDump()
}
