//go:build linux

package e2e_test

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"secretwrap/e2e/emulator"
	"secretwrap/internal/awsfake"
)

// testRunsOn checks that a function lives on undisturbed beside the extension,
// which Lambda tells of invocations only where they make a difference: they cost
// a little.
func (l lab) testRunsOn(t *testing.T) {
	const (
		variable, file = "DB_PASSWORD=secretsmanager://prod/db#password", "KEY_PATH=secretsmanager://prod/db?file=key#password"
		told, untold   = "[INVOKE SHUTDOWN]", "[SHUTDOWN]"
	)
	tests := map[string]func(*testing.T){
		"with a variable":            func(t *testing.T) { l.checkLife(t, l.managed(t, plainHandler, variable), 1, untold) },
		"with a variable and a file": func(t *testing.T) { l.checkLife(t, l.managed(t, plainHandler, variable, file), 1, told) },
		"with a file that is not refreshed": func(t *testing.T) {
			l.checkLife(t, l.managed(t, plainHandler, file, "SECRETWRAP_REFRESH=0"), 1, untold)
		},
		"with nothing configured": func(t *testing.T) { l.checkLife(t, l.managed(t, plainHandler), 0, untold) },
		"OS-only, with a variable that the first invocation must find resolved": func(t *testing.T) { l.checkLife(t, l.osOnly(t, variable), 1, told) },
		"OS-only, with nothing configured":                                      func(t *testing.T) { l.checkLife(t, l.osOnly(t), 0, untold) },
		"after a server that did not answer at first":                           l.testRecovery,
		"after the extension was killed":                                        l.testExtensionKilled,
		"after the runtime has crashed in an invocation":                        l.testRuntimeCrash,
		"after a crash, within a timeout of 1 s":                                func(t *testing.T) { l.testCrashInTime(t, time.Second) },
		"after a crash, within a timeout of 3 s":                                func(t *testing.T) { l.testCrashInTime(t, 3*time.Second) },
		"after a crash, within a timeout of 5 s":                                func(t *testing.T) { l.testCrashInTime(t, 5*time.Second) },
		"until the end, which leaves nothing":                                   l.testEnd,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// plainHandler starts the Go handler.
var plainHandler = []string{"/var/task/handler"}

// checkLife invokes a function several times, shuts it down, and checks that
// the extension was registered for the events, and lived until then.
func (l lab) checkLife(t *testing.T, fn emulator.Function, calls int, events string) {
	t.Helper()
	fake := startFake(t, oneSecret())
	d := l.deploy(t, fake.reachable(fn), canary)
	for range 5 {
		d.seen(t, event{Names: []string{"DB_PASSWORD"}})
	}
	called := len(fake.Calls())
	log := d.wholeLog(t)
	d.checkRegistered(t, events)
	d.checkStarts(t, 1)
	for _, trouble := range []string{"Extension.", "[secretwrap] error", "[secretwrap] warning"} {
		if strings.Contains(log, trouble) {
			t.Errorf("the log holds %q", trouble)
		}
	}
	if called != calls {
		t.Errorf("%d calls of Secrets Manager in 5 invocations, want %d", called, calls)
	}
}

// checkRegistered checks that the extension is registered once, for the events.
func (d deployed) checkRegistered(t *testing.T, events string) {
	t.Helper()
	log := d.Logs()
	if strings.Count(log, "External agent secretwrap (") != 1 || !strings.Contains(log, "subscribed to "+events) {
		t.Errorf("the extension is not registered exactly once, for %s", events)
	}
}

// testExtensionKilled kills the extension, as a lack of memory does. Lambda then
// starts the environment again, where its files still lie.
func (l lab) testExtensionKilled(t *testing.T) {
	d, fake := l.deployPair(t, l.osOnly(t))
	d.checkPair(t, 1)
	fake.put(t, pairSecret(t, 2))
	killed := d.extension(t)
	if err := syscall.Kill(int(killed), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, stopping, "the end of the extension", func() bool { return killed.parent() == 0 })
	// It is the next invocation that Lambda tells of the crash.
	_ = d.invoke(t, event{})
	d.checkPair(t, 2)
	d.checkTidy(t)
}

// testRuntimeCrash ends the handler's program in an invocation.
func (l lab) testRuntimeCrash(t *testing.T) {
	d, fake := l.deployPair(t, l.osOnly(t))
	d.checkPair(t, 1)
	fake.put(t, pairSecret(t, 2))
	if response := d.invoke(t, event{Exit: 3}); response.Status == http.StatusOK {
		t.Fatalf("the handler lives on: %s", response.Body)
	}
	d.checkPair(t, 2)
	d.checkTidy(t)
	d.checkStarts(t, 2)
	if calls := len(fake.Calls()); calls != 2 {
		t.Errorf("%d calls of Secrets Manager, want one for each start", calls)
	}
}

// testCrashInTime ends the handler's program in its first invocation. Lambda
// starts the environment again within the next one's timeout, in which extension,
// wrapper and a server that takes 100 ms have to be done.
func (l lab) testCrashInTime(t *testing.T, timeout time.Duration) {
	secret := pairSecret(t, 1)
	fake := startScript(t, awsfake.Config{Secrets: []awsfake.Secret{secret, plainSecret("v", canary)}, Delay: 100 * time.Millisecond})
	fn := declarePair(t, l.managed(t, plainHandler, "V=secretsmanager://v"))
	fn.Timeout = timeout
	d := l.deploy(t, fake.reachable(fn), canary)
	if response := d.invoke(t, event{Exit: 3}); response.Status == http.StatusOK {
		t.Fatalf("the handler lives on: %s", response.Body)
	}
	if seen := d.seen(t, event{Names: []string{"V"}}); seen["V"] != canary {
		t.Errorf("the function sees %v", seen)
	}
	d.checkPair(t, 1)
	d.checkStarts(t, 2)
}

// testEnd ends an environment as Lambda does with one that is not needed any
// more.
func (l lab) testEnd(t *testing.T) {
	d, _ := l.deployPair(t, l.osOnly(t))
	d.checkPair(t, 1)
	d.checkGone(t)
}

// checkGone ends the environment, and checks that the extension has removed its
// files, and the directory of its socket.
func (d deployed) checkGone(t *testing.T) {
	t.Helper()
	if err := d.Stop(stopping); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"secretwrap", "secretwrap.handover"} {
		if _, err := os.Lstat(filepath.Join(d.Tmp(), name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("/tmp/%s is still there: %v", name, err)
		}
	}
}

// checkStarts checks how often the environment was started.
func (d deployed) checkStarts(t *testing.T, want int) {
	t.Helper()
	if inits := d.InitDurations(); len(inits) != want {
		t.Errorf("the environment was started %d times, want %d: %v", len(inits), want, inits)
	}
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
