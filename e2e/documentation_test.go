//go:build linux

package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
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

// claim says what proves snippets.
type claim struct {
	// words identify them on their page: one block alone holds a word. A command in the
	// text is given whole, between backquotes.
	words []string
	// prove is called once, with the first of them.
	prove func(*testing.T, snippet)
}

// proves returns the claim that a function proves the snippets with these words.
func proves(prove func(*testing.T, snippet), words ...string) claim {
	return claim{words, prove}
}

// holds reports whether a word identifies a snippet.
func (s snippet) holds(word string) bool {
	if s.language == "" {
		return "`"+s.code+"`" == word
	}
	return strings.Contains(s.code, word)
}

// TestDocumentation fails for whatever a page shows that nothing runs: a block of
// code, a command in the text. What runs it is claimed in documentation.claims.
func TestDocumentation(t *testing.T) {
	d := newDocumentation(t)
	claims := d.claims()
	for _, path := range pages(t) {
		claimed := claims[path]
		delete(claims, path)
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			d.checkPage(t, snippetsOf(t, path), claimed)
		})
	}
	for path := range claims {
		t.Errorf("%s is no page, but something is claimed about it", path)
	}
}

// checkPage has every claim proved, and checks that each snippet is claimed, or of a
// form that has its rule.
func (d documentation) checkPage(t *testing.T, snippets []snippet, claims []claim) {
	t.Helper()
	claimed := make(map[snippet]bool)
	for _, c := range claims {
		for i, word := range c.words {
			found, isOne := theOne(t, snippets, word)
			claimed[found] = true
			if isOne && i == 0 {
				prove(t, word, c.prove, found)
			}
		}
	}
	for _, s := range snippets {
		if !claimed[s] && !d.checkRule(t, s) {
			t.Errorf("nothing runs this; claim it in documentation.claims, below %q:\n%s", s.page, s.code)
		}
	}
}

// theOne returns the snippet with a word.
func theOne(t *testing.T, snippets []snippet, word string) (one snippet, isOne bool) {
	t.Helper()
	var found []snippet
	for _, s := range snippets {
		if s.holds(word) && !slices.Contains(found, s) {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		t.Errorf("%d snippets hold %q, want one", len(found), word)
		return snippet{}, false
	}
	return found[0], true
}

// prove runs a proof as a test of its own.
func prove(t *testing.T, name string, proof func(*testing.T, snippet), s snippet) {
	t.Helper()
	// The name becomes that of a directory, which stands in commands.
	t.Run(regexp.MustCompile(`[^\w ./=-]+`).ReplaceAllString(name, ""), func(t *testing.T) {
		t.Parallel()
		proof(t, s)
	})
}

// checkRule proves a command in the text that has a form with a rule, and reports
// whether it has.
func (d documentation) checkRule(t *testing.T, s snippet) bool {
	t.Helper()
	for _, rule := range d.rules() {
		if s.language == "" && rule.form.MatchString(s.code) {
			prove(t, s.code, rule.prove, s)
			return true
		}
	}
	return false
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
		{regexp.MustCompile(`^scripts/[a-z]+ (Test|Fuzz)\w+$`), namesTest},
	}
}

// namesTest checks that a directory has a test, as docs/faults.md names them: that is
// no command.
func namesTest(t *testing.T, s snippet) {
	dir, name, _ := strings.Cut(s.code, " ")
	paths, err := filepath.Glob(filepath.Join("..", dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if text, err := os.ReadFile(path); err == nil && strings.Contains(string(text), "\nfunc "+name+"(") {
			return
		}
	}
	t.Errorf("%s has no %s", dir, name)
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
