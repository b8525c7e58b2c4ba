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
	// Low and High are between which the median of endless runs lies, in at least 95
	// of 100 cases if there are six samples or more that do not depend on each other.
	Low  float64 `json:"median_low"`
	High float64 `json:"median_high"`
}

// spreadOf needs at least one sample.
func spreadOf[S any](samples []S, value func(S) float64) spread {
	values := valuesOf(samples, value)
	slices.Sort(values)
	last := len(values) - 1
	median := (values[last/2] + values[len(values)/2]) / 2 // the middle one, or the middle of two
	left := leftOut(len(values))
	return spread{
		Min: values[0], P10: values[last/10], Median: median, P90: values[last-last/10], Max: values[last],
		Low: values[left], High: values[last-left],
	}
}

// leftOut returns how many of n sorted samples lie on either side of the interval
// that holds the median. As many as j are below the median by chance as heads are
// thrown; so many may be left out that this happens in 5 of 100 cases at most.
func leftOut(n int) int {
	const most = 0.05
	one := math.Pow(0.5, float64(n)) // the probability of j heads, for j = 0
	sum := one
	j := 0
	for 2*sum <= most {
		j++
		one *= float64(n-j+1) / float64(j)
		sum += one
	}
	return max(0, j-1)
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

// parts returns the values as parts of a whole, which is more than nothing.
func parts(values []float64, whole float64) []float64 {
	list := make([]float64, len(values))
	for i, v := range values {
		list[i] = v / max(whole, math.SmallestNonzeroFloat32)
	}
	return list
}

// itself is the value of a sample that is one.
func itself(v float64) float64 { return v }

func ratio(this, that float64) float64 { return this / that }

func difference(this, that float64) float64 { return this - that }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
