package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// tellProgress prints a line now and then.
func tellProgress(ctx context.Context, environments []*environment, duration time.Duration) {
	tick := time.NewTicker(max(5*time.Second, duration/60))
	defer tick.Stop()
	began := time.Now()
	for {
		select {
		case <-tick.C:
			fmt.Println(progressLine(time.Since(began), environments))
		case <-ctx.Done():
			return
		}
	}
}

// progressLine says how far it is. Memory and descriptors are those of the extensions,
// the one that is left alone first.
func progressLine(elapsed time.Duration, environments []*environment) string {
	var invocations, rotations, faults, restarts int
	var resident, descriptors []string
	for _, e := range environments {
		o := e.observations()
		now, restarted := e.watch.latest()
		invocations, rotations, faults, restarts = invocations+o.invocations, rotations+e.store.latest(), faults+o.faults, restarts+restarted
		resident = append(resident, mebibytes(now.resident))
		descriptors = append(descriptors, fmt.Sprint(now.descriptors))
	}
	return fmt.Sprintf("%6s  %d invocations, %d rotations, %d faults, %d restarts, RSS %s, descriptors %s",
		elapsed.Round(time.Second), invocations, rotations, faults, restarts, strings.Join(resident, " and "), strings.Join(descriptors, " and "))
}

// observations returns what was seen so far.
func (e *environment) observations() observations {
	_, played := e.store.traffic()
	o := observations{name: string(e.kind), hunted: e.kind == hunted, counts: e.ledger.snapshot(), faults: sum(played)}
	for _, s := range []*scanner{e.log, e.errors, e.leftovers} {
		found, count := s.sightings()
		o.sightings = append(o.sightings, found...)
		o.leaks += count
	}
	e.mu.Lock()
	o.steps, o.filled, o.broken = e.steps, e.filled, slices.Clone(e.broken)
	e.mu.Unlock()
	e.watch.mu.Lock()
	o.lives, o.judged, o.grown = e.watch.lives, e.watch.judged, e.watch.grown
	e.watch.mu.Unlock()
	return o
}

func sum[K ~string](counts map[K]int) int {
	n := 0
	for _, count := range counts {
		n += count
	}
	return n
}

// conclude prints what was counted, and returns what is broken.
func conclude(out io.Writer, elapsed time.Duration, environments []*environment) error {
	fmt.Fprintf(out, "\nsoak of %s\n", elapsed.Round(time.Second))
	var broken []string
	for _, e := range environments {
		o := e.observations()
		e.print(out, o)
		broken = append(broken, o.judge()...)
	}
	if len(broken) == 0 {
		fmt.Fprintln(out, "\nevery promise was kept")
		return nil
	}
	for _, e := range environments {
		fmt.Fprintf(out, "\nend of the log of the %s function:\n%s\n", e.kind, e.log.end())
	}
	return errors.New("broken:\n  " + strings.Join(broken, "\n  "))
}

// print prints the counts of one function.
func (e *environment) print(out io.Writer, o observations) {
	line := func(what, format string, args ...any) {
		fmt.Fprintf(out, "  %-26s %s\n", what, fmt.Sprintf(format, args...))
	}
	calls, played := e.store.traffic()
	treatment := "its processes are left alone until the end"
	if o.hunted {
		treatment = "its extension is killed, its handler crashes"
	}
	fmt.Fprintf(out, "\n%s: %s\n", o.name, treatment)
	line("invocations", "%d, of which %d succeeded", o.invocations, o.successes)
	line("made to fail by the soak", "%d%s", sum(o.explained), list(o.explained))
	line("failed beside that", "%d", o.failures.count)
	line("rotations", "%d, of which %d were seen to arrive in the pair", e.store.latest(), o.files)
	line("mixed pairs", "%d", o.mixed.count)
	line("values altered", "%d", o.altered.count)
	line("calls of Secrets Manager", "%d, of which %d were faults%s", calls, o.faults, list(played))
	line("extension killed", "%d times", o.kills)
	line("handler crashed", "%d times", o.crashes)
	line("disk full", "%d times", o.filled)
	line("clock stepped", "%d times, read %d times", o.steps, e.clock.Readings())
	line("processes of the extension", "%d, of which %d lived long enough to be judged, %d of them grew", o.lives, o.judged, o.grown.count)
	line("first and last quarter", "%s", e.watch.comparison())
	line("looked at for canaries", "%s of logs, %s of errors, %s of /tmp", mebibytes(int(e.log.bytes())), mebibytes(int(e.errors.bytes())), mebibytes(int(e.leftovers.bytes())))
	line("canaries", "%d", o.leaks)
}

// list returns counts in the order of their names, in brackets if there are any.
func list[K ~string](counts map[K]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, counts[name]))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}
