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

// count tells how much is done of what is measured. What is no terminal gets a
// line now and then.
func (p progress) count(what string, done, all int) {
	switch {
	case p.terminal:
		fmt.Fprintf(p.out, "\r%s: %d of %d ", what, done, all)
	case done%max(1, all/5) == 0:
		fmt.Fprintf(p.out, "%s: %d of %d …\n", what, done, all)
	}
}

func (p progress) done() {
	if p.terminal {
		fmt.Fprintln(p.out)
	}
}
