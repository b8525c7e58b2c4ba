package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// coldReport holds the results of cold starts.
type coldReport struct {
	Rounds int `json:"rounds"`
	// LeftOut tells why the throttled cells were not measured, if so.
	LeftOut string        `json:"left_out,omitempty"`
	Cells   []coldSummary `json:"cells"`
	Targets []target      `json:"targets"`
}

// coldSummary is what the cold starts of a cell have in common.
type coldSummary struct {
	Where  string `json:"where"`
	Has    string `json:"has"`
	InitMS spread `json:"init_ms"`
	// OverMS is how much longer than without the layer in the same round.
	OverMS spread `json:"over_no_layer_ms"`
	Calls  spread `json:"calls"`
	// HandedOver counts the starts in which the secrets came from the extension.
	HandedOver int `json:"handed_over"`
	// RSSMB and PeakMB are the extension's memory after the first invocation.
	RSSMB  *spread `json:"extension_rss_mb,omitempty"`
	PeakMB *spread `json:"extension_peak_mb,omitempty"`
	// inits are the durations in ms in the order of the rounds.
	inits []float64
	// fewest is the smallest number of calls.
	fewest int
}

func newColdReport(cells []*coldCell, rounds int, leftOut error) *coldReport {
	r := &coldReport{Rounds: rounds}
	if leftOut != nil {
		r.LeftOut = leftOut.Error()
	}
	for _, c := range cells {
		s := summarize(c)
		r.Cells = append(r.Cells, s)
		// The cell without the layer is the first one of its kind.
		r.Cells[len(r.Cells)-1].OverMS = compare(s.inits, r.cell(c.where, noLayer).inits, difference)
	}
	r.Targets = judged(r.targets())
	return r
}

func summarize(c *coldCell) coldSummary {
	s := coldSummary{
		Where: c.where, Has: c.has,
		InitMS: spreadOf(c.samples, func(s coldSample) float64 { return milliseconds(s.init) }),
		Calls:  spreadOf(c.samples, func(s coldSample) float64 { return float64(s.calls) }),
		fewest: slices.MinFunc(c.samples, func(a, b coldSample) int { return a.calls - b.calls }).calls,
	}
	for _, sample := range c.samples {
		s.inits = append(s.inits, milliseconds(sample.init))
		if sample.way == "extension" {
			s.HandedOver++
		}
	}
	if c.extended() {
		s.RSSMB = new(spreadOf(c.samples, func(s coldSample) float64 { return float64(s.extension.now) / 1e6 }))
		s.PeakMB = new(spreadOf(c.samples, func(s coldSample) float64 { return float64(s.extension.peak) / 1e6 }))
	}
	return s
}

// cell returns the summary of a cell, an empty one if it was left out.
func (r *coldReport) cell(where, has string) coldSummary {
	i := slices.IndexFunc(r.Cells, func(s coldSummary) bool { return s.Where == where && s.Has == has })
	if i < 0 {
		return coldSummary{}
	}
	return r.Cells[i]
}

func (r *coldReport) targets() []target {
	against := func(where string) spread {
		return compare(r.cell(where, handover).inits, r.cell(where, wrapperOnly).inits, ratio)
	}
	list := []target{
		inRounds("hand-over: init against the wrapper alone", "times", against(alone), 1),
		inRounds("hand-over beside a 100 ms extension: init over no layer", "ms", r.cell(beside, handover).OverMS, 5),
	}
	if r.LeftOut == "" {
		list = append(list, inRounds("hand-over at 128 MB's CPU share: init against the wrapper alone", "times", against(throttled), 1.25))
	}
	most, fewest := r.calls()
	return append(list,
		target{Name: "starts with hand-over in which the wrapper fetched alone after all", Unit: "starts", Measured: float64(r.notHandedOver()), AtMost: 0},
		target{Name: "calls of Secrets Manager in a start with 3 secrets: most", Unit: "calls", Measured: most, AtMost: coldSecrets},
		target{Name: "calls missing from 3 in the start with the fewest", Unit: "calls", Measured: coldSecrets - fewest, AtMost: 0})
}

// inRounds returns a target for the median of what all rounds gave.
func inRounds(name, unit string, rounds spread, atMost float64) target {
	return target{Name: name, Unit: unit, Measured: rounds.Median, Rounds: &rounds, AtMost: atMost}
}

// notHandedOver counts the starts with hand-over in which there was none.
func (r *coldReport) notHandedOver() int {
	count := 0
	for _, c := range r.Cells {
		if c.Has == handover {
			count += r.Rounds - c.HandedOver
		}
	}
	return count
}

// calls returns the largest and the smallest number of calls in a start with the
// layer.
func (r *coldReport) calls() (most, fewest float64) {
	fewest = coldSecrets
	for _, c := range r.Cells {
		if c.Has != noLayer {
			most, fewest = max(most, c.Calls.Max), min(fewest, float64(c.fewest))
		}
	}
	return most, fewest
}

func (r *coldReport) print(out io.Writer) {
	fmt.Fprintf(out, "\nCold starts in AWS's Runtime Interface Emulator: a Go handler, %d secrets,\n%d interleaved rounds\n\n", coldSecrets, r.Rounds)
	fmt.Fprintf(out, "%-27s %21s  %21s  %12s  %5s  %s\n", "", "init, ms", "over no layer, ms", "extension MB", "calls", "handed over")
	fmt.Fprintf(out, "%-27s %21s  %21s  %12s\n", "", "median    p10 – p90", "median    p10 – p90", "now    peak")
	where := ""
	for _, c := range r.Cells {
		if c.Where != where {
			where = c.Where
			fmt.Fprintln(out, where)
		}
		row := fmt.Sprintf("  %-25s %7.1f %5.1f – %5.1f  %21s  %12s  %5.0f  %11s", c.Has, c.InitMS.Median, c.InitMS.P10, c.InitMS.P90, c.over(), c.memory(), c.Calls.Median, c.handedOver(r.Rounds))
		fmt.Fprintln(out, strings.TrimRight(row, " "))
	}
	fmt.Fprintln(out, "\nInit is what the emulator reports: extensions register, the runtime starts and asks\nfor work. Now is the extension's resident size after the first invocation.\nHanded over are the starts in which the secrets came from the extension.")
	if r.LeftOut != "" {
		fmt.Fprintf(out, "Not measured %s: %s\n", throttled, r.LeftOut)
	} else {
		fmt.Fprintf(out, "A CPU share of %d MB is %d/%d of a core, in periods of %v, for the emulator too.\n", smallMemory, smallMemory, wholeCore, sharePeriod)
	}
	fmt.Fprintln(out)
	printTargets(out, r.Targets)
}

func (s coldSummary) over() string {
	if s.Has == noLayer {
		return ""
	}
	return fmt.Sprintf("%7.1f %5.1f – %5.1f", s.OverMS.Median, s.OverMS.P10, s.OverMS.P90)
}

func (s coldSummary) handedOver(rounds int) string {
	if s.Has == noLayer {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.HandedOver, rounds)
}

func (s coldSummary) memory() string {
	if s.RSSMB == nil {
		return ""
	}
	return fmt.Sprintf("%5.1f  %5.1f", s.RSSMB.Median, s.PeakMB.Max)
}
