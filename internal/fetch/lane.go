package fetch

import (
	"context"
	"sync"

	"secretwrap/internal/awssecrets"
)

// lane is the way to one region: slots for the calls that may be under way at
// once.
//
// A call that is turned away for the rate takes its slot along, one that is
// answered, with a secret or with why there is none, brings one back. So a fetch
// that meets a quota comes down to one call at a time, and one that meets none
// keeps all its slots. Were every secret to knock by itself, a fleet that starts
// together would share the quota so evenly that nobody has everything when the
// budget ends, and all begin anew.
type lane struct {
	// slots holds those that are free.
	slots chan struct{}

	mu sync.Mutex
	// open counts the slots, free or not.
	open int
	// refused counts the calls of the last slot that were turned away in a row.
	refused int
	// refusal is the latest one, nil if a call was answered since.
	refusal *awssecrets.Error
	// arrived counts the answers.
	arrived int
	// unasked counts the secrets that nobody has asked for yet.
	unasked int
}

// lanesByRegion returns a lane for every region, so that one that hangs does not
// hold up the others.
func lanesByRegion(requests []awssecrets.Request, connections int) map[string]*lane {
	counts := make(map[string]int)
	for _, request := range requests {
		counts[request.Region]++
	}
	lanes := make(map[string]*lane)
	for region, count := range counts {
		lanes[region] = newLane(count, connections)
	}
	return lanes
}

// newLane returns a lane for some secrets with as many slots as may be.
func newLane(secrets, connections int) *lane {
	open := min(secrets, max(1, connections))
	l := &lane{slots: make(chan struct{}, open), open: open, unasked: secrets}
	for range open {
		l.slots <- struct{}{}
	}
	return l
}

// enter waits for a slot, for a secret that is asked for the first time or again.
// It returns false if the budget ends first.
func (l *lane) enter(ctx context.Context, first bool) bool {
	select {
	case <-l.slots:
	case <-ctx.Done():
		return false
	}
	if ctx.Err() != nil {
		l.leave()
		return false
	}
	if first {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.unasked--
	}
	return true
}

// leave gives a slot back.
func (l *lane) leave() { l.slots <- struct{}{} }

// widen gives a slot back after a call that was answered, and one that was taken
// away.
func (l *lane) widen() {
	l.leave()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused, l.refusal = 0, nil
	l.arrived++
	if l.open < cap(l.slots) {
		l.open++
		l.leave()
	}
}

// backOff takes a slot away after a call that was turned away, and waits. It
// returns false if the budget ends first.
func (l *lane) backOff(ctx context.Context, refusal *awssecrets.Error) bool {
	round, last := l.narrow(refusal)
	if last {
		defer l.leave()
	}
	return pause(ctx, round)
}

// mostEager bounds for how many refusals a fetch does not wait longer.
const mostEager = 20

// narrow takes a slot away unless it is the last one. It returns the round of
// waiting, 1 for the shortest wait. The last slot waits longer with every
// refusal, but for as many as were answered: a fetch that is nearly
// complete has more to lose.
func (l *lane) narrow(refusal *awssecrets.Error) (round int, last bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refusal = refusal
	if l.open > 1 {
		l.open--
		return 1, false
	}
	if l.unasked > 0 {
		return 1, true // those that wait for their first turn may be welcome
	}
	l.refused++
	return max(1, l.refused-min(l.arrived, mostEager)), true
}

// heldUp returns why a secret ran out of time: the refusal that others met since
// the last answer, else its own reason.
func (l *lane) heldUp(own *awssecrets.Error) *awssecrets.Error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refusal != nil {
		return l.refusal
	}
	return own
}
