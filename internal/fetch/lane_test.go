package fetch_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"secretwrap/internal/fetch"
	"secretwrap/internal/problem"
)

func TestAFetchThatIsThrottledComesDownToOneCallAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(ctx context.Context, _ string, _ int) error {
			take(ctx, 40*time.Millisecond)
			return errThrottled
		})
		outcomes := fetch.All(t.Context(), s, numbered(20), fetch.Options{Budget: 5 * time.Second, Connections: 8})
		for i, c := range s.calls[8:] {
			if since := c.at - s.calls[i+7].at; since < 40*time.Millisecond {
				t.Errorf("call %d follows the one before after %v", i+9, since)
			}
		}
		// 50, 100, 200, 400, 800 ms, then a second, half of each on average.
		if n := len(s.calls); n < 10 || n > 40 {
			t.Errorf("%d calls in 5 s", n)
		}
		for _, outcome := range outcomes {
			wantErr(t, outcome, problem.Throttled, "throttled")
		}
	})
}

func TestAFetchThatWasThrottledComesBackToAllItsConnections(t *testing.T) {
	for name, answer := range map[string]error{"secrets": nil, "that there are none": errAbsent, "denials": errDenied} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			s := newService(func(ctx context.Context, _ string, _ int) error {
				if time.Since(began) < 300*time.Millisecond {
					return errThrottled
				}
				take(ctx, 40*time.Millisecond)
				return answer
			})
			outcomes := fetch.All(t.Context(), s, numbered(100), fetch.Options{Budget: 5 * time.Second, Connections: 8})
			for _, outcome := range outcomes {
				if outcome.Err != nil && outcome.Err != answer {
					t.Fatalf("%s: error %+v", name, outcome.Err)
				}
			}
			refused := len(s.calls) - 100
			// A wait of up to a second may have begun, then 1, 2, 4, 8, 8, … calls at once.
			if took := s.elapsed(); took > 2*time.Second || refused > 30 {
				t.Errorf("%s: took %v with %d calls that were turned away", name, took, refused)
			}
			if s.most[""] != 8 {
				t.Errorf("%s: %d calls at once", name, s.most[""])
			}
		})
	}
}

// KMS, too, turns calls away, and only those for the secrets of one key.
func TestOneSecretThatIsThrottledDoesNotHoldUpTheOthers(t *testing.T) {
	for _, connections := range []int{1, 4} {
		synctest.Test(t, func(t *testing.T) {
			s := newService(func(ctx context.Context, secret string, _ int) error {
				if secret == "s0" {
					return errThrottled
				}
				return take(ctx, 40*time.Millisecond)
			})
			var others time.Duration
			outcomes := fetch.All(t.Context(), s, numbered(20), fetch.Options{Budget: 5 * time.Second, Connections: connections})
			for _, c := range s.calls {
				if c.secret != "s0" {
					others = max(others, c.at)
				}
			}
			wantErr(t, outcomes[0], problem.Throttled, "throttled")
			if others > 2*time.Second {
				t.Errorf("%d connections: the last one of the others was asked for after %v", connections, others)
			}
			if outcomes[0].Attempts > 60 {
				t.Errorf("%d connections: %d attempts", connections, outcomes[0].Attempts)
			}
		})
	}
}

func TestAFetchWithoutTimeMakesNoCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(context.Context, string, int) error { return nil })
		for _, outcome := range fetch.All(t.Context(), s, numbered(20), fetch.Options{Connections: 8}) {
			wantErr(t, outcome, problem.Timeout, "no answer in time")
		}
		if n := len(s.calls); n > 0 {
			t.Errorf("%d calls", n)
		}
	})
}

func TestARegionThatIsThrottledDoesNotSlowAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := numbered(16)
		for i := range requests[:8] {
			requests[i].Region = "eu-west-1"
		}
		s := newService(func(ctx context.Context, secret string, _ int) error {
			if len(secret) == 2 && secret < "s8" {
				return errThrottled
			}
			return take(ctx, 40*time.Millisecond)
		})
		fetch.All(t.Context(), s, requests, fetch.Options{Budget: 5 * time.Second, Connections: 4})
		for _, c := range s.calls {
			if throttled := len(c.secret) == 2 && c.secret < "s8"; !throttled && c.at > 40*time.Millisecond {
				t.Errorf("%s was asked for after %v", c.secret, c.at)
			}
		}
	})
}

func TestWhoNeverGotItsTurnBecauseOfTheRateIsThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(ctx context.Context, _ string, _ int) error { return errThrottled })
		outcomes := fetch.All(t.Context(), s, numbered(200), fetch.Options{Budget: time.Second, Connections: 1})
		crowded := 0
		for _, outcome := range outcomes {
			wantErr(t, outcome, problem.Throttled, "throttled")
			if outcome.Attempts == 0 {
				crowded++
			}
		}
		if crowded == 0 {
			t.Error("every secret had its turn: the test proves nothing")
		}
	})
}

func TestWhoNeverGotItsTurnAfterTheRateWasFineTimedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		s := newService(func(ctx context.Context, _ string, _ int) error {
			switch calls++; calls {
			case 1:
				return errThrottled
			case 2:
				return nil
			}
			return hang(ctx)
		})
		outcomes := fetch.All(t.Context(), s, numbered(4), fetch.Options{Budget: time.Second, Connections: 1})
		crowded := 0
		for _, outcome := range outcomes {
			if outcome.Attempts == 0 {
				crowded++
				if outcome.Err.Class != problem.Timeout || !strings.Contains(outcome.Err.Hint, "other secrets") {
					t.Errorf("%+v", outcome.Err)
				}
			}
		}
		if crowded == 0 {
			t.Error("every secret had its turn: the test proves nothing")
		}
	})
}

func TestAFetchThatIsNearlyCompleteKeepsAsking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(_ context.Context, secret string, _ int) error {
			if secret == "s10" {
				return errThrottled
			}
			return nil
		})
		fetch.All(t.Context(), s, numbered(11), fetch.Options{Budget: 5 * time.Second, Connections: 1})
		var at []time.Duration
		for i, c := range s.calls {
			if c.secret != "s10" {
				at = nil // what counts comes after the last secret that arrived
			} else {
				at = append(at, s.calls[i].at)
			}
		}
		for i := range 11 {
			if wait := at[i+1] - at[i]; wait >= 50*time.Millisecond {
				t.Errorf("10 secrets are there: wait %d was %v", i+1, wait)
			}
		}
		if n := len(at); n > 60 {
			t.Errorf("%d calls", n)
		}
	})
}

func TestASecretThatArrivesEndsTheLongWaits(t *testing.T) {
	for range 10 {
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			s := newService(func(context.Context, string, int) error {
				if calls++; calls == 9 {
					return nil
				}
				return errThrottled
			})
			fetch.All(t.Context(), s, numbered(20), fetch.Options{Budget: 20 * time.Second, Connections: 1})
			for i := 9; i < 11; i++ {
				if wait := s.calls[i+1].at - s.calls[i].at; wait >= 50*time.Millisecond {
					t.Errorf("wait %d after a secret arrived was %v", i-8, wait)
				}
			}
		})
	}
}

// A call that is under way when the budget ends knows no better by itself, and
// would make the whole start a Runtime.SecretTimeout.
func TestThrottledAllTheTimeIsNothingElse(t *testing.T) {
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			s := newService(func(ctx context.Context, _ string, _ int) error { take(ctx, 150*time.Millisecond); return errThrottled })
			outcomes := fetch.All(t.Context(), s, numbered(20), fetch.Options{Budget: 400 * time.Millisecond, Connections: 8})
			for _, outcome := range outcomes {
				wantErr(t, outcome, problem.Throttled, "throttled")
			}
		})
	}
}

// Half of the secrets have a key of their own that KMS throttles.
func TestSecretsThatAreThrottledDoNotHoldUpTheFirstTurnOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const secrets = 100
		s := newService(func(ctx context.Context, secret string, _ int) error {
			take(ctx, 40*time.Millisecond)
			if len(secret) == len("s10") && secret[1] < '6' { // s10 to s59
				return errThrottled
			}
			return nil
		})
		outcomes := fetch.All(t.Context(), s, numbered(secrets), fetch.Options{Budget: 10 * time.Second, Connections: 8})
		arrived := 0
		for _, outcome := range outcomes {
			if outcome.Err == nil {
				arrived++
			}
		}
		if arrived != secrets/2 {
			t.Errorf("%d secrets arrived, want %d", arrived, secrets/2)
		}
	})
}

// However much has arrived, a secret that stays throttled is not asked for all
// the time.
func TestAFetchOfManySecretsStillWaitsLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(ctx context.Context, secret string, _ int) error {
			if secret == "s99" {
				return errThrottled
			}
			return take(ctx, 40*time.Millisecond)
		})
		outcomes := fetch.All(t.Context(), s, numbered(100), fetch.Options{Budget: 5 * time.Second, Connections: 8})
		if n := outcomes[99].Attempts; n > 60 {
			t.Errorf("asked %d times in 5 s for what is throttled", n)
		}
	})
}
