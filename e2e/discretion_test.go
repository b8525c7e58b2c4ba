//go:build linux

package e2e_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"secretwrap/internal/awsfake"
)

// TestAStartThatWaitsShowsNothing looks at a wrapper that has one value already and
// waits for another: where it listens, and what others read about it.
func TestAStartThatWaitsShowsNothing(t *testing.T) {
	t.Parallel()
	fake := startScript(t, awsfake.Config{Secrets: []awsfake.Secret{plainSecret("come", canary), plainSecret("coming", canary, awsfake.Hang)}})
	wrapper := filepath.Join(layer(t), "secretwrap")
	cmd := exec.Command(wrapper, "/bin/true")
	cmd.Env = append(fake.env, "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=an-invented-secret-key",
		"COME=secretsmanager://come", "COMING=secretsmanager://coming")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	eventually(t, starting, "one answer, and the question for the other", func() bool { return len(fake.Calls()) == 2 })
	p := process(cmd.Process.Pid)
	if found := p.listeners(t); len(found) > 0 {
		t.Errorf("the wrapper listens on TCP: %q", found)
	}
	if argv := p.argv(); !slices.Equal(argv, []string{wrapper, "/bin/true"}) {
		t.Errorf("the arguments are %q", argv)
	}
	if found := leaks(strings.Join(append(p.environ(t), p.argv()...), "\n"), canary); len(found) > 0 {
		t.Errorf("a secret stands where others read: %v", found)
	}
}
