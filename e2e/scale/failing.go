package scale

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/brake"
	"secretwrap/internal/fetch"
	"secretwrap/internal/problem"
)

const (
	// invokedEvery is how often an environment is invoked whose start fails.
	invokedEvery = 100 * time.Millisecond
	// ownTime is what a start takes beside the calls.
	ownTime = 5 * time.Millisecond
	// failingFor is how long the mistake stays.
	failingFor = time.Minute
	// planHash identifies what the function asks for.
	planHash = "plan"
)

// failing is a function of which every start fails, because it may not read one
// of its secrets.
type failing struct {
	environments int
	secrets      int
	braked       bool
}

// asking is what became of it.
type asking struct {
	calls     int
	throttled int
	// rounds are when each environment asked Secrets Manager.
	rounds [][]time.Duration
}

// run invokes the environments, which keep their notes in dir. It belongs into a
// bubble of package synctest.
func (f failing) run(ctx context.Context, dir string) asking {
	s := newService(getValue())
	requests := fleet{api: getValue(), secrets: f.secrets}.requests()
	s.denied = requests[0].Secret
	rounds := make([][]time.Duration, f.environments)
	began := time.Now()
	var group sync.WaitGroup
	for i := range rounds {
		group.Go(func() {
			one := starting{failing: f, brake: brake.Brake{Path: filepath.Join(dir, fmt.Sprint(i))}, getter: s, requests: requests, budget: firstBudget}
			time.Sleep(invokedEvery * time.Duration(i) / time.Duration(f.environments))
			for time.Since(began) < failingFor {
				next := time.After(invokedEvery)
				if at := time.Since(began); one.start(ctx) {
					rounds[i] = append(rounds[i], at)
				}
				<-next
			}
		})
	}
	group.Wait()
	return asking{calls: s.calls, throttled: s.throttled, rounds: rounds}
}

// starting is one environment of a function that fails.
type starting struct {
	failing
	brake    brake.Brake
	getter   fetch.Getter
	requests []awssecrets.Request
	budget   time.Duration
}

// start fails, and reports whether it asked Secrets Manager.
func (s *starting) start(ctx context.Context) bool {
	defer time.Sleep(ownTime)
	if note, noted := s.brake.Read(); noted && note.Holds(planHash, time.Now()) {
		return false
	}
	outcomes := fetch.All(ctx, s.getter, s.requests, fetch.Options{Budget: s.budget, Connections: connections})
	s.budget = nextBudget
	if s.braked {
		// Without a note the next start asks again, as it would without the brake.
		_ = s.brake.Write(brake.Note{Plan: planHash, Time: time.Now(), Problems: problems(outcomes)})
	}
	return true
}

func problems(outcomes []fetch.Outcome) problem.List {
	var list problem.List
	for _, o := range outcomes {
		if p := o.Problem(); p != nil {
			list = append(list, p)
		}
	}
	return list
}
