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
	// OverMS compares the medians of blocks that were measured one after another.
	OverMS    spread `json:"over_no_layer_ms"`
	OverTimes spread `json:"over_no_layer_times"`
	// medians are those of the blocks.
	medians []float64
}

func newWarmReport(cells []*warmCell, environments int) *warmReport {
	r := &warmReport{Environments: environments}
	for _, c := range cells {
		all := slices.Concat(c.blocks...)
		r.Invocations = len(all)
		s := warmSummary{Name: c.name, Events: c.events, LatencyMS: spreadOf(all, itself)}
		for _, block := range c.blocks {
			s.medians = append(s.medians, spreadOf(block, itself).Median)
		}
		r.Cells = append(r.Cells, s)
		own, noLayer := &r.Cells[len(r.Cells)-1], r.Cells[0]
		own.OverMS = compare(s.medians, noLayer.medians, difference)
		own.OverTimes = compare(s.medians, noLayer.medians, ratio)
	}
	r.Targets = judged(r.targets())
	return r
}

func (r *warmReport) targets() []target {
	cell := func(name string) warmSummary {
		return r.Cells[slices.IndexFunc(r.Cells, func(s warmSummary) bool { return s.Name == name })]
	}
	return []target{
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
	printVerdicts(out, len(r.Cells[0].medians), r.Targets)
}
