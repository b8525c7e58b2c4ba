//go:build linux

package e2e_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"secretwrap/e2e/emulator"
)

// examples is what the tests of the examples share.
type examples struct {
	lab
	root string // a directory with copies of examples and dist
	moto string // the address of a moto_server
}

// testExamples deploys the functions in examples to moto, and runs them with what is
// deployed then: configuration, code, layer. Each has a region of its own, since all
// secrets have one name.
func (l lab) testExamples(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the examples are for x86_64")
	}
	x := examples{lab: l, root: t.TempDir(), moto: startCloud(t)}
	copySources(t, "examples", x.root)
	link(t, compiled(t, l.compilers.dist), filepath.Join(x.root, "dist"))
	runAll(t, map[string]func(*testing.T){
		"SAM":       x.testSAM,
		"CDK":       x.testCDK,
		"image":     x.testImage,
		"Terraform": x.testTerraform,
	})
}

// copySources copies a directory of the project below another one, without what people
// leave in it who try the examples: what .gitignore names.
func copySources(t *testing.T, dir, to string) {
	t.Helper()
	patterns := strings.Fields(page(t, ".gitignore"))
	err := fs.WalkDir(os.DirFS(".."), dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case slices.ContainsFunc(patterns, func(pattern string) bool { return ignores(pattern, path) }):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return os.Mkdir(filepath.Join(to, path), 0o755)
		}
		copyFile(t, filepath.Join("..", path), filepath.Join(to, path))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// ignores tells whether a line of .gitignore is about path: a pattern for it, or, without
// a slash inside, for its last element.
func ignores(pattern, path string) bool {
	pattern = strings.TrimSuffix(pattern, "/")
	name := filepath.Base(path)
	if strings.Contains(pattern, "/") {
		name = "/" + path
	}
	matched, err := filepath.Match(pattern, name)
	return err == nil && matched
}

// dir returns the directory of an example.
func (x examples) dir(name string) string { return filepath.Join(x.root, "examples", name) }

// zip returns the path of the layer that the examples use.
func (x examples) zip() string { return filepath.Join(x.root, "dist", "secretwrap-layer-x86_64.zip") }

// deployment is a function as it lies in the account.
type deployment struct {
	cloud
	configuration
	task, layer string
}

// checkAnswer runs a function and compares its answer with what the examples promise.
// What it logs must hold none of values.
func (x examples) checkAnswer(t *testing.T, d deployment, values ...string) {
	t.Helper()
	fn := x.python(t)
	fn.Layer, fn.Task, fn.Handler, fn.Env = d.layer, d.task, d.Handler, d.env()
	fn.Timeout = time.Duration(d.Timeout) * time.Second
	x.checkPromised(t, d.reachable(fn), values...)
}

// reachable returns fn configured to reach the account.
func (a cloud) reachable(fn emulator.Function) emulator.Function {
	fn.Env = append([]string{"AWS_REGION=" + a.region, "AWS_ENDPOINT_URL_SECRETS_MANAGER=" + a.url}, fn.Env...)
	return fn
}

// checkPromised invokes a function and compares its answer with the one that the
// examples promise.
func (x examples) checkPromised(t *testing.T, fn emulator.Function, values ...string) {
	t.Helper()
	answer := regexp.MustCompile("The answer is `(.*)`").FindStringSubmatch(page(t, "examples/sam/README.md"))
	if answer == nil {
		t.Fatal("no answer is promised")
	}
	var want map[string]any
	decode(t, []byte(answer[1]), &want)
	if seen := x.deploy(t, fn, values...).seen(t, event{}); !reflect.DeepEqual(seen, want) {
		t.Errorf("the function answers %v, want %v", seen, want)
	}
}

// TestExamplesShareTheirHandler checks that the examples differ in nothing but how they
// are deployed; each has a copy, so that its folder is complete.
func TestExamplesShareTheirHandler(t *testing.T) {
	want := page(t, "examples/sam/function/app.py")
	for _, path := range []string{"cdk/function/app.py", "terraform/function/app.py", "image/app.py"} {
		if page(t, "examples/"+path) != want {
			t.Errorf("%s is another handler", path)
		}
	}
}

// TestExamplesAreShort checks that their pages are read in a minute.
func TestExamplesAreShort(t *testing.T) {
	for _, name := range []string{"sam", "cdk", "terraform", "image"} {
		if lines := strings.Count(page(t, "examples/"+name+"/README.md"), "\n"); lines > 30 {
			t.Errorf("the page of %s has %d lines", name, lines)
		}
	}
}

// pageCommands returns a block of commands of an example's page, without those that begin
// as without has it, which the test does otherwise.
func pageCommands(t *testing.T, example, word string, without ...string) string {
	t.Helper()
	var kept strings.Builder
	left := slices.Clone(without)
	for line := range strings.Lines(block(t, page(t, "examples/"+example+"/README.md"), "sh", word)) {
		at := slices.IndexFunc(left, func(prefix string) bool { return strings.HasPrefix(line, prefix) })
		if at < 0 {
			kept.WriteString(line)
			continue
		}
		left = slices.Delete(left, at, at+1)
	}
	if len(left) > 0 {
		t.Fatalf("the page of %s has no commands %q", example, left)
	}
	return kept.String()
}

// policyStatement is one of an IAM policy, whose fields are texts or lists of texts.
type policyStatement struct {
	Effect           string
	Action, Resource any
	Condition        map[string]map[string]any `json:",omitempty"`
}

// checkPolicy checks what policies allow, by action, and that a linter has nothing to
// say of them.
func checkPolicy(t *testing.T, documents []string, want map[string][]string) {
	t.Helper()
	got := make(map[string][]string)
	for _, document := range documents {
		lint(t, document)
		for _, s := range statements(t, document) {
			if s.Effect != "Allow" {
				t.Errorf("a statement of effect %q", s.Effect)
			}
			for _, action := range texts(s.Action) {
				got[action] = append(got[action], texts(s.Resource)...)
			}
		}
	}
	for action := range got {
		slices.Sort(got[action])
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the role allows %q, want %q", got, want)
	}
}

// statements returns those of a policy.
func statements(t *testing.T, document string) []policyStatement {
	t.Helper()
	var policy struct{ Statement json.RawMessage }
	decode(t, []byte(document), &policy)
	if !strings.HasPrefix(string(policy.Statement), "[") {
		policy.Statement = slices.Concat(json.RawMessage("["), policy.Statement, json.RawMessage("]"))
	}
	var statements []policyStatement
	decode(t, policy.Statement, &statements)
	return statements
}

// texts returns a text, or a list of them, as a list.
func texts(value any) []string {
	if text, ok := value.(string); ok {
		return []string{text}
	}
	var list []string
	values, _ := value.([]any)
	for _, value := range values {
		text, _ := value.(string)
		list = append(list, text)
	}
	return list
}

// lint has parliament judge a policy.
func lint(t *testing.T, document string) {
	t.Helper()
	program := cached(t, "builders/venv/bin/parliament")
	if _, err := os.Stat(program); err != nil {
		need(t, "no parliament: scripts/install-builders.sh installs it")
	}
	findings, err := exec.CommandContext(t.Context(), program, "--string", document).Output()
	if err != nil || len(findings) > 0 {
		t.Errorf("parliament finds %s (%v) in %s", findings, err, document)
	}
}
