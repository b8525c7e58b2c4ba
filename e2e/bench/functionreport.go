package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"secretwrap/e2e/bench/machine"
)

// functionReport holds the results of cold starts.
type functionReport struct {
	Rounds int `json:"rounds"`
	// Versions are those of interpreters and SDKs, by language.
	Versions map[string]string `json:"versions"`
	// LeftOut tells what was not measured, and why.
	LeftOut []string  `json:"left_out,omitempty"`
	Cells   []summary `json:"cells"`
	// Lost names the cells in which another way was faster than one of ours.
	Lost    []string `json:"lost"`
	Targets []target `json:"targets"`
}

// summary is what the cold starts of a cell have in common.
type summary struct {
	Way way `json:"way"`
	conditions
	AnswerMS spread `json:"answer_ms"`
	InitMS   spread `json:"init_ms"`
	// CPUMS is nil where nobody counts it.
	CPUMS *spread `json:"cpu_ms,omitempty"`
	// AddedMS and AddedCPUMS are how much more it took than without secrets in the
	// same round.
	AddedMS    spread  `json:"added_ms"`
	AddedCPUMS *spread `json:"added_cpu_ms,omitempty"`
	// ResidentMB is the memory of all processes of the environment; what two of
	// them share counts twice.
	ResidentMB spread  `json:"resident_mb"`
	Calls      spread  `json:"calls"`
	ZippedMB   float64 `json:"zipped_mb"`
	// HandedOver counts the starts in which the secrets came from the extension.
	HandedOver int `json:"handed_over"`
	// AddedRounds and InitRounds are AddedMS and InitMS in the order of the rounds,
	// from which all that is compared can be computed anew.
	AddedRounds []float64 `json:"added_rounds_ms"`
	InitRounds  []float64 `json:"init_rounds_ms"`
}

func (l *lab) report(cells []*cell, rounds int) *functionReport {
	r := &functionReport{Rounds: rounds, Versions: l.versions, LeftOut: l.leftOut, Lost: []string{}}
	for _, c := range cells {
		s := summarize(c, cells)
		s.ZippedMB = l.zippedMB(c)
		if !l.countsCPU(c) {
			s.CPUMS, s.AddedCPUMS = nil, nil
		}
		r.Cells = append(r.Cells, s)
	}
	r.Lost = append(r.Lost, r.lost(false)...)
	r.Targets = judged(r.targets())
	return r
}

func summarize(c *cell, cells []*cell) summary {
	like := cells[slices.IndexFunc(cells, func(o *cell) bool { return o.way == bare && o.conditions == c.withoutSecrets() })]
	answer := func(s sample) float64 { return milliseconds(s.answer) }
	initial := func(s sample) float64 { return milliseconds(s.init) }
	cpu := func(s sample) float64 { return milliseconds(s.cpu) }
	added := func(value func(sample) float64) []float64 {
		return pairs(valuesOf(c.samples, value), valuesOf(like.samples, value), difference)
	}
	s := summary{
		Way: c.way, conditions: c.conditions,
		AnswerMS: spreadOf(c.samples, answer), InitMS: spreadOf(c.samples, initial), CPUMS: new(spreadOf(c.samples, cpu)),
		AddedCPUMS:  new(spreadOf(added(cpu), itself)),
		ResidentMB:  spreadOf(c.samples, func(s sample) float64 { return float64(s.resident) / 1e6 }),
		Calls:       spreadOf(c.samples, func(s sample) float64 { return float64(s.calls) }),
		AddedRounds: added(answer), InitRounds: valuesOf(c.samples, initial),
	}
	s.AddedMS = spreadOf(s.AddedRounds, itself)
	for _, one := range c.samples {
		if one.way == "extension" {
			s.HandedOver++
		}
	}
	return s
}

// took matches what the wrapper logs at the end of a start that went well.
var took = regexp.MustCompile(`(?m), [0-9]+ ms, ([a-z]+) \[SecretsDelivered\]$`)

// wayIn returns how the wrapper got the secrets, "" if the log does not tell.
func wayIn(log string) string {
	match := took.FindStringSubmatch(log)
	if match == nil {
		return ""
	}
	return match[1]
}

// cell returns the summary of a cell, and whether it was measured.
func (r *functionReport) cell(w way, c conditions) (summary, bool) {
	i := slices.IndexFunc(r.Cells, func(s summary) bool { return s.Way == w && s.conditions == c })
	if i < 0 {
		return summary{}, false
	}
	return r.Cells[i], true
}

// conditions returns all conditions, in the order of the cells.
func (r *functionReport) conditions() []conditions {
	var list []conditions
	for _, s := range r.Cells {
		if !slices.Contains(list, s.conditions) {
			list = append(list, s.conditions)
		}
	}
	return list
}

// lost names the cells in which a way that ours is compared with adds less; only
// those where that is certain, if they shall be.
func (r *functionReport) lost(certain bool) []string {
	var list []string
	for _, c := range r.conditions() {
		for _, w := range []way{direct, extended} {
			own, measured := r.cell(w, c)
			for _, o := range others() {
				other, there := r.cell(o, c)
				if !there || !measured {
					continue
				}
				if more := compare(own.AddedRounds, other.AddedRounds, difference); more.Median > 0 && (more.Low > 0 || !certain) {
					list = append(list, fmt.Sprintf("%s: %s added %.1f ms more than %q (%.1f against %.1f)", c.title(), w, more.Median, o, own.AddedMS.Median, other.AddedMS.Median))
				}
			}
		}
	}
	return list
}

// ways returns all ways in the order of the tables.
func ways() []way { return []way{bare, direct, extended, parallel, sequential, cached} }

func (r *functionReport) print(out io.Writer) {
	fmt.Fprintf(out, "\nCold starts in AWS's Runtime Interface Emulator, %d interleaved rounds\n\n", r.Rounds)
	fmt.Fprintf(out, "%-22s %21s  %21s  %6s  %8s  %5s  %6s\n", "", "first answer, ms", "added, ms", "added", "resident", "calls", "adds")
	fmt.Fprintf(out, "%-22s %21s  %21s  %6s  %8s  %5s  %6s\n", "", "median    p10 – p90", "median    p10 – p90", "CPU ms", "MB", "", "zip MB")
	for _, c := range r.conditions() {
		if c.withoutSecrets() == c && c.MemoryMB == 0 && !c.Cold {
			r.printConditions(out, c)
		}
	}
	r.printAxes(out)
	fmt.Fprintln(out, "The first answer comes from a function whose environment does not exist yet, and\nholds its secrets. What is added is over the same function without secrets, in the\nsame round. Resident are all processes of the environment,\nwhat they share more than once.")
	fmt.Fprintf(out, "A share of CPU is MB/%d of a core in periods of %v, for the emulator too.\n", machine.WholeCore, machine.Period)
	for _, what := range r.LeftOut {
		fmt.Fprintln(out, "Not measured, "+what)
	}
	for _, what := range r.Lost {
		fmt.Fprintln(out, "Slower, "+what)
	}
	printVerdicts(out, r.Rounds, r.Targets)
}

// printConditions writes the ways under the same conditions.
func (r *functionReport) printConditions(out io.Writer, c conditions) {
	fmt.Fprintln(out, c.name())
	for _, w := range ways() {
		s, there := r.cell(w, c)
		if !there {
			continue
		}
		added := ""
		if w != bare {
			added = fmt.Sprintf("%7.1f %5.1f – %5.1f  %6s", s.AddedMS.Median, s.AddedMS.P10, s.AddedMS.P90, s.addedCPU())
		}
		row := fmt.Sprintf("  %-22s %6.1f %5.1f – %5.1f  %29s  %8.1f  %5.0f  %6.1f", w, s.AnswerMS.Median, s.AnswerMS.P10, s.AnswerMS.P90, added, s.ResidentMB.Median, s.Calls.Median, s.ZippedMB)
		fmt.Fprintln(out, strings.TrimRight(row, " "))
	}
}

// addedCPU returns how much more CPU time it took, in ms, "" where nobody counts.
func (s summary) addedCPU() string {
	if s.AddedCPUMS == nil {
		return ""
	}
	return fmt.Sprintf("%.1f", s.AddedCPUMS.Median)
}

// printAxes writes what each way adds under all conditions.
func (r *functionReport) printAxes(out io.Writer) {
	columns := ways()[1:]
	var heads [2][]string
	for _, w := range columns {
		upper, lower := w.head()
		heads[0], heads[1] = append(heads[0], upper), append(heads[1], lower)
	}
	fmt.Fprintln(out, "\nAdded to the first answer, ms")
	printRow(out, "", heads[0])
	printRow(out, "", heads[1])
	for _, c := range r.conditions() {
		texts := make([]string, len(columns))
		for i, w := range columns {
			if s, there := r.cell(w, c); there {
				texts[i] = fmt.Sprintf("%.1f", s.AddedMS.Median)
			}
		}
		printRow(out, c.title(), texts)
	}
	fmt.Fprintln(out)
}

// head returns the way's name in two lines for the head of a narrow column.
func (w way) head() (upper, lower string) {
	if i := strings.LastIndex(string(w), " "); i >= 0 {
		return string(w[:i]), string(w[i+1:])
	}
	return "", string(w)
}

func printRow(out io.Writer, title string, columns []string) {
	row := fmt.Sprintf("%-36s", title)
	for _, text := range columns {
		row += fmt.Sprintf("  %11s", text)
	}
	fmt.Fprintln(out, strings.TrimRight(row, " "))
}
