package refresh

import (
	"context"
	"errors"
	"slices"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/deliver"
	"secretwrap/internal/fetch"
	"secretwrap/internal/problem"
	"secretwrap/internal/secretfiles"
)

// attempt is one group under refresh.
type attempt struct {
	group    *group
	files    []secretfiles.File
	versions []string
	lacks    lacks
	problems problem.List
	written  bool
}

// fetch asks for all secrets of the groups, and makes their files.
func (k *Keeper) fetch(ctx context.Context, groups []*group) []*attempt {
	var requests []awssecrets.Request
	for _, g := range groups {
		requests = append(requests, g.requests...)
	}
	// Neither what is left of the start nor what is left for the next refresh: in a
	// frozen environment connections die unseen.
	k.Client.Disconnect()
	defer k.Client.Disconnect()
	outcomes := fetch.All(ctx, k.Client, requests, fetch.Options{Budget: budget(ctx), Connections: k.Connections})
	attempts := make([]*attempt, len(groups))
	for i, g := range groups {
		attempts[i] = newAttempt(g, outcomes[:len(g.requests)])
		outcomes = outcomes[len(g.requests):]
	}
	return attempts
}

// budget returns the time for fetching.
func budget(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return timerBudget
	}
	return max(0, time.Until(deadline)-publishTime)
}

// newAttempt makes the files of a group. One for which something is not found
// any more is left out, so that it keeps its old copy.
func newAttempt(g *group, outcomes []fetch.Outcome) *attempt {
	a := &attempt{group: g}
	for _, o := range outcomes {
		a.versions = append(a.versions, o.Document.VersionID)
	}
	delivery, problems := deliver.Files(g.copies, Sources(outcomes))
	a.problems = problems
	kept, lacks := g.judge(newLacks(delivery.Absent))
	a.lacks = lacks
	for _, file := range delivery.Files {
		if !kept[file.Path] {
			a.files = append(a.files, file)
		}
	}
	return a
}

// publish writes the files that are not what they should be, those of all
// groups at once. If something is in the way of one group's, the others' are
// written nevertheless.
func (k *Keeper) publish(ctx context.Context, dir string, attempts []*attempt) {
	k.disk.Lock()
	defer k.disk.Unlock()
	if k.removed {
		return
	}
	var changed []*attempt
	for _, a := range attempts {
		if len(a.problems) == 0 && k.isCurrent(a.group) && !secretfiles.Holds(dir, a.files) {
			changed = append(changed, a)
		}
	}
	together := k.update(dir, changed)
	if together == nil {
		return
	}
	for _, a := range changed {
		err := together
		if len(changed) > 1 && ctx.Err() == nil {
			err = k.update(dir, []*attempt{a})
		}
		if err != nil {
			a.problems = problem.List{FileProblem(err)}
		}
	}
}

// update writes the files of attempts.
func (k *Keeper) update(dir string, attempts []*attempt) error {
	var files []secretfiles.File
	for _, a := range attempts {
		files = append(files, a.files...)
	}
	if len(files) == 0 {
		return nil
	}
	now := k.now()
	if err := secretfiles.Update(dir, files, now); err != nil {
		return err
	}
	k.replaced = now
	for _, a := range attempts {
		a.written = true
	}
	return nil
}

// isCurrent reports whether a group is kept still: a start may have replaced it
// since its refresh began.
func (k *Keeper) isCurrent(g *group) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Contains(k.groups, g)
}

// errRemoved means that the environment has ended.
var errRemoved = errors.New("the files have been removed for good")

// replaceAll publishes exactly these files. Without any it removes those of an
// earlier start, but creates nothing. The caller holds disk.
func (k *Keeper) replaceAll(dir string, files []secretfiles.File) *problem.Problem {
	if k.removed {
		return FileProblem(errRemoved)
	}
	if len(files) == 0 && !secretfiles.Published(dir) {
		return nil
	}
	if err := secretfiles.Publish(dir, files); err != nil {
		return FileProblem(err)
	}
	return nil
}

// FileProblem says why files could not be written. The text of an error of
// secretfiles holds no content.
func FileProblem(err error) *problem.Problem {
	return &problem.Problem{
		Class: problem.File, Variable: "SECRETWRAP_DIR", Cause: err.Error(),
		Hint: "the directory must be this user's own, with room for the files; in Lambda only /tmp can be written",
	}
}

// conclude notes what became of the attempts and reports it.
func (k *Keeper) conclude(attempts []*attempt) Report {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	report := Report{Repaired: true}
	next := jitter(k.Every)
	for _, a := range attempts {
		if !slices.Contains(k.groups, a.group) {
			continue
		}
		if len(a.problems) > 0 {
			report.stale(a, now)
			continue
		}
		report.fresh(a)
		a.group.fresh(now, next)
		a.group.versions, a.group.lacks = a.versions, a.lacks
	}
	report.Repaired = report.Repaired && report.Written > 0
	return report
}

// stale reports copies that stay old, unless it did so a moment ago.
func (r *Report) stale(a *attempt, now time.Time) {
	since := now.Sub(a.group.reported)
	if !a.group.reported.IsZero() && since >= 0 && since < staleInterval {
		return
	}
	a.group.reported = now
	r.Stale = append(r.Stale, Stale{Files: a.group.files(), Age: a.group.age(now), Problems: a.problems})
}

// fresh reports copies that are as they should be.
func (r *Report) fresh(a *attempt) {
	if !a.group.reported.IsZero() {
		a.group.reported = time.Time{}
		r.Recovered = append(r.Recovered, a.group.files()...)
	}
	if !a.written {
		return
	}
	r.Written += len(a.files)
	for i, request := range a.group.requests {
		if a.versions[i] != a.group.versions[i] {
			r.Repaired = false
			r.Secrets = append(r.Secrets, request.Secret)
		}
	}
}
