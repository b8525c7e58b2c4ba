// Package fetch gets many secrets within one budget.
package fetch

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/problem"
)

const (
	// patience is the time for a connection, and again for an answer, of an
	// attempt that another one can follow.
	patience = 1500 * time.Millisecond
	// lastAttempt is what is left of the budget when an attempt gets all of it.
	lastAttempt = 2 * time.Second
	// shortestPause and longestPause bound the waits between attempts, before jitter.
	shortestPause = 50 * time.Millisecond
	longestPause  = time.Second
	// firstReport and nextReport are when a fetch that still waits says so.
	firstReport = time.Second
	nextReport  = 2 * time.Second
)

// Getter makes one attempt to get one secret. Errors are *awssecrets.Error.
type Getter interface {
	Get(ctx context.Context, request awssecrets.Request, patience time.Duration) (awssecrets.Document, error)
	// Renew forgets the credentials.
	Renew()
}

// Options bound a fetch.
type Options struct {
	// Budget is the time for everything.
	Budget time.Duration
	// Connections is how many requests to one region may be under way at once.
	Connections int
	// Waiting is called after a second, then every two, with the requests that
	// have no outcome yet.
	Waiting func(pending []awssecrets.Request)
}

// Outcome is what became of one request: a document or an error.
type Outcome struct {
	Document awssecrets.Document
	Err      *awssecrets.Error
	// Attempts counts the calls that were made.
	Attempts int
}

// Problem returns what went wrong, without the variable that it concerns; nil if
// nothing did.
func (o Outcome) Problem() *problem.Problem {
	if o.Err == nil {
		return nil
	}
	return &problem.Problem{Class: o.Err.Class, Cause: o.Err.Cause, Hint: o.Err.Hint}
}

// Absent reports whether there is no such secret, version or stage.
func (o Outcome) Absent() bool { return o.Err != nil && o.Err.Absent }

// All fetches every request in parallel, and returns the outcomes in the order
// of the requests. One failure does not cancel the others, because whoever has
// to mend the configuration wants to see all that is wrong with it.
func All(ctx context.Context, getter Getter, requests []awssecrets.Request, options Options) []Outcome {
	ctx, cancel := context.WithTimeout(ctx, options.Budget)
	defer cancel()
	outcomes := make([]Outcome, len(requests))
	finished := make([]atomic.Bool, len(requests))
	lanes := lanesByRegion(requests, options.Connections)
	var group sync.WaitGroup
	for i, request := range requests {
		group.Go(func() {
			outcomes[i] = one(ctx, getter, request, lanes[request.Region])
			finished[i].Store(true)
		})
	}
	all := make(chan struct{})
	go func() { group.Wait(); close(all) }()
	report(all, requests, finished, options.Waiting)
	return outcomes
}

// report calls waiting on time until all is closed.
func report(all <-chan struct{}, requests []awssecrets.Request, finished []atomic.Bool, waiting func([]awssecrets.Request)) {
	timer := time.NewTimer(firstReport)
	defer timer.Stop()
	for {
		select {
		case <-all:
			return
		case <-timer.C:
		}
		var pending []awssecrets.Request
		for i, request := range requests {
			if !finished[i].Load() {
				pending = append(pending, request)
			}
		}
		if len(pending) > 0 && waiting != nil {
			waiting(pending)
		}
		timer.Reset(nextReport)
	}
}

// one fetches one secret, with as many attempts as the budget allows. A panic, which
// another goroutine could not recover, is a call that failed.
func one(ctx context.Context, getter Getter, request awssecrets.Request, lane *lane) (outcome Outcome) {
	defer func() {
		if recover() != nil {
			outcome = Outcome{Err: errFailed, Attempts: outcome.Attempts}
		}
	}()
	renewed := false
	for again := true; again && lane.enter(ctx, outcome.Attempts == 0); {
		document, err := attempt(ctx, getter, request)
		outcome.Attempts++
		if err == nil {
			lane.widen()
			return Outcome{Document: document, Attempts: outcome.Attempts}
		}
		latest := asError(err)
		outcome.Err = moreTelling(outcome.Err, latest)
		if latest.Class == problem.Throttled {
			again = lane.backOff(ctx, latest)
			continue
		}
		// The slot is given back before any pause, so that a secret that fails
		// does not hold up another one.
		if latest.Answered() {
			lane.widen()
		} else {
			lane.leave()
		}
		switch {
		case outcome.Err.Retry == awssecrets.Renewed && !renewed:
			renewed = true
			getter.Renew()
		case outcome.Err.Retry != awssecrets.Always:
			if outcome.Err.Class == problem.Timeout && ctx.Err() != nil {
				outcome.Err = lane.heldUp(outcome.Err) // its turn came too late
			}
			return outcome
		}
		again = pause(ctx, outcome.Attempts)
	}
	if outcome.Err == nil {
		outcome.Err = lane.heldUp(&awssecrets.Error{Class: problem.Timeout, Cause: "no answer in time", Hint: "other secrets took the whole time"})
	}
	return outcome
}

// attempt makes one attempt. A panic of the SDK is a call that failed, and no reason
// to keep what others wait for.
func attempt(ctx context.Context, getter Getter, request awssecrets.Request) (document awssecrets.Document, err error) {
	defer func() {
		if recover() != nil {
			err = errFailed
		}
	}()
	return getter.Get(ctx, request, attemptPatience(ctx))
}

// errFailed is a call that ended in no way that is known. What a panic says may
// quote a value.
var errFailed = &awssecrets.Error{Class: problem.Unavailable, Cause: "the call failed", Hint: "try again; report it if it happens more than once"}

// attemptPatience returns how long the next attempt may wait, 0 for all that is
// left.
func attemptPatience(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < lastAttempt {
		return 0
	}
	return patience
}

func asError(err error) *awssecrets.Error {
	if known, ok := errors.AsType[*awssecrets.Error](err); ok {
		return known
	}
	return errFailed
}

// moreTelling returns the newer error, except that running out of time does not
// hide what went wrong before: it keeps the earlier cause, and ends the attempts.
func moreTelling(earlier, newer *awssecrets.Error) *awssecrets.Error {
	if earlier == nil || earlier.Class == problem.Timeout || newer.Class != problem.Timeout || newer.Retry != awssecrets.Never {
		return newer
	}
	kept := *earlier
	kept.Retry = awssecrets.Never
	return &kept
}

// pause waits before the next attempt: a random part of a time that doubles, so
// that functions that were turned away together do not come back together. It
// returns false if the budget ends first.
func pause(ctx context.Context, attempts int) bool {
	longest := min(longestPause, shortestPause<<min(attempts-1, 10))
	timer := time.NewTimer(rand.N(longest))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
