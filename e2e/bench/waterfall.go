package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"secretwrap/e2e/emulator"
)

// waterfall is a cold start step by step.
type waterfall struct {
	Name string `json:"name"`
	// Starts is how many cold starts the times are medians of.
	Starts int    `json:"starts"`
	Steps  []step `json:"steps"`
}

// step is what takes some time of a cold start, in ms since the invocation that
// causes it.
type step struct {
	// Lane is who does it.
	Lane string  `json:"lane"`
	Name string  `json:"name"`
	From float64 `json:"from_ms"`
	To   float64 `json:"to_ms"`
}

// The lanes of a waterfall.
const (
	lambdaLane    = "Lambda"
	extensionLane = "extension"
	foreignLane   = "other extension"
	wrapperLane   = "wrapper"
	callLane      = "Secrets Manager"
	runtimeLane   = "runtime"
)

// marks are the lines by which the steps of a cold start are known, in the log of
// everything that runs in the environment.
const (
	initMark       = "INIT START"
	ownMark        = "External agent secretwrap ("
	foreignMark    = "External agent foreign ("
	bootstrapMark  = "waterfall: bootstrap"
	deliveredMark  = "[SecretsDelivered]"
	functionMark   = "function: main"
	initReportMark = "INIT REPORT"
)

// followed is a kind of cold start.
type followed struct {
	name string
	cell
	starts [][]step
}

// follow follows cold starts.
func (l *lab) follow(ctx context.Context, starts int) ([]waterfall, error) {
	kinds := []*followed{
		{name: "the wrapper alone", cell: cell{way: direct, conditions: usual(golang)}},
		{name: "with the extension", cell: cell{way: extended, conditions: usual(golang)}},
		{name: "with the extension, beside another one that takes 100 ms", cell: cell{way: extended, conditions: besides()}},
	}
	keep := func(f *followed, steps []step) { f.starts = append(f.starts, steps) }
	if err := interleaved(ctx, l.progress, "cold starts step by step", kinds, starts, l.followOne, keep); err != nil {
		return nil, err
	}
	list := make([]waterfall, len(kinds))
	for i, f := range kinds {
		list[i] = waterfall{Name: f.name, Starts: starts, Steps: medians(f.starts)}
	}
	return list, nil
}

// followOne follows one cold start.
func (l *lab) followOne(ctx context.Context, f *followed) ([]step, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if _, err := l.store.traffic(); err != nil {
		return nil, err
	}
	e, stop, err := l.start(ctx, &f.cell, "TELL=yes")
	if err != nil {
		return nil, err
	}
	began := time.Now()
	err = checkSecrets(ctx, e, f.Secrets)
	answered := time.Now()
	if err := errors.Join(err, stop()); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", f.name, err, e.Logs())
	}
	seen, err := l.store.traffic()
	if err != nil {
		return nil, err
	}
	return timeline{began: began, answered: answered, lines: e.Lines(), traffic: seen}.steps(&f.cell)
}

// timeline is what is known of one cold start.
type timeline struct {
	began, answered time.Time
	lines           []emulator.Line
	traffic
}

// steps returns the steps of a cold start; all of a cell have the same.
func (t timeline) steps(c *cell) ([]step, error) {
	at, err := t.marks(c)
	if err != nil {
		return nil, err
	}
	if len(t.Accepted) == 0 || len(t.Asked) != c.Secrets {
		return nil, fmt.Errorf("%d connections, %d calls", len(t.Accepted), len(t.Asked))
	}
	connected, asked, answered := t.since(slices.MinFunc(t.Accepted, time.Time.Compare)), t.last(t.Asked), t.last(t.Answered)
	list := []step{{lambdaLane, "prepares", 0, at[initMark]}}
	if c.Beside {
		list = append(list, step{foreignLane, "starts, registers", at[initMark], at[foreignMark]})
	}
	if c.way == extended {
		list = append(list, step{extensionLane, "starts, registers", at[initMark], at[ownMark]})
	}
	list = append(list,
		step{callLane, "connects, gets the requests", connected, asked},
		step{callLane, fmt.Sprintf("%d calls at once", c.Secrets), asked, answered})
	switch {
	case c.Beside: // the secrets are there before the wrapper
		list = append(list, step{wrapperLane, "starts, delivers", at[bootstrapMark], at[deliveredMark]})
	case c.way == extended: // the extension has connected
		list = append(list, step{wrapperLane, "starts, waits", at[bootstrapMark], answered}, step{wrapperLane, "delivers", answered, at[deliveredMark]})
	default:
		list = append(list, step{wrapperLane, "starts", at[bootstrapMark], connected}, step{wrapperLane, "asks", connected, asked},
			step{wrapperLane, "waits", asked, answered}, step{wrapperLane, "delivers", answered, at[deliveredMark]})
	}
	return append(list,
		step{runtimeLane, "exec, starts", at[deliveredMark], at[functionMark]},
		step{runtimeLane, "handler initializes", at[functionMark], at[initReportMark]},
		step{runtimeLane, "answers", at[initReportMark], t.since(t.answered)}), nil
}

// marks returns when each line was logged that tells a step of a cell.
func (t timeline) marks(c *cell) (map[string]float64, error) {
	wanted := []string{initMark, bootstrapMark, deliveredMark, functionMark, initReportMark}
	if c.way == extended {
		wanted = append(wanted, ownMark)
	}
	if c.Beside {
		wanted = append(wanted, foreignMark)
	}
	at := make(map[string]float64)
	for _, mark := range wanted {
		i := slices.IndexFunc(t.lines, func(line emulator.Line) bool { return strings.Contains(line.Text, mark) })
		if i < 0 {
			return nil, fmt.Errorf("the log lacks %q", mark)
		}
		at[mark] = t.since(t.lines[i].At)
	}
	return at, nil
}

// since returns how long after the invocation a time was, in ms.
func (t timeline) since(at time.Time) float64 { return milliseconds(at.Sub(t.began)) }

// last returns how long after the invocation the last of some times was, in ms.
func (t timeline) last(times []time.Time) float64 {
	return t.since(slices.MaxFunc(times, time.Time.Compare))
}

// medians returns the steps with the medians of their times.
func medians(all [][]step) []step {
	list := slices.Clone(all[0])
	for i := range list {
		list[i].From = spreadOf(all, func(steps []step) float64 { return steps[i].From }).Median
		list[i].To = spreadOf(all, func(steps []step) float64 { return steps[i].To }).Median
	}
	return list
}

func (w waterfall) print(out io.Writer) {
	fmt.Fprintf(out, "\nA cold start step by step, %s: medians of %d, ms since the invocation\n\n", w.Name, w.Starts)
	for _, s := range w.Steps {
		fmt.Fprintf(out, "  %-16s %7.1f – %6.1f  %s\n", s.Lane, s.From, s.To, s.Name)
	}
}
