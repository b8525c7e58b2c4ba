package refresh_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/fetch"
	"secretwrap/internal/problem"
	"secretwrap/internal/refresh"
)

// tls declares a certificate and its key.
func tls() []string {
	return []string{"tls/client.pem=tls#certificate", "tls/client.key=tls#key"}
}

// bubble runs a test in virtual time, on a lab.
func bubble(t *testing.T, files []string, secrets []awsfake.Secret, test func(*testing.T, *lab)) {
	t.Helper()
	variables := environment(t)
	synctest.Test(t, func(t *testing.T) { test(t, newLab(t, variables, files, secrets...)) })
}

func TestNothingIsAskedBeforeItIsDue(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		time.Sleep(l.keeper.Every*4/5 - time.Second)
		if l.keeper.Due() {
			t.Error("due")
		}
		l.refresh()
		if calls := len(l.server.Calls()); calls != 1 {
			t.Errorf("%d calls", calls)
		}
	})
}

func TestAnUnchangedVersionIsNotPublished(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		before := l.generation()
		for range 3 {
			report := l.overdue()
			if report.Written > 0 || len(report.Stale) > 0 || report.Repaired {
				t.Errorf("report %+v", report)
			}
		}
		if calls := len(l.server.Calls()); calls != 4 {
			t.Errorf("%d calls", calls)
		}
		if l.generation() != before {
			t.Error("a new generation was made")
		}
	})
}

func TestANewVersionReplacesAllFilesOfTheSecret(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		l.put(secretOf("tls", "v2", pair("2")))
		report := l.overdue()
		if report.Written != 2 || !slices.Equal(report.Secrets, []string{"tls"}) || report.Repaired {
			t.Errorf("report %+v", report)
		}
		l.expect("tls/client.pem", "certificate 2")
		l.expect("tls/client.key", "key 2")
	})
}

func TestRefreshesSpreadOverAFifthEitherWay(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		ages := make(map[time.Duration]bool)
		for range 300 {
			started := time.Now()
			for !l.keeper.Due() {
				time.Sleep(time.Second)
			}
			age := time.Since(started)
			if age < l.keeper.Every*4/5 || age > l.keeper.Every*6/5+time.Second {
				t.Fatalf("due after %v", age)
			}
			ages[age.Truncate(12*time.Second)] = true
			l.refresh()
		}
		if len(ages) < 9 {
			t.Errorf("only %d of 10 parts of the spread were met", len(ages))
		}
	})
}

func TestEveryFaultKeepsTheOldCopies(t *testing.T) {
	silent := []awsfake.Fault{awsfake.OK, awsfake.Both}
	for _, fault := range awsfake.Faults() {
		if slices.Contains(silent, fault) || fault == awsfake.Oversized {
			continue
		}
		t.Run(string(fault), func(t *testing.T) {
			bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
				l.put(secretOf("tls", "v2", pair("2"), fault))
				before := l.generation()
				report := l.overdue()
				if len(report.Stale) != 1 || report.Written > 0 {
					t.Fatalf("report %+v", report)
				}
				stale := report.Stale[0]
				if stale.Age < l.keeper.Every || stale.Age > 2*l.keeper.Every || len(stale.Problems) != 1 || stale.Problems[0].Secret != "tls" {
					t.Errorf("stale %+v: %v", stale, stale.Problems)
				}
				if !slices.Equal(stale.Files, []string{"tls/client.pem", "tls/client.key"}) {
					t.Errorf("files %q", stale.Files)
				}
				l.expect("tls/client.pem", "certificate 1")
				l.expect("tls/client.key", "key 1")
				if l.generation() != before {
					t.Error("a new generation was made")
				}
				l.put(secretOf("tls", "v2", pair("2")))
				report = l.overdue()
				if report.Written != 2 || !slices.Equal(report.Recovered, stale.Files) {
					t.Errorf("after the fault: report %+v", report)
				}
				l.expect("tls/client.pem", "certificate 2")
			})
		})
	}
}

func TestFailuresBackOffAndAreSaidNowAndThen(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		l.put(secretOf("tls", "v2", pair("2"), awsfake.Denied))
		calls, reports := len(l.server.Calls()), 0
		var ages []time.Duration
		const hours = 10
		for range hours * 3600 { // an invocation every second
			time.Sleep(time.Second)
			for _, stale := range l.refresh().Stale {
				reports++
				ages = append(ages, stale.Age)
			}
		}
		calls = len(l.server.Calls()) - calls
		// Six quick attempts, then one in five minutes; never less than promised.
		if calls < hours*10 || calls > hours*60/4+7 {
			t.Errorf("%d calls in %d hours", calls, hours)
		}
		if reports < hours*6 || reports > hours*12 {
			t.Errorf("%d reports in %d hours", reports, hours)
		}
		if !slices.IsSorted(ages) || ages[len(ages)-1] < (hours-1)*time.Hour {
			t.Errorf("ages %v", ages)
		}
	})
}

func TestWhatRequiredFieldIsGoneKeepsThePairTogether(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		l.put(secretOf("tls", "v2", `{"certificate":"`+canary+` certificate 2"}`))
		report := l.overdue()
		if len(report.Stale) != 1 || report.Stale[0].Problems.Class() != problem.FieldNotFound {
			t.Errorf("report %+v", report)
		}
		l.expect("tls/client.pem", "certificate 1")
		l.expect("tls/client.key", "key 1")
	})
}

func TestWhatIsOptionalAndGoneKeepsItsOldCopy(t *testing.T) {
	files := []string{"always=s#always", "extra=s?optional#extra", "fallback=s?default=standard#fallback", "later=s?optional#later"}
	bubble(t, files, []awsfake.Secret{secretOf("s", "v1", `{"always":"a1","extra":"e1","fallback":"f1"}`)}, func(t *testing.T, l *lab) {
		l.expect("later", "")
		l.put(secretOf("s", "v2", `{"always":"a2","later":"l2"}`))
		if report := l.overdue(); len(report.Stale) > 0 {
			t.Errorf("stale %+v", report.Stale)
		}
		l.expect("always", "a2")
		l.expect("extra", "e1")
		l.expect("fallback", "f1")
		l.expect("later", "l2")
	})
}

func TestADefaultInATemplateKeepsNothingOld(t *testing.T) {
	for name, user := range map[string]string{"field": "s?default=guest#user", "secret": "gone?default=guest#user"} {
		t.Run(name, func(t *testing.T) {
			files := []string{"url={{" + user + "}}:{{s#password}}"}
			bubble(t, files, []awsfake.Secret{secretOf("s", "v1", `{"password":"p1"}`)}, func(t *testing.T, l *lab) {
				l.expect("url", "guest:p1")
				l.put(secretOf("s", "v2", `{"password":"p2"}`))
				if report := l.overdue(); report.Written != 1 {
					t.Errorf("report %+v", report)
				}
				l.expect("url", "guest:p2")
			})
		})
	}
}

func TestWhatWasThereKeepsItsOldCopyUntilItComesBack(t *testing.T) {
	files := []string{"url={{s?default=guest#user}}:{{s?default=none#password}}"}
	bubble(t, files, []awsfake.Secret{secretOf("s", "v1", `{"user":"u1"}`)}, func(t *testing.T, l *lab) {
		l.expect("url", "u1:none")
		for i, step := range []struct{ value, want string }{
			{`{"password":"p2"}`, "u1:none"},
			{`{"password":"p3"}`, "u1:none"},
			{`{"user":"u4","password":"p4"}`, "u4:p4"},
			{`{"user":"u5"}`, "u4:p4"},
			{`{"user":"u6","password":"p6"}`, "u6:p6"},
		} {
			l.put(secretOf("s", fmt.Sprint("w", i), step.value))
			l.overdue()
			l.expect("url", step.want)
		}
	})
}

func TestAnAdoptedFileMayHoldADefault(t *testing.T) {
	files := []string{"url={{s?default=guest#user}}:{{s#password}}"}
	bubble(t, files, []awsfake.Secret{secretOf("s", "v1", `{"password":"p1"}`)}, func(t *testing.T, l *lab) {
		l.keeper.Adopt(l.set)
		l.put(secretOf("s", "v2", `{"password":"p2"}`))
		l.overdue()
		l.expect("url", "guest:p2")
	})
}

func TestADefaultStays(t *testing.T) {
	bubble(t, []string{"a=s?default=standard#nothing", "b=s#b"}, []awsfake.Secret{secretOf("s", "v1", `{"b":"1"}`)}, func(t *testing.T, l *lab) {
		l.expect("a", "standard")
		l.put(secretOf("s", "v2", `{"b":"2"}`))
		l.overdue()
		l.expect("a", "standard")
		l.expect("b", "2")
	})
}

func TestSecretsThatShareAFileWaitForEachOther(t *testing.T) {
	files := []string{"one=a#x", "both={{a#x}}:{{b#x}}", "other=c#x"}
	secrets := []awsfake.Secret{secretOf("a", "1", `{"x":"a1"}`), secretOf("b", "1", `{"x":"b1"}`), secretOf("c", "1", `{"x":"c1"}`)}
	bubble(t, files, secrets, func(t *testing.T, l *lab) {
		l.put(secretOf("a", "2", `{"x":"a2"}`))
		l.put(secretOf("b", "2", `{"x":"b2"}`, awsfake.Denied))
		l.put(secretOf("c", "2", `{"x":"c2"}`))
		report := l.overdue()
		if report.Written != 1 || len(report.Stale) != 1 || !slices.Equal(report.Stale[0].Files, []string{"one", "both"}) {
			t.Errorf("report %+v", report)
		}
		l.expect("one", "a1")
		l.expect("both", "a1:b1")
		l.expect("other", "c2")
	})
}

func TestThereIsOneRefreshAtATime(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		time.Sleep(2 * l.keeper.Every)
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				l.keeper.Expire() // so that all of them find it due
				l.refresh()
			})
		}
		all.Wait()
		if calls := len(l.server.Calls()); calls != 2 {
			t.Errorf("%d calls", calls)
		}
	})
}

func TestAClockThatIsSteppedCausesOneRefresh(t *testing.T) {
	for _, step := range []time.Duration{-time.Hour, -30 * 24 * time.Hour, time.Hour, 3 * 24 * time.Hour} {
		t.Run(step.String(), func(t *testing.T) {
			bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
				l.offset = step
				for range 200 { // seconds, less than anything is due after
					time.Sleep(time.Second)
					if report := l.refresh(); len(report.Stale) > 0 {
						t.Errorf("stale %+v", report.Stale)
					}
				}
				if calls := len(l.server.Calls()); calls != 2 {
					t.Errorf("%d calls", calls)
				}
			})
		})
	}
}

func TestAClockThatIsSteppedBackGivesNoNegativeAge(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		l.put(secretOf("tls", "v2", pair("2"), awsfake.Denied))
		l.offset = -time.Hour
		report := l.refresh()
		if len(report.Stale) != 1 || report.Stale[0].Age != 0 {
			t.Errorf("report %+v", report)
		}
	})
}

func TestEveryRefreshHasAConnectionOfItsOwn(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		l.keeper.Every = 10 * time.Second // less than a connection is kept for
		l.keeper.Adopt(l.set)
		for range 3 {
			before := l.server.Connections()
			l.overdue()
			if l.server.Connections() != before+1 {
				t.Error("a connection of an earlier refresh was used")
			}
		}
	})
}

func TestWhatExpiresIsDueWhateverItsAge(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		l.put(secretOf("tls", "v2", pair("2")))
		l.keeper.Expire()
		if report := l.refresh(); report.Written != 2 {
			t.Errorf("report %+v", report)
		}
		if l.keeper.Due() {
			t.Error("due again")
		}
	})
}

func TestZeroMeansNever(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		l.keeper.Every = 0
		time.Sleep(1000 * time.Hour)
		l.keeper.Expire()
		l.refresh()
		if calls := len(l.server.Calls()); calls != 1 {
			t.Errorf("%d calls", calls)
		}
	})
}

func TestARefreshEndsBeforeItsDeadline(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		l.put(secretOf("tls", "v2", pair("2"), awsfake.Hang))
		time.Sleep(2 * l.keeper.Every)
		began := time.Now()
		l.refresh()
		// What is left is for writing files.
		if took := time.Since(began); took > 1900*time.Millisecond || took < 1800*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}

func TestATimerLooksOnceASecond(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		var timer sync.WaitGroup
		ctx, stop := context.WithCancel(t.Context())
		var reports []refresh.Report
		timer.Go(func() { l.keeper.Run(ctx, func(r refresh.Report) { reports = append(reports, r) }) })
		l.put(secretOf("tls", "v2", pair("2")))
		time.Sleep(l.keeper.Every*6/5 + 2*time.Second)
		synctest.Wait()
		l.expect("tls/client.key", "key 2")
		time.Sleep(24 * time.Hour)
		stop()
		timer.Wait()
		if calls := len(l.server.Calls()); calls < 241 || calls > 370 {
			t.Errorf("%d calls in a day", calls)
		}
		if len(reports) != len(l.server.Calls())-1 {
			t.Errorf("%d reports", len(reports))
		}
	})
}

func TestFilesThatWereTamperedWithAreWrittenAgain(t *testing.T) {
	tampering := map[string]func(*testing.T, *lab){
		"deleted":     func(t *testing.T, l *lab) { must(t, os.Remove(filepath.Join(l.dir, "tls/client.key"))) },
		"opened":      func(t *testing.T, l *lab) { must(t, os.Chmod(filepath.Join(l.dir, "tls/client.key"), 0o644)) },
		"all deleted": func(t *testing.T, l *lab) { must(t, os.RemoveAll(l.dir)) },
		"overwritten": func(t *testing.T, l *lab) {
			path := filepath.Join(l.dir, "tls/client.key")
			must(t, os.Remove(path))
			must(t, os.WriteFile(path, []byte("other"), 0o400))
		},
	}
	for name, tamper := range tampering {
		t.Run(name, func(t *testing.T) {
			bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
				tamper(t, l)
				if report := l.overdue(); !report.Repaired || report.Written != 2 {
					t.Errorf("report %+v", report)
				}
				l.expect("tls/client.pem", "certificate 1")
				l.expect("tls/client.key", "key 1")
			})
		})
	}
}

func TestADirectoryThatCannotBeWrittenKeepsTheCopiesStale(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		aside := l.dir + ".aside"
		must(t, os.Rename(l.dir, aside))
		must(t, os.WriteFile(l.dir, nil, 0o600))
		report := l.overdue()
		if len(report.Stale) != 1 || report.Stale[0].Problems.Class() != problem.File {
			t.Errorf("report %+v", report)
		}
		must(t, os.Remove(l.dir))
		must(t, os.Rename(aside, l.dir))
		l.put(secretOf("tls", "v2", pair("2")))
		if report = l.overdue(); report.Written != 2 || len(report.Recovered) != 2 {
			t.Errorf("report %+v", report)
		}
		l.expect("tls/client.key", "key 2")
	})
}

func TestWhatAWrapperWroteIsKeptFreshToo(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		l.keeper.Drop()
		time.Sleep(time.Hour)
		if l.keeper.Keeps() || l.keeper.Due() {
			t.Error("dropped files are kept")
		}
		l.keeper.Adopt(l.set)
		if report := l.overdue(); report.Written > 0 || len(report.Stale) > 0 {
			t.Errorf("unchanged: report %+v", report)
		}
		l.put(secretOf("tls", "v2", pair("2")))
		if report := l.overdue(); report.Written != 2 {
			t.Errorf("report %+v", report)
		}
	})
}

func TestAPublishReplacesTheFilesOfAnEarlierOne(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		if problems := l.keeper.Publish(refresh.Set{Dir: l.dir}, nil); len(problems) > 0 {
			t.Fatal(problems)
		}
		l.expect("tls/client.key", "")
		if l.keeper.Keeps() {
			t.Error("something is kept")
		}
	})
}

func TestAPublishThatFailsKeepsNothing(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		set := l.plan([]string{"x=tls#missing"})
		problems := l.keeper.Publish(set, l.fetch(set.Requests))
		if problems.Class() != problem.FieldNotFound {
			t.Errorf("problems %v", problems)
		}
		l.expect("x", "")
		l.expect("tls/client.key", "key 1")
	})
}

func TestRemovedFilesDoNotComeBack(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		l.put(secretOf("tls", "v2", pair("2")))
		time.Sleep(2 * l.keeper.Every)
		var underWay sync.WaitGroup
		underWay.Go(func() { l.refresh() })
		time.Sleep(10 * time.Millisecond) // the server takes 40
		must(t, l.keeper.Remove())
		underWay.Wait()
		if _, err := os.Lstat(l.dir); !os.IsNotExist(err) {
			t.Errorf("the directory is there: %v", err)
		}
	})
}

func TestAPublishAfterTheEndWritesNothing(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		must(t, l.keeper.Remove())
		if problems := l.keeper.Publish(l.set, l.fetch(l.set.Requests)); problems.Class() != problem.File {
			t.Errorf("problems %v", problems)
		}
		if _, err := os.Lstat(l.dir); !os.IsNotExist(err) {
			t.Errorf("the directory is there: %v", err)
		}
	})
}

func TestWhatIsDueCanBeAskedBesideARefresh(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		time.Sleep(2 * l.keeper.Every)
		var both sync.WaitGroup
		both.Go(func() { l.refresh() })
		both.Go(func() {
			for range 100 {
				l.keeper.Due()
			}
		})
		both.Wait()
	})
}

func TestAReplacedGenerationIsSweptAMinuteLater(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		old := filepath.Join(l.dir, l.generation())
		l.put(secretOf("tls", "v2", pair("2")))
		l.overdue()
		l.keeper.Sweep()
		if _, err := os.Stat(old); err != nil {
			t.Errorf("at once: %v", err)
		}
		time.Sleep(61 * time.Second)
		l.keeper.Sweep()
		if _, err := os.Stat(old); !os.IsNotExist(err) {
			t.Errorf("after a minute: %v", err)
		}
		if !strings.HasPrefix(l.generation(), "..") {
			t.Error("the current generation is gone")
		}
	})
}

func TestAGenerationThatCouldNotBeSweptIsSweptLater(t *testing.T) {
	hindrances := map[string]func(*testing.T, *lab) (over func()){
		"another process writes": func(t *testing.T, l *lab) func() {
			dir, err := os.Open(l.dir)
			must(t, err)
			must(t, syscall.Flock(int(dir.Fd()), syscall.LOCK_EX))
			return func() { dir.Close() }
		},
		"the clock was set back": func(t *testing.T, l *lab) func() {
			l.offset = -time.Hour
			return func() {}
		},
	}
	for name, hinder := range hindrances {
		t.Run(name, func(t *testing.T) {
			bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
				old := filepath.Join(l.dir, l.generation())
				l.put(secretOf("tls", "v2", pair("2")))
				l.overdue()
				time.Sleep(61 * time.Second)
				over := hinder(t, l)
				l.keeper.Sweep()
				over()
				if _, err := os.Stat(old); err != nil {
					t.Fatalf("at once: %v", err)
				}
				time.Sleep(61 * time.Second)
				l.keeper.Sweep()
				if _, err := os.Stat(old); !os.IsNotExist(err) {
					t.Errorf("a minute later: %v", err)
				}
			})
		})
	}
}

func TestAFailureOfWhatIsKeptNoMoreIsNoNews(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		l.put(secretOf("tls", "v2", pair("2"), awsfake.Denied))
		time.Sleep(2 * l.keeper.Every)
		var underWay sync.WaitGroup
		var report refresh.Report
		underWay.Go(func() { report = l.refresh() })
		time.Sleep(10 * time.Millisecond) // the server takes 40
		l.keeper.Drop()
		underWay.Wait()
		if len(report.Stale) > 0 {
			t.Errorf("report %+v", report)
		}
	})
}

func TestARepairIsNoNewVersion(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		l.put(secretOf("tls", "v2", pair("2")))
		l.overdue()
		must(t, os.Remove(filepath.Join(l.dir, "tls/client.key")))
		if report := l.overdue(); !report.Repaired || report.Written != 2 {
			t.Errorf("report %+v", report)
		}
	})
}

func TestAfterASuccessFailuresBeginAnew(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		for range 2 {
			l.put(secretOf("tls", "v2", pair("2"), awsfake.Denied))
			l.overdue()
			for range 4 {
				time.Sleep(2 * time.Minute)
				l.refresh()
			}
			l.put(secretOf("tls", "v2", pair("2")))
			l.overdue()
		}
		l.put(secretOf("tls", "v3", pair("3"), awsfake.Denied))
		l.overdue()
		time.Sleep(13 * time.Second) // 10, give or take a fifth
		if !l.keeper.Due() {
			t.Error("the first failure is not repeated after 10 s")
		}
	})
}

func TestAPublishOfNothingCreatesNothing(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		dir := l.dir + ".other"
		if problems := l.keeper.Publish(refresh.Set{Dir: dir}, nil); len(problems) > 0 {
			t.Fatal(problems)
		}
		if _, err := os.Lstat(dir); !os.IsNotExist(err) {
			t.Errorf("the directory is there: %v", err)
		}
	})
}

func TestATimerSweepsAndBoundsItsRefreshes(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		old := filepath.Join(l.dir, l.generation())
		var timer sync.WaitGroup
		ctx, stop := context.WithCancel(t.Context())
		var refreshes atomic.Int32
		timer.Go(func() { l.keeper.Run(ctx, func(refresh.Report) { refreshes.Add(1) }) })
		l.put(secretOf("tls", "v2", pair("2")))
		time.Sleep(l.keeper.Every*6/5 + 65*time.Second)
		if _, err := os.Stat(old); !os.IsNotExist(err) {
			t.Errorf("after a minute: %v", err)
		}
		l.put(secretOf("tls", "v3", pair("3"), awsfake.Hang))
		before := refreshes.Load()
		time.Sleep(l.keeper.Every*6/5 + 7*time.Second)
		ended := refreshes.Load() > before
		stop()
		timer.Wait()
		if !ended {
			t.Error("a server that does not answer holds up the timer")
		}
	})
}

func TestARefreshUnderWayUndoesNoStart(t *testing.T) {
	starts := map[string]func(*testing.T, *lab, refresh.Set, []fetch.Outcome){
		"another set": func(t *testing.T, l *lab, set refresh.Set, outcomes []fetch.Outcome) {
			if problems := l.keeper.Publish(set, outcomes); len(problems) > 0 {
				t.Fatal(problems)
			}
		},
		"a wrapper that works alone": func(_ *testing.T, l *lab, _ refresh.Set, _ []fetch.Outcome) { l.keeper.Drop() },
	}
	for name, start := range starts {
		t.Run(name, func(t *testing.T) {
			secrets := []awsfake.Secret{secretOf("tls", "v1", pair("1")), secretOf("other", "v1", `{"x":"1"}`)}
			bubble(t, tls(), secrets, func(t *testing.T, l *lab) {
				other := l.plan([]string{"other=other#x"})
				outcomes := l.fetch(other.Requests)
				l.put(secretOf("tls", "v2", pair("2")))
				time.Sleep(2 * l.keeper.Every)
				var underWay sync.WaitGroup
				var report refresh.Report
				underWay.Go(func() { report = l.refresh() })
				time.Sleep(10 * time.Millisecond) // the server takes 40
				before := l.generation()
				start(t, l, other, outcomes)
				changed := l.generation() != before
				before = l.generation()
				underWay.Wait()
				if l.generation() != before || report.Written > 0 || len(report.Stale) > 0 {
					t.Errorf("report %+v", report)
				}
				if changed {
					l.expect("other", "1")
					l.expect("tls/client.key", "")
				}
			})
		})
	}
}

func TestWhatIsInTheWayOfOneFileKeepsNoOtherOld(t *testing.T) {
	files := []string{"blocked=a#x", "free=b#x", "too=c#x"}
	secrets := []awsfake.Secret{secretOf("a", "1", `{"x":"a1"}`), secretOf("b", "1", `{"x":"b1"}`), secretOf("c", "1", `{"x":"c1"}`)}
	bubble(t, files, secrets, func(t *testing.T, l *lab) {
		must(t, os.Remove(filepath.Join(l.dir, "blocked")))
		must(t, os.Mkdir(filepath.Join(l.dir, "blocked"), 0o700))
		for _, name := range []string{"a", "b", "c"} {
			l.put(secretOf(name, "2", `{"x":"`+name+`2"}`))
		}
		report := l.overdue()
		if report.Written != 2 || len(report.Stale) != 1 || !slices.Equal(report.Stale[0].Files, []string{"blocked"}) {
			t.Errorf("report %+v", report)
		}
		l.expect("free", "b2")
		l.expect("too", "c2")
	})
}
