package main

import (
	"fmt"
	"os"
)

// progress tells what is going on.
type progress struct {
	out *os.File
	// terminal reports whether a line can be written over.
	terminal bool
}

func newProgress(out *os.File) progress {
	info, err := out.Stat()
	return progress{out: out, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

func (p progress) say(what string) { fmt.Fprintln(p.out, what) }

// round tells which round begins of what is measured; round 0 is the one that
// does not count. What is no terminal gets a line now and then.
func (p progress) round(what string, n, all int) {
	switch {
	case p.terminal:
		fmt.Fprintf(p.out, "\r%s: round %d of %d ", what, n, all)
	case n%10 == 0:
		fmt.Fprintf(p.out, "%s: round %d of %d …\n", what, n, all)
	}
}

func (p progress) done() {
	if p.terminal {
		fmt.Fprintln(p.out)
	}
}
