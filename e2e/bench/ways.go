package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"secretwrap/e2e/bench/machine"
)

// way is how a function gets its secrets.
type way string

// The ways.
const (
	bare       way = "no secrets"
	direct     way = "secretwrap"
	extended   way = "secretwrap, extension"
	parallel   way = "SDK, in parallel"
	sequential way = "SDK, one by one"
	cached     way = "HTTP cache extension"
)

// others are the ways that ours are compared with.
func others() []way { return []way{parallel, sequential, cached} }

// The languages that functions are written in.
const (
	golang = "Go"
	node   = "Node.js"
	python = "Python"
)

// conditions are what a function starts under.
type conditions struct {
	Language string `json:"language"`
	Secrets  int    `json:"secrets"`
	// LatencyMS is how long Secrets Manager takes to answer.
	LatencyMS int `json:"latency_ms"`
	// MemoryMB decides the share of CPU, as in Lambda; 0 is all there is.
	MemoryMB int `json:"memory_mb,omitempty"`
	// Cold means that nothing of the layer and the function is in the page cache.
	Cold bool `json:"cold,omitempty"`
	// Beside means that another extension takes 100 ms to register.
	Beside bool `json:"beside,omitempty"`
	// Idle means that another extension does nothing but register.
	Idle bool `json:"idle,omitempty"`
}

// usual are the conditions that the others differ from in one thing each.
func usual(language string) conditions {
	return conditions{Language: language, Secrets: 3, LatencyMS: int(usualLatency.Milliseconds())}
}

// withoutSecrets returns the conditions of the function that these are compared
// with: it has no secrets, so neither their number nor the latency matters, and no
// extension that does nothing, so that its price is seen.
func (c conditions) withoutSecrets() conditions {
	like := usual(c.Language)
	c.Secrets, c.LatencyMS, c.Idle = like.Secrets, like.LatencyMS, false
	return c
}

// name tells what differs from the usual conditions, or the language if nothing
// does.
func (c conditions) name() string {
	like := usual(c.Language)
	var parts []string
	if c.Beside {
		parts = append(parts, "beside a 100 ms extension")
	}
	if c.Idle {
		parts = append(parts, "idle extension")
	}
	if c.Secrets != like.Secrets {
		parts = append(parts, counted(c.Secrets))
	}
	if c.LatencyMS != like.LatencyMS {
		parts = append(parts, fmt.Sprintf("%d ms latency", c.LatencyMS))
	}
	if c.MemoryMB != 0 {
		parts = append(parts, fmt.Sprintf("%d MB of memory", c.MemoryMB))
	}
	if c.Cold {
		parts = append(parts, "cold page cache")
	}
	return cmp.Or(strings.Join(parts, ", "), c.Language)
}

func counted(secrets int) string {
	if secrets == 1 {
		return "1 secret"
	}
	return fmt.Sprintf("%d secrets", secrets)
}

// title tells the language, and what differs from the usual conditions.
func (c conditions) title() string {
	if c.name() == c.Language {
		return c.Language
	}
	return c.Language + ", " + c.name()
}

// latency returns how long Secrets Manager takes.
func (c conditions) latency() time.Duration { return time.Duration(c.LatencyMS) * time.Millisecond }

// cell is one way under some conditions.
type cell struct {
	way way
	conditions
	samples []sample
}

// sample is what one cold start took.
type sample struct {
	// answer is from the first invocation until its answer, which holds all
	// secrets. It begins with the start of the environment.
	answer time.Duration
	// init is from the start of the extensions until the runtime asks for work.
	init time.Duration
	// cpu is the time of all processors from the first invocation to the answer.
	cpu time.Duration
	// resident is what all processes of the environment hold at the answer, in
	// bytes.
	resident int64
	// calls is how many Secrets Manager got.
	calls int
	// way is how the wrapper got the secrets, in its own word.
	way string
}

// selection says which cells are wanted.
type selection struct {
	// languages are those beside Go.
	languages []string
	// axes are wanted, and not only the usual conditions and the smallest memory.
	axes bool
	// quick leaves out what takes long.
	quick bool
	// limited and cold tell whether CPU can be limited and the page cache emptied.
	limited, cold bool
}

const (
	// smallMemory is the memory in MB of the smallest function.
	smallMemory = 128
	// manySecrets is how many a function has at most.
	manySecrets = 20
)

// star returns the cells: the usual conditions, and those that differ from them
// in one thing.
func star(s selection) []*cell {
	list := cellsOf(usual(golang), bare, direct, extended, parallel, sequential, cached)
	list = append(list, cellsOf(besides(), bare, direct, extended)...)
	for _, language := range s.languages {
		list = append(list, cellsOf(usual(language), bare, direct, extended, parallel, sequential)...)
	}
	for _, c := range s.varied() {
		ways := append([]way{direct, extended}, others()...)
		if c.withoutSecrets() == c {
			ways = slices.Insert(ways, 0, bare)
		}
		list = append(list, cellsOf(c, ways...)...)
	}
	switch {
	case s.limited && s.quick:
		list = append(list, cellsOf(small(), bare, direct, sequential)...)
	case s.limited:
		list = append(list, cellsOf(smallWithMany(), direct, sequential)...)
		list = append(list, cellsOf(smallBesideIdle(), direct)...)
	}
	return list
}

// small are the conditions of the smallest function, smallWithMany those of one
// with many secrets.
func small() conditions {
	c := usual(golang)
	c.MemoryMB = smallMemory
	return c
}

func smallWithMany() conditions {
	c := small()
	c.Secrets = manySecrets
	return c
}

// smallBesideIdle are those of the smallest function with an extension that costs
// as little as one in Go can.
func smallBesideIdle() conditions {
	c := small()
	c.Idle = true
	return c
}

// memories are those in MB whose shares of CPU functions get, the smallest first.
func memories() []int { return []int{smallMemory, 512, machine.WholeCore} }

// besides are the conditions beside a slow extension.
func besides() conditions {
	c := usual(golang)
	c.Beside = true
	return c
}

// varied returns the conditions that differ from the usual ones.
func (s selection) varied() []conditions {
	var list []conditions
	add := func(change func(*conditions)) {
		c := usual(golang)
		change(&c)
		list = append(list, c)
	}
	if s.axes {
		for _, n := range []int{1, 5, manySecrets} {
			add(func(c *conditions) { c.Secrets = n })
		}
		for _, ms := range []int{5, 300} {
			add(func(c *conditions) { c.LatencyMS = ms })
		}
	}
	if s.limited && !s.quick {
		list = append(list, small())
	}
	if s.limited && s.axes {
		for _, mb := range memories()[1:] {
			add(func(c *conditions) { c.MemoryMB = mb })
		}
	}
	if s.cold && s.axes {
		add(func(c *conditions) { c.Cold = true })
	}
	return list
}

func cellsOf(c conditions, ways ...way) []*cell {
	list := make([]*cell, len(ways))
	for i, w := range ways {
		list[i] = &cell{way: w, conditions: c}
	}
	return list
}

// ours reports whether secretwrap is in the function's layer.
func (w way) ours() bool { return w == direct || w == extended }

// fetches reports whether the function itself calls Secrets Manager.
func (w way) fetches() bool { return w == parallel || w == sequential }

// secretName returns the name of the function's secret number i.
func (c conditions) secretName(i int) string { return fmt.Sprintf(smallName, c.latency(), i) }

// secretVariables returns the variables with the secrets.
func (c *cell) secretVariables() []string {
	names := make([]string, c.Secrets)
	for i := range names {
		names[i] = fmt.Sprintf("SECRET_%03d=%s", i, c.secretName(i))
	}
	env := []string{"SECRETS=" + strings.Join(names, " ")}
	switch {
	case c.way == bare:
		return append(env, references(c.Secrets, func(int) string { return smallPassword })...)
	case c.way.ours():
		return append(append(env, references(c.Secrets, func(i int) string { return "secretsmanager://" + c.secretName(i) + "#password" })...), execWrapper)
	case c.way == parallel:
		return append(env, "FETCH=parallel")
	case c.way == sequential:
		return append(env, "FETCH=sequential")
	}
	return env
}
