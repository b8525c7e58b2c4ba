package fetch_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/fetch"
	"secretwrap/internal/problem"
)

// report is what a fetch said it was waiting for.
type report struct {
	at      time.Duration
	pending []string
}

// reportsOf fetches as answer says, and returns what was reported.
func reportsOf(t *testing.T, budget time.Duration, requests []awssecrets.Request, answer func(context.Context, string, int) error) []report {
	t.Helper()
	s := newService(answer)
	var reports []report
	fetch.All(t.Context(), s, requests, fetch.Options{Budget: budget, Connections: 8, Waiting: func(pending []awssecrets.Request) {
		var names []string
		for _, request := range pending {
			names = append(names, request.Secret)
		}
		reports = append(reports, report{s.elapsed(), names})
	}})
	return reports
}

func TestWaitingIsReportedAfterASecondThenEveryTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := reportsOf(t, 8500*time.Millisecond, named("c", "quick", "b", "slow"), func(ctx context.Context, secret string, _ int) error {
			switch secret {
			case "quick":
				return nil
			case "slow":
				return take(ctx, 1400*time.Millisecond)
			}
			return hang(ctx)
		})
		want := []report{
			{1 * time.Second, []string{"c", "b", "slow"}},
			{3 * time.Second, []string{"c", "b"}},
			{5 * time.Second, []string{"c", "b"}},
			{7 * time.Second, []string{"c", "b"}},
		}
		if !slices.EqualFunc(got, want, func(a, b report) bool { return a.at == b.at && slices.Equal(a.pending, b.pending) }) {
			t.Errorf("reports %v, want %v", got, want)
		}
	})
}

func TestNothingIsReportedWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := reportsOf(t, 5*time.Second, named("a"), func(ctx context.Context, _ string, _ int) error { return take(ctx, 999*time.Millisecond) })
		if len(got) != 0 {
			t.Errorf("reports %v", got)
		}
	})
}

func TestASlowReportDelaysNoSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(ctx context.Context, _ string, _ int) error { return take(ctx, 1200*time.Millisecond) })
		reports := 0
		outcomes := fetch.All(t.Context(), s, numbered(2), fetch.Options{Budget: 5 * time.Second, Connections: 1, Waiting: func([]awssecrets.Request) {
			reports++
			time.Sleep(3 * time.Second)
		}})
		if took := s.calls[1].at; took != 1200*time.Millisecond || reports != 1 {
			t.Errorf("the second call came after %v, %d reports", took, reports)
		}
		wantValue(t, outcomes[0], "s0", 1)
		wantValue(t, outcomes[1], "s1", 1)
	})
}

func TestAWaitWithoutAReportIsFine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(ctx context.Context, _ string, _ int) error { return take(ctx, 1400*time.Millisecond) })
		wantValue(t, fetch.All(t.Context(), s, named("a"), fetch.Options{Budget: 5 * time.Second})[0], "a", 1)
	})
}

func TestAnUnknownErrorIsFinalAndNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outcome, _ := fetchOne(t, time.Second, func(context.Context, int) error { return errors.New("text of a value") })
		wantErr(t, outcome, problem.Unavailable, "the call failed")
		if outcome.Attempts != 1 {
			t.Errorf("%d attempts", outcome.Attempts)
		}
	})
}
