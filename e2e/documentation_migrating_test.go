//go:build linux

package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/lambdafake"
)

// migratingClaims returns what proves docs/migrating.md.
func (d documentation) migratingClaims() []claim {
	return []claim{
		proves(d.checkECS, `"valueFrom"`, "OLD_PASSWORD=secretsmanager:", "OLD_PASSWORD: "),
		proves(d.checkParameters, `"valueFrom"`),
		proves(d.checkFromExtension, "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "DB_PASSWORD_PATH=secretsmanager:", `os.environ["DB_PASSWORD_PATH"]`),
		proves(checkConverted, "SecretManagers:", "files:\n", "`go run ./scripts/convertsquare <config.yaml >secretwrap.yaml`"),
		proves(tested("misses/a wrapper, as with lambda-secrets-prefetch"), "SECRETWRAP_DIR=/tmp/secrets\n"),
		proves(d.checkFromSquare, "SECRETWRAP_DIR=/tmp/secrets\n", `pathlib.Path("/tmp/secrets/db")`),
		proves(checkSampleVariables, "SECRET_ARN="),
		proves(d.checkFromSample, "SECRETWRAP_ENV_FROM=", `"DB_PORT": 5432`),
		proves(checkPolicyShown, `"Principal"`),
		proves(d.checkFromPython, "boto3.client", `password=os.environ["DB_PASSWORD"]`, "DB_PASSWORD=secretsmanager://prod/db#password\n"),
		proves(d.checkFromNode, "new SecretsManagerClient()", "const { DB_USER, DB_PASSWORD } = process.env"),
		proves(d.checkFromGo, "secretsmanager.NewFromConfig", `connect(os.Getenv("DB_USER")`),
	}
}

// guide returns one of the guides: what is under its heading.
func guide(t *testing.T, heading string) string {
	t.Helper()
	_, text, found := strings.Cut(page(t, "docs/migrating.md"), "\n## "+heading)
	if !found {
		t.Fatalf("no guide is called %q", heading)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

// What is in the secrets of the guides, and where they are.
const (
	dbDocument  = `{"username":"app","password":"` + canary + `"}`
	oldDocument = `{"username":"app","password":"` + canary + `-old"}`
	arnPrefix   = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"
)

// guideSecrets returns the secrets of the guides.
func guideSecrets() []awsfake.Secret {
	secret := func(name string, versions ...awsfake.Version) awsfake.Secret {
		return awsfake.Secret{Name: name, ARN: arnPrefix + name + "-AbCdEf", Versions: versions}
	}
	return []awsfake.Secret{
		secret("prod/db", awsfake.Version{String: new(dbDocument)}, awsfake.Version{String: new(oldDocument), Stages: []string{"AWSPREVIOUS"}}),
		secret("prod/api", awsfake.Version{String: new("key-4711")}),
		secret("api", awsfake.Version{String: new("key-4712")}),
	}
}

// guideSandbox returns one with the secrets of the guides, which code in any language
// can reach: by plain http.
func (d documentation) guideSandbox(t *testing.T, more ...awsfake.Secret) *sandbox {
	t.Helper()
	box := d.sandbox(t, nil)
	box.fake = startScript(t, awsfake.Config{PlainHTTP: true, Secrets: append(more, guideSecrets()...)})
	box.unset("AWS_CA_BUNDLE", "AWS_ENDPOINT_URL_SECRETS_MANAGER")
	box.env = append(box.env, "AWS_ENDPOINT_URL_SECRETS_MANAGER="+box.fake.URL(), "AWS_DEFAULT_REGION=eu-west-1")
	return box
}

// configure sets the variables of a function, but for the one that Lambda itself
// reads.
func (s *sandbox) configure(code string) {
	for _, entry := range strings.Fields(code) {
		if name(entry) != "AWS_LAMBDA_EXEC_WRAPPER" {
			s.env = append(s.env, entry)
		}
	}
}

// valueFrom returns what ECS makes of a container's secrets, read without any code of
// secretwrap's.
func valueFrom(t *testing.T, definition string) map[string]string {
	t.Helper()
	var container struct {
		Secrets []struct{ Name, ValueFrom string }
	}
	if err := json.Unmarshal([]byte(definition), &container); err != nil {
		t.Fatal(err)
	}
	documents := map[string]string{"prod/db-AbCdEf ": dbDocument, "prod/db-AbCdEf AWSPREVIOUS": oldDocument, "prod/api-AbCdEf ": "key-4711"}
	values := make(map[string]string)
	for _, secret := range container.Secrets {
		fields := strings.Split(strings.TrimPrefix(secret.ValueFrom, arnPrefix)+":::", ":")
		value, found := documents[fields[0]+" "+fields[2]]
		if !found {
			t.Fatalf("no secret is at %s", secret.ValueFrom)
		}
		if fields[1] != "" {
			value = stringField(t, value, fields[1])
		}
		values[secret.Name] = value
	}
	return values
}

// stringField returns a field of a document.
func stringField(t *testing.T, document, field string) string {
	t.Helper()
	var object map[string]string
	if err := json.Unmarshal([]byte(document), &object); err != nil {
		t.Fatal(err)
	}
	return object[field]
}

// checkECS compares what a task definition gives with what the variables give that
// replace it, and the manifest.
func (d documentation) checkECS(t *testing.T, s snippet) {
	text := guide(t, "From ECS")
	want := valueFrom(t, block(t, text, "json", "valueFrom"))
	for way, prepare := range map[string]func(*sandbox){
		"variables": func(box *sandbox) { box.configure(block(t, text, "sh", "OLD_PASSWORD")) },
		"manifest":  func(box *sandbox) { box.write(t, "secretwrap.yaml", block(t, text, "yaml", "OLD_PASSWORD")) },
	} {
		box := d.guideSandbox(t)
		prepare(box)
		for name, value := range want {
			if got := box.sh(t, "dist/secretwrap exec -- printenv "+name); got != value+"\n" {
				t.Errorf("by the %s %s is %q, by ECS %q", way, name, got, value)
			}
		}
	}
	box := d.guideSandbox(t)
	box.write(t, "secretwrap.yaml", strings.ReplaceAll(block(t, text, "yaml", "OLD_PASSWORD"), `"`, ""))
	if _, stderr, err := box.try(t, execCommand+"true"); err == nil || !strings.Contains(stderr, "secretwrap.yaml:2: ") {
		t.Errorf("the manifest is no YAML without quotes, but %v: %s", err, stderr)
	}
}

// checkParameters checks what the guide says of parameters: behind the scheme a bare
// name is a secret's, and an ARN is refused.
func (d documentation) checkParameters(t *testing.T, _ snippet) {
	sentence := regexp.MustCompile("that is no ARN, such as `([^`]+)` or `([^`]+)`").FindStringSubmatch(guide(t, "From ECS"))
	if sentence == nil {
		t.Fatal("the guide names no parameters")
	}
	const arn = "arn:aws:ssm:eu-west-1:123456789012:parameter/prod/db-password"
	box := d.guideSandbox(t)
	for _, parameter := range append(sentence[1:], arn) {
		want := `secret "` + parameter + `": no such secret`
		if parameter == arn {
			want = "the ARN belongs to another service"
		}
		_, stderr, err := box.try(t, "A=secretsmanager://"+parameter+" "+execCommand+"true")
		if err == nil || !strings.Contains(stderr, want) {
			t.Errorf("%s: %v: %s", parameter, err, stderr)
		}
	}
}

// databasePython and databaseNode stand for the module that connects.
const (
	databasePython = "def connect(user, password):\n    return {'user': user, 'password': password}\n"
	databaseNode   = "export const connect = (given) => given;\n"
)

// python runs a handler in Python, behind a command or not, and returns its answer.
func (s *sandbox) python(t *testing.T, before, code string) map[string]any {
	t.Helper()
	s.write(t, "database.py", databasePython)
	s.write(t, "app.py", code)
	s.script(t, "python", "exec "+pythonWith(t, "boto3").path+" \"$@\"\n")
	return answer(t, s.sh(t, before+`python -B -c 'import json, app; print(json.dumps(app.handler({}, None)))'`))
}

// node runs a handler in Node.js.
func (s *sandbox) node(t *testing.T, before, code string) map[string]any {
	t.Helper()
	s.write(t, "database.mjs", databaseNode)
	s.write(t, "app.mjs", code)
	return answer(t, s.sh(t, before+`node -e 'import("./app.mjs").then(async (app) => console.log(JSON.stringify(await app.handler())))'`))
}

// answer reads what a handler has answered.
func answer(t *testing.T, printed string) map[string]any {
	t.Helper()
	var given map[string]any
	if err := json.Unmarshal([]byte(printed), &given); err != nil {
		t.Fatalf("%v: %q", err, printed)
	}
	return given
}

// checkConnected checks that a handler has connected with what the secret holds.
func checkConnected(t *testing.T, who string, given map[string]any) {
	t.Helper()
	if fmt.Sprint(given) != fmt.Sprint(map[string]any{"user": "app", "password": canary}) {
		t.Errorf("%s connects with %v", who, given)
	}
}

// checkFromExtension runs the handler with a stand-in for AWS's extension, and the
// one that replaces it.
func (d documentation) checkFromExtension(t *testing.T, s snippet) {
	extension := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/secretsmanager/get" || r.URL.Query().Get("secretId") != "prod/db" || r.Header.Get("X-Aws-Parameters-Secrets-Token") != "an-invented-session-token" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"Name": "prod/db", "SecretString": dbDocument})
	}))
	t.Cleanup(extension.Close)
	_, port, _ := strings.Cut(extension.Listener.Addr().String(), ":")
	text := guide(t, "From the AWS Parameters")
	box := d.guideSandbox(t)
	box.env = append(box.env, "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT="+port)
	checkConnected(t, "before, it", box.python(t, "", block(t, text, "python", "urlopen")))

	box = d.guideSandbox(t)
	box.configure(block(t, text, "sh", "DB_PASSWORD_PATH"))
	box.env = append(box.env, "SECRETWRAP_DIR="+box.path("files"))
	checkConnected(t, "after, it", box.python(t, execCommand, block(t, text, "python", "DB_PASSWORD_PATH")))
}

// checkConverted converts the configuration that is shown.
func checkConverted(t *testing.T, s snippet) {
	text := guide(t, "From Square")
	commands := regexp.MustCompile("`(go run ./scripts/convertsquare [^`]+)`").FindStringSubmatch(text)
	if commands == nil {
		t.Fatal("the guide does not convert")
	}
	dir := t.TempDir()
	write(t, dir+"/config.yaml", block(t, text, "yaml", "SecretManagers:"), 0o644)
	code := strings.NewReplacer("<config.yaml", "<"+dir+"/config.yaml", ">secretwrap.yaml", ">"+dir+"/secretwrap.yaml").Replace(commands[1])
	convert := exec.CommandContext(t.Context(), "sh", "-euc", code)
	convert.Dir = ".."
	if out, err := convert.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	checkFile(t, dir+"/secretwrap.yaml", block(t, text, "yaml", "files:\n"), 0o644)
}

// checkFromSquare runs the handler, which has not changed, with the manifest, in
// another directory for the files.
func (d documentation) checkFromSquare(t *testing.T, s snippet) {
	text := guide(t, "From Square")
	box := d.guideSandbox(t)
	moved := func(code string) string { return strings.ReplaceAll(code, "/tmp/secrets", box.path("secrets")) }
	box.configure(moved(block(t, text, "sh", "SECRETWRAP_DIR")))
	box.write(t, "secretwrap.yaml", block(t, text, "yaml", "files:\n"))
	checkConnected(t, "it", box.python(t, execCommand, moved(block(t, text, "python", "database.connect"))))
	checkFile(t, box.path("secrets/api-AbCdEf"), "key-4712", 0o400)
}

// testFilesAsSquares runs that handler in a function without a wrapper, and reads the
// files where it always did.
func (l lab) testFilesAsSquares(t *testing.T) {
	text := guide(t, "From Square")
	fn := l.python(t)
	fn.Env = strings.Fields(block(t, text, "sh", "SECRETWRAP_DIR"))
	fn.Handler = "app.handler"
	for name, content := range map[string]string{
		"secretwrap.yaml": block(t, text, "yaml", "files:\n"),
		"app.py":          block(t, text, "python", "database.connect"),
		"database.py":     databasePython,
	} {
		write(t, filepath.Join(fn.Task, name), content, 0o644)
	}
	d := l.deploy(t, startScript(t, awsfake.Config{Secrets: guideSecrets()}).reachable(fn), canary)
	checkConnected(t, "it", d.seen(t, event{}))
}

// checkSampleVariables checks that no variable is left behind without a word.
func checkSampleVariables(t *testing.T, s snippet) {
	_, after, _ := strings.Cut(guide(t, "From AWS's sample"), "\nAfter:")
	for _, entry := range strings.Fields(s.code) {
		if name := name(entry); name != "SECRET_REGION" && name != "API_TIMEOUT" && !strings.Contains(after, name) {
			t.Errorf("what becomes of %s?", name)
		}
	}
}

// checkFromSample compares the table of values with what the program sees.
func (d documentation) checkFromSample(t *testing.T, s snippet) {
	text := guide(t, "From AWS's sample")
	document := block(t, text, "json", "DB_PORT")
	box := d.guideSandbox(t, awsfake.Secret{Name: "prod/app", ARN: arnPrefix + "prod/app-AbCdEf", Versions: []awsfake.Version{{String: &document}}})
	box.configure(block(t, text, "sh", "SECRETWRAP_ENV_FROM="))
	rows := regexp.MustCompile("(?m)^\\| `(\\w+)` \\| [^|]* ?\\|? ?[^|]* \\| (.*) \\|$").FindAllStringSubmatch(text, -1)
	var fields map[string]any
	if err := json.Unmarshal([]byte(document), &fields); err != nil || len(rows) != len(fields) {
		t.Fatalf("%v: %d rows for %d fields", err, len(rows), len(fields))
	}
	for _, row := range rows {
		want := strings.ReplaceAll(strings.Trim(row[2], "`"), `\|`, "|") + "\n"
		if strings.HasPrefix(row[2], "not set") {
			want = ""
		}
		stdout, stderr, _ := box.try(t, execCommand+"printenv "+row[1]) // which fails if it is not set
		if stdout != want {
			t.Errorf("%s is %q, the page says %q", row[1], stdout, want)
		}
		if !strings.Contains(stderr, `may not become variables: "NODE_OPTIONS" `) {
			t.Errorf("no warning in %q", stderr)
		}
	}
}

// checkFromPython runs the handlers before and after.
func (d documentation) checkFromPython(t *testing.T, s snippet) {
	text := guide(t, "From calls")
	checkConnected(t, "before, it", d.guideSandbox(t).python(t, "", block(t, text, "python", "boto3")))
	box := d.guideSandbox(t)
	box.configure(block(t, text, "sh", "DB_PASSWORD="))
	checkConnected(t, "after, it", box.python(t, execCommand, block(t, text, "python", "os.environ")))
}

// checkFromNode runs the handlers before and after.
func (d documentation) checkFromNode(t *testing.T, s snippet) {
	text := guide(t, "From calls")
	box := d.guideSandbox(t)
	box.nodeModules(t)
	checkConnected(t, "before, it", box.node(t, "", block(t, text, "js", "SecretsManagerClient")))
	box = d.guideSandbox(t)
	box.link(t, "node", toolNamed(t, "node").path)
	box.configure(block(t, text, "sh", "DB_PASSWORD="))
	checkConnected(t, "after, it", box.node(t, execCommand, block(t, text, "js", "process.env")))
}

// checkFromGo runs the functions before and after.
func (d documentation) checkFromGo(t *testing.T, s snippet) {
	text := guide(t, "From calls")
	before := d.guideSandbox(t)
	before.goFunction(t, "", block(t, text, "go", "NewFromConfig"))
	after := d.guideSandbox(t)
	after.configure(block(t, text, "sh", "DB_PASSWORD="))
	after.goFunction(t, execCommand, block(t, text, "go", "os.Getenv"))
}

// goFunction builds a function in Go, and checks what it answers to an invocation.
func (s *sandbox) goFunction(t *testing.T, before, code string) {
	t.Helper()
	s.write(t, "main.go", code)
	s.write(t, "connect.go", "package main\n\nfunc connect(user, password string) (string, error) { return user + \" \" + password, nil }\n")
	build(t, ".", s.path("app"), s.path("main.go"), s.path("connect.go"))
	api, err := lambdafake.StartAPI(lambdafake.APIConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(api.Close)
	ctx, cancel := context.WithTimeout(t.Context(), starting)
	defer cancel()
	program := exec.CommandContext(ctx, "sh", "-euc", "exec "+before+"./app")
	program.Dir, program.Env = s.dir, append(s.env, "AWS_LAMBDA_RUNTIME_API="+api.Addr(), "TMPDIR="+t.TempDir())
	var complaints strings.Builder
	program.Stderr = &complaints
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = program.Wait() // it is killed when it has answered
		cancel()
		close(ended)
	}()
	path := "/2018-06-01/runtime/invocation/" + api.Invoke(lambdafake.Invocation{Payload: []byte("{}")}) + "/response"
	var answered string
	err = api.Await(ctx, func(requests []lambdafake.Request) bool {
		for _, request := range requests {
			if request.Path == path {
				answered = string(request.Body)
			}
		}
		return answered != ""
	})
	cancel()
	<-ended
	if want := mustJSON(t, "app "+canary); err != nil || strings.TrimSpace(answered) != want {
		t.Errorf("answered %q, want %q, error %v: %s", answered, want, err, complaints.String())
	}
}
