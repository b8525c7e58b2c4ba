package refresh

import (
	"math/rand/v2"
	"slices"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/deliver"
	"secretwrap/internal/plan"
)

// group are files that change together, because they share secrets: a
// certificate with its key. If one of them cannot be made, all keep their old
// copies.
type group struct {
	requests []awssecrets.Request
	// copies are indexes into requests.
	copies []plan.Target
	// versions are those of requests that the files are made of, "" if unknown.
	versions []string
	// lacks is what was not found when the files were made, nil if unknown.
	lacks lacks
	// current is when the files were last known to be what the secrets say.
	current time.Time
	// tried is when that was last attempted, due when it is to be attempted again.
	tried, due time.Time
	failures   int
	// reported is when the files were last said to be stale, zero if they are not.
	reported time.Time
}

// lacks are parts of files for which nothing was found: the file is left out, or
// holds a default.
type lacks map[lack]bool

type lack struct {
	// label is the file's, see plan.Target.
	label string
	part  int
}

func newLacks(absent []deliver.Absent) lacks {
	l := make(lacks)
	for _, one := range absent {
		l[lack{one.Name, one.Part}] = true
	}
	return l
}

// judge returns the files that shall keep their old copies, because they would
// lack what they have, and what the group lacks then.
func (g *group) judge(now lacks) (kept map[string]bool, next lacks) {
	kept, next = make(map[string]bool), make(lacks)
	for _, c := range g.copies {
		source := now
		if g.loses(c, now) {
			kept[c.File] = true
			source = g.lacks
		}
		for i := range c.Parts {
			if one := (lack{c.Label(), i}); source[one] {
				next[one] = true
			}
		}
	}
	return kept, next
}

// loses reports whether a file would lack something that it has.
func (g *group) loses(c plan.Target, now lacks) bool {
	for i := range c.Parts {
		if one := (lack{c.Label(), i}); g.lacks != nil && now[one] && !g.lacks[one] {
			return true
		}
	}
	return false
}

// isDue reports whether it is time. A clock that was stepped back makes
// everything due once, rather than nothing for long.
func (g *group) isDue(now time.Time) bool { return !now.Before(g.due) || now.Before(g.tried) }

// fresh notes that the files are what the secrets say, and when to look next.
// That is the same for all groups, so that they cost one invocation.
func (g *group) fresh(now time.Time, next time.Duration) {
	g.current, g.tried, g.failures = now, now, 0
	g.due = now.Add(next)
}

// failed notes an attempt that did not make the files fresh.
func (g *group) failed(now time.Time, every time.Duration) {
	pause := min(every, shortestPause<<min(g.failures, 20))
	g.failures++
	g.tried, g.due = now, now.Add(jitter(pause))
}

// age returns how old the copies are.
func (g *group) age(now time.Time) time.Duration { return max(0, now.Sub(g.current)) }

// files returns the paths of the files.
func (g *group) files() []string {
	paths := make([]string, len(g.copies))
	for i, c := range g.copies {
		paths[i] = c.File
	}
	return paths
}

// jitter spreads a time by a fifth, so that environments that started together
// do not ask together.
func jitter(d time.Duration) time.Duration {
	if d < 5 {
		return d
	}
	return d - d/5 + rand.N(2*(d/5))
}

// split divides a set into groups that share no secret.
func split(set Set, versions []string) []*group {
	roots := join(set)
	groups := make(map[int]*group)
	indexes := make(map[int]int) // of a secret of the set in its group
	var list []*group
	for _, c := range set.Copies {
		secrets := secretsOf(c)
		if len(secrets) == 0 {
			continue // a text that never changes
		}
		r := root(roots, secrets[0])
		if groups[r] == nil {
			groups[r] = &group{}
			list = append(list, groups[r])
		}
		for _, secret := range secrets {
			if _, known := indexes[secret]; !known {
				indexes[secret] = groups[r].addRequest(set.Requests[secret], versions[secret])
			}
		}
		groups[r].addCopy(c, indexes)
	}
	return list
}

// join returns for each secret another one that shares a file with it, or itself.
func join(set Set) []int {
	roots := make([]int, len(set.Requests))
	for i := range roots {
		roots[i] = i
	}
	for _, c := range set.Copies {
		for _, secret := range secretsOf(c) {
			roots[root(roots, secret)] = root(roots, secretsOf(c)[0])
		}
	}
	return roots
}

// secretsOf returns the secrets that a file is made of.
func secretsOf(c plan.Target) []int {
	var secrets []int
	for _, part := range c.Parts {
		if part.Ref != nil {
			secrets = append(secrets, part.Secret)
		}
	}
	return secrets
}

// addRequest returns the request's index in the group.
func (g *group) addRequest(request awssecrets.Request, version string) int {
	g.requests, g.versions = append(g.requests, request), append(g.versions, version)
	return len(g.requests) - 1
}

// addCopy adds a file whose secrets are in the group, at those indexes.
func (g *group) addCopy(c plan.Target, indexes map[int]int) {
	c.Parts = slices.Clone(c.Parts)
	for i, part := range c.Parts {
		if part.Ref != nil {
			c.Parts[i].Secret = indexes[part.Secret]
		}
	}
	g.copies = append(g.copies, c)
}

// root returns what stands for all that an index was joined with.
func root(roots []int, index int) int {
	for roots[index] != index {
		index = roots[index]
	}
	return index
}
