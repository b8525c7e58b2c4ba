package fetch

import (
	"context"
	"sync"

	"secretwrap/internal/awssecrets"
)

// Store remembers what became of each request, so that nothing is fetched twice:
// not what is there, not what is under way, not what failed. It is safe for
// concurrent use; the zero Store is empty.
type Store struct {
	mu      sync.Mutex
	entries map[awssecrets.Request]*entry
}

// entry is the outcome of a request, once done is closed.
type entry struct {
	done    chan struct{}
	outcome Outcome
}

// Get returns the outcomes of the requests, in their order. It fetches as All
// does what is not known and not under way. What is under way ends with the
// budget that it was started with.
func (s *Store) Get(ctx context.Context, getter Getter, requests []awssecrets.Request, options Options) []Outcome {
	entries, mine := s.reserve(requests)
	if len(mine) > 0 {
		fill(entries, mine, func() []Outcome {
			missing := make([]awssecrets.Request, len(mine))
			for i, index := range mine {
				missing[i] = requests[index]
			}
			return All(ctx, getter, missing, options)
		})
	}
	outcomes := make([]Outcome, len(requests))
	for i, e := range entries {
		<-e.done
		outcomes[i] = e.outcome
	}
	return outcomes
}

// fill gives the entries at the indexes their outcomes. If fetching panics, they
// have failed: others may wait for them.
func fill(entries []*entry, indexes []int, fetch func() []Outcome) {
	var outcomes []Outcome
	defer func() {
		for i, index := range indexes {
			entries[index].outcome = Outcome{Err: errFailed}
			if outcomes != nil {
				entries[index].outcome = outcomes[i]
			}
			close(entries[index].done)
		}
	}()
	outcomes = fetch()
}

// reserve returns an entry for each request, and the indexes of those that
// nobody fetched or fetches: the caller must.
func (s *Store) reserve(requests []awssecrets.Request) (entries []*entry, mine []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries == nil {
		s.entries = make(map[awssecrets.Request]*entry)
	}
	for i, request := range requests {
		known := s.entries[request]
		if known == nil {
			known = &entry{done: make(chan struct{})}
			s.entries[request] = known
			mine = append(mine, i)
		}
		entries = append(entries, known)
	}
	return entries, mine
}

// Forget drops everything that is known. What is under way is still handed to
// those who wait for it.
func (s *Store) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries = nil
}
