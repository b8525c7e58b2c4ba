//go:build linux

package e2e_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/manifest"
	"secretwrap/internal/problem"
	"secretwrap/internal/settings"
)

func readme(t *testing.T) string {
	t.Helper()
	return page(t, "README.md")
}

// page returns the text of a page of the documentation.
func page(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// block returns the first block of code of that language that holds word.
func block(t *testing.T, text, language, word string) string {
	t.Helper()
	for _, part := range strings.Split(text, "```"+language+"\n")[1:] {
		if code, _, _ := strings.Cut(part, "```"); strings.Contains(code, word) {
			return code
		}
	}
	t.Fatalf("the page has no block of %s with %q", language, word)
	return ""
}

// TestReadmeExample runs the program with the variables of the example, and
// compares what a program then sees with what the example says.
func TestReadmeExample(t *testing.T) {
	text := readme(t)
	document := regexp.MustCompile("`(\\{\"username\".*\\})`").FindStringSubmatch(text)
	if document == nil {
		t.Fatal("README shows no secret")
	}
	fake := startFake(t, map[string]awsfake.Version{
		"prod/db":  {String: &document[1]},
		"prod/api": {String: new("key-4711")},
		"prod/tls": {String: new(`{"private_key":"a key"}`)},
	})
	environment := append([]string{"AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b", "AWS_REGION=eu-west-1"}, fake.env...)
	dir := filepath.Join(t.TempDir(), "secretwrap")
	environment = append(environment, "SECRETWRAP_DIR="+dir)
	want := make(map[string]string)
	for line := range strings.Lines(block(t, text, "text", "AWS_LAMBDA_EXEC_WRAPPER")) {
		configured, delivered, found := strings.Cut(line, "→")
		fields := strings.Fields(configured)
		if len(fields) != 2 {
			t.Fatalf("not NAME VALUE → DELIVERED: %q", line)
		}
		environment = append(environment, fields[0]+"="+fields[1])
		if found {
			want[fields[0]] = strings.Replace(strings.TrimSpace(delivered), "/tmp/secretwrap", dir, 1)
		}
	}
	if len(want) < 5 {
		t.Fatalf("the example delivers %d variables only", len(want))
	}
	command := exec.CommandContext(t.Context(), filepath.Join(layer(t), "secretwrap"), "/usr/bin/env", "-0")
	command.Env = environment
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, err.(*exec.ExitError).Stderr)
	}
	seen := make(map[string]string)
	for entry := range strings.SplitSeq(string(output), "\x00") {
		name, value, _ := strings.Cut(entry, "=")
		seen[name] = value
	}
	for name, value := range want {
		if seen[name] != value {
			t.Errorf("%s is %q, README says %q", name, seen[name], value)
		}
	}
}

func TestReadmeManifestIsOne(t *testing.T) {
	code := block(t, readme(t), "yaml", "env_from")
	parsed, problems := manifest.Parse("README.md", []byte(code), func(string) (string, bool) { return "prod", true })
	if len(problems) > 0 || len(parsed.Env) == 0 || len(parsed.EnvFrom) == 0 || len(parsed.Files) == 0 {
		t.Errorf("the manifest in README declares %v, with problems %v", parsed, problems)
	}
}

func TestReadmeListsTheSettings(t *testing.T) {
	var want strings.Builder
	for _, s := range settings.All() {
		fmt.Fprintf(&want, "| `%s` | %s | %s |\n", s.Name, s.Default, s.About)
	}
	table := strings.ReplaceAll(want.String(), "|  |", "| |")
	if !strings.Contains(readme(t), "|---|---|---|\n"+table+"\n") {
		t.Errorf("README's table of settings is not:\n%s", table)
	}
}

func TestReadmeListsTheErrors(t *testing.T) {
	statuses := make(map[string][]string)
	var order []string
	for class := problem.Config; class.ErrorType() != ""; class++ {
		name, status := class.ErrorType(), fmt.Sprint(class.Status())
		if !slices.Contains(order, name) {
			order = append(order, name)
		}
		if !slices.Contains(statuses[name], status) {
			statuses[name] = append(statuses[name], status)
		}
	}
	rows := regexp.MustCompile("(?m)^\\| `(Runtime\\.\\w+)` \\| ([^|]+) \\|").FindAllStringSubmatch(readme(t), -1)
	listed := make(map[string][]string)
	var names []string
	for _, row := range rows {
		names = append(names, row[1])
		listed[row[1]] = regexp.MustCompile(`\d+`).FindAllString(row[2], -1)
	}
	if !slices.Equal(names, order) {
		t.Errorf("README lists %q, the program has %q", names, order)
	}
	for name := range maps.Keys(statuses) {
		slices.Sort(statuses[name])
		slices.Sort(listed[name])
		if !slices.Equal(statuses[name], listed[name]) {
			t.Errorf("%s: README says status %q, the program %q", name, listed[name], statuses[name])
		}
	}
}

// TestReadmeListsThePackagings compares README's table of functions with the tests
// that it names: each is there, and each way in which a function receives its
// secrets is listed.
func TestReadmeListsThePackagings(t *testing.T) {
	rows := regexp.MustCompile(`(?m)^\|[^|]+\|[^|]+\|[^|]+\| (receives|builders|OS-only|on arm64)(?:/([^|]+))? \|$`).FindAllStringSubmatch(readme(t), -1)
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var sources strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sources.Write(text)
	}
	var listed []string
	for _, row := range rows {
		for _, name := range row[1:] {
			if name != "" && !strings.Contains(sources.String(), `"`+name+`":`) {
				t.Errorf("no test is called %q", name)
			}
		}
		if row[1] == "receives" {
			listed = append(listed, row[2])
		}
	}
	slices.Sort(listed)
	if functions := slices.Sorted(maps.Keys(lab{}.functions())); !slices.Equal(listed, functions) {
		t.Errorf("README lists %q, tested are %q", listed, functions)
	}
}

// TestRuntimesShowWhatIsBuilt compares the recipes for builders with the projects
// that are built in the tests.
func TestRuntimesShowWhatIsBuilt(t *testing.T) {
	recipes := page(t, "docs/runtimes.md")
	for _, project := range []string{"sam-go", "sam-rust"} {
		makefile := page(t, "e2e/builders/"+project+"/Makefile")
		if !strings.Contains(recipes, "```make\n"+makefile+"```") {
			t.Errorf("no recipe is the Makefile of %s", project)
		}
	}
	hooks := block(t, recipes, "js", "commandHooks")
	for _, app := range []string{"go.js", "rust.js"} {
		if !strings.Contains(page(t, "e2e/builders/cdk/"+app), hooks) {
			t.Errorf("%s does not have the recipe's hooks", app)
		}
	}
	if own := block(t, recipes, "sh", "exec /opt/secretwrap"); own != ownBootstrap {
		t.Errorf("the recipe's bootstrap is %q, the tested one %q", own, ownBootstrap)
	}
}

func TestReadmeCommandsAreTargets(t *testing.T) {
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile("(?m)(?:^|`)make ([a-z0-9]+)").FindAllStringSubmatch(readme(t), -1)
	if len(commands) < 4 {
		t.Fatalf("README names %d commands only", len(commands))
	}
	for _, command := range commands {
		if !strings.Contains(string(makefile), "\n"+command[1]+":") {
			t.Errorf("make %s is no target", command[1])
		}
	}
}
