//go:build linux

package e2e_test

import (
	"os"
	"strings"
	"testing"

	"secretwrap/internal/awsfake"
)

// testRunsOn checks that a function lives on undisturbed beside the extension.
func (l lab) testRunsOn(t *testing.T) {
	const variable, file = "DB_PASSWORD=secretsmanager://prod/db#password", "KEY_PATH=secretsmanager://prod/db?file=key#password"
	tests := map[string]func(*testing.T){
		"with variables":                                   func(t *testing.T) { l.checkLife(t, variable) },
		"with a variable and a file":                       func(t *testing.T) { l.checkLife(t, variable, file) },
		"with nothing configured":                          func(t *testing.T) { l.checkLife(t) },
		"in a managed instance, which refuses invocations": l.testManagedInstance,
		"after a server that did not answer at first":      l.testRecovery,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// checkLife invokes a function several times, shuts it down, and checks that
// the extension was registered for nothing but the end, and lived until then.
func (l lab) checkLife(t *testing.T, env ...string) {
	t.Helper()
	fake := startFake(t, oneSecret())
	d := l.deploy(t, fake.reachable(l.osOnly(t, env...)), canary)
	for range 5 {
		d.seen(t, event{Names: []string{"DB_PASSWORD"}})
	}
	calls := len(fake.Calls())
	log := d.wholeLog(t)
	if strings.Count(log, "External agent secretwrap (") != 1 || !strings.Contains(log, "subscribed to [SHUTDOWN]") {
		t.Error("the extension is not registered exactly once, for SHUTDOWN")
	}
	if inits := d.InitDurations(); len(inits) != 1 {
		t.Errorf("the environment was started %d times: %v", len(inits), inits)
	}
	if strings.Contains(log, "Extension.") {
		t.Error("the log tells of an error of the extension")
	}
	if want := min(len(env), 1); calls != want {
		t.Errorf("%d calls of Secrets Manager in 5 invocations, want %d", calls, want)
	}
}

// testManagedInstance runs a function as Lambda Managed Instances do, where an
// extension that asks for invocations is turned away.
func (l lab) testManagedInstance(t *testing.T) {
	if os.Geteuid() != 0 {
		need(t, "not root, and the emulator of Managed Instances starts processes as other users")
	}
	fake := startFake(t, oneSecret())
	d := l.deploy(t, fake.reachable(l.osOnly(t,
		"AWS_LAMBDA_MAX_CONCURRENCY=1",
		"AWS_LAMBDA_INITIALIZATION_TYPE=lambda-managed-instances",
		"DB_PASSWORD=secretsmanager://prod/db#password",
		"KEY_PATH=secretsmanager://prod/db?file=key#password")), canary)
	seen := d.seen(t, event{Names: []string{"DB_PASSWORD"}, Files: []string{"KEY_PATH"}})
	if seen["DB_PASSWORD"] != canary || seen["KEY_PATH"] != canary {
		t.Errorf("the function sees %v", seen)
	}
	fake.checkCalledOnce(t, oneSecret())
}

// testRecovery checks that a failure that passes does so for the function too.
func (l lab) testRecovery(t *testing.T) {
	fake := startFailing(t, []awsfake.Fault{awsfake.Hang, awsfake.OK})
	d := l.deploy(t, fake.reachable(l.osOnly(t,
		"SECRETWRAP_TIMEOUT=1s",
		"DB_PASSWORD=secretsmanager://prod/db#password")), canary)
	d.checkError(t, failure{errorType: "Runtime.SecretTimeout"})
	if seen := d.seen(t, event{Names: []string{"DB_PASSWORD"}}); seen["DB_PASSWORD"] != canary {
		t.Errorf("the function sees %v", seen)
	}
}
