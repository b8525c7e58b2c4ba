//go:build linux

package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"secretwrap/internal/layerbuild"
)

// place is one in the program's source where a secret is at hand.
type place struct {
	file string
	// line is the one after which the program panics there, with what value says.
	line, value string
	// errorType is what the caller of a function reads if that happens to a wrapper
	// that works alone; empty if it does not come by.
	errorType string
	// checks is set if check comes by.
	checks bool
}

// places returns one in each package that holds secrets, or more.
func places() map[string]place {
	const fault, failed = "Runtime.SecretFault", "Runtime.SecretUnavailable"
	return map[string]place{
		"secret":            {"internal/secret/secret.go", "func New(b []byte) Value {", "string(b)", failed, true},
		"awssecrets":        {"internal/awssecrets/client.go", "func document(request Request, answer *secretsmanager.GetSecretValueOutput) (Document, error) {", "*answer.SecretString", failed, true},
		"fetch":             {"internal/fetch/fetch.go", "\t\tif err == nil {", "string(document.Value.Reveal())", failed, true},
		"extract":           {"internal/extract/document.go", "func (d Document) Get(path string) (secret.Value, error) {", "d.content().text", fault, true},
		"deliver":           {"internal/deliver/encode.go", "func encode(v value, encoding reference.Encoding) (value, *miss) {", "string(v.content.Reveal())", fault, true},
		"environ":           {"internal/environ/environ.go", "func (b *Block) put(name string, value secret.Value) {", "string(value.Reveal())", fault, false},
		"environ's entries": {"internal/environ/environ.go", "\tfor i, name := range b.names {", "string(b.values[name].Reveal())", fault, false},
		"secretfiles":       {"internal/secretfiles/generation.go", "func writeFile(generation *os.Root, file File) error {", "string(file.Content.Reveal())", fault, false},
		"handover":          {"internal/handover/handover.go", "func unpack(head answer, body []byte) ([]fetch.Outcome, error) {", "string(body)", "", false},
		"handover's server": {"internal/handover/handover.go", "func pack(outcomes []fetch.Outcome) (answer, [][]byte) {", "string(outcomes[0].Document.Value.Reveal())", "", false},
		"refresh":           {"internal/refresh/refresh.go", "func (k *Keeper) Publish(set Set, outcomes []fetch.Outcome) problem.List {", "string(outcomes[0].Document.Value.Reveal())", "", false},
		"inspect":           {"internal/inspect/suspicion.go", "func isUnreserved(value secret.Value) bool {", "string(value.Reveal())", "", true},
	}
}

const (
	// panicIn names the place where the program panics.
	panicIn = "PANIC_IN"
	// panicked is the file in the directory for temporary files which tells that it did.
	panicked = "panicked"
)

// panicking returns the argument of go build that makes the program panic where
// PANIC_IN says so.
func panicking(t *testing.T) string {
	t.Helper()
	dir, replaced := t.TempDir(), make(map[string]string)
	for name, p := range places() {
		original, err := filepath.Abs(filepath.Join("..", p.file))
		if err != nil {
			t.Fatal(err)
		}
		copied := filepath.Join(dir, strings.ReplaceAll(p.file, "/", "-"))
		if replaced[original] == "" {
			replaced[original] = copied
			write(t, copied, addedTo(t, read(t, original), "package ", `; import panicking "os"; import panickingOf "strings"`), 0o600)
		}
		write(t, copied, addedTo(t, read(t, copied), p.line, fmt.Sprintf(
			`; if panicking.Getenv(%q) == %q && panickingOf.Contains(%s, %q) { _ = panicking.WriteFile(panicking.TempDir()+%q, nil, 0o600); panic(%s) }`,
			panicIn, name, p.value, canary, "/"+panicked, p.value)), 0o600)
	}
	overlay := filepath.Join(dir, "overlay.json")
	write(t, overlay, mustJSON(t, map[string]any{"Replace": replaced}), 0o600)
	return "-overlay=" + overlay
}

// addedTo returns source with code at the end of the only line that begins with line.
func addedTo(t *testing.T, source, line, code string) string {
	t.Helper()
	before, after, found := strings.Cut("\n"+source, "\n"+line)
	if !found || strings.Contains(after, "\n"+line) {
		t.Fatalf("not one line that begins with %q", line)
	}
	rest, others, _ := strings.Cut(after, "\n")
	return strings.TrimPrefix(before+"\n"+line+rest+code+"\n"+others, "\n")
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// testFaults has the program panic in each package that holds secrets, with one as
// what the panic says. Deploying searches the log for it.
func (l lab) testFaults(t *testing.T) {
	l.layer = copyTree(t, l.layer)
	build(t, "..", filepath.Join(l.layer, "extensions", "secretwrap"), append(layerbuild.Arguments(""), panicking(t), layerbuild.Source)...)
	for name, p := range places() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if p.errorType != "" {
				l.checkFault(t, name, p.errorType, "SECRETWRAP_HANDOVER=off")
			}
			if name != "inspect" { // which the layer does not have
				l.checkFault(t, name, "", "SECRETWRAP_HANDOVER=on")
			}
		})
	}
}

// checkFault checks what the invoker of a function reads whose wrapper panics, or
// whose extension does.
func (l lab) checkFault(t *testing.T, where, errorType string, env ...string) {
	t.Helper()
	fn := l.managed(t, plainHandler, append(env, panicIn+"="+where, "GOTRACEBACK=all",
		"DB_PASSWORD=secretsmanager://prod/db#password", "KEY_PATH=secretsmanager://prod/db?file=key#password")...)
	d := l.deploy(t, startFake(t, oneSecret()).reachable(fn))
	response := d.invoke(t, event{Names: []string{"HOME"}})
	if found := leaks(string(response.Body), canary); len(found) > 0 {
		t.Errorf("the invoker reads a secret: %v", found)
	}
	if _, err := os.Stat(filepath.Join(d.Tmp(), panicked)); err != nil {
		t.Errorf("nothing has panicked: %v", err)
	}
	var body struct{ ErrorType string }
	if err := json.Unmarshal(response.Body, &body); err != nil || errorType != "" && body.ErrorType != errorType {
		t.Errorf("the invoker reads %s, want the type %q", response.Body, errorType)
	}
}

func TestAFaultShowsNoSecretOnALaptop(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "secretwrap")
	build(t, "..", program, "-trimpath", panicking(t), "./wrapper")
	fake := startFake(t, oneSecret())
	for name, p := range places() {
		if p.checks {
			t.Run("in "+name, func(t *testing.T) {
				t.Parallel()
				env := append([]string{"AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=key",
					"URL=http://{{secretsmanager://prod/db#password}}:x@host"}, fake.env...)
				checkFaulty(t, name, env, program, "check")
			})
		}
	}
	t.Run("in environ, before anything is asked", func(t *testing.T) {
		t.Parallel()
		checkFaulty(t, "environ", []string{"INHERITED=" + canary}, program, "exec", "true")
	})
}

// checkFaulty runs a command that panics.
func checkFaulty(t *testing.T, where string, env []string, argv ...string) {
	t.Helper()
	dir := t.TempDir()
	out, err := runIn(append(env, "TMPDIR="+dir, "GOTRACEBACK=all", panicIn+"="+where), argv...)
	if found := leaks(out, canary); len(found) > 0 {
		t.Errorf("a secret is shown: %v", found)
	}
	if _, there := os.Stat(filepath.Join(dir, panicked)); there != nil || err == nil {
		t.Errorf("ended with %v; nothing has panicked: %v\n%s", err, there, out)
	}
}
