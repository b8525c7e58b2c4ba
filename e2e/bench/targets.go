package main

import (
	"fmt"
	"io"
	"strings"
)

// verdict tells whether a target is met.
type verdict string

// The verdicts. Where the median is not known well enough there is none.
const (
	isMet    verdict = "met"
	isMissed verdict = "missed"
	isOpen   verdict = "too close to tell"
)

// How far a target may be passed before a check fails, as a factor. Ratios differ a
// little from machine to machine; sizes do not, nor do budgets that are far away.
const (
	usualSlack = 1.15
	noSlack    = 1.0
)

// target is what a result should be at most.
type target struct {
	Name     string  `json:"name"`
	Unit     string  `json:"unit"`
	Measured float64 `json:"measured"`
	// Rounds describes the results of all rounds where Measured is their median.
	Rounds *spread `json:"rounds,omitempty"`
	AtMost float64 `json:"at_most"`
	// Slack is by what factor AtMost may be passed before a check fails.
	Slack   float64 `json:"slack"`
	Verdict verdict `json:"verdict"`
}

// single returns a target for a value that is the same in all rounds, or the worst
// of them.
func single(name, unit string, measured, atMost float64) target {
	return target{Name: name, Unit: unit, Measured: measured, AtMost: atMost, Slack: usualSlack}
}

// inRounds returns a target for the median of what all rounds gave.
func inRounds(name, unit string, rounds spread, atMost float64) target {
	t := single(name, unit, rounds.Median, atMost)
	t.Rounds = &rounds
	return t
}

// withSlack returns the target with another slack than the usual one.
func (t target) withSlack(slack float64) target {
	t.Slack = slack
	return t
}

// isLost reports whether the target is certainly passed by far. What is no number
// is lost.
func (t target) isLost() bool {
	low, _ := t.interval()
	return !(low <= t.AtMost*t.Slack)
}

// interval returns between which the value lies.
func (t target) interval() (low, high float64) {
	if t.Rounds == nil {
		return t.Measured, t.Measured
	}
	return t.Rounds.Low, t.Rounds.High
}

// judged tells of each target whether it is met.
func judged(targets []target) []target {
	for i, t := range targets {
		low, high := t.interval()
		switch {
		case high <= t.AtMost:
			targets[i].Verdict = isMet
		case low > t.AtMost:
			targets[i].Verdict = isMissed
		default:
			targets[i].Verdict = isOpen
		}
	}
	return targets
}

// printVerdicts writes the targets, unless the rounds are too few to judge.
func printVerdicts(out io.Writer, rounds int, targets []target) {
	if rounds < enoughRounds {
		fmt.Fprintf(out, "%d rounds are too few for verdicts.\n", rounds)
		return
	}
	printTargets(out, targets)
}

// printTargets writes a line for each target.
func printTargets(out io.Writer, targets []target) {
	fmt.Fprintf(out, "\n%-17s  %8s  %15s  %-6s  budget\n", "", "at most", "median, its 95%", "")
	for _, t := range targets {
		rounds := ""
		if t.Rounds != nil {
			rounds = fmt.Sprintf("%.2f – %.2f", unsigned(t.Rounds.Low), unsigned(t.Rounds.High))
		}
		fmt.Fprintf(out, "%-17s  %8.2f  %8.2f  %15s  %-6s  %s\n", t.Verdict, t.AtMost, unsigned(t.Measured), rounds, t.Unit, t.Name)
	}
}

// tableOfTargets returns the targets in Markdown.
func tableOfTargets(targets []target) string {
	out := head("budget", "at most", "measured", "95 % of the median", "")
	for _, t := range targets {
		rounds, verdict := "", string(t.Verdict)
		if t.Rounds != nil {
			rounds = fmt.Sprintf("%.2f – %.2f", unsigned(t.Rounds.Low), unsigned(t.Rounds.High))
		}
		if t.Verdict == isMissed {
			verdict = "**missed**"
		}
		out += row(t.Name, strings.TrimSpace(fmt.Sprintf("%.2f %s", t.AtMost, t.Unit)), fmt.Sprintf("%.2f", unsigned(t.Measured)), rounds, verdict)
	}
	return out
}
