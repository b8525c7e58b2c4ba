//go:build linux

package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// snippet is something in a page that a reader may run or copy: a block of code, or
// a command in the text.
type snippet struct {
	page string
	// language is that of a block, empty for a command in the text.
	language string
	code     string
}

// claim says what proves a snippet.
type claim struct {
	// word identifies it on its page: one block alone holds it. A command in the text
	// is given whole, between backquotes.
	word  string
	prove func(*testing.T, snippet)
}

// covers reports whether the claim is about a snippet.
func (c claim) covers(s snippet) bool {
	if s.language == "" {
		return "`"+s.code+"`" == c.word
	}
	return strings.Contains(s.code, c.word)
}

// TestDocumentation fails for whatever a page shows that nothing runs: a block of
// code, a command in the text. What runs it is claimed in documentation.claims.
func TestDocumentation(t *testing.T) {
	d := documentation{program: built(t, "..", "secretwrap", "./wrapper")}
	claims := d.claims()
	for _, path := range pages(t) {
		snippets := snippetsOf(t, path)
		t.Run(path, func(t *testing.T) {
			for _, s := range snippets {
				d.checkClaimed(t, s, claims[path])
			}
			for _, c := range claims[path] {
				checkUnambiguous(t, c, snippets)
			}
		})
		delete(claims, path)
	}
	for path := range claims {
		t.Errorf("%s is no page, but something is claimed about it", path)
	}
}

// checkClaimed has the claims about a snippet prove it, or else the rules for
// commands that are alike on every page.
func (d documentation) checkClaimed(t *testing.T, s snippet, claims []claim) {
	t.Helper()
	claimed := false
	for _, c := range claims {
		if c.covers(s) {
			claimed = true
			prove(t, c, s)
		}
	}
	if claimed {
		return
	}
	if s.language == "" {
		for _, rule := range d.rules() {
			if rule.form.MatchString(s.code) {
				prove(t, claim{s.code, rule.prove}, s)
				return
			}
		}
	}
	t.Errorf("nothing runs this; claim it in documentation.claims, below %q:\n%s", s.page, s.code)
}

func prove(t *testing.T, c claim, s snippet) {
	t.Helper()
	// The name becomes that of a directory, which stands in commands.
	t.Run(regexp.MustCompile(`[^\w ./=-]+`).ReplaceAllString(c.word, ""), func(t *testing.T) {
		t.Parallel()
		c.prove(t, s)
	})
}

// checkUnambiguous fails the test if a claim is about nothing, or about several
// snippets that differ.
func checkUnambiguous(t *testing.T, c claim, snippets []snippet) {
	t.Helper()
	covered := make(map[string]bool)
	for _, s := range snippets {
		if c.covers(s) {
			covered[s.code] = true
		}
	}
	if len(covered) != 1 {
		t.Errorf("%d snippets hold %q, want one", len(covered), c.word)
	}
}

// pages returns the pages whose snippets must be run. The changelog names what is gone.
func pages(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, pattern := range []string{"*.md", "docs/*.md", "examples/*.md", "examples/*/README.md"} {
		paths, err := filepath.Glob(filepath.Join("..", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if name := strings.TrimPrefix(path, "../"); name != "CHANGELOG.md" {
				found = append(found, name)
			}
		}
	}
	if len(found) < 8 {
		t.Fatalf("only %q were found", found)
	}
	return found
}

var (
	fenced = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```\n")
	quoted = regexp.MustCompile("`([^`]+)`")
	// command is what a quoted text is that a reader may run: variables, a program, and
	// at least one argument.
	command = regexp.MustCompile(`^(?:[A-Z_][A-Z0-9_]*=\S* )*(?:make|secretwrap|dist/secretwrap|aws|sam|cdk|npx|npm|node|cargo|go|terraform|pip|python3?|zip|unzip|docker|sh|exec|\.ci/run|scripts/\S+) \S`)
)

// snippetsOf returns what a page shows.
func snippetsOf(t *testing.T, path string) []snippet {
	t.Helper()
	text := page(t, path)
	var snippets []snippet
	for _, match := range fenced.FindAllStringSubmatch(text, -1) {
		snippets = append(snippets, snippet{path, match[1], match[2]})
	}
	text = fenced.ReplaceAllString(text, "")
	if strings.Contains(text, "```") {
		t.Errorf("%s has a block that names no language, is indented, or does not end", path)
	}
	seen := make(map[string]bool)
	for _, match := range quoted.FindAllStringSubmatch(text, -1) {
		if code := match[1]; command.MatchString(code) && !seen[code] {
			seen[code] = true
			snippets = append(snippets, snippet{path, "", code})
		}
	}
	return snippets
}

// rule proves commands of one form, on whatever page.
type rule struct {
	form  *regexp.Regexp
	prove func(*testing.T, snippet)
}

func (d documentation) rules() []rule {
	return []rule{
		{regexp.MustCompile(`^make [a-z0-9-]+$`), runByCI},
		{regexp.MustCompile(`^secretwrap [a-z]+( --[a-z-]+)*$`), d.checkHelped},
	}
}

// runByCI checks that .ci/run runs each command of a snippet.
func runByCI(t *testing.T, s snippet) {
	script := page(t, ".ci/run")
	for line := range strings.Lines(s.code) {
		text, _, _ := strings.Cut(line, "#")
		target, isMake := strings.CutPrefix(strings.TrimSpace(text), "make ")
		if !isMake {
			t.Fatalf("%q is no target", line)
		}
		step := regexp.MustCompile(`(?m)^step "[^"]+" (make|as_root_if_possible) ` + regexp.QuoteMeta(target) + `( |$)`)
		if !step.MatchString(script) {
			t.Errorf(".ci/run has no step that runs make %s", target)
		}
	}
}

// checkHelped checks that the program's help has a command, and its options.
func (d documentation) checkHelped(t *testing.T, s snippet) {
	help := d.help(t)
	words := strings.Fields(s.code)
	d.needCommand(t, words[1])
	if !strings.Contains(help, "secretwrap "+words[1]+" ") {
		t.Errorf("secretwrap help does not know %q", words[1])
	}
	for _, option := range words[2:] {
		if !strings.Contains(help, option) {
			t.Errorf("secretwrap help does not know %q", option)
		}
	}
}

// tested returns what proves a snippet that tests of these names run: functions,
// tests below TestEmulator or a script, each with its own test where a slash divides them.
func tested(names ...string) func(*testing.T, snippet) {
	return func(t *testing.T, _ snippet) {
		sources, err := testSources()
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			for part := range strings.SplitSeq(name, "/") {
				if !isTest(sources, part) {
					t.Errorf("no test is called %q", part)
				}
			}
		}
	}
}

// isTest reports whether a test is called name.
func isTest(sources, name string) bool {
	if _, err := os.Stat(filepath.Join("testdata", "script", name+".txtar")); err == nil {
		return true
	}
	return strings.Contains(sources, "\nfunc "+name+"(t *testing.T)") || strings.Contains(sources, "\t\""+name+"\":")
}

// testSources returns the source of all tests.
var testSources = sync.OnceValues(func() (string, error) {
	var all strings.Builder
	for _, root := range []string{".", "../internal", "../wrapper", "../scripts"} {
		err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			all.Write(text)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return all.String(), nil
})
