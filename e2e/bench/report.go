package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// report holds the results of the parts that were measured.
type report struct {
	Machine computer `json:"machine"`
	// Date is the day of the measurement.
	Date string `json:"date"`
	// Quick is set when little was measured.
	Quick       bool            `json:"quick,omitempty"`
	Start       *startReport    `json:"start,omitempty"`
	Functions   *functionReport `json:"functions,omitempty"`
	Waterfalls  []waterfall     `json:"waterfalls,omitempty"`
	Invocations *warmReport     `json:"invocations,omitempty"`
	Memory      *memoryReport   `json:"memory,omitempty"`
}

// computer is where the measurement took place.
type computer struct {
	Processor    string `json:"processor"`
	CPUs         int    `json:"cpus"`
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Kernel       string `json:"kernel"`
	Go           string `json:"go"`
}

func newReport(quick bool) report {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	cpuinfo, _ := os.ReadFile("/proc/cpuinfo")
	return report{Date: time.Now().Format(time.DateOnly), Quick: quick, Machine: computer{
		Processor: processor(string(cpuinfo)), CPUs: runtime.NumCPU(), OS: runtime.GOOS, Architecture: runtime.GOARCH,
		Kernel: strings.TrimSpace(string(kernel)), Go: runtime.Version(),
	}}
}

// processor returns the name in a /proc/cpuinfo, "" on those processors that do
// not tell one.
func processor(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// String returns a line about the machine.
func (c computer) String() string {
	parts := []string{c.Processor, fmt.Sprintf("%d CPUs", c.CPUs), strings.TrimSpace(c.OS + " " + c.Kernel), c.Architecture, c.Go}
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), ", ")
}

// print writes the results as tables.
func (r report) print(out io.Writer) {
	fmt.Fprintf(out, "\n%s, %s\n", r.Date, r.Machine)
	if r.Start != nil {
		r.Start.print(out)
	}
	if r.Functions != nil {
		r.Functions.print(out)
	}
	for _, w := range r.Waterfalls {
		w.print(out)
	}
	if r.Invocations != nil {
		r.Invocations.print(out)
	}
	if r.Memory != nil {
		r.Memory.print(out)
	}
}

// The files of the results in their directory, and of the text about them.
const (
	resultsFile = "bench.json"
	textFile    = "performance.md"
)

// save writes the results and charts into a directory.
func (r report) save(dir string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, resultsFile), append(text, '\n'), 0o644); err != nil {
		return err
	}
	return r.draw(dir)
}

// redraw draws the charts of the results in a directory anew.
func redraw(dir string) error {
	r, err := load(dir)
	if err != nil {
		return err
	}
	if !r.complete() {
		return fmt.Errorf("%s holds results of a quick measurement, or not all parts", filepath.Join(dir, resultsFile))
	}
	return r.draw(dir)
}

// load reads the results in a directory.
func load(dir string) (report, error) {
	text, err := os.ReadFile(filepath.Join(dir, resultsFile))
	if err != nil {
		return report{}, err
	}
	var r report
	return r, json.Unmarshal(text, &r)
}

// draw writes the charts of what was measured into a directory.
func (r report) draw(dir string) error {
	for name, chart := range r.charts() {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(chart), 0o644); err != nil {
			return err
		}
	}
	return r.fill(filepath.Join(dir, textFile))
}

// fill puts the tables into a text, if there is one.
func (r report) fill(path string) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(withTables(string(text), r.tables())), 0o644)
}

// charts returns the charts of what was measured, by the names of their files.
func (r report) charts() map[string]string {
	charts := make(map[string]string)
	if r.Functions != nil {
		charts["ways.svg"] = r.Functions.chartWays(r.Machine)
	}
	if r.Functions != nil && !r.Quick { // else there is one point of each line
		charts["conditions.svg"] = r.Functions.chartConditions()
	}
	if len(r.Waterfalls) > 0 {
		charts["waterfall.svg"] = chartWaterfalls(r.Waterfalls)
	}
	return charts
}

// check returns an error that names the budgets that are certainly passed, by far.
// Those in milliseconds depend on the machine, and are left alone.
func (r report) check() error {
	var lost []string
	for _, t := range slices.Concat(r.Start.Targets, r.Functions.Targets, r.Invocations.Targets, r.Memory.Targets) {
		if t.Unit != "ms" && t.Name != anyFaster && t.isLost() {
			low, high := t.interval()
			lost = append(lost, fmt.Sprintf("%s: %.2f to %.2f %s, at most %.2f, with slack %.2f", t.Name, low, high, t.Unit, t.AtMost, t.AtMost*t.Slack))
		}
	}
	if len(lost) > 0 {
		return fmt.Errorf("%d budgets are lost:\n%s", len(lost), strings.Join(lost, "\n"))
	}
	return nil
}

// complete reports whether this is what can be published.
func (r report) complete() bool {
	return !r.Quick && r.Start != nil && r.Functions != nil && r.Invocations != nil && r.Memory != nil && len(r.Waterfalls) > 0 && len(r.Functions.LeftOut) == 0
}

// unchecked returns an error that tells which budgets nothing is known about.
func (r report) unchecked() error {
	if r.Functions == nil || len(r.Functions.LeftOut) == 0 {
		return nil
	}
	return fmt.Errorf("NOT CHECKED for want of means:\n%s", strings.Join(r.Functions.LeftOut, "\n"))
}
