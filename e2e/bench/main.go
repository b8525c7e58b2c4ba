// Command bench measures what secretwrap adds to a cold start.
//
// The part "start" runs the layer's program in a clean environment in front of a
// program that does nothing, and compares with a program that only execs. The
// part "emulator" cold-starts a function with the layer in AWS's Runtime
// Interface Emulator, and compares with the function without it; then it
// measures invocations. The part "memory" refreshes file copies. Secrets Manager is a process of its own. All times are
// of this machine; the ratios between them are what can be compared. It wants to
// be run from the directory of its module:
//
//	go run ./bench [-part start|emulator|memory|all] [-quick] [-json FILE] [-svg FILE]
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
)

// amount is how much is measured.
type amount struct {
	// rounds have one run of every cell each.
	startRounds, coldRounds int
	// warmSets are sets of environments, each of which gets some blocks of
	// invocations.
	warmSets, warmBlocks int
	// refreshes are those of the part that measures memory.
	refreshes int
}

func usual() amount {
	return amount{startRounds: 60, coldRounds: 60, warmSets: 4, warmBlocks: 15, refreshes: 1000}
}

func quick() amount {
	return amount{startRounds: 8, coldRounds: 5, warmSets: 1, warmBlocks: 6, refreshes: 1000}
}

// options are what the command line says.
type options struct {
	part      string
	json, svg string
	amount    amount
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == serveArgument {
		exit(serve(os.Args[2], os.Stdin, os.Stdout))
	}
	o, err := parseOptions()
	if err != nil {
		exit(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(run(ctx, o))
}

func parseOptions() (options, error) {
	part := flag.String("part", "all", "measure only this `part`: start, emulator or memory")
	short := flag.Bool("quick", false, "measure a few rounds only")
	json := flag.String("json", "", "write the results to this `file` too")
	svg := flag.String("svg", "", "draw the cold starts into this `file`")
	flag.Parse()
	o := options{part: *part, json: *json, svg: *svg, amount: usual()}
	if *short {
		o.amount = quick()
	}
	if flag.NArg() > 0 || !slices.Contains([]string{"start", "emulator", "memory", "all"}, o.part) {
		return options{}, errors.New("-part is start, emulator, memory or all, and there are no other arguments")
	}
	if o.svg != "" && !o.has("emulator") {
		return options{}, errors.New("-svg draws the cold starts, which -part " + o.part + " leaves out")
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
	if o.has("emulator") {
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
	b.progress.say("building the programs …")
	if err := goBuild(ctx, "..", b.wrapper, "-tags=lambda,nethttpomithttp2", "./wrapper"); err != nil {
		return err
	}
	if b.store, err = startStore(ctx, filepath.Join(dir, "ca.pem")); err != nil {
		return err
	}
	defer b.store.stop()
	r, err := b.measure(ctx, o, rie)
	if cause := context.Cause(ctx); cause != nil {
		return cause // what it led to is of no interest
	}
	if err != nil {
		return err
	}
	r.print(os.Stdout)
	return r.save(o)
}

// measure measures the parts that are asked for.
func (b *bench) measure(ctx context.Context, o options, rie string) (report, error) {
	r := newReport()
	var err error
	if o.has("start") {
		if r.Start, err = measureStarts(ctx, b, o.amount.startRounds); err != nil {
			return r, err
		}
	}
	if o.has("emulator") {
		if r.Emulator, r.Invocations, err = measureFunctions(ctx, b, rie, o.amount); err != nil {
			return r, err
		}
	}
	if o.has("memory") {
		r.Memory, err = measureMemory(ctx, b, o.amount.refreshes)
	}
	return r, err
}

// save writes the files that are asked for.
func (r report) save(o options) error {
	if o.json != "" {
		if err := r.write(o.json); err != nil {
			return err
		}
	}
	if o.svg == "" {
		return nil
	}
	return os.WriteFile(o.svg, []byte(r.Emulator.chart()), 0o644)
}
