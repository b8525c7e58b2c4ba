//go:build linux

package e2e_test

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// testConceals looks at the extension from outside, as nobody but root may.
func (l lab) testConceals(t *testing.T) {
	if os.Geteuid() != 0 {
		need(t, "not root, who alone sees what the extension conceals")
	}
	tests := map[string]func(*testing.T){
		"its secrets from the network and from other processes": l.testDiscretion,
		"its memory from the function":                          l.testHidden,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// testDiscretion checks that the extension listens to nobody on the network, that
// no secret stands where other processes look, and that Lambda has hidden from the
// extension where the manifest is, which it has found.
func (l lab) testDiscretion(t *testing.T) {
	d, _ := l.deployPair(t, l.osOnly(t))
	d.checkPair(t, 1)
	extension := d.extension(t)
	if found := extension.listeners(t); len(found) > 0 {
		t.Errorf("the extension listens on TCP: %q", found)
	}
	visible := extension.environ(t)
	for _, entry := range visible {
		if slices.Contains([]string{"LAMBDA_TASK_ROOT", "_HANDLER"}, name(entry)) {
			t.Errorf("the extension sees %s, which Lambda hides from it", entry)
		}
	}
	for _, p := range d.processes(t) {
		visible = append(visible, p.argv()...)
	}
	if found := leaks(strings.Join(visible, "\n"), canary); len(found) > 0 {
		t.Errorf("a secret stands in an argument, or in the extension's environment: %v", found)
	}
	d.checkRegistered(t, "[INVOKE SHUTDOWN]")
}

// testHidden checks that the user that runs the function may not look into the
// extension: the system then says that what /proc tells belongs to root. In the
// emulator that user is not root for Managed Instances only.
func (l lab) testHidden(t *testing.T) {
	d, _ := l.deployPair(t, l.osOnly(t, managedInstance(t)...))
	d.checkPair(t, 1)
	if owner := d.running(t, "/var/task/app").owner(t); owner == 0 {
		t.Fatal("the function runs as root, who may look anywhere")
	}
	if owner := d.extension(t).owner(t); owner != 0 {
		t.Errorf("the environment of the extension can be read by user %d", owner)
	}
}

// managedInstance returns what makes the emulator one of Lambda Managed Instances. It
// then starts processes as other users.
func managedInstance(t *testing.T) []string {
	t.Helper()
	if os.Geteuid() != 0 {
		need(t, "not root, who alone can start processes as other users")
	}
	return []string{"AWS_LAMBDA_MAX_CONCURRENCY=1", "AWS_LAMBDA_INITIALIZATION_TYPE=lambda-managed-instances"}
}
