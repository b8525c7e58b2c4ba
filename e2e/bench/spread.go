package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// spread describes the values of all runs.
type spread struct {
	P10    float64 `json:"p10"`
	Median float64 `json:"median"`
	P90    float64 `json:"p90"`
	Max    float64 `json:"max"`
}

// spreadOf needs at least one sample.
func spreadOf[S any](samples []S, value func(S) float64) spread {
	values := valuesOf(samples, value)
	slices.Sort(values)
	last := len(values) - 1
	median := (values[last/2] + values[len(values)/2]) / 2 // the middle one, or the middle of two
	return spread{P10: values[last/10], Median: median, P90: values[last-last/10], Max: values[last]}
}

// valuesOf returns the values of all samples.
func valuesOf[S any](samples []S, value func(S) float64) []float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = value(s)
	}
	return values
}

// minus returns the spread of values that are all less by v.
func (s spread) minus(v float64) spread {
	return spread{P10: s.P10 - v, Median: s.Median - v, P90: s.P90 - v, Max: s.Max - v}
}

// compare describes what comes of the values of two cells in the same round, so
// that a machine that is slow for a while is so on both sides.
func compare(these, those []float64, with func(this, that float64) float64) spread {
	return spreadOf(pairs(these, those, with), itself)
}

// pairs returns what comes of the values of two cells in each round.
func pairs(these, those []float64, with func(this, that float64) float64) []float64 {
	results := make([]float64, min(len(these), len(those)))
	for i := range results {
		results[i] = with(these[i], those[i])
	}
	return results
}

// itself is the value of a sample that is one.
func itself(v float64) float64 { return v }

func ratio(this, that float64) float64 { return this / that }

func difference(this, that float64) float64 { return this - that }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// target is what a result should be at most.
type target struct {
	Name     string  `json:"name"`
	Unit     string  `json:"unit"`
	Measured float64 `json:"measured"`
	// Rounds describes the results of all rounds where Measured is their median.
	Rounds *spread `json:"rounds,omitempty"`
	AtMost float64 `json:"at_most"`
	Met    bool    `json:"met"`
}

// judged tells of each target whether it is met.
func judged(targets []target) []target {
	for i, t := range targets {
		targets[i].Met = t.Measured <= t.AtMost
	}
	return targets
}

// printVerdicts writes the targets, unless the rounds are too few to judge.
func printVerdicts(out io.Writer, rounds int, targets []target) {
	if rounds < enoughRounds {
		fmt.Fprintf(out, "%d rounds are too few for verdicts.\n", rounds)
		return
	}
	fmt.Fprintln(out)
	printTargets(out, targets)
}

// printTargets writes a line for each target.
func printTargets(out io.Writer, targets []target) {
	for _, t := range targets {
		verdict, rounds := "missed", ""
		if t.Met {
			verdict = "met"
		}
		if t.Rounds != nil {
			rounds = fmt.Sprintf(" (p10 – p90: %.2f – %.2f)", t.Rounds.P10, t.Rounds.P90)
		}
		fmt.Fprintf(out, "%-6s %6.2f %-6s at most %5.2f  %s%s\n", verdict, t.Measured, t.Unit, t.AtMost, t.Name, rounds)
	}
}
