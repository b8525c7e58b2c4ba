// Command bench measures what secrets cost a Lambda function.
//
// The part "functions" cold-starts functions in AWS's Runtime Interface Emulator,
// which get their secrets in several ways under several conditions, follows
// single cold starts step by step, and measures invocations. The part "start" runs
// the layer's program in a clean environment in front of a program that does
// nothing, and compares with a program that only execs. The part "memory"
// refreshes file copies. Secrets Manager is a process of its own, under its real
// name. All times are of this machine; the ratios between them are what can be
// compared. It wants to be run from the directory of its module:
//
//	go run ./bench [-part functions|start|memory|all] [-quick] [-out DIR]
//	go run ./bench -check
//	go run ./bench -draw DIR
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"secretwrap/e2e/roots"
	"secretwrap/internal/layerbuild"
)

// amount is how much is measured.
type amount struct {
	// rounds have one run of every cell each.
	startRounds, rounds int
	// waterfalls is how many cold starts of each kind are followed.
	waterfalls int
	// warmSets are sets of environments, each of which gets some blocks of
	// invocations.
	warmSets, warmBlocks int
	// refreshes are those of the part that measures memory.
	refreshes int
}

// options are what the command line says.
type options struct {
	part string
	// quick measures a few rounds of the usual conditions only.
	quick bool
	// check fails if a budget is passed by far.
	check bool
	// out is the directory that results and charts are written to.
	out string
	// draw is a directory with results whose charts are drawn anew.
	draw string
}

// amount returns how much is measured.
func (o options) amount() amount {
	switch {
	case o.check:
		return amount{startRounds: 20, rounds: 10, refreshes: 1000}
	case o.quick:
		return amount{startRounds: 4, rounds: 2, waterfalls: 3, warmSets: 1, warmBlocks: 6, refreshes: 200}
	}
	return amount{startRounds: 40, rounds: 15, waterfalls: 15, warmSets: 3, warmBlocks: 15, refreshes: 1000}
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == serveArgument {
		exit(serve(os.Args[2], os.Stdin, os.Stdout))
	}
	o, err := parseOptions()
	if err != nil {
		exit(err)
	}
	if o.draw != "" {
		exit(redraw(o.draw))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(run(ctx, o))
}

func parseOptions() (options, error) {
	var o options
	flag.StringVar(&o.part, "part", "all", "measure only this `part`: functions, start or memory")
	flag.BoolVar(&o.quick, "quick", false, "measure a few rounds of the usual conditions only")
	flag.BoolVar(&o.check, "check", false, "measure what the budgets are about, and fail if one is passed by far")
	flag.StringVar(&o.out, "out", "", "write the results and charts into this `directory` too")
	flag.StringVar(&o.draw, "draw", "", "measure nothing; draw the charts of the results in this `directory`")
	flag.Parse()
	if o.out != "" && o.part != "all" {
		return options{}, errors.New("-out wants all parts")
	}
	if o.check && (o.part != "all" || o.quick || o.out != "") {
		return options{}, errors.New("-check stands alone")
	}
	if flag.NArg() > 0 || !slices.Contains([]string{"functions", "start", "memory", "all"}, o.part) {
		return options{}, errors.New("-part is functions, start, memory or all, and there are no other arguments")
	}
	return o, nil
}

// has reports whether a part is to be measured.
func (o options) has(part string) bool { return o.part == part || o.part == "all" }

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// bench is what the parts share.
type bench struct {
	dir string
	// wrapper is the layer's program.
	wrapper  string
	store    *store
	progress progress
}

func run(ctx context.Context, o options) error {
	rie := ""
	if o.has("functions") {
		var err error
		// Before anything is measured that would be lost.
		if rie, err = findEmulator(); err != nil {
			return fmt.Errorf("%w; -part start measures without it", err)
		}
	}
	dir, err := os.MkdirTemp("", "secretwrap-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{dir: dir, wrapper: filepath.Join(dir, "secretwrap"), progress: newProgress(os.Stderr)}
	if b.store, err = startStore(ctx, filepath.Join(dir, "ca.pem")); err != nil {
		return err
	}
	defer b.store.stop()
	if err := b.buildWrapper(ctx); err != nil {
		return err
	}
	r, err := b.measure(ctx, o, rie)
	if cause := context.Cause(ctx); cause != nil {
		return cause // what it led to is of no interest
	}
	if err != nil {
		return err
	}
	r.print(os.Stdout)
	if o.check {
		return r.check()
	}
	if o.out != "" {
		return r.save(o.out)
	}
	return nil
}

// buildWrapper builds the layer's program as it is shipped, save that it trusts
// the store.
func (b *bench) buildWrapper(ctx context.Context) error {
	b.progress.say("building the programs …")
	ca, err := os.ReadFile(b.store.ca)
	if err != nil {
		return err
	}
	overlay, err := roots.Overlay("..", b.dir, ca)
	if err != nil {
		return err
	}
	return goBuild(ctx, "..", b.wrapper, append(layerbuild.Arguments(""), overlay, layerbuild.Source)...)
}

// measure measures the parts that are asked for.
func (b *bench) measure(ctx context.Context, o options, rie string) (report, error) {
	r, n := newReport(), o.amount()
	var err error
	if o.has("start") {
		if r.Start, err = measureStarts(ctx, b, n.startRounds); err != nil {
			return r, err
		}
	}
	if o.has("functions") {
		if err := b.measureFunctions(ctx, &r, rie, o); err != nil {
			return r, err
		}
	}
	if o.has("memory") {
		r.Memory, err = measureMemory(ctx, b, n.refreshes)
	}
	return r, err
}

// measureFunctions is the part that starts and invokes functions.
func (b *bench) measureFunctions(ctx context.Context, r *report, rie string, o options) error {
	l, err := newLab(ctx, b, rie, o)
	if err != nil {
		return err
	}
	defer l.close()
	n, cells := o.amount(), star(l.selection(o))
	keep := func(c *cell, s sample) { c.samples = append(c.samples, s) }
	if err := interleaved(ctx, b.progress, "cold starts", cells, n.rounds, l.sample, keep); err != nil {
		return err
	}
	r.Functions = l.report(cells, n.rounds)
	if o.check {
		return nil
	}
	if r.Waterfalls, err = l.follow(ctx, n.waterfalls); err != nil {
		return err
	}
	warm := l.warmCells()
	if err := l.measureInvocations(ctx, warm, n.warmSets, n.warmBlocks); err != nil {
		return err
	}
	r.Invocations = newWarmReport(warm, n.warmSets)
	return nil
}
