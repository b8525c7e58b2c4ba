package fetch_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/fetch"
	"secretwrap/internal/problem"
	"secretwrap/internal/secret"
)

// call is one attempt as the service sees it.
type call struct {
	secret   string
	at       time.Duration
	patience time.Duration
}

// service answers every attempt as a script says, and notes what was asked.
type service struct {
	answer  func(ctx context.Context, secret string, attempt int) error
	started time.Time

	mu       sync.Mutex
	calls    []call
	attempts map[string]int
	inFlight map[string]int
	most     map[string]int
	renewals []time.Duration
}

func newService(answer func(ctx context.Context, secret string, attempt int) error) *service {
	return &service{answer: answer, started: time.Now(), attempts: map[string]int{}, inFlight: map[string]int{}, most: map[string]int{}}
}

// Get implements fetch.Getter. Like the real client it gives up when its
// patience or ctx ends.
func (s *service) Get(ctx context.Context, request awssecrets.Request, patience time.Duration) (awssecrets.Document, error) {
	attempt := s.begin(request, patience)
	defer s.end(request)
	limited, cancel := ctx, context.CancelFunc(func() {})
	if patience > 0 {
		limited, cancel = context.WithTimeout(ctx, patience)
	}
	defer cancel()
	err := s.answer(limited, request.Secret, attempt)
	switch {
	case ctx.Err() != nil:
		return awssecrets.Document{}, &awssecrets.Error{Class: problem.Timeout, Cause: "the budget ended"}
	case limited.Err() != nil:
		return awssecrets.Document{}, &awssecrets.Error{Class: problem.Timeout, Cause: "patience ended", Retry: awssecrets.Always}
	case err != nil:
		return awssecrets.Document{}, err
	}
	return awssecrets.Document{Value: secret.FromString("value of " + request.Secret), VersionID: fmt.Sprint(attempt)}, nil
}

// Renew implements fetch.Getter.
func (s *service) Renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renewals = append(s.renewals, time.Since(s.started))
}

func (s *service) begin(request awssecrets.Request, patience time.Duration) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, call{request.Secret, time.Since(s.started), patience})
	s.attempts[request.Secret]++
	s.inFlight[request.Region]++
	s.most[request.Region] = max(s.most[request.Region], s.inFlight[request.Region])
	return s.attempts[request.Secret]
}

func (s *service) end(request awssecrets.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight[request.Region]--
}

func (s *service) elapsed() time.Duration { return time.Since(s.started) }

// take is an answer that needs some time.
func take(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
	return nil
}

func hang(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func named(names ...string) []awssecrets.Request {
	requests := make([]awssecrets.Request, len(names))
	for i, name := range names {
		requests[i] = awssecrets.Request{Secret: name}
	}
	return requests
}

func numbered(n int) []awssecrets.Request {
	requests := make([]awssecrets.Request, n)
	for i := range requests {
		requests[i].Secret = fmt.Sprint("s", i)
	}
	return requests
}

var (
	errThrottled = &awssecrets.Error{Class: problem.Throttled, Cause: "throttled", Retry: awssecrets.Always}
	errServer    = &awssecrets.Error{Class: problem.Unavailable, Cause: "HTTP 500", Retry: awssecrets.Always}
	errDenied    = &awssecrets.Error{Class: problem.Denied, Cause: "access denied"}
	errAbsent    = &awssecrets.Error{Class: problem.NotFound, Cause: "no such secret", Absent: true}
	errExpired   = &awssecrets.Error{Class: problem.Denied, Cause: "expired", Retry: awssecrets.Renewed}
)

func wantErr(t *testing.T, outcome fetch.Outcome, class problem.Class, cause string) {
	t.Helper()
	if outcome.Err == nil || outcome.Err.Class != class || outcome.Err.Cause != cause {
		t.Errorf("error %+v, want class %d, cause %q", outcome.Err, class, cause)
	}
	if outcome.Document.Value.Len() != 0 {
		t.Error("a value came with the error")
	}
}

func wantValue(t *testing.T, outcome fetch.Outcome, secret string, attempts int) {
	t.Helper()
	if outcome.Err != nil || string(outcome.Document.Value.Reveal()) != "value of "+secret || outcome.Attempts != attempts {
		t.Errorf("%s: value %q after %d attempts, error %v; want %d attempts", secret, outcome.Document.Value.Reveal(), outcome.Attempts, outcome.Err, attempts)
	}
}

func TestEverySecretIsFetchedOnceInParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(ctx context.Context, _ string, _ int) error { return take(ctx, 40*time.Millisecond) })
		requests := numbered(20)
		outcomes := fetch.All(t.Context(), s, requests, fetch.Options{Budget: 5 * time.Second, Connections: 32})
		if took := s.elapsed(); took != 40*time.Millisecond {
			t.Errorf("20 secrets took %v, want the time of one", took)
		}
		for i, outcome := range outcomes {
			wantValue(t, outcome, requests[i].Secret, 1)
		}
	})
}

func TestNothingIsFetchedForNoRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(nil)
		if got := fetch.All(t.Context(), s, nil, fetch.Options{Budget: time.Second}); len(got) != 0 || s.elapsed() != 0 {
			t.Errorf("%v after %v", got, s.elapsed())
		}
	})
}

func TestOneFailureDoesNotCancelTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(ctx context.Context, secret string, attempt int) error {
			switch {
			case secret == "denied":
				return errDenied
			case secret == "absent":
				return errAbsent
			case secret == "hanging":
				return hang(ctx)
			case secret == "late" && attempt < 3:
				return errServer
			}
			return take(ctx, 100*time.Millisecond)
		})
		outcomes := fetch.All(t.Context(), s, named("denied", "a", "hanging", "absent", "late", "b"), fetch.Options{Budget: 5 * time.Second, Connections: 8})
		wantErr(t, outcomes[0], problem.Denied, "access denied")
		wantValue(t, outcomes[1], "a", 1)
		wantErr(t, outcomes[2], problem.Timeout, "the budget ended")
		wantErr(t, outcomes[3], problem.NotFound, "no such secret")
		wantValue(t, outcomes[4], "late", 3)
		wantValue(t, outcomes[5], "b", 1)
		if !outcomes[3].Err.Absent || outcomes[0].Attempts != 1 || outcomes[3].Attempts != 1 {
			t.Errorf("absent %+v, denied %+v", outcomes[3], outcomes[0])
		}
	})
}

func TestSecretsOfOneRegionShareItsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(ctx context.Context, _ string, _ int) error { return take(ctx, 40*time.Millisecond) })
		requests := numbered(100)
		for i := range 10 {
			requests[i].Region = "us-east-2"
		}
		fetch.All(t.Context(), s, requests, fetch.Options{Budget: 5 * time.Second, Connections: 8})
		if s.most[""] != 8 || s.most["us-east-2"] != 8 {
			t.Errorf("calls at once by region: %v, want 8 each", s.most)
		}
		if took, want := s.elapsed(), 12*40*time.Millisecond; took != want {
			t.Errorf("90 secrets over 8 connections took %v, want %v", took, want)
		}
	})
}

func TestARegionThatHangsDoesNotHoldUpAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var done time.Duration
		var s *service
		s = newService(func(ctx context.Context, secret string, _ int) error {
			if secret == "good" {
				done = s.elapsed()
				return nil
			}
			return hang(ctx)
		})
		requests := append(numbered(10), awssecrets.Request{Secret: "good", Region: "us-east-2"})
		outcomes := fetch.All(t.Context(), s, requests, fetch.Options{Budget: 2 * time.Second, Connections: 1})
		wantValue(t, outcomes[10], "good", 1)
		if done != 0 {
			t.Errorf("the good one was asked for after %v", done)
		}
	})
}

func TestASecretThatHangsGivesItsConnectionToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(ctx context.Context, secret string, _ int) error {
			if secret == "hanging" {
				return hang(ctx)
			}
			return take(ctx, 10*time.Millisecond)
		})
		outcomes := fetch.All(t.Context(), s, named("hanging", "a", "b", "c"), fetch.Options{Budget: 5 * time.Second, Connections: 1})
		wantErr(t, outcomes[0], problem.Timeout, "the budget ended")
		for i, name := range []string{"a", "b", "c"} {
			wantValue(t, outcomes[i+1], name, 1)
		}
	})
}

func TestAPauseHoldsNoConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(_ context.Context, secret string, attempt int) error {
			if secret == "failing" && attempt < 10 {
				return errServer
			}
			return nil
		})
		outcomes := fetch.All(t.Context(), s, named("failing", "a"), fetch.Options{Budget: 30 * time.Second, Connections: 1})
		wantValue(t, outcomes[0], "failing", 10)
		wantValue(t, outcomes[1], "a", 1)
		if i := slices.IndexFunc(s.calls, func(c call) bool { return c.secret == "a" }); s.calls[i].at != 0 {
			t.Errorf("the other secret was asked for after %v", s.calls[i].at)
		}
	})
}

func TestTenThousandSecretsAreFetched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(ctx context.Context, _ string, attempt int) error {
			if attempt == 1 {
				return errServer
			}
			return take(ctx, time.Millisecond)
		})
		requests := numbered(10_000)
		outcomes := fetch.All(t.Context(), s, requests, fetch.Options{Budget: time.Minute, Connections: 32})
		for i, outcome := range outcomes {
			wantValue(t, outcome, requests[i].Secret, 2)
		}
		if s.most[""] > 32 {
			t.Errorf("%d calls at once", s.most[""])
		}
	})
}

// What gives the credentials may be slow once, after any other fault.
func TestCredentialsThatComeLateAreRenewedAfterAnotherFault(t *testing.T) {
	late := &awssecrets.Error{Class: problem.Timeout, Cause: "no credentials in time", Retry: awssecrets.Renewed}
	for name, first := range map[string]error{"throttled": errThrottled, "server": errServer} {
		synctest.Test(t, func(t *testing.T) {
			outcome, s := fetchOne(t, 30*time.Second, func(_ context.Context, attempt int) error {
				return map[int]error{1: first, 2: late}[attempt]
			})
			if outcome.Err != nil || outcome.Attempts != 3 || len(s.renewals) != 1 {
				t.Errorf("after %s: error %v, %d attempts, %d renewals", name, outcome.Err, outcome.Attempts, len(s.renewals))
			}
		})
	}
}
