//go:build linux

package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"

	"secretwrap/internal/awsfake"
)

// localClaims returns what proves docs/local.md.
func (d documentation) localClaims() []claim {
	return []claim{
		proves(d.checkInstalled, "install -m 755", "export DB_PASSWORD="),
		proves(d.printsPassword(""), "export DB_PASSWORD="),
		proves(d.checkSSO, "aws configure sso", "export AWS_PROFILE=work"),
		proves(d.checkEnvFile, "?path=password\nAPI_KEY="),
		proves(d.checkReaders, "`node --env-file`", "`docker --env-file`"),
		proves(d.checkEnvFileStart, "exec --env-file .env -- npm start"),
		proves(d.checkEnvFileStart, "set -a"),
		proves(d.checkBothRead, "secretwrap exec --env-file .env -- node --env-file=.env app.js"),
		proves(d.checkMakeStart, "include .env"),
		proves(checkMotoExtra, "`pip install 'moto[server]'`"),
		proves(d.checkMoto, "moto_server"),
		proves(d.checkFiles, "export SECRETWRAP_DIR="),
		proves(checkLinuxBuild, "`GOOS=linux make build`"),
		proves(d.checkContainer, "FROM node:", "services:"),
		proves(d.checkDockerRun, "`docker run --env-file .env -e AWS_PROFILE=work -v \"$HOME/.aws:/root/.aws\" app`"),
		proves(d.checkExportedCredentials, "export-credentials"),
		proves(d.checkPlainTest, "DB_PASSWORD=test secretwrap"),
		proves(d.checkPlainTest, "`DB_PASSWORD=test npm test`"),
		proves(d.checkOffline, "`secretwrap check --offline`"),
	}
}

// checkInstalled installs the program as the page does, and starts it in another
// folder.
func (d documentation) checkInstalled(t *testing.T, s snippet) {
	box := d.sandbox(t, oneSecret())
	box.makeCommand(t)
	before, _, _ := strings.Cut(page(t, s.page), block(t, page(t, s.page), "sh", "export DB_PASSWORD="))
	path := regexp.MustCompile("`(export PATH=[^`]+)`").FindStringSubmatch(before)
	if path == nil {
		t.Fatal("the page does not say how the program is found")
	}
	box.sh(t, "export PATH=/usr/bin:/bin\n"+strings.Replace(s.code, "make ", box.path("bin/make")+" ", 1))
	directory(t, box.path("elsewhere"), 0o755)
	box.work = box.path("elsewhere")
	code := "export PATH=/usr/bin:/bin\n" + path[1] + "\n" + strings.ReplaceAll(block(t, page(t, s.page), "sh", "export DB_PASSWORD="), "npm start", "printenv DB_PASSWORD")
	checkPrints(t, box.sh(t, code), canary)
}

// checkOffline finds what is malformed without credentials.
func (d documentation) checkOffline(t *testing.T, s snippet) {
	box := d.sandbox(t, nil)
	box.unset("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
	box.sh(t, exported+s.code)
	if stdout, _, err := box.try(t, "export DB_PASSWORD=secretmanager://prod/db\n"+s.code); err == nil || !strings.Contains(stdout, "error: DB_PASSWORD: ") {
		t.Errorf("%v: %s", err, stdout)
	}
}

// checkSSO follows the page from the configuration of a profile to the program. The
// commands of AWS's that open a browser are stand-ins, which leave the files that
// those leave; what hands out the role's credentials, and renews tokens, is one, too. A
// renewed token is written back, which is why containers may write there.
func (d documentation) checkSSO(t *testing.T, s snippet) {
	portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"accessToken": "an-invented-token", "expiresIn": 3600, "refreshToken": "r"}`)
			return
		}
		if r.Header.Get("X-Amz-Sso_bearer_token") != "an-invented-token" || r.URL.Query().Get("role_name") != "developer" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, `{"roleCredentials": {"accessKeyId": "AKIDSSO", "secretAccessKey": "b", "sessionToken": "c", "expiration": 4102444800000}}`)
	}))
	t.Cleanup(portal.Close)
	box := d.sandbox(t, oneSecret())
	box.npm(t)
	box.unset("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION")
	box.env = append(box.env, "AWS_ENDPOINT_URL_SSO="+portal.URL, "AWS_ENDPOINT_URL_SSO_OIDC="+portal.URL)
	box.script(t, "aws", `case "$*" in
"configure sso --profile work")
  mkdir -p ~/.aws
  printf '%s\n' '[profile work]' 'region = eu-west-1' 'sso_session = company' 'sso_account_id = 123456789012' 'sso_role_name = developer' \
    '[sso-session company]' 'sso_region = eu-west-1' 'sso_start_url = https://company.awsapps.com/start' >~/.aws/config
  ;;
"sso login --profile work")
  mkdir -p ~/.aws/sso/cache
  name=$(printf company | sha1sum | cut -d ' ' -f 1)
  echo '{"accessToken": "an-invented-token", "expiresAt": "2099-01-01T00:00:00Z"}' >~/.aws/sso/cache/"$name.json"
  ;;
*)
  echo "aws $*: no such command"
  exit 2
  ;;
esac
`)
	text := page(t, s.page)
	box.sh(t, block(t, text, "sh", "aws configure sso"))
	checkPrints(t, box.sh(t, exported+block(t, text, "sh", "export AWS_PROFILE=work")), canary)
	box.sh(t, exported+"export AWS_PROFILE=work; secretwrap check")
	checkAskedBy(t, box, 2, "AKIDSSO")

	tokens, err := filepath.Glob(box.path("home/.aws/sso/cache/*.json"))
	if err != nil || len(tokens) != 1 {
		t.Fatalf("%v: tokens %q", err, tokens)
	}
	write(t, tokens[0], `{"accessToken": "old", "expiresAt": "2020-01-01T00:00:00Z", "refreshToken": "r", "clientId": "c", "clientSecret": "s"}`, 0o600)
	box.sh(t, exported+"AWS_PROFILE=work secretwrap exec -- true")
	checkAskedBy(t, box, 3, "AKIDSSO")
	if token, err := os.ReadFile(tokens[0]); err != nil || !strings.Contains(string(token), `"an-invented-token"`) {
		t.Errorf("the renewed token is not written back: %v: %s", err, token)
	}
}

// checkAskedBy checks who has signed the requests to Secrets Manager, and how many
// there were.
func checkAskedBy(t *testing.T, box *sandbox, count int, key string) {
	t.Helper()
	calls := box.fake.Calls()
	for _, call := range calls {
		if call.Signature.AccessKeyID != key {
			t.Errorf("Secrets Manager was asked by %s, want %s", call.Signature.AccessKeyID, key)
		}
	}
	if len(calls) != count {
		t.Errorf("Secrets Manager was asked %d times, want %d", len(calls), count)
	}
}

// reader reads a variable A from the file .env in a sandbox.
type reader func(t *testing.T, box *sandbox) (value string, set bool)

// readers are the ones in the page's table, by their names there.
func readers() map[string]reader {
	return map[string]reader{
		"a shell, `. ./.env`": func(t *testing.T, box *sandbox) (string, bool) {
			stdout, _, _ := box.try(t, "set -a; . ./.env; printenv A") // which fails if nothing arrives
			return strings.CutSuffix(stdout, "\n")
		},
		"`node --env-file`": func(t *testing.T, box *sandbox) (string, bool) {
			box.link(t, "node", toolNamed(t, "node").path)
			return strings.CutSuffix(box.sh(t, "node --env-file=.env -p process.env.A"), "\n")
		},
		"dotenv for Node.js": func(t *testing.T, box *sandbox) (string, bool) {
			box.nodeModules(t)
			return strings.CutSuffix(box.sh(t, `node -e "require('dotenv').config({quiet: true}); console.log(process.env.A)"`), "\n")
		},
		"python-dotenv": func(t *testing.T, box *sandbox) (string, bool) {
			box.link(t, "python-with-dotenv", pythonWithDotenv(t))
			return strings.CutSuffix(box.sh(t, `python-with-dotenv -c "import dotenv, os; dotenv.load_dotenv('.env'); print(os.environ['A'])"`), "\n")
		},
		"`docker --env-file`": func(t *testing.T, box *sandbox) (string, bool) {
			created := box.docker(t, "docker run --env-file .env app")
			return strings.CutPrefix(created.Env[0], "A=")
		},
		"`secretwrap exec --env-file`": func(t *testing.T, box *sandbox) (string, bool) {
			box.env = append(box.env, "SECRETWRAP_LITERAL=A") // as it was read
			return strings.CutSuffix(box.sh(t, "secretwrap exec --env-file .env -- printenv A"), "\n")
		},
		"make, `include .env`": func(t *testing.T, box *sandbox) (string, bool) {
			toolNamed(t, "make")
			box.write(t, "Makefile", "include .env\nexport\nall:\n\t@printenv A\n")
			return strings.CutSuffix(box.sh(t, "make --silent"), "\n")
		},
	}
}

// pythonWithDotenv returns the Python of the builders, since the SAM CLI needs
// python-dotenv.
func pythonWithDotenv(t *testing.T) string {
	t.Helper()
	path := cached(t, "builders/venv/bin/python")
	if exec.CommandContext(t.Context(), path, "-c", "import dotenv").Run() != nil {
		need(t, "no python-dotenv: scripts/install-builders.sh installs it")
	}
	return path
}

// nodeModules lets programs in Node.js import what the examples do.
func (s *sandbox) nodeModules(t *testing.T) {
	t.Helper()
	s.link(t, "node", toolNamed(t, "node").path)
	modules := cached(t, "node-examples/node_modules")
	if _, err := os.Stat(modules); err != nil {
		need(t, "no packages of the examples in Node.js: scripts/install-e2e.sh installs them")
	}
	link(t, modules, s.path("node_modules"))
}

// container is what docker asks its engine for.
type container struct {
	Env        []string
	Image      string
	HostConfig struct{ Binds []string }
}

// docker runs a command of docker's, and returns the container that it wants from the
// engine, which refuses.
func (s *sandbox) docker(t *testing.T, command string) container {
	t.Helper()
	if !onPath(os.Getenv("PATH"), "docker") {
		t.Skip("no docker: its client alone is needed")
	}
	var mutex sync.Mutex
	var wanted []container
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.44")
		if r.Method != http.MethodPost {
			return
		}
		var one container
		_ = json.NewDecoder(r.Body).Decode(&one) // what is none shows by its image
		mutex.Lock()
		defer mutex.Unlock()
		wanted = append(wanted, one)
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, `{"message": "enough"}`)
	}))
	t.Cleanup(engine.Close)
	s.env = append(s.env, "DOCKER_HOST=tcp://"+engine.Listener.Addr().String())
	_, stderr, _ := s.try(t, command)
	mutex.Lock()
	defer mutex.Unlock()
	if len(wanted) != 1 || wanted[0].Image != "app" {
		t.Fatalf("docker wants %+v: %s", wanted, stderr)
	}
	return wanted[0]
}

// checkReaders compares the table of readers with what they read.
func (d documentation) checkReaders(t *testing.T, s snippet) {
	table := regexp.MustCompile(`(?m)^\| reader \|(.*)\|\n\|[-|]+\|\n((?:\|.*\|\n)+)`).FindStringSubmatch(page(t, s.page))
	if table == nil {
		t.Fatal("the page has no table of readers")
	}
	forms := quoted.FindAllStringSubmatch(table[1], -1)
	known := readers()
	for line := range strings.Lines(table[2]) {
		cells := strings.Split(strings.Trim(line, "|\n "), " | ")
		read, isKnown := known[cells[0]]
		if !isKnown || len(cells) != len(forms)+1 {
			t.Fatalf("%q is not the row of a reader", line)
		}
		delete(known, cells[0])
		for i, form := range forms {
			t.Run(cells[0]+" "+form[1], func(t *testing.T) {
				t.Parallel()
				d.checkRead(t, read, strings.Replace(form[1], "…/db", "secretsmanager://prod/db", 1), cells[i+1])
			})
		}
	}
	if len(known) > 0 {
		t.Errorf("%d readers have no row", len(known))
	}
}

// envLine returns a sandbox with a .env of one line.
func (d documentation) envLine(t *testing.T, line string) *sandbox {
	t.Helper()
	box := d.sandbox(t, nil)
	box.write(t, ".env", line+"\n")
	return box
}

// checkRead checks what a reader makes of a line, and the program of that.
func (d documentation) checkRead(t *testing.T, read reader, line, want string) {
	t.Helper()
	written := strings.TrimPrefix(line, "A=")
	got, set := read(t, d.envLine(t, line))
	if outcome := outcome(written, got, set); outcome != want {
		t.Errorf("%s becomes %q: %s, the page says %s", written, got, outcome, want)
	}
	if set {
		d.checkEffect(t, got, want)
	}
}

// checkEffect checks what the program receives for a value as a reader gave it.
func (d documentation) checkEffect(t *testing.T, value, outcome string) {
	t.Helper()
	const document = `{"key":"` + canary + `"}`
	box := d.sandbox(t, map[string]awsfake.Version{"prod/db": {String: new(document)}})
	box.env = append(box.env, "A="+value)
	stdout, stderr, err := box.try(t, execCommand+"printenv A")
	switch outcome {
	case "whole":
		checkPrints(t, stdout, canary)
	case "cut at `#`":
		checkPrints(t, stdout, document)
	default:
		if err == nil || !strings.Contains(stderr, "[Runtime.SecretConfigInvalid]") {
			t.Errorf("%q is not refused: %v\n%s%s", value, err, stdout, stderr)
		}
	}
}

// outcome says in the page's words what has become of a value.
func outcome(written, got string, set bool) string {
	before, _, _ := strings.Cut(written, "#")
	switch {
	case !set:
		return "nothing"
	case got == strings.Trim(written, `"`):
		return "whole"
	case got == written:
		return "with its quotes"
	case got == before && !strings.HasPrefix(got, `"`):
		return "cut at `#`"
	case got == before:
		return "cut, with a quote"
	}
	return "another value"
}

// envSecrets are those of the page's .env.
func envSecrets() map[string]awsfake.Version {
	secrets := oneSecret()
	secrets["prod/api"] = awsfake.Version{String: new(`{"key":"key-4711"}`)}
	return secrets
}

// envFile returns a sandbox with the page's .env, which lists the variables that
// npm start prints.
func (d documentation) envFile(t *testing.T, s snippet) *sandbox {
	t.Helper()
	toolNamed(t, "npm")
	box := d.sandbox(t, envSecrets())
	box.write(t, ".env", block(t, page(t, s.page), "sh", "?path=password\nAPI_KEY="))
	box.write(t, "package.json", `{"name": "app", "scripts": {"start": "printenv DB_PASSWORD API_KEY DATABASE_URL"}}`)
	return box
}

// checkStarted checks what a program prints that has the secrets of the page's .env.
func checkStarted(t *testing.T, output string) {
	t.Helper()
	checkPrints(t, output, canary)
	checkPrints(t, output, "key-4711")
	checkPrints(t, output, "postgres://app:"+canary+"@db/app")
}

// checkEnvFile checks that every reader that takes quotes away reads the page's .env
// as it is meant.
func (d documentation) checkEnvFile(t *testing.T, s snippet) {
	for line := range strings.Lines(s.code) {
		_, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		for _, name := range []string{"a shell, `. ./.env`", "`node --env-file`", "dotenv for Node.js", "python-dotenv"} {
			got, set := readers()[name](t, d.envLine(t, "A="+value))
			if outcome := outcome(value, got, set); outcome != "whole" {
				t.Errorf("%s reads %q: %s", name, got, outcome)
			}
		}
	}
}

// checkEnvFileStart starts the program with the page's .env.
func (d documentation) checkEnvFileStart(t *testing.T, s snippet) {
	checkStarted(t, d.envFile(t, s).sh(t, s.code))
}

// checkMakeStart starts it by a Makefile, with the line of .env that make can read.
func (d documentation) checkMakeStart(t *testing.T, s snippet) {
	toolNamed(t, "make")
	box := d.envFile(t, s)
	box.npm(t)
	box.write(t, ".env", "DB_PASSWORD=secretsmanager://prod/db?path=password\n")
	box.write(t, "Makefile", s.code)
	checkPrints(t, box.sh(t, "make start"), canary)
}

// checkBothRead has the program read .env too: it keeps the secrets that it was given.
// Where it would read another value, there is a warning.
func (d documentation) checkBothRead(t *testing.T, s snippet) {
	box := d.envFile(t, s)
	box.link(t, "node", toolNamed(t, "node").path)
	box.write(t, "app.js", "for (const name of ['DB_PASSWORD', 'API_KEY', 'DATABASE_URL']) console.log(process.env[name]);\n")
	checkStarted(t, box.sh(t, s.code))
	box.write(t, ".env", "A=secretsmanager://prod/db#password\n")
	if _, stderr, err := box.try(t, "secretwrap exec --env-file .env -- true"); err != nil || !strings.Contains(stderr, `warning: .env:1: A: other readers of .env files take "#" `) {
		t.Errorf("no warning: %v: %s", err, stderr)
	}
}

// checkMotoExtra checks that moto has the extra that is installed.
func checkMotoExtra(t *testing.T, s snippet) {
	const code = "import importlib.metadata, sys; sys.exit('server' not in importlib.metadata.metadata('moto').get_all('Provides-Extra'))"
	if !strings.HasSuffix(s.code, " 'moto[server]'") {
		t.Fatalf("%q installs something else", s.code)
	}
	if err := exec.CommandContext(t.Context(), pythonWith(t, "moto").path, "-c", code).Run(); err != nil {
		t.Errorf("moto has no extra called server: %v", err)
	}
}

// checkMoto follows the page with moto, on another port.
func (d documentation) checkMoto(t *testing.T, s snippet) {
	box := d.sandbox(t, nil)
	box.script(t, "moto_server", "[ \"$*\" = '-p 5000' ]\n")
	url := d.moto(t)
	box.awsCommand(t, url)
	box.unset("AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
	out := box.sh(t, strings.Replace(s.code, "http://127.0.0.1:5000", url, 1))
	checkPrints(t, out, "local-only")
}

// checkFiles has a file written on a laptop.
func (d documentation) checkFiles(t *testing.T, s snippet) {
	box := d.sandbox(t, map[string]awsfake.Version{"prod/tls": {String: new(`{"private_key":"` + canary + `"}`)}})
	if out := box.sh(t, s.code); out != canary {
		t.Errorf("printed %q", out)
	}
	checkFile(t, box.path(".secrets/tls/client.key"), canary, 0o400)
}

// checkLinuxBuild runs what make would run, with another output.
func checkLinuxBuild(t *testing.T, s snippet) {
	toolNamed(t, "make")
	show := exec.CommandContext(t.Context(), "sh", "-euc", s.code+" --dry-run --no-print-directory")
	show.Dir = ".."
	command, err := show.Output()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "secretwrap")
	run := exec.CommandContext(t.Context(), "sh", "-euc", strings.Replace(string(command), "-o dist/secretwrap", "-o "+program, 1))
	run.Dir, run.Env = "..", append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0")
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := runIn(nil, program, "version"); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// service is what the tests read of a service of Docker Compose's.
type service struct {
	Build       string            `yaml:"build"`
	Environment map[string]string `yaml:"environment"`
	Volumes     []string          `yaml:"volumes"`
}

// checkContainer starts what the image's entry point starts, with the environment
// that its service has.
func (d documentation) checkContainer(t *testing.T, s snippet) {
	text := page(t, s.page)
	image := dockerfile(t, block(t, text, "dockerfile", "FROM node:"))
	var compose struct {
		Services map[string]service `yaml:"services"`
	}
	decoder := yaml.NewDecoder(strings.NewReader(block(t, text, "yaml", "services:")))
	decoder.KnownFields(true)
	if err := decoder.Decode(&compose); err != nil {
		t.Fatal(err)
	}
	box := d.sandbox(t, oneSecret())
	box.link(t, "node", toolNamed(t, "node").path)
	box.write(t, "app.js", "console.log(process.env.DB_PASSWORD);\n")
	box.unset("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
	directory(t, box.path("home/.aws"), 0o755)
	box.write(t, "home/.aws/credentials", "[work]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = an-invented-key\n")
	for name, value := range compose.Services["app"].Environment {
		box.env = append(box.env, name+"="+value)
	}
	argv := append(image.list(t, "ENTRYPOINT"), image.list(t, "CMD")...)
	checkPrints(t, box.sh(t, strings.Join(argv, " ")), canary)
	checkAskedBy(t, box, 1, "AKIDPROFILE")
	if image["FROM"] != "node:22" {
		t.Errorf("who has seen that %s has certificates?", image["FROM"])
	}
	if mounts := compose.Services["app"].Volumes; len(mounts) != 1 || mounts[0] != "~/.aws:/root/.aws" {
		t.Errorf("the container sees %q", mounts)
	}
}

// checkDockerRun has docker's client read the command.
func (d documentation) checkDockerRun(t *testing.T, s snippet) {
	box := d.sandbox(t, nil)
	box.write(t, ".env", "DB_PASSWORD=secretsmanager://prod/db#password\n")
	created := box.docker(t, s.code)
	want := container{Image: "app", Env: []string{"DB_PASSWORD=secretsmanager://prod/db#password", "AWS_PROFILE=work"}}
	want.HostConfig.Binds = []string{box.path("home") + "/.aws:/root/.aws"}
	if fmt.Sprint(created) != fmt.Sprint(want) {
		t.Errorf("docker wants %+v, want %+v", created, want)
	}
}

// checkExportedCredentials has the credentials of a profile handed to docker's client.
// The version of AWS's command line that exports them is a stand-in.
func (d documentation) checkExportedCredentials(t *testing.T, s snippet) {
	box := d.sandbox(t, nil)
	box.unset("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
	box.script(t, "aws", `[ "$*" = 'configure export-credentials --profile work --format env' ]
printf 'export %s\n' AWS_ACCESS_KEY_ID=AKIDPROFILE AWS_SECRET_ACCESS_KEY=a AWS_SESSION_TOKEN=b
`)
	box.write(t, ".env", "DB_PASSWORD=secretsmanager://prod/db#password\n")
	created := box.docker(t, s.code)
	slices.Sort(created.Env)
	want := []string{"AWS_ACCESS_KEY_ID=AKIDPROFILE", "AWS_REGION=eu-west-1", "AWS_SECRET_ACCESS_KEY=a", "AWS_SESSION_TOKEN=b", "DB_PASSWORD=secretsmanager://prod/db#password"}
	if !slices.Equal(created.Env, want) || len(created.HostConfig.Binds) > 0 {
		t.Errorf("docker wants %+v, want the variables %q", created, want)
	}
}

// checkPlainTest runs a program whose variable is no reference.
func (d documentation) checkPlainTest(t *testing.T, s snippet) {
	box := d.sandbox(t, nil)
	box.npm(t)
	checkPrints(t, box.sh(t, s.code), "test")
	if calls := box.fake.Calls(); len(calls) > 0 {
		t.Errorf("Secrets Manager was asked: %+v", calls)
	}
}
