package refresh

import (
	"math/rand/v2"
	"slices"
	"time"

	"secretwrap/internal/awssecrets"
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
	// current is when the files were last known to be what the secrets say.
	current time.Time
	// tried is when that was last attempted, due when it is to be attempted again.
	tried, due time.Time
	failures   int
	// reported is when the files were last said to be stale, zero if they are not.
	reported time.Time
}

// isDue reports whether it is time. A clock that was stepped back makes
// everything due once, rather than nothing for long.
func (g *group) isDue(now time.Time) bool { return !now.Before(g.due) || now.Before(g.tried) }

// fresh notes that the files are what the secrets say.
func (g *group) fresh(now time.Time, every time.Duration) {
	g.current, g.tried, g.failures = now, now, 0
	g.due = now.Add(jitter(every))
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
	roots := make([]int, len(set.Requests))
	for i := range roots {
		roots[i] = i
	}
	for _, c := range set.Copies {
		first := -1
		for _, part := range c.Parts {
			switch {
			case part.Ref == nil:
			case first < 0:
				first = part.Secret
			default:
				roots[root(roots, part.Secret)] = root(roots, first)
			}
		}
	}
	groups := make(map[int]*group)
	indexes := make(map[int]int) // of a request in its group
	var list []*group
	for _, c := range set.Copies {
		c.Parts = slices.Clone(c.Parts)
		var g *group
		for i, part := range c.Parts {
			if part.Ref == nil {
				continue
			}
			r := root(roots, part.Secret)
			if g = groups[r]; g == nil {
				g = &group{}
				groups[r], list = g, append(list, g)
			}
			index, known := indexes[part.Secret]
			if !known {
				index = len(g.requests)
				indexes[part.Secret] = index
				g.requests = append(g.requests, set.Requests[part.Secret])
				g.versions = append(g.versions, versions[part.Secret])
			}
			c.Parts[i].Secret = index
		}
		if g != nil {
			g.copies = append(g.copies, c)
		}
	}
	return list
}

// root returns what stands for all that an index was joined with.
func root(roots []int, index int) int {
	for roots[index] != index {
		index = roots[index]
	}
	return index
}
