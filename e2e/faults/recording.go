package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

// results says how tests ended, by the path of their package and their name, as
// `go test -json` tells it: pass, skip, fail.
type results map[string]string

// module is the path under which this repository's packages are imported.
const module = "secretwrap"

// readRecordings merges what the runs of tests in these files told.
func readRecordings(paths []string) (results, error) {
	merged := make(results)
	for _, path := range paths {
		if err := merged.read(path); err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
	}
	return merged, nil
}

// read adds a recording. Of several runs of a test a failure counts, then a pass.
func (r results) read(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	search := newSearch()
	for lines.Scan() {
		var event struct{ Action, Package, Test, Output string }
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			return err
		}
		if search.finds(event.Test, event.Output) {
			return fmt.Errorf("%s %s has printed a secret", event.Package, event.Test)
		}
		if event.Test != "" {
			r.add(event.Package+" "+event.Test, event.Action)
		}
	}
	return lines.Err()
}

func (r results) add(test, result string) {
	rank := map[string]int{"skip": 1, "pass": 2, "fail": 3}
	if rank[result] > rank[r[test]] {
		r[test] = result
	}
}

// doubt says why a proof does not hold, nothing if it does. Steps of CI fail for
// themselves.
func (r results) doubt(p proof) string {
	for _, test := range p.tests() {
		switch r[test] {
		case "pass":
		case "fail":
			return "failed"
		case "skip":
			return "was skipped"
		default:
			return "was not run"
		}
	}
	return ""
}
