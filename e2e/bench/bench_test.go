package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"secretwrap/e2e/emulator"
)

func TestSpreadOf(t *testing.T) {
	shuffled := []float64{7, 1, 9, 3, 11, 5, 2, 10, 4, 8, 6}
	if got, want := spreadOf(shuffled, itself), (spread{Min: 1, P10: 2, Median: 6, P90: 10, Max: 11, Low: 2, High: 10}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := spreadOf([]float64{4, 1, 10, 2}, itself).Median; got != 3 {
		t.Errorf("the median of four values is %v, want 3", got)
	}
	if got, want := spreadOf([]float64{3}, itself), (spread{3, 3, 3, 3, 3, 3, 3}); got != want {
		t.Errorf("of one value: got %v, want %v", got, want)
	}
}

// A machine that becomes ten times slower must not change what is compared.
func TestCompareWithinRounds(t *testing.T) {
	if got := compare([]float64{2, 20, 200}, []float64{1, 10, 100}, ratio); got != (spread{2, 2, 2, 2, 2, 2, 2}) {
		t.Errorf("got %v, want 2 throughout", got)
	}
}

// By the binomial distribution with a probability of one half.
func TestTheIntervalOfAMedian(t *testing.T) {
	for n, want := range map[int]int{2: 0, 5: 0, 6: 0, 8: 0, 9: 1, 11: 1, 17: 4, 40: 13} {
		if got := leftOut(n); got != want {
			t.Errorf("of %d samples %d are left out on either side, want %d", n, got, want)
		}
	}
}

// Nine blocks of one environment are not nine environments.
func TestEnvironmentsCountOnce(t *testing.T) {
	got := byEnvironment([]float64{2, 3, 9, 5, 5, 5}, []float64{1, 1, 1, 1, 1, 1}, 2, difference)
	if !slices.Equal(got, []float64{2, 4}) {
		t.Errorf("got %v, want [2 4]", got)
	}
}

func TestResultsThatAreNotWholeAreNotDrawn(t *testing.T) {
	dir := t.TempDir()
	for _, r := range []report{{}, {Quick: true, Start: &startReport{}, Functions: &functionReport{}, Invocations: &warmReport{}, Memory: &memoryReport{}, Waterfalls: []waterfall{{}}}} {
		if r.complete() {
			t.Errorf("%+v is whole", r)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, resultsFile), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := redraw(dir); err == nil || !strings.Contains(err.Error(), "not all parts") {
		t.Errorf("error %v", err)
	}
}

func TestWayIn(t *testing.T) {
	logs := map[string]string{
		"secretwrap: info: 3 secrets into 3 variables and 0 files: 3 calls, 0 retries, 52 ms, direct [SecretsDelivered]\n02 Jan 2026 [INFO]\n": "direct",
		"EXTENSION\nsecretwrap: info: 1 secret into 1 variable and 0 files: 0 calls, 0 retries, 4 ms, extension [SecretsDelivered]\nSTART\n":   "extension",
		"secretwrap: error: A: secret \"b\": denied [Runtime.SecretAccessDenied]\n":                                                            "",
	}
	for log, want := range logs {
		if got := wayIn(log); got != want {
			t.Errorf("%q: got %q, want %q", log, got, want)
		}
	}
}

// What is measured under some conditions is compared with the function without
// secrets, which must be measured too, and nothing is measured twice.
func TestStarHasWhatItIsComparedWith(t *testing.T) {
	for _, s := range []selection{{}, {limited: true, quick: true}, {languages: []string{node}}, {limited: true}, {languages: []string{node, python}, axes: true, limited: true, cold: true}} {
		cells := star(s)
		var seen []cell
		for _, c := range cells {
			like := func(other *cell) bool { return other.way == bare && other.conditions == c.withoutSecrets() }
			if !slices.ContainsFunc(cells, like) {
				t.Errorf("%+v: nothing to compare %s, %s with", s, c.way, c.name())
			}
			if slices.ContainsFunc(seen, func(o cell) bool { return o.way == c.way && o.conditions == c.conditions }) {
				t.Errorf("%+v: %s, %s twice", s, c.way, c.name())
			}
			seen = append(seen, *c)
		}
	}
}

// All conditions that are drawn are measured.
func TestEveryPointOfTheChartIsMeasured(t *testing.T) {
	cells := star(selection{axes: true, limited: true, cold: true})
	for _, a := range axes() {
		for i, c := range a.points {
			if !slices.ContainsFunc(cells, func(o *cell) bool { return o.way == direct && o.conditions == c }) || len(a.labels) != len(a.points) {
				t.Errorf("%s: %s is not measured", a.name, a.labels[i])
			}
		}
	}
}

// measured returns a cell whose starts took so many ms.
func measured(w way, c conditions, ms ...float64) *cell {
	one := &cell{way: w, conditions: c}
	for _, v := range ms {
		one.samples = append(one.samples, sample{answer: time.Duration(v * float64(time.Millisecond))})
	}
	return one
}

func TestACellIsLostWhereAnotherWayAddsLess(t *testing.T) {
	cells := []*cell{
		measured(bare, usual(golang), 10, 10, 100),
		measured(direct, usual(golang), 60, 60, 150),
		measured(extended, usual(golang), 61, 61, 151),
		measured(parallel, usual(golang), 70, 60.5, 150.5),
		measured(sequential, usual(golang), 150, 150, 250),
	}
	r := &functionReport{}
	for _, c := range cells {
		r.Cells = append(r.Cells, summarize(c, cells))
	}
	lost := r.lost(false)
	if len(lost) != 1 || !strings.HasPrefix(lost[0], "Go: secretwrap, extension added 0.5 ms more than ") {
		t.Errorf("lost %q", lost)
	}
	if own, _ := r.cell(direct, usual(golang)); own.AddedMS.Median != 50 || own.AnswerMS.Median != 60 {
		t.Errorf("added %v to an answer after %v", own.AddedMS, own.AnswerMS)
	}
}

func TestABudgetIsLostBeyondItsSlack(t *testing.T) {
	with := func(unit string, measured float64) report {
		one := single("a budget", unit, measured, 2)
		return report{Start: &startReport{Targets: []target{one}}, Functions: &functionReport{}, Memory: &memoryReport{}, Invocations: &warmReport{}}
	}
	if err := with("times", 2.29).check(); err != nil {
		t.Error(err)
	}
	if err := with("ms", 20).check(); err != nil {
		t.Errorf("milliseconds depend on the machine: %v", err)
	}
	if err := with("times", 2.31).check(); err == nil || !strings.Contains(err.Error(), "a budget: 2.31 to 2.31 times, at most 2.00, with slack 2.30") {
		t.Errorf("error %v", err)
	}
}

func TestTheStepsOfAColdStart(t *testing.T) {
	began := time.Now()
	at := func(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }
	line := func(ms int, text string) emulator.Line { return emulator.Line{At: at(ms), Text: text} }
	known := timeline{
		began: began, answered: at(130),
		lines: []emulator.Line{
			line(1, "INIT START(type: on-demand)"), line(8, "External agent secretwrap (1) registered"), line(101, "External agent foreign (2) registered"),
			line(103, "waterfall: bootstrap"), line(110, "[secretwrap] info: … [SecretsDelivered]"), line(114, "function: main"), line(120, "INIT REPORT(durationMs: 119)"),
		},
		traffic: traffic{Accepted: []time.Time{at(10), at(9)}, Asked: []time.Time{at(12), at(14), at(13)}, Answered: []time.Time{at(52), at(54), at(53)}},
	}
	const calls = "Secrets Manager connects, gets the requests 9-14, Secrets Manager 3 calls at once 14-54, "
	const runs = "runtime exec, starts 110-114, runtime handler initializes 114-120, runtime answers 120-130"
	for want, c := range map[string]cell{
		"Lambda prepares 0-1, " + calls + "wrapper starts 103-9, wrapper asks 9-14, wrapper waits 14-54, wrapper delivers 54-110, " + runs:                      {way: direct, conditions: usual(golang)},
		"Lambda prepares 0-1, extension starts, registers 1-8, " + calls + "wrapper starts, waits 103-54, wrapper delivers 54-110, " + runs:                     {way: extended, conditions: usual(golang)},
		"Lambda prepares 0-1, other extension starts, registers 1-101, extension starts, registers 1-8, " + calls + "wrapper starts, delivers 103-110, " + runs: {way: extended, conditions: besides()},
	} {
		steps, err := known.steps(&c)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range steps {
			got = append(got, fmt.Sprintf("%s %s %.0f-%.0f", s.Lane, s.Name, s.From, s.To))
		}
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("steps\n%s\nwant\n%s", text, want)
		}
		headless := known
		headless.lines = known.lines[1:]
		if _, err := headless.steps(&c); err == nil {
			t.Error("a cold start without a beginning has steps")
		}
	}
}

func TestTablesReplaceWhatStandsBetweenTheirComments(t *testing.T) {
	text := "a\n<!-- one -->\nold\n<!-- end of one -->\nb\n<!-- end of two -->\n"
	got := withTables(text, map[string]string{"one": "| new |\n", "two": "| lost |\n"})
	if want := strings.Replace(text, "old", "| new |", 1); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestATargetIsMetAtItsLimit(t *testing.T) {
	got := judged([]target{single("", "", 1, 2), single("", "", 2, 2), single("", "", 3, 2)})
	if got[0].Verdict != isMet || got[1].Verdict != isMet || got[2].Verdict != isMissed {
		t.Errorf("%+v", got)
	}
}

// A median that may well lie on the other side of the limit proves nothing.
func TestATargetIsJudgedByWhatIsKnownOfTheMedian(t *testing.T) {
	rounds := spreadOf([]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, itself) // the median is from 2 to 10
	got := judged([]target{inRounds("", "", rounds, 10), inRounds("", "", rounds, 9.9), inRounds("", "", rounds, 2), inRounds("", "", rounds, 1.9)})
	for i, want := range []verdict{isMet, isOpen, isOpen, isMissed} {
		if got[i].Verdict != want {
			t.Errorf("at most %.1f: %s, want %s", got[i].AtMost, got[i].Verdict, want)
		}
	}
}

// What cannot be computed is no budget that is kept.
func TestABudgetThatIsNoNumberIsLost(t *testing.T) {
	r := report{Start: &startReport{Targets: []target{single("", "times", math.NaN(), 1)}}, Functions: &functionReport{}, Memory: &memoryReport{}, Invocations: &warmReport{}}
	if r.check() == nil {
		t.Error("it is kept")
	}
}

// Six ms more of the wrapper's own, which are little beside Secrets Manager's 40,
// are a clear regression.
func TestACheckFindsWhatTheWrapperLosesItself(t *testing.T) {
	checked := func(own time.Duration) error {
		at := func(w way, c conditions, init time.Duration) *cell {
			took := sample{init: init, answer: init, cpu: init / 5, calls: 3, way: map[way]string{extended: "extension"}[w]}
			return &cell{way: w, conditions: c, samples: []sample{took, took, took}}
		}
		ms := time.Millisecond
		cells := []*cell{
			at(bare, usual(golang), 7*ms), at(direct, usual(golang), 58*ms+own), at(extended, usual(golang), 58*ms+own),
			at(parallel, usual(golang), 69*ms), at(sequential, usual(golang), 151*ms),
			at(bare, besides(), 112*ms), at(direct, besides(), 162*ms+own), at(extended, besides(), 116*ms+own),
		}
		r := &functionReport{Rounds: 3}
		for _, c := range cells {
			r.Cells = append(r.Cells, summarize(c, cells))
		}
		r.Targets = judged(r.targets())
		return report{Start: &startReport{}, Functions: r, Memory: &memoryReport{}, Invocations: &warmReport{}}.check()
	}
	if err := checked(0); err != nil {
		t.Error(err)
	}
	if err := checked(6 * time.Millisecond); err == nil || !strings.HasPrefix(err.Error(), "3 budgets ") {
		t.Errorf("error %v, want the wrapper's own time, the hand-over's, and that beside a slow extension", err)
	}
}

func TestWhatIsNotCheckedIsSaid(t *testing.T) {
	if err := (report{Functions: &functionReport{}}).unchecked(); err != nil {
		t.Error(err)
	}
	if err := (report{Functions: &functionReport{LeftOut: []string{"shares of CPU: no"}}}).unchecked(); err == nil || !strings.Contains(err.Error(), "shares of CPU") {
		t.Errorf("error %v", err)
	}
}

func TestOptionsThatDoNotGoTogetherAreRefused(t *testing.T) {
	for _, o := range []options{{}, {quick: true, out: "dist"}, {check: true, require: true}, {draw: "docs"}} {
		if o.part = "all"; o.validate(nil) != nil {
			t.Errorf("%+v: %v", o, o.validate(nil))
		}
	}
	for _, o := range []options{{part: "most"}, {part: "start", out: "dist"}, {part: "all", check: true, quick: true}, {part: "all", require: true}, {part: "all", draw: "docs", check: true}} {
		if o.validate(nil) == nil {
			t.Errorf("%+v is taken", o)
		}
	}
	if err := (options{part: "all"}).validate([]string{"quick"}); err == nil || !strings.Contains(err.Error(), `"quick"`) {
		t.Errorf("error %v", err)
	}
}

func TestStartsThatWentAnotherWayAreCounted(t *testing.T) {
	r := &functionReport{Rounds: 3, Cells: []summary{
		{Way: extended, conditions: usual(golang), HandedOver: 2, Calls: spread{Min: 3, Max: 3}},
		{Way: direct, conditions: usual(golang), Calls: spread{Min: 2, P10: 3, Median: 3, P90: 3, Max: 3}},
		{Way: direct, conditions: besides(), Calls: spread{Min: 3, P10: 3, Median: 3, P90: 3, Max: 4}},
		{Way: sequential, conditions: usual(golang), Calls: spread{Min: 9, Max: 9}},
	}}
	if r.notHandedOver() != 1 || r.miscounted() != 2 {
		t.Errorf("%d not handed over, %d miscounted", r.notHandedOver(), r.miscounted())
	}
}

// The published results were judged by the budgets that the code has.
func TestThePublishedTargetsAreTheCodes(t *testing.T) {
	published, err := load(documents)
	if err != nil {
		t.Fatal(err)
	}
	if got := judged(published.Start.targets()); !reflect.DeepEqual(got, published.Start.Targets) {
		t.Errorf("starts: %+v, published %+v", got, published.Start.Targets)
	}
	if got := judged(published.Functions.targets()); !reflect.DeepEqual(got, published.Functions.Targets) {
		t.Errorf("functions: %+v, published %+v", got, published.Functions.Targets)
	}
	if got := judged(published.Invocations.targets()); !reflect.DeepEqual(got, published.Invocations.Targets) {
		t.Errorf("invocations: %+v, published %+v", got, published.Invocations.Targets)
	}
	if got := published.Functions.lost(false); len(got) != len(published.Functions.Lost) {
		t.Errorf("lost %q, published %q", got, published.Functions.Lost)
	}
}
