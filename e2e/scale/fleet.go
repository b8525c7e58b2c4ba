package scale

import (
	"context"
	"fmt"
	"sync"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/fetch"
)

const (
	// firstBudget and nextBudget are what the wrapper gives the first start of
	// an environment, and every further one.
	firstBudget = 5 * time.Second
	nextBudget  = 2500 * time.Millisecond
	// mostInits is after how many failed starts an environment counts as given up.
	mostInits = 5
	// connections is how many calls the wrapper makes at once in a function with
	// 128 MB, which is Lambda's default.
	connections = 8
)

// fleet is many environments that start within some time.
type fleet struct {
	api          api
	environments int
	secrets      int
	within       time.Duration
}

// needed is how many calls the fleet needs if none has to be repeated.
func (f fleet) needed() int { return f.environments * f.api.calls(f.secrets) }

// requests are what each environment asks for.
func (f fleet) requests() []awssecrets.Request {
	requests := make([]awssecrets.Request, f.api.calls(f.secrets))
	for i := range requests {
		requests[i].Secret = fmt.Sprintf("secret-%d", i)
	}
	return requests
}

// environment is what became of one environment.
type environment struct {
	// from is when it was started, counted from the fleet's beginning.
	from time.Duration
	// wait is how long it took from there until it had started or was given up.
	wait    time.Duration
	started bool
	// failed counts the inits that ended without all secrets.
	failed int
}

// outcome is what became of a fleet.
type outcome struct {
	environments []environment
	calls        int
	throttled    int
}

// run starts the fleet, and waits until every environment has started or was
// given up. It belongs into a bubble of package synctest.
func (f fleet) run(ctx context.Context) outcome {
	s := newService(f.api)
	environments := make([]environment, f.environments)
	var group sync.WaitGroup
	for i := range environments {
		// Evenly, so that nothing but the pauses is left to chance.
		from := f.within * time.Duration(i) / time.Duration(f.environments)
		group.Go(func() {
			time.Sleep(from)
			environments[i] = launch(ctx, s, f.requests())
			environments[i].from = from
		})
	}
	group.Wait()
	return outcome{environments: environments, calls: s.calls, throttled: s.throttled}
}

// launch starts an environment, and again while it fails, as Lambda does with
// every invocation; here the next one comes at once.
func launch(ctx context.Context, getter fetch.Getter, requests []awssecrets.Request) environment {
	var e environment
	began := time.Now()
	for budget := firstBudget; e.failed < mostInits && !e.started; budget = nextBudget {
		outcomes := fetch.All(ctx, getter, requests, fetch.Options{Budget: budget, Connections: connections})
		e.started = complete(requests, outcomes)
		if !e.started {
			e.failed++
		}
	}
	e.wait = time.Since(began)
	return e
}

// complete reports whether every secret that was asked for is there.
func complete(requests []awssecrets.Request, outcomes []fetch.Outcome) bool {
	for i, o := range outcomes {
		if o.Err != nil || o.Document.VersionID != versionOf(requests[i]) {
			return false
		}
	}
	return len(outcomes) == len(requests)
}
