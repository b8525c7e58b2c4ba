package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// warmReport holds the results of invocations.
type warmReport struct {
	// Invocations is how many of each function were measured, in as many
	// environments as Environments tells.
	Invocations  int           `json:"invocations"`
	Environments int           `json:"environments"`
	Cells        []warmSummary `json:"cells"`
	Targets      []target      `json:"targets"`
}

// warmSummary is what the invocations of a function have in common.
type warmSummary struct {
	Name      string `json:"name"`
	Events    string `json:"events"`
	LatencyMS spread `json:"latency_ms"`
	// OverMS and OverTimes compare with no layer. What an environment has by chance
	// it keeps: so each of them has one value, the median of its blocks compared with
	// those that were measured beside them.
	OverMS    spread `json:"over_no_layer_ms"`
	OverTimes spread `json:"over_no_layer_times"`
	// OverMSRounds and OverTimesRounds are OverMS and OverTimes by environment.
	OverMSRounds    []float64 `json:"over_no_layer_rounds_ms"`
	OverTimesRounds []float64 `json:"over_no_layer_rounds_times"`
}

func newWarmReport(cells []*warmCell, environments int) *warmReport {
	r := &warmReport{Environments: environments}
	noLayer := cells[0].medians()
	for _, c := range cells {
		all := slices.Concat(c.blocks...)
		r.Invocations = len(all)
		s := warmSummary{Name: c.name, Events: c.events, LatencyMS: spreadOf(all, itself)}
		s.OverMSRounds = byEnvironment(c.medians(), noLayer, environments, difference)
		s.OverTimesRounds = byEnvironment(c.medians(), noLayer, environments, ratio)
		s.OverMS, s.OverTimes = spreadOf(s.OverMSRounds, itself), spreadOf(s.OverTimesRounds, itself)
		r.Cells = append(r.Cells, s)
	}
	r.Targets = judged(r.targets())
	return r
}

// medians returns those of the blocks.
func (c *warmCell) medians() []float64 {
	return valuesOf(c.blocks, func(block []float64) float64 { return spreadOf(block, itself).Median })
}

// byEnvironment compares blocks, of which each environment has as many, and returns
// the median of each environment.
func byEnvironment(these, those []float64, environments int, with func(this, that float64) float64) []float64 {
	var list []float64
	for blocks := range slices.Chunk(pairs(these, those, with), len(these)/environments) {
		list = append(list, spreadOf(blocks, itself).Median)
	}
	return list
}

func (r *warmReport) targets() []target {
	cell := func(name string) warmSummary {
		return r.Cells[slices.IndexFunc(r.Cells, func(s warmSummary) bool { return s.Name == name })]
	}
	more := 0.0
	if cell(withVariables).Events != "SHUTDOWN" {
		more = 1
	}
	return []target{
		single("secrets in variables: events that the extension is told of, beyond SHUTDOWN", "events", more, 0),
		inRounds("secrets in variables: p50 of invocations over no layer", "ms", cell(withVariables).OverMS, 0.1),
		inRounds("secrets in variables: the same, against no layer", "times", cell(withVariables).OverTimes, 1.25),
		inRounds("a declared file, nothing due: p50 of invocations over no layer", "ms", cell(withFile).OverMS, 1),
		inRounds("a declared file, nothing due: the same, against no layer", "times", cell(withFile).OverTimes, 1.5),
	}
}

func (r *warmReport) print(out io.Writer) {
	fmt.Fprintf(out, "\nInvocations of warm environments: %d of each function in %d environments,\ninterleaved in blocks of %d, on connections that are kept\n\n", r.Invocations, r.Environments, blockSize)
	fmt.Fprintf(out, "%-27s %21s  %21s  %s\n", "", "latency, ms", "over no layer, ms", "extension is")
	fmt.Fprintf(out, "%-27s %21s  %21s  %s\n", "", "median    p10 – p90", "median    p10 – p90", "registered for")
	for _, c := range r.Cells {
		over := ""
		if c.Name != noLayer {
			over = fmt.Sprintf("%7.2f %5.2f – %5.2f", c.OverMS.Median, c.OverMS.P10, c.OverMS.P90)
		}
		row := fmt.Sprintf("%-27s %7.2f %5.2f – %5.2f  %21s  %s", c.Name, c.LatencyMS.Median, c.LatencyMS.P10, c.LatencyMS.P90, over, c.Events)
		fmt.Fprintln(out, strings.TrimRight(row, " "))
	}
	printVerdicts(out, r.Environments, r.Targets)
}
