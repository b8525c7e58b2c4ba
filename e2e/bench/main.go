// Command bench measures what secretwrap adds to a cold start.
//
// It runs the layer's program in a clean environment in front of a program that
// does nothing, against a Secrets Manager in a process of its own, and compares
// with a program that only execs. All times are of this machine; the ratios
// between them are what can be compared. It wants to be run from the directory
// of its module:
//
//	go run ./bench [-quick] [-json FILE]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// How many rounds are measured, each with one run of every cell.
const (
	usualRounds = 60
	quickRounds = 8
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == serveArgument {
		exit(serve(os.Args[2], os.Stdin, os.Stdout))
	}
	quick := flag.Bool("quick", false, "measure a few rounds only")
	json := flag.String("json", "", "write the results to this `file` too")
	flag.Parse()
	rounds := usualRounds
	if *quick {
		rounds = quickRounds
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(run(ctx, rounds, *json))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(ctx context.Context, rounds int, path string) error {
	dir, err := os.MkdirTemp("", "secretwrap-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	progress := newProgress(os.Stderr)
	progress.say("building the programs …")
	l, err := newLab(ctx, dir)
	if err != nil {
		return err
	}
	l.store, err = startStore(ctx, filepath.Join(dir, "ca.pem"))
	if err != nil {
		return err
	}
	defer l.store.stop()
	cells := l.cells()
	if err := l.measure(ctx, cells, rounds, progress); err != nil {
		return err
	}
	r := newReport(cells, rounds)
	r.print(os.Stdout)
	if path == "" {
		return nil
	}
	return r.write(path)
}
