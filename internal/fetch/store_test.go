package fetch_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/fetch"
	"secretwrap/internal/problem"
)

func slow(d time.Duration) func(context.Context, string, int) error {
	return func(ctx context.Context, name string, _ int) error {
		select {
		case <-time.After(d):
		case <-ctx.Done():
		}
		if name == "denied" {
			return &awssecrets.Error{Class: problem.Denied, Cause: "access denied"}
		}
		return nil
	}
}

func TestAStoreFetchesNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(slow(time.Second))
		var store fetch.Store
		options := fetch.Options{Budget: 5 * time.Second, Connections: 8}
		var early sync.WaitGroup
		early.Go(func() { store.Get(t.Context(), s, named("a", "b", "denied"), options) })
		time.Sleep(500 * time.Millisecond)
		began := time.Now()
		outcomes := store.Get(t.Context(), s, named("b", "c", "denied"), options)
		if took := time.Since(began); took != time.Second {
			t.Errorf("took %v, the time of c", took)
		}
		early.Wait()
		wantValue(t, outcomes[0], "b", 1)
		wantValue(t, outcomes[1], "c", 1)
		if err := outcomes[2].Err; err == nil || err.Class != problem.Denied {
			t.Errorf("error %+v", err)
		}
		store.Get(t.Context(), s, named("a", "b", "c", "denied"), options)
		if len(s.calls) != 4 {
			t.Errorf("%d calls", len(s.calls))
		}
		store.Forget()
		store.Get(t.Context(), s, named("a"), options)
		if len(s.calls) != 5 {
			t.Errorf("%d calls after Forget", len(s.calls))
		}
	})
}

func TestForgettingWhileAFetchIsUnderWayLeavesNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(slow(time.Second))
		var store fetch.Store
		options := fetch.Options{Budget: 5 * time.Second, Connections: 8}
		var callers sync.WaitGroup
		for range 2 {
			callers.Go(func() { wantValue(t, store.Get(t.Context(), s, named("a"), options)[0], "a", 1) })
		}
		time.Sleep(time.Millisecond)
		store.Forget()
		callers.Wait()
	})
}

func TestAPanicLeavesNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(slow(3 * time.Second))
		var store fetch.Store
		options := fetch.Options{Budget: 5 * time.Second, Connections: 1, Waiting: func([]awssecrets.Request) { panic("of the log") }}
		func() {
			defer func() { _ = recover() }()
			store.Get(t.Context(), s, named("a"), options)
		}()
		outcome := store.Get(t.Context(), s, named("a"), fetch.Options{Budget: time.Second, Connections: 1})[0]
		if outcome.Err == nil || outcome.Err.Cause != "the call failed" {
			t.Errorf("outcome %+v", outcome)
		}
	})
}

func TestAPanicOfTheClientIsACallThatFailed(t *testing.T) {
	s := newService(func(context.Context, string, int) error { panic(errors.New("of the secret open sesame")) })
	outcome := fetch.All(t.Context(), s, named("a"), fetch.Options{Budget: time.Second, Connections: 1})[0]
	if outcome.Err == nil || outcome.Err.Class != problem.Unavailable || outcome.Err.Cause != "the call failed" || outcome.Attempts != 1 {
		t.Errorf("outcome %+v", outcome)
	}
}
