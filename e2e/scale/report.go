package scale

import (
	"encoding/json"
	"slices"
	"time"
)

// report is what docs/scale.json holds.
type report struct {
	Fleets []cell  `json:"fleets"`
	Brake  []brief `json:"brake"`
}

// cell is a fleet, and what became of it.
type cell struct {
	API          string `json:"api"`
	Environments int    `json:"environments"`
	Secrets      int    `json:"secrets"`
	// WithinMS is the time in which the environments begin to start.
	WithinMS int64 `json:"within_ms"`
	// SettledMS is when all had started or were given up, from the first start.
	SettledMS int64 `json:"settled_ms"`
	// LateMS is the same from the moment of the last start.
	LateMS int64 `json:"late_ms"`
	// The waits are an environment's, from its own start.
	WaitP50MS   int64 `json:"wait_p50_ms"`
	WaitP99MS   int64 `json:"wait_p99_ms"`
	WaitMaxMS   int64 `json:"wait_max_ms"`
	FailedInits int   `json:"failed_inits"`
	GivenUp     int   `json:"given_up"`
	Calls       int   `json:"calls"`
	Throttled   int   `json:"throttled"`
	Needed      int   `json:"needed"`
}

// amplification is how many calls were made for one that was needed.
func (c cell) amplification() float64 { return float64(c.Calls) / float64(c.Needed) }

// isBatch reports whether the fleet used the batch call.
func (c cell) isBatch() bool { return c.API == batch().name }

// summarize tells what became of a fleet in one run.
func (f fleet) summarize(o outcome) cell {
	c := cell{
		API: f.api.name, Environments: f.environments, Secrets: f.secrets, WithinMS: f.within.Milliseconds(),
		Calls: o.calls, Throttled: o.throttled, Needed: f.needed(),
	}
	var waits []time.Duration
	var settled, last time.Duration
	for _, e := range o.environments {
		waits = append(waits, e.wait)
		settled, last = max(settled, e.from+e.wait), max(last, e.from)
		c.FailedInits += e.failed
		if !e.started {
			c.GivenUp++
		}
	}
	slices.Sort(waits)
	c.SettledMS, c.LateMS = settled.Milliseconds(), (settled - last).Milliseconds()
	c.WaitP50MS, c.WaitP99MS, c.WaitMaxMS = part(waits, 50), part(waits, 99), part(waits, 100)
	return c
}

// part returns the wait that percent of all do not exceed, in milliseconds.
func part(sorted []time.Duration, percent int) int64 {
	return sorted[(len(sorted)*percent+99)/100-1].Milliseconds()
}

// brief is what a function asks for of which every start fails.
type brief struct {
	Environments int  `json:"environments"`
	Secrets      int  `json:"secrets"`
	Braked       bool `json:"braked"`
	Calls        int  `json:"calls"`
	Throttled    int  `json:"throttled"`
	// PerSecond is the calls of a second, on average.
	PerSecond float64 `json:"calls_per_second"`
}

func (f failing) summarize(a asking) brief {
	return brief{
		Environments: f.environments, Secrets: f.secrets, Braked: f.braked, Calls: a.calls, Throttled: a.throttled,
		PerSecond: float64(a.calls) / failingFor.Seconds(),
	}
}

// The sizes that the report is about.
func sizes() []int           { return []int{100, 1000, 3000, 10_000} }
func secrets() []int         { return []int{1, 3, 5, 10, 20} }
func times() []time.Duration { return []time.Duration{10 * time.Second, time.Second} }
func failingSizes() []int    { return []int{1, 100, 1000} }
func batchSecrets() int      { return batch().perCall }

// fleets returns all fleets of the report.
func fleets() []fleet {
	var list []fleet
	for _, within := range times() {
		for _, environments := range sizes() {
			for _, n := range secrets() {
				list = append(list, fleet{getValue(), environments, n, within})
			}
			list = append(list, fleet{batch(), environments, batchSecrets(), within})
		}
	}
	return list
}

// failings returns all functions of the report of which every start fails.
func failings() []failing {
	var list []failing
	for _, environments := range failingSizes() {
		list = append(list, failing{environments, 3, false}, failing{environments, 3, true})
	}
	return list
}

func (r report) encode() ([]byte, error) {
	text, err := json.MarshalIndent(r, "", "  ")
	return append(text, '\n'), err
}
