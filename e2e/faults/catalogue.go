package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// row is one line of the catalogue: one thing that can be wrong.
type row struct {
	id string
	// fault is what is wrong, outcome what comes of it.
	fault, outcome string
	// proofs show the outcome.
	proofs []proof
	// excuse says why nothing can show it here; empty if something does.
	excuse string
}

// proof is what shows an outcome: a script, a test, or a command that is a step of CI.
type proof struct {
	// script is the name of one in e2e/testdata/script.
	script string
	// dir is the directory of the test's package from the repository's root, and test
	// its name, with those of subtests behind slashes.
	dir, test string
	// command is the step's, for what is no test.
	command string
}

var (
	rowLine  = regexp.MustCompile(`^\| ([A-Z]{2,3}-[0-9]{2}) \| (.+?) \| (.+?) \| (.+?) \|$`)
	quoted   = regexp.MustCompile("^`([^`]+)`$")
	testName = regexp.MustCompile(`^[a-z0-9/-]+ (Test|Fuzz)\w+(/.+)?$`)
	step     = regexp.MustCompile(`^(make [a-z0-9-]+|scripts/[a-z0-9-]+\.sh)$`)
)

// readCatalogue returns the rows of the page at path.
func readCatalogue(path string) ([]row, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var rows []row
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimRight(line, "\n")
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| case ") {
			continue
		}
		r, err := parseRow(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, number, err)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// parseRow reads a line of a table.
func parseRow(line string) (row, error) {
	cells := rowLine.FindStringSubmatch(line)
	if cells == nil {
		return row{}, fmt.Errorf("no row of four cells with an id such as ENV-01: %q", line)
	}
	r := row{id: cells[1], fault: cells[2], outcome: cells[3]}
	if excuse, isExcused := strings.CutPrefix(cells[4], "not here: "); isExcused {
		r.excuse = excuse
		return r, nil
	}
	// A test's name may hold a comma, so that it takes the quotes around it too.
	for cell := range strings.SplitSeq(strings.ReplaceAll(cells[4], "`, `", "`\n`"), "\n") {
		p, err := parseProof(cell)
		if err != nil {
			return row{}, fmt.Errorf("%s: %w", r.id, err)
		}
		r.proofs = append(r.proofs, p)
	}
	return r, nil
}

// parseProof reads one of the names in the last cell: a script, a test with its
// directory, or a step of CI.
func parseProof(cell string) (proof, error) {
	match := quoted.FindStringSubmatch(cell)
	if match == nil {
		return proof{}, fmt.Errorf("between two commas a name stands in backquotes, not %s", cell)
	}
	name := match[1]
	switch script, isScript := strings.CutSuffix(name, ".txtar"); {
	case isScript:
		return proof{script: script}, nil
	case step.MatchString(name):
		return proof{command: name}, nil
	case testName.MatchString(name):
		dir, test, _ := strings.Cut(name, " ")
		return proof{dir: dir, test: test}, nil
	}
	return proof{}, fmt.Errorf("%q is no script, no test with its directory, no step of CI", name)
}

func (p proof) String() string {
	switch {
	case p.command != "":
		return p.command
	case p.script != "":
		return p.script + ".txtar"
	}
	return p.dir + " " + p.test
}

// tests returns the tests that a proof is made of, as recordings call them: by their
// package, and without blanks. Each script is run twice.
func (p proof) tests() []string {
	switch {
	case p.command != "":
		return nil
	case p.script != "":
		return []string{module + "/e2e TestScript/as_usual/" + p.script, module + "/e2e TestScript/talkative/" + p.script}
	}
	return []string{module + "/" + p.dir + " " + strings.ReplaceAll(p.test, " ", "_")}
}
