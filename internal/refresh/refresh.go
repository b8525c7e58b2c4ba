// Package refresh fetches file copies again when they are old.
//
// Ages are those of the wall clock: other clocks stop while an environment is
// frozen or a snapshot lies on a disk. What cannot be fetched keeps its old copy.
package refresh

import (
	"context"
	"sync"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/deliver"
	"secretwrap/internal/fetch"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/secretfiles"
)

const (
	// shortestPause is the wait after a first failure. It doubles, up to the age
	// at which copies are refreshed anyway: more would leave them old for longer
	// than promised once the fault has passed.
	shortestPause = 10 * time.Second
	// staleInterval is the shortest time between two reports of the same stale
	// copies.
	staleInterval = 5 * time.Minute
	// publishTime is the part of a refresh's time that is kept for writing files.
	publishTime = 100 * time.Millisecond
	// timerInterval is how often a timer looks at the wall clock.
	timerInterval = time.Second
	// timerBudget bounds a refresh that no invocation bounds.
	timerBudget = 5 * time.Second
)

// Client asks Secrets Manager.
type Client interface {
	fetch.Getter
	// Disconnect closes the connections that are not in use.
	Disconnect()
}

// Set is what is to be kept fresh: files made of secrets.
type Set struct {
	// Dir is the directory of file copies.
	Dir string
	// Requests are the secrets. The parts of Copies are indexes into them.
	Requests []awssecrets.Request
	Copies   []plan.Target
}

// Keeper keeps file copies fresh. Its methods may be called by several
// goroutines.
type Keeper struct {
	Client Client
	// Every is the age at which a copy is fetched again, give or take a fifth; 0
	// means never.
	Every time.Duration
	// Connections is how many requests to one region may be under way at once.
	Connections int
	// Now is the clock.
	Now func() time.Time

	mu     sync.Mutex
	dir    string
	groups []*group
	// running is set during a refresh: there is one at a time.
	running bool

	// disk is held while files are written or removed, and while what is kept is
	// replaced. It is locked before mu.
	disk sync.Mutex
	// replaced is when a generation of files was last replaced that has not been
	// swept since; removed is set when the files are gone for good.
	replaced time.Time
	removed  bool
}

// Report is what became of a refresh.
type Report struct {
	// Written is how many files were written, for Secrets.
	Written int
	Secrets []string
	// Repaired is set when no secret had changed: the files had been tampered
	// with.
	Repaired bool
	// Stale are the copies that could not be refreshed, if it is time to say so.
	Stale []Stale
	// Recovered are files that had been reported as stale, and are fresh again.
	Recovered []string
}

// Stale are copies that are older than they should be.
type Stale struct {
	Files    []string
	Age      time.Duration
	Problems problem.List
}

// Publish makes files of what was fetched, exactly these in the directory, and
// keeps them fresh from then on. With any problem the former files stay and
// nothing is kept.
func (k *Keeper) Publish(set Set, outcomes []fetch.Outcome) problem.List {
	delivery, problems := deliver.Files(set.Copies, Sources(outcomes))
	if len(problems) > 0 {
		return problems
	}
	versions := make([]string, len(outcomes))
	for i, o := range outcomes {
		versions[i] = o.Document.VersionID
	}
	k.disk.Lock() // a refresh that is under way must not undo this
	defer k.disk.Unlock()
	if p := k.replaceAll(set.Dir, delivery.Files); p != nil {
		return problem.List{p}
	}
	k.keep(set, versions, newLacks(delivery.Absent))
	return nil
}

// Adopt keeps files fresh that somebody else wrote.
func (k *Keeper) Adopt(set Set) {
	k.disk.Lock()
	defer k.disk.Unlock()
	k.keep(set, make([]string, len(set.Requests)), nil)
}

// Drop keeps nothing fresh any more. The files stay as they are.
func (k *Keeper) Drop() {
	k.disk.Lock()
	defer k.disk.Unlock()
	k.keep(Set{}, nil, nil)
}

// keep replaces what is kept; disk is held.
func (k *Keeper) keep(set Set, versions []string, lacking lacks) {
	groups := split(set, versions)
	now, next := k.now(), jitter(k.Every)
	for _, g := range groups {
		g.fresh(now, next)
		g.lacks = lacking
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dir, k.groups = set.Dir, groups
}

// Expire makes every copy due, whatever its age, and forgets connections and
// credentials: those of a snapshot are of another time.
func (k *Keeper) Expire() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, g := range k.groups {
		g.due = time.Time{}
	}
	if len(k.groups) > 0 {
		k.Client.Renew()
		k.Client.Disconnect()
	}
}

// Keeps reports whether there is anything to keep fresh.
func (k *Keeper) Keeps() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.groups) > 0
}

// Due reports whether a copy is due.
func (k *Keeper) Due() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.dueGroups()) > 0
}

// dueGroups returns what is due; the lock is held.
func (k *Keeper) dueGroups() []*group {
	if k.Every == 0 {
		return nil
	}
	now := k.now()
	var due []*group
	for _, g := range k.groups {
		if g.isDue(now) {
			due = append(due, g)
		}
	}
	return due
}

// Refresh fetches again what is due, and publishes it if it has changed. The
// deadline of ctx bounds it. While another refresh is under way it does nothing.
func (k *Keeper) Refresh(ctx context.Context) Report {
	dir, due := k.begin()
	if len(due) == 0 {
		return Report{}
	}
	defer k.end()
	attempts := k.fetch(ctx, due)
	k.publish(ctx, dir, attempts)
	return k.conclude(attempts)
}

// begin claims the refresh if there is something to do.
func (k *Keeper) begin() (string, []*group) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.running {
		return "", nil
	}
	due := k.dueGroups()
	for _, g := range due {
		// Before the attempt, so that one that panics is not repeated at once.
		g.failed(k.now(), k.Every)
	}
	k.running = len(due) > 0
	return k.dir, due
}

func (k *Keeper) end() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.running = false
}

// Run refreshes what is due, looking once a second, until ctx ends. Tell is
// given every Report.
func (k *Keeper) Run(ctx context.Context, tell func(Report)) {
	ticker := time.NewTicker(timerInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		k.Sweep()
		if k.Due() {
			bounded, cancel := context.WithTimeout(ctx, timerBudget)
			tell(k.Refresh(bounded))
			cancel()
		}
	}
}

// Sweep removes what a refresh replaced longer than secretfiles.Grace ago. It
// costs nothing if there is none. What it cannot remove yet it tries again after
// another Grace.
func (k *Keeper) Sweep() {
	if !k.disk.TryLock() {
		return
	}
	defer k.disk.Unlock()
	now := k.now()
	if age := now.Sub(k.replaced); k.removed || k.replaced.IsZero() || age >= 0 && age <= secretfiles.Grace {
		return
	}
	k.replaced = time.Time{}
	if !secretfiles.Sweep(k.directory(), now) {
		k.replaced = now
	}
}

// Remove removes the files for good.
func (k *Keeper) Remove() error {
	k.disk.Lock()
	defer k.disk.Unlock()
	k.removed = true
	dir := k.directory()
	if dir == "" {
		return nil
	}
	return secretfiles.Remove(dir)
}

func (k *Keeper) directory() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.dir
}

// now returns the time without what counts on while the clock is set, and stops
// while the process is frozen.
func (k *Keeper) now() time.Time { return k.Now().Round(0) }

// Sources tells package deliver what became of each secret.
func Sources(outcomes []fetch.Outcome) []deliver.Source {
	list := make([]deliver.Source, len(outcomes))
	for i, o := range outcomes {
		list[i] = deliver.Source{Value: o.Document.Value, Binary: o.Document.Binary, Err: o.Problem(), Absent: o.Absent()}
	}
	return list
}
