package fetch_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/fetch"
	"secretwrap/internal/problem"
)

const patience = 1500 * time.Millisecond

// fetchOne fetches one secret within budget, as answer says.
func fetchOne(t *testing.T, budget time.Duration, answer func(ctx context.Context, attempt int) error) (fetch.Outcome, *service) {
	t.Helper()
	s := newService(func(ctx context.Context, _ string, attempt int) error { return answer(ctx, attempt) })
	return fetch.All(t.Context(), s, named("a"), fetch.Options{Budget: budget, Connections: 4})[0], s
}

func TestTheBudgetIsTheTimeForEverything(t *testing.T) {
	for _, budget := range []time.Duration{100 * time.Millisecond, 2500 * time.Millisecond, 5 * time.Second, 30 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			s := newService(func(ctx context.Context, _ string, _ int) error { return hang(ctx) })
			outcomes := fetch.All(t.Context(), s, numbered(50), fetch.Options{Budget: budget, Connections: 4})
			if took := s.elapsed(); took != budget {
				t.Errorf("a budget of %v took %v", budget, took)
			}
			for _, outcome := range outcomes {
				if outcome.Err == nil || outcome.Err.Class != problem.Timeout {
					t.Errorf("error %v", outcome.Err)
				}
			}
		})
	}
}

func TestAnAttemptHasPatienceAndTheLastOneHasWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s := fetchOne(t, 5*time.Second, func(ctx context.Context, _ int) error { return hang(ctx) })
		for i, c := range s.calls {
			left := 5*time.Second - c.at
			want := patience
			if left < 2*time.Second {
				want = 0
			}
			if c.patience != want {
				t.Errorf("attempt %d with %v left: patience %v, want %v", i+1, left, c.patience, want)
			}
		}
		if n := len(s.calls); n != 3 && n != 4 {
			t.Errorf("%d attempts in 5 s", n)
		}
	})
}

func TestAShortBudgetIsOneAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outcome, s := fetchOne(t, 1900*time.Millisecond, func(ctx context.Context, _ int) error { return take(ctx, 1800*time.Millisecond) })
		wantValue(t, outcome, "a", 1)
		if s.calls[0].patience != 0 {
			t.Errorf("patience %v", s.calls[0].patience)
		}
	})
}

func TestPausesAreRandomPartsOfATimeThatDoubles(t *testing.T) {
	longest := []time.Duration{50, 100, 200, 400, 800, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000}
	var sums [len("123456789012345")]time.Duration
	const rounds = 200
	for range rounds {
		synctest.Test(t, func(t *testing.T) {
			_, s := fetchOne(t, time.Hour, func(_ context.Context, attempt int) error {
				if attempt <= len(longest) {
					return errServer
				}
				return nil
			})
			for i, bound := range longest {
				pause := s.calls[i+1].at - s.calls[i].at
				sums[i] += pause
				if pause >= bound*time.Millisecond {
					t.Errorf("pause %d was %v, want less than %v ms", i+1, pause, int64(bound))
				}
			}
		})
	}
	for i, bound := range longest {
		// Half of the bound on average; three tenths are 10 deviations away.
		mean, bound := sums[i]/rounds, bound*time.Millisecond
		if mean < bound*3/10 || mean > bound*7/10 {
			t.Errorf("pause %d was %v on average, of at most %v", i+1, mean, bound)
		}
	}
}

func TestThrottledToTheEndIsThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outcome, s := fetchOne(t, 5*time.Second, func(ctx context.Context, _ int) error {
			if take(ctx, 40*time.Millisecond); ctx.Err() == nil {
				return errThrottled
			}
			return nil
		})
		wantErr(t, outcome, problem.Throttled, "throttled")
		if outcome.Err.Class.Status() != 75 || outcome.Attempts != len(s.calls) || outcome.Attempts < 6 {
			t.Errorf("%d attempts, %d calls, status %d", outcome.Attempts, len(s.calls), outcome.Err.Class.Status())
		}
		if took := s.elapsed(); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestABudgetThatEndsKeepsTheEarlierCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outcome, _ := fetchOne(t, time.Second, func(ctx context.Context, attempt int) error {
			if attempt == 1 {
				return errServer
			}
			return hang(ctx)
		})
		wantErr(t, outcome, problem.Unavailable, "HTTP 500")
		if outcome.Err.Retry != awssecrets.Never || outcome.Attempts != 2 {
			t.Errorf("retry %d after %d attempts", outcome.Err.Retry, outcome.Attempts)
		}
		if errServer.Retry != awssecrets.Always {
			t.Error("the getter's own error was changed")
		}
	})
}

func TestABudgetThatEndsAfterTimeoutsSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outcome, _ := fetchOne(t, 5*time.Second, func(ctx context.Context, _ int) error { return hang(ctx) })
		wantErr(t, outcome, problem.Timeout, "the budget ended")
	})
}

func TestASecretThatIsNeverAskedForSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(ctx context.Context, _ string, _ int) error { return hang(ctx) })
		outcomes := fetch.All(t.Context(), s, numbered(3), fetch.Options{Budget: time.Second, Connections: 1})
		asked, crowded := 0, 0
		for _, outcome := range outcomes {
			switch {
			case outcome.Attempts == 1 && outcome.Err.Cause == "the budget ended":
				asked++
			case outcome.Attempts == 0 && outcome.Err.Class == problem.Timeout && strings.Contains(outcome.Err.Hint, "other secrets"):
				crowded++
			}
		}
		if asked != 1 || crowded != 2 || len(s.calls) != 1 {
			t.Errorf("%d asked, %d crowded out, %d calls", asked, crowded, len(s.calls))
		}
	})
}

func TestASecretThatTimedOutBlamesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(ctx context.Context, _ string, _ int) error { return hang(ctx) })
		outcomes := fetch.All(t.Context(), s, numbered(3), fetch.Options{Budget: 6 * time.Second, Connections: 1})
		for _, outcome := range outcomes {
			if outcome.Attempts > 0 && strings.Contains(outcome.Err.Hint, "other secrets") {
				t.Errorf("after %d attempts: %+v", outcome.Attempts, *outcome.Err)
			}
		}
	})
}

func TestFinalErrorsAreNotRepeated(t *testing.T) {
	for _, final := range []*awssecrets.Error{errDenied, errAbsent} {
		synctest.Test(t, func(t *testing.T) {
			outcome, s := fetchOne(t, 5*time.Second, func(context.Context, int) error { return final })
			if outcome.Err != final || outcome.Attempts != 1 || s.elapsed() != 0 {
				t.Errorf("%+v after %v", outcome, s.elapsed())
			}
		})
	}
}

func TestCredentialsAreRenewedOnce(t *testing.T) {
	tests := []struct {
		name     string
		script   []error
		attempts int
		renewals int
		err      *awssecrets.Error
	}{
		{"and help", []error{errExpired, nil}, 2, 1, nil},
		{"and do not help", []error{errExpired, errExpired, nil}, 2, 1, errExpired},
		{"before a server's fault", []error{errExpired, errServer, nil}, 3, 1, nil},
		{"also after a server's fault", []error{errServer, errExpired, nil}, 3, 1, nil},
		{"even around a server's fault", []error{errExpired, errServer, errExpired, nil}, 3, 1, errExpired},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				outcome, s := fetchOne(t, 5*time.Second, func(_ context.Context, attempt int) error { return test.script[attempt-1] })
				if outcome.Err != test.err || outcome.Attempts != test.attempts || len(s.renewals) != test.renewals {
					t.Errorf("error %v after %d attempts, %d renewals", outcome.Err, outcome.Attempts, len(s.renewals))
				}
			})
		})
	}
}

func TestTheCallerCanEndAFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s := newService(func(ctx context.Context, _ string, _ int) error { return hang(ctx) })
		outcomes := fetch.All(ctx, s, named("a"), fetch.Options{Budget: time.Minute, Connections: 1})
		if took := s.elapsed(); took != time.Second || outcomes[0].Err == nil {
			t.Errorf("took %v, error %v", took, outcomes[0].Err)
		}
	})
}
