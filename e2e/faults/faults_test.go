package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// TestCatalogue compares docs/faults.md with the tests that it names.
func TestCatalogue(t *testing.T) {
	page := filepath.Join(root, "docs", "faults.md")
	rows, err := readCatalogue(page)
	if err != nil {
		t.Fatal(err)
	}
	checkNumbers(t, rows)
	checkSummary(t, page, rows)
	checkCited(t, rows)
	for _, r := range rows {
		if err := check(r); err != nil {
			t.Errorf("%s: %v", r.id, err)
		}
	}
}

// checkCited checks that the cases that SECURITY.md names are there, in the groups
// that have any.
func checkCited(t *testing.T, rows []row) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	known, groups := make(map[string]bool), make(map[string]bool)
	for _, r := range rows {
		group, _, _ := strings.Cut(r.id, "-")
		known[r.id], groups[group] = true, true
	}
	cited := regexp.MustCompile(`\b([A-Z]{2,3})-[0-9]{2}\b`).FindAllStringSubmatch(string(text), -1)
	if len(cited) < 20 {
		t.Errorf("SECURITY.md names %d cases only", len(cited))
	}
	for _, match := range cited {
		if groups[match[1]] && !known[match[0]] {
			t.Errorf("SECURITY.md names %s, which docs/faults.md does not have", match[0])
		}
	}
}

// checkNumbers checks that each group counts from 1, without a gap.
func checkNumbers(t *testing.T, rows []row) {
	t.Helper()
	last := make(map[string]int)
	for _, r := range rows {
		group, _, _ := strings.Cut(r.id, "-")
		last[group]++
		if want := fmt.Sprintf("%s-%02d", group, last[group]); r.id != want {
			t.Errorf("%s stands where %s is due", r.id, want)
		}
	}
}

// checkSummary checks the numbers in the page's text.
func checkSummary(t *testing.T, page string, rows []row) {
	t.Helper()
	excused := 0
	for _, r := range rows {
		if r.excuse != "" {
			excused++
		}
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%d cases: %d are shown by tests, %d cannot be run here", len(rows), len(rows)-excused, excused)
	if !bytes.Contains(text, []byte(want)) {
		t.Errorf("the page does not say %q", want)
	}
}

// check fails if a row names what does not exist, or an outcome that its scripts do
// not show.
func check(r row) error {
	for _, p := range r.proofs {
		if err := checkExists(p); err != nil {
			return err
		}
	}
	if err := checkErrorTypes(r.outcome); err != nil {
		return err
	}
	return checkStatus(r)
}

// checkExists looks for a test's function, and for the names of its subtests between
// quotation marks.
func checkExists(p proof) error {
	if p.command != "" {
		return checkStep(p.command)
	}
	if p.script != "" {
		_, err := os.Stat(scriptPath(p.script))
		return err
	}
	sources, err := testSources(p.dir)
	if err != nil {
		return err
	}
	function, subtests, hasSubtests := strings.Cut(p.test, "/")
	if !regexp.MustCompile(`(?m)^func ` + function + `\(`).MatchString(sources) {
		return fmt.Errorf("%s has no %s", p.dir, function)
	}
	if !hasSubtests {
		return nil
	}
	for name := range strings.SplitSeq(subtests, "/") {
		if !strings.Contains(sources, `"`+name+`"`) {
			return fmt.Errorf("%s has no subtest %q", p.dir, name)
		}
	}
	return nil
}

// testSources returns the source of a directory's tests.
func testSources(dir string) (string, error) {
	paths, err := filepath.Glob(filepath.Join(root, dir, "*_test.go"))
	if err != nil {
		return "", err
	}
	var all strings.Builder
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		all.Write(text)
	}
	return all.String(), nil
}

// checkStep fails if CI has no step that runs a command.
func checkStep(command string) error {
	ci, err := os.ReadFile(filepath.Join(root, ".ci", "run"))
	if err != nil {
		return err
	}
	target := strings.TrimPrefix(command, "make ")
	if !regexp.MustCompile(`(?m)^step "[^"]+" ((make|as_root_if_possible) )?` + regexp.QuoteMeta(target) + `( |$)`).Match(ci) {
		return fmt.Errorf(".ci/run has no step that runs %s", command)
	}
	return nil
}

func scriptPath(name string) string {
	return filepath.Join(root, "e2e", "testdata", "script", name+".txtar")
}

// checkErrorTypes fails for an error type that no problem has.
func checkErrorTypes(outcome string) error {
	classes, err := os.ReadFile(filepath.Join(root, "internal", "problem", "problem.go"))
	if err != nil {
		return err
	}
	for _, name := range regexp.MustCompile(`Runtime\.\w+`).FindAllString(outcome, -1) {
		if !bytes.Contains(classes, []byte(`"`+name+`"`)) {
			return fmt.Errorf("no problem has the type %s", name)
		}
	}
	return nil
}

var status = regexp.MustCompile(`status ([0-9]+)`)

// checkStatus fails if the scripts of a row do not end with the status that it names.
func checkStatus(r row) error {
	var scripts []string
	for _, p := range r.proofs {
		if p.script != "" {
			scripts = append(scripts, p.script)
		}
	}
	if len(scripts) == 0 {
		return nil
	}
	for _, match := range status.FindAllStringSubmatch(r.outcome, -1) {
		if !slices.ContainsFunc(scripts, func(name string) bool { return endsWith(name, match[1]) }) {
			return fmt.Errorf("none of %q has a line that ends with status %s", scripts, match[1])
		}
	}
	return nil
}

// endsWith reports whether a script expects a program's status.
func endsWith(script, status string) bool {
	text, err := os.ReadFile(scriptPath(script))
	if err != nil {
		return false
	}
	return regexp.MustCompile(`(?m)^(fails|prints) ` + status + ` `).Match(text)
}

func TestACatalogueThatPromisesTooMuchIsRefused(t *testing.T) {
	rows := map[string]string{
		"no such script":  "| ENV-01 | a | b | `absent-script.txtar` |",
		"no such test":    "| ENV-01 | a | b | `internal/environ TestAbsent` |",
		"no such subtest": "| ENV-01 | a | b | `internal/secret TestNothingPrintsASecret/absent` |",
		"no such step":    "| ENV-01 | a | b | `make coffee` |",
		"another status":  "| ENV-01 | a | status 99 | `denied.txtar` |",
		"another type":    "| ENV-01 | a | `Runtime.Absent` | `denied.txtar` |",
		"nothing":         "| ENV-01 | a | b | |",
		"no name":         "| ENV-01 | a | b | `denied.txtar`, and more |",
		"no id":           "| ENV | a | b | `denied.txtar` |",
	}
	for name, line := range rows {
		t.Run(name, func(t *testing.T) {
			r, err := parseRow(line)
			if err == nil {
				err = check(r)
			}
			if err == nil {
				t.Errorf("%s was accepted", line)
			}
		})
	}
}

func TestARecordingWithASecretIsRefused(t *testing.T) {
	const script = `"Action":"output","Package":"secretwrap/e2e","Test":"TestScript/talkative/denied","Output":`
	tests := map[string]struct {
		lines   string
		refused bool
	}{
		"nothing":                  {`{"Action":"output","Package":"p","Test":"TestA","Output":"a canary in a mine\n"}`, false},
		"a value":                  {`{"Action":"output","Package":"p","Test":"TestA","Output":"got \"canary7Qx2mVb9TzKd\"\n"}`, true},
		"of no test":               {`{"Action":"output","Package":"p","Output":"panic: CANARY-7f3a91c2\n"}`, true},
		"its beginning in base64":  {`{"Action":"output","Package":"p","Test":"TestA","Output":"czNjcjN0LUNB\n"}`, true},
		"a script's own line":      {`{` + script + `"    testscript.go:584: > stdout s3cr3t-CANARY\n"}`, false},
		"what a program prints":    {`{` + script + `"        [stdout]\n"}` + "\n{" + script + `"        A=\"s3cr3t-CANARY\"\n"}`, false},
		"what is complained of":    {`{` + script + `"        [stdout]\n"}` + "\n{" + script + `"        [stderr]\n"}` + "\n{" + script + `"        s3cr3t-CANARY\n"}`, true},
		"what follows a program's": {`{` + script + `"        [stdout]\n"}` + "\n{" + script + `"        > wait\n"}` + "\n{" + script + `"        s3cr3t-CANARY\n"}`, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "unit.json")
			if err := os.WriteFile(path, []byte(test.lines+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := readRecordings([]string{path}); (err != nil) != test.refused {
				t.Errorf("error %v, want one: %t", err, test.refused)
			}
		})
	}
}

func TestOnlyTestsThatPassedShowSomething(t *testing.T) {
	recording := `{"Action":"pass","Package":"secretwrap/e2e","Test":"TestScript/as_usual/denied"}
{"Action":"pass","Package":"secretwrap/e2e","Test":"TestScript/talkative/denied"}
{"Action":"pass","Package":"secretwrap/e2e","Test":"TestScript/as_usual/json"}
{"Action":"pass","Package":"secretwrap/e2e","Test":"TestScript/as_usual/files"}
{"Action":"skip","Package":"secretwrap/e2e","Test":"TestScript/talkative/files"}
{"Action":"pass","Package":"secretwrap/internal/a","Test":"TestA/one_two"}
{"Action":"pass","Package":"secretwrap/internal/a","Test":"TestA/one,_two"}
{"Action":"fail","Package":"secretwrap/internal/a","Test":"TestB"}
{"Action":"pass","Package":"secretwrap/internal/a","Test":"TestB"}
`
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "unit.json"), []byte(recording), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ cell, want string }{
		"passed":    {"`denied.txtar`, `internal/a TestA/one two`", "ENV-01  ok  a\n"},
		"a comma":   {"`internal/a TestA/one, two`", "ENV-01  ok  a\n"},
		"skipped":   {"`denied.txtar`, `files.txtar`", "ENV-01  NO  a: files.txtar was skipped\n"},
		"one pass":  {"`denied.txtar`, `json.txtar`", "ENV-01  NO  a: json.txtar was not run\n"},
		"failed":    {"`internal/a TestB`", "ENV-01  NO  a: internal/a TestB failed\n"},
		"not run":   {"`internal/a TestC`", "ENV-01  NO  a: internal/a TestC was not run\n"},
		"by a step": {"`make soak`", "ENV-01  ok  a\n"},
		"excused":   {"not here: needs AWS", "ENV-01  --  a (not here: needs AWS)\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			page := filepath.Join(t.TempDir(), "faults.md")
			if err := os.WriteFile(page, []byte("| ENV-01 | a | b | "+test.cell+" |\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			err := run(page, dir, &out)
			if !strings.HasPrefix(out.String(), test.want) || (err != nil) != strings.Contains(test.want, "  NO  ") {
				t.Errorf("printed %q, error %v", out.String(), err)
			}
		})
	}
}
