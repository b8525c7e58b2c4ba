//go:build lambda

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/awssecrets"
	"secretwrap/internal/environ"
	"secretwrap/internal/lambdaapi"
	"secretwrap/internal/pipenet"
)

// canary is in every value, and must be in no line.
const canary = "CANARY-77c0"

// lines collects what is written, from several goroutines.
type lines struct {
	// stuck, if it is set, holds up every line until it is closed.
	stuck chan struct{}
	mu    sync.Mutex
	text  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	if l.stuck != nil {
		<-l.stuck
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// life is an extension without a socket, whose time is virtual, before a Secrets
// Manager in memory.
type life struct {
	*extension
	t       *testing.T
	secrets *awsfake.Server
	log     *lines
}

// bubble runs a test of an extension that has prepared its start.
func bubble(t *testing.T, manifest string, env []string, test func(*life)) {
	t.Helper()
	percent := debug.SetGCPercent(100)
	t.Cleanup(func() { debug.SetGCPercent(percent) })
	synctest.Test(t, func(t *testing.T) {
		l := newLife(t, manifest, env)
		test(l)
		l.stop()
		if strings.Contains(l.log.String(), canary) {
			t.Error("a value is in the log")
		}
	})
}

func newLife(t *testing.T, manifest string, env []string) *life {
	t.Helper()
	value := canary + " 1"
	secrets, err := awsfake.New(awsfake.Config{PlainHTTP: true, Delay: 40 * time.Millisecond, Secrets: []awsfake.Secret{
		{Name: "db", Versions: []awsfake.Version{{ID: "v1", String: &value}}},
	}})
	must(t, err)
	t.Cleanup(secrets.Close)
	network := pipenet.Listen()
	secrets.Serve(network)

	temporary := t.TempDir()
	if manifest != "" {
		path := filepath.Join(temporary, "secretwrap.yaml")
		must(t, os.WriteFile(path, []byte(manifest), 0o600))
		env = append(env, "SECRETWRAP_MANIFEST="+path)
	}
	executable, err := os.Executable()
	must(t, err)
	l := &life{t: t, secrets: secrets, log: new(lines)}
	l.extension = newExtension(newStart(process{
		args: []string{"/opt/extensions/secretwrap"}, stderr: l.log, executable: executable, started: time.Now(),
	}, environ.New(append([]string{
		"AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001", "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=key", "AWS_ENDPOINT_URL=http://127.0.0.1",
		"TMPDIR=" + temporary, "SECRETWRAP_DIR=" + filepath.Join(temporary, "files"),
		"SECRETWRAP_HANDOVER=off", // sockets keep time from advancing
	}, env...))))
	config, problems := awssecrets.Load(l.variables, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	config.Dial = network.Dial
	l.client, l.config = awssecrets.New(config), config
	l.keeper.Client, l.keeper.Connections = l.client, config.Connections
	l.prepareGuarded()
	if len(l.problems) > 0 {
		t.Fatal(l.problems)
	}
	return l
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// rotate gives the secret a second version, which is answered for with faults.
func (l *life) rotate(faults ...awsfake.Fault) {
	l.t.Helper()
	value := canary + " 2"
	must(l.t, l.secrets.Put(awsfake.Secret{Name: "db", Faults: faults, Versions: []awsfake.Version{{ID: "v2", String: &value}}}))
}

// invoke handles an invocation with that much time, and returns how long it
// took.
func (l *life) invoke(limit time.Duration) time.Duration {
	began := time.Now()
	l.invoked(l.t.Context(), lambdaapi.Event{Type: lambdaapi.Invoke, Deadline: began.Add(limit)})
	return time.Since(began)
}

// end handles SHUTDOWN, and returns how long it took.
func (l *life) end(reason string) time.Duration {
	began := time.Now()
	l.shutDown(l.t.Context(), lambdaapi.Event{Type: lambdaapi.Shutdown, ShutdownReason: reason})
	return time.Since(began)
}

// expect checks what the file holds.
func (l *life) expect(version string) {
	l.t.Helper()
	content, err := os.ReadFile(filepath.Join(l.settings.Dir, "key"))
	if err != nil || string(content) != canary+" "+version {
		l.t.Errorf("the file holds %q, want version %s: %v", content, version, err)
	}
}

// expectLines checks how often the log holds a text.
func (l *life) expectLines(text string, n int) {
	l.t.Helper()
	if found := strings.Count(l.log.String(), text); found != n {
		l.t.Errorf("%q is in the log %d times, want %d:\n%s", text, found, n, l.log)
	}
}

const oneFile = "files:\n  key: db\n"

// waitUntilDue lets the file become old.
func (l *life) waitUntilDue() { time.Sleep(2 * l.settings.Refresh) }

func TestARefreshHasTheTimeThatTheInvocationLeaves(t *testing.T) {
	tests := []struct{ limit, want time.Duration }{
		{time.Minute, longestRefresh},
		{2 * time.Second, 2*time.Second - refreshMargin},
		{refreshMargin + shortestRefresh, shortestRefresh},
		{refreshMargin + shortestRefresh - time.Millisecond, 0},
		{0, 0},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.limit), func(t *testing.T) {
			bubble(t, oneFile, nil, func(l *life) {
				l.expect("1")
				l.rotate(awsfake.Hang)
				l.waitUntilDue()
				calls := len(l.secrets.Calls())
				// The budget ends a moment before the limit, to leave time for writing.
				if took := l.invoke(test.limit); took > test.want || took < test.want-150*time.Millisecond {
					t.Errorf("took %v, want %v at most", took, test.want)
				}
				if asked := len(l.secrets.Calls()) > calls; asked != (test.want > 0) {
					t.Errorf("asked is %t", asked)
				}
				l.expect("1")
				l.rotate()
				l.waitUntilDue()
				l.invoke(time.Minute)
				l.expect("2")
			})
		})
	}
}

// TestAClockThatIsAheadOfLambdasKeepsNothingOld has every deadline be past when it
// comes, or nearly so.
func TestAClockThatIsAheadOfLambdasKeepsNothingOld(t *testing.T) {
	for _, limit := range []time.Duration{-time.Hour, 0, refreshMargin} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			bubble(t, oneFile, nil, func(l *life) {
				l.rotate(awsfake.Hang)
				l.waitUntilDue()
				l.invoke(limit)
				// The shortest timeout that a function can have must not pass.
				if took := l.invoke(limit); took > time.Second-refreshMargin {
					t.Errorf("took %v", took)
				}
				l.rotate()
				l.waitUntilDue()
				l.invoke(limit)
				l.invoke(limit)
				l.expect("2")
			})
		})
	}
}

func TestAnInvocationWithNothingDueAsksNobody(t *testing.T) {
	bubble(t, oneFile, nil, func(l *life) {
		for range 100 {
			l.invoke(time.Minute)
		}
		if calls := len(l.secrets.Calls()); calls != 1 {
			t.Errorf("%d calls", calls)
		}
	})
}

func TestAnInvocationDoesNotWaitForAnotherWriter(t *testing.T) {
	bubble(t, oneFile, nil, func(l *life) {
		dir, err := os.Open(l.settings.Dir)
		must(t, err)
		must(t, syscall.Flock(int(dir.Fd()), syscall.LOCK_EX))
		l.rotate()
		l.waitUntilDue()
		const limit = refreshMargin + 200*time.Millisecond
		if took := l.invoke(limit); took > limit-refreshMargin {
			t.Errorf("took %v", took)
		}
		must(t, dir.Close())
		time.Sleep(2 * time.Second) // the writer gives up
		synctest.Wait()
		l.waitUntilDue()
		l.invoke(time.Minute)
		l.expect("2")
	})
}

func TestInvocationsSweepWhatWasReplaced(t *testing.T) {
	bubble(t, oneFile, nil, func(l *life) {
		l.rotate()
		l.waitUntilDue()
		l.invoke(time.Minute)
		generations := func() int {
			found, err := filepath.Glob(filepath.Join(l.settings.Dir, "..generation-*"))
			must(t, err)
			return len(found)
		}
		if n := generations(); n != 2 {
			t.Errorf("%d generations after a refresh", n)
		}
		time.Sleep(61 * time.Second)
		l.invoke(time.Minute)
		if n := generations(); n != 1 {
			t.Errorf("%d generations a minute later", n)
		}
	})
}

const unresolved = "DB: nobody resolved the references"

// announced declares a variable and names the test's own program as the wrapper.
func announced(t *testing.T) []string {
	t.Helper()
	path, err := os.Executable()
	must(t, err)
	return []string{"DB=secretsmanager://db", "AWS_LAMBDA_EXEC_WRAPPER=" + path}
}

func TestWithoutInvocationsTimeEndsTheStart(t *testing.T) {
	t.Run("nobody came", func(t *testing.T) {
		bubble(t, "", announced(t), func(l *life) {
			l.registered(l.events())
			time.Sleep(settleAfter - time.Second)
			synctest.Wait()
			l.expectLines(unresolved, 0)
			time.Sleep(2 * time.Second)
			synctest.Wait()
			l.expectLines(unresolved, 1)
			l.end("spindown")
			l.expectLines(unresolved, 1)
		})
	})
	t.Run("a wrapper came", func(t *testing.T) {
		bubble(t, "", announced(t), func(l *life) {
			l.registered(l.events())
			leaveMark(l.mark())
			time.Sleep(settleAfter + time.Second)
			synctest.Wait()
			l.expectLines("", 1) // an empty log
		})
	})
}

func TestAFormerWrappersMarkIsNotTheNextOnes(t *testing.T) {
	bubble(t, "", []string{"DB=secretsmanager://db"}, func(l *life) {
		leaveMark(l.mark())
		again := &life{extension: newExtension(l.start), t: t, log: l.log}
		defer again.stop()
		again.prepareGuarded()
		if again.wrapperCame() {
			t.Error("the mark of an earlier start counts")
		}
		leaveMark(again.mark())
		if !again.wrapperCame() {
			t.Error("the mark of this start does not count")
		}
	})
}

func TestTheEndIsInTimeWhateverHinders(t *testing.T) {
	bubble(t, oneFile, nil, func(l *life) {
		dir, err := os.Open(l.settings.Dir)
		must(t, err)
		defer dir.Close()
		must(t, syscall.Flock(int(dir.Fd()), syscall.LOCK_EX))
		l.rotate(awsfake.Hang)
		l.waitUntilDue()
		go l.invoke(time.Minute)
		synctest.Wait()
		if took := l.end("spindown"); took > cleanupTime {
			t.Errorf("took %v", took)
		}
		if _, err := os.Lstat(l.settings.Dir); !os.IsNotExist(err) {
			t.Errorf("the files are there: %v", err)
		}
	})
}

func TestTheEndIsInTimeThoughThereIsMuchToSay(t *testing.T) {
	bubble(t, "", announced(t), func(l *life) {
		l.registered(l.events())
		l.log.stuck = make(chan struct{})
		if took := l.end("spindown"); took != cleanupTime {
			t.Errorf("took %v", took)
		}
		close(l.log.stuck)
		synctest.Wait()
		l.expectLines(unresolved, 1)
	})
}

func TestTheEndIsInTimeThoughTheLogIsStuck(t *testing.T) {
	bubble(t, oneFile, nil, func(l *life) {
		must(t, os.RemoveAll(l.settings.Dir))
		must(t, os.WriteFile(l.settings.Dir, nil, 0o600)) // so that there is something to say
		l.log.stuck = make(chan struct{})
		if took := l.end("spindown"); took != cleanupTime {
			t.Errorf("took %v", took)
		}
		close(l.log.stuck)
		synctest.Wait()
		l.expectLines("the files cannot be removed", 1)
	})
}

func TestAFailureIsNoReasonToComplainOfReferences(t *testing.T) {
	for reason, want := range map[string]int{"spindown": 1, "failure": 0, "Failure": 0, "timeout": 0} {
		t.Run(reason, func(t *testing.T) {
			bubble(t, "", announced(t), func(l *life) {
				l.registered(l.events())
				l.end(reason)
				l.expectLines(unresolved, want)
			})
		})
	}
}

func TestAPanicIsToldWithoutItsText(t *testing.T) {
	bubble(t, oneFile, nil, func(l *life) {
		l.guard(func() { panic(canary) })
		l.expectLines("internal fault: a panic of type string; the extension goes on", 1)
	})
}

// A fault of ours in the middle of a refresh costs that refresh, and nothing else.
func TestARefreshThatPanicsHarmsNoInvocation(t *testing.T) {
	bubble(t, oneFile, nil, func(l *life) {
		client := l.keeper.Client
		l.keeper.Client = nil // as no code here would leave it
		l.rotate()
		l.waitUntilDue()
		if took := l.invoke(time.Minute); took > longestRefresh {
			t.Errorf("took %v", took)
		}
		l.expectLines("internal fault: a panic of type runtime.", 1)
		l.expect("1")
		l.keeper.Client = client
		l.waitUntilDue()
		l.invoke(time.Minute)
		l.expect("2")
		l.end("spindown")
	})
}
