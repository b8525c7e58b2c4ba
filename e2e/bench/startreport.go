package main

import (
	"fmt"
	"io"
	"slices"
)

// startReport holds the results of starting processes.
type startReport struct {
	Rounds  int            `json:"rounds"`
	Cells   []startSummary `json:"cells"`
	Targets []target       `json:"targets"`
}

// startSummary is what the runs of a cell have in common.
type startSummary struct {
	Name       string `json:"name"`
	ToExecMS   spread `json:"to_exec_ms"`
	ToEndMS    spread `json:"to_end_ms"`
	CPUMS      spread `json:"cpu_ms"`
	ResidentMB spread `json:"resident_mb"`
	Calls      spread `json:"calls"`
	// ToExecRounds and CPURounds are ToExecMS and CPUMS in the order of the rounds.
	ToExecRounds []float64 `json:"to_exec_rounds_ms"`
	CPURounds    []float64 `json:"cpu_rounds_ms"`
}

func newStartReport(cells []*startCell, rounds int) *startReport {
	r := &startReport{Rounds: rounds}
	toExec := func(s startSample) float64 { return milliseconds(s.toExec) }
	cpu := func(s startSample) float64 { return milliseconds(s.cpu) }
	for _, c := range cells {
		r.Cells = append(r.Cells, startSummary{
			Name:         c.name,
			ToExecMS:     spreadOf(c.samples, toExec),
			ToEndMS:      spreadOf(c.samples, func(s startSample) float64 { return milliseconds(s.toEnd) }),
			CPUMS:        spreadOf(c.samples, cpu),
			ResidentMB:   spreadOf(c.samples, func(s startSample) float64 { return float64(s.resident) / 1e6 }),
			Calls:        spreadOf(c.samples, func(s startSample) float64 { return float64(s.calls) }),
			ToExecRounds: valuesOf(c.samples, toExec),
			CPURounds:    valuesOf(c.samples, cpu),
		})
	}
	r.Targets = judged(r.targets())
	return r
}

// cell returns the summary of the cell that is called name.
func (r *startReport) cell(name string) startSummary {
	return r.Cells[slices.IndexFunc(r.Cells, func(s startSummary) bool { return s.Name == name })]
}

func (r *startReport) targets() []target {
	cpuOverExec := func(name string) spread { return compare(r.cell(name).CPURounds, r.cell(execOnly).CPURounds, ratio) }
	return []target{
		inRounds("20 secrets: time to exec, against 1 secret", "times", compare(r.cell(twenty).ToExecRounds, r.cell(one).ToExecRounds, ratio), 1.35),
		inRounds("nothing configured: CPU, against exec only", "times", cpuOverExec(nothing), 2),
		inRounds("nothing configured: time to exec, against exec only", "times", compare(r.cell(nothing).ToExecRounds, r.cell(execOnly).ToExecRounds, ratio), 3),
		inRounds("3 secrets: CPU, against exec only", "times", cpuOverExec(three), 5.2),
		single("20 secrets: largest resident size", "MB", r.cell(twenty).ResidentMB.Max, 24).withSlack(noSlack),
		single("100 secrets of 64 KiB: largest resident size", "MB", r.cell(large).ResidentMB.Max, 64).withSlack(noSlack),
		single("nothing configured: calls of Secrets Manager", "calls", r.cell(nothing).Calls.Max, 0),
	}
}

func (r *startReport) print(out io.Writer) {
	fmt.Fprintf(out, "\nStarts of the wrapper as a process, %d interleaved rounds\n\n", r.Rounds)
	fmt.Fprintf(out, "%-21s  %21s  %6s  %6s  %11s  %5s\n", "", "start to exec, ms", "to end", "CPU", "resident MB", "calls")
	fmt.Fprintf(out, "%-21s  %21s  %6s  %6s  %11s\n", "", "median    p10 – p90", "ms", "ms", "median  max")
	for _, c := range r.Cells {
		fmt.Fprintf(out, "%-21s  %7.1f %5.1f – %5.1f  %6.1f  %6.1f  %6.1f %4.1f  %5.0f\n",
			c.Name, c.ToExecMS.Median, c.ToExecMS.P10, c.ToExecMS.P90, c.ToEndMS.Median, c.CPUMS.Median, c.ResidentMB.Median, c.ResidentMB.Max, c.Calls.Median)
	}
	fmt.Fprintf(out, "\nEverything includes the executed program. The resident size is the larger one\nof the wrapper's and the executed program's: the system keeps it over exec.\n")
	printVerdicts(out, r.Rounds, r.Targets)
}
