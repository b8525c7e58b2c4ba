package main

import (
	"math"
	"slices"
	"time"
)

// spread describes the values of all runs.
type spread struct {
	Min    float64 `json:"min"`
	P10    float64 `json:"p10"`
	Median float64 `json:"median"`
	P90    float64 `json:"p90"`
	Max    float64 `json:"max"`
	// Low and High are between which the median of endless runs lies, in 95 of 100
	// cases, whatever the distribution: the values of the ranks that a binomial one
	// leaves out on either side.
	Low  float64 `json:"median_low"`
	High float64 `json:"median_high"`
}

// spreadOf needs at least one sample.
func spreadOf[S any](samples []S, value func(S) float64) spread {
	values := valuesOf(samples, value)
	slices.Sort(values)
	last := len(values) - 1
	median := (values[last/2] + values[len(values)/2]) / 2 // the middle one, or the middle of two
	n := float64(len(values))
	left := max(0, int((n-1.96*math.Sqrt(n))/2))
	return spread{
		Min: values[0], P10: values[last/10], Median: median, P90: values[last-last/10], Max: values[last],
		Low: values[left], High: values[last-left],
	}
}

// valuesOf returns the values of all samples.
func valuesOf[S any](samples []S, value func(S) float64) []float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = value(s)
	}
	return values
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
