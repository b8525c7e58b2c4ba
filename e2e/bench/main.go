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
//	go run ./bench -check [-require]
//	go run ./bench -draw DIR
//
// All of it takes eight minutes on two cores, with -quick half of one, and -check
// two.
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

	"secretwrap/e2e/emulator"
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
	// require makes a check fail, too, if a budget cannot be measured here.
	require bool
	// out is the directory that results and charts are written to.
	out string
	// draw is a directory with results whose charts are drawn anew.
	draw string
}

// amount returns how much is measured.
func (o options) amount() amount {
	switch {
	case o.check:
		return amount{startRounds: 20, rounds: 10, warmSets: 9, warmBlocks: 3, refreshes: 1000}
	case o.quick:
		return amount{startRounds: 4, rounds: 2, waterfalls: 3, warmSets: 1, warmBlocks: 6, refreshes: 200}
	}
	return amount{startRounds: 40, rounds: 17, waterfalls: 15, warmSets: 9, warmBlocks: 5, refreshes: 1000}
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
	// Who no longer reads the tables must not end it before it has cleaned up.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	context.AfterFunc(ctx, stop) // a second one ends it at once
	err = run(ctx, o)
	if cause := context.Cause(ctx); cause != nil {
		err = cause // what it led to is of no interest
	}
	exit(err)
}

// endings returns the signals that end the measurement, after it has cleaned up;
// none that is ignored, as by nohup.
func endings() []os.Signal {
	list := []os.Signal{syscall.SIGTERM}
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			list = append(list, s)
		}
	}
	return list
}

func parseOptions() (options, error) {
	var o options
	flag.StringVar(&o.part, "part", "all", "measure only this `part`: functions, start or memory")
	flag.BoolVar(&o.quick, "quick", false, "measure a few rounds of the usual conditions only")
	flag.BoolVar(&o.check, "check", false, "measure what the budgets are about, and fail if one is passed by far")
	flag.BoolVar(&o.require, "require", false, "with -check: fail, too, if a budget cannot be measured on this machine")
	flag.StringVar(&o.out, "out", "", "write the results and charts of all parts into this `directory` too")
	flag.StringVar(&o.draw, "draw", "", "measure nothing; draw the charts of the results in this `directory`")
	flag.Parse()
	return o, o.validate(flag.Args())
}

// validate judges what goes together.
func (o options) validate(arguments []string) error {
	measures := o.part != "all" || o.quick || o.out != ""
	switch {
	case len(arguments) > 0:
		return fmt.Errorf("nothing is known of %q", arguments[0])
	case !slices.Contains([]string{"functions", "start", "memory", "all"}, o.part):
		return errors.New("-part is functions, start, memory or all")
	case o.out != "" && o.part != "all":
		return errors.New("-out wants all parts")
	case o.draw != "" && (measures || o.check):
		return errors.New("-draw stands alone")
	case o.check && measures:
		return errors.New("-check stands alone, but for -require")
	case o.require && !o.check:
		return errors.New("-require belongs to -check")
	}
	return nil
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
	rie, err := o.prepare()
	if err != nil {
		return err
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
	if err != nil {
		return err
	}
	r.print(os.Stdout)
	switch unchecked := r.unchecked(); {
	case o.check && o.require:
		return errors.Join(r.check(), unchecked)
	case o.check:
		if unchecked != nil {
			fmt.Fprintln(os.Stderr, "bench:", unchecked)
		}
		return r.check()
	case o.out != "":
		return r.save(o.out)
	}
	return nil
}

// prepare finds out what would end the measurement when much of it is done: it
// returns the path of the emulator, if that is needed.
func (o options) prepare() (rie string, err error) {
	if _, err := os.Stat("bench"); err != nil {
		return "", errors.New("run it in the directory e2e of the project")
	}
	if o.out != "" {
		probe := filepath.Join(o.out, ".writable")
		if err := writeFile(probe, nil, 0o600); err != nil {
			return "", err
		}
		if err := os.Remove(probe); err != nil {
			return "", err
		}
	}
	if o.has("functions") {
		if rie, err = emulator.Find(); err != nil {
			return "", fmt.Errorf("%w; -part start measures without it", err)
		}
	}
	return rie, nil
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
	r, n := newReport(o.quick), o.amount()
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
	if n.waterfalls > 0 {
		if r.Waterfalls, err = l.follow(ctx, n.waterfalls); err != nil {
			return err
		}
	}
	warm := l.warmCells()
	if err := l.measureInvocations(ctx, warm, n.warmSets, n.warmBlocks); err != nil {
		return err
	}
	r.Invocations = newWarmReport(warm, n.warmSets)
	return nil
}
