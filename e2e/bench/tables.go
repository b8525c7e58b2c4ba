package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// The tables that docs/performance.md holds, between comments with their names.
const (
	machineTable    = "machine"
	waysTable       = "ways"
	conditionsTable = "conditions"
	startsTable     = "starts"
	targetsTable    = "targets"
)

// tables returns the tables of a whole measurement in Markdown, by name.
func (r report) tables() map[string]string {
	targets := slices.Concat(r.Functions.Targets, r.Start.Targets, r.Memory.Targets, r.Invocations.Targets)
	return map[string]string{
		machineTable:    r.machineTable(),
		waysTable:       r.Functions.waysTable(),
		conditionsTable: r.Functions.conditionsTable(),
		startsTable:     r.Start.table(),
		targetsTable:    tableOfTargets(targets),
	}
}

// withTables returns a text with what stands between the comments of its tables
// replaced.
func withTables(text string, tables map[string]string) string {
	for name, table := range tables {
		before, rest, found := strings.Cut(text, opening(name))
		_, after, closed := strings.Cut(rest, closing(name))
		if found && closed {
			text = before + opening(name) + table + closing(name) + after
		}
	}
	return text
}

func opening(name string) string { return "<!-- " + name + " -->\n" }

func closing(name string) string { return "<!-- end of " + name + " -->" }

// row returns a row of a table.
func row(fields ...string) string { return "| " + strings.Join(fields, " | ") + " |\n" }

// head returns the head of a table; all columns but the first are numbers.
func head(fields ...string) string {
	return row(fields...) + "|---" + strings.Repeat("|---:", len(fields)-1) + "|\n"
}

func (r report) machineTable() string {
	out := fmt.Sprintf("%s, on %s; %d interleaved rounds of cold starts.", r.Date, r.Machine, r.Functions.Rounds)
	for _, language := range []string{node, python} {
		if version := r.Functions.Versions[language]; version != "" {
			out += fmt.Sprintf(" %s %s.", language, version)
		}
	}
	return out + "\n"
}

func (r *functionReport) waysTable() string {
	out := head("", "first answer, ms", "p10 – p90", "added, ms", "added CPU, ms", "resident, MB", "calls", "adds to the download, MB")
	for _, c := range r.conditions() {
		if c.withoutSecrets() != c || c.Cold || c.MemoryMB > smallMemory {
			continue
		}
		out += row("**"+c.title()+"**", "", "", "", "", "", "", "")
		for _, w := range ways() {
			s, there := r.cell(w, c)
			if !there {
				continue
			}
			added, cpu := "", ""
			if w != bare {
				added, cpu = fmt.Sprintf("%.1f", s.AddedMS.Median), s.addedCPU()
			}
			out += row(string(w), fmt.Sprintf("%.1f", s.AnswerMS.Median), fmt.Sprintf("%.1f – %.1f", s.AnswerMS.P10, s.AnswerMS.P90),
				added, cpu, fmt.Sprintf("%.1f", s.ResidentMB.Median), fmt.Sprintf("%.0f", s.Calls.Median), fmt.Sprintf("%.1f", s.ZippedMB))
		}
	}
	return out
}

func (r *functionReport) conditionsTable() string {
	columns := []string{""}
	for _, w := range ways()[1:] {
		columns = append(columns, string(w))
	}
	out := head(columns...)
	for _, c := range r.conditions() {
		fields := []string{c.title()}
		for _, w := range ways()[1:] {
			text := ""
			if s, there := r.cell(w, c); there {
				text = fmt.Sprintf("**%.1f** %.0f – %.0f", s.AddedMS.Median, s.AddedMS.P10, s.AddedMS.P90)
			}
			fields = append(fields, text)
		}
		out += row(fields...)
	}
	return out
}

func (r *startReport) table() string {
	out := head("", "start to exec, ms", "CPU to the end, ms", "largest resident size, MB", "calls")
	for _, c := range r.Cells {
		out += row(c.Name, fmt.Sprintf("%.1f", c.ToExecMS.Median), fmt.Sprintf("%.1f", c.CPUMS.Median), fmt.Sprintf("%.1f", c.ResidentMB.Max), fmt.Sprintf("%.0f", c.Calls.Median))
	}
	return out
}

// unsigned returns a value of two decimals whose zero has no sign.
func unsigned(v float64) float64 { return math.Round(v*100)/100 + 0 }

// headline is what the README says of the results: of the whole layer, which is
// what people get.
func (r *functionReport) headline() string {
	added := func(w way, c conditions) string {
		s, _ := r.cell(w, c)
		if c == small() { // which varies too much for more digits
			return fmt.Sprintf("%.0f", math.Round(s.AddedMS.Median/10)*10)
		}
		return fmt.Sprintf("%.0f", s.AddedMS.Median)
	}
	against := func(c conditions) []any {
		return []any{added(extended, c), added(parallel, c), added(sequential, c)}
	}
	numbers := slices.Concat(against(usual(golang)), against(usual(node)), against(usual(python)), []any{smallMemory}, against(small()), []any{added(direct, small()), added(extended, besides())})
	return fmt.Sprintf("Three secrets add %s ms to the cold start of a function in Go, where AWS's SDK in the handler adds %s in parallel and %s one by one; in Node.js %s in place of %s and %s, in Python %s in place of %s and %s. "+
		"With the CPU of %d MB it is about %s in place of %s and %s; the layer without the extension adds %s there. Beside an extension that takes 100 ms to start they add %s ms.", numbers...)
}
