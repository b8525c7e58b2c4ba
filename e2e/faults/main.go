// Command faults shows for each case of docs/faults.md whether the tests that it
// names have passed, by the recordings of `make race` and `make e2e`.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	page := flag.String("page", "../docs/faults.md", "the catalogue")
	recordings := flag.String("recordings", "../dist/tests", "the directory with recorded runs of tests")
	flag.Parse()
	if err := run(*page, *recordings, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

// run writes a line for each case, and fails if one of them is not shown.
func run(page, recordings string, out io.Writer) error {
	rows, err := readCatalogue(page)
	if err != nil {
		return err
	}
	paths, err := filepath.Glob(filepath.Join(recordings, "*.json"))
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return fmt.Errorf("nothing is recorded in %s; run make race and make e2e first", recordings)
	}
	recorded, err := readRecordings(paths)
	if err != nil {
		return err
	}
	return judge(rows, recorded, out)
}

// judge writes what is known of each row.
func judge(rows []row, recorded results, out io.Writer) error {
	shown, excused, doubtful := 0, 0, 0
	for _, r := range rows {
		doubts := doubtsOf(r, recorded)
		switch {
		case r.excuse != "":
			excused++
			fmt.Fprintf(out, "%s  --  %s (not here: %s)\n", r.id, r.fault, r.excuse)
		case len(doubts) > 0:
			doubtful++
			fmt.Fprintf(out, "%s  NO  %s: %s\n", r.id, r.fault, strings.Join(doubts, "; "))
		default:
			shown++
			fmt.Fprintf(out, "%s  ok  %s\n", r.id, r.fault)
		}
	}
	fmt.Fprintf(out, "%d cases: %d shown by tests that passed, %d not here, %d in doubt\n", len(rows), shown, excused, doubtful)
	if doubtful > 0 {
		return fmt.Errorf("%d cases are not shown", doubtful)
	}
	return nil
}

// doubtsOf says which of a row's proofs do not hold.
func doubtsOf(r row, recorded results) []string {
	var doubts []string
	for _, p := range r.proofs {
		if doubt := recorded.doubt(p); doubt != "" {
			doubts = append(doubts, p.String()+" "+doubt)
		}
	}
	return doubts
}
