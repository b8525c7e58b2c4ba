//go:build linux

package e2e_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"secretwrap/internal/lambdafake"
)

// awsCommand puts AWS's command line into the sandbox, which then talks to moto.
func (s *sandbox) awsCommand(t *testing.T, moto string) {
	t.Helper()
	s.script(t, "aws", "exec "+pythonWith(t, "awscli").path+" -m awscli \"$@\"\n")
	s.unset("AWS_CA_BUNDLE", "AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_SESSION_TOKEN")
	s.env = append(s.env, "AWS_ENDPOINT_URL="+moto, "AWS_DEFAULT_REGION=eu-west-1", "AWS_PAGER=")
}

// checkLayersOption checks that the command has the option: it gets as far as the
// function that is not there.
func (d documentation) checkLayersOption(t *testing.T, s snippet) {
	box := d.sandbox(t, nil)
	box.awsCommand(t, d.moto(t))
	const layer = "arn:aws:lambda:eu-west-1:123456789012:layer:secretwrap:1"
	_, stderr, err := box.try(t, s.code+" "+layer+" --function-name absent")
	if err == nil || !strings.Contains(stderr, "ResourceNotFoundException") {
		t.Errorf("%v: %s", err, stderr)
	}
}

// checkErrorShown has the wrapper print the lines that README shows.
func (d documentation) checkErrorShown(t *testing.T, s snippet) {
	api, err := lambdafake.StartAPI(lambdafake.APIConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(api.Close)
	box := d.sandbox(t, oneSecret())
	box.env = append(box.env, "AWS_LAMBDA_RUNTIME_API="+api.Addr(), "TMPDIR="+t.TempDir(), "DB_PASSWORD=secretsmanager://prod/db#pasword")
	_, stderr, err := box.try(t, "exec dist/secretwrap /usr/bin/env")
	if err == nil || stderr != s.code {
		t.Errorf("%v\n%s", err, stderr)
	}
}

// policy is what the tests read of an IAM policy.
type policy struct {
	Version   string
	Statement []struct {
		Effect, Action, Resource string
		Principal                map[string]string
	}
}

// checkPolicyShown checks that an IAM policy has the form of one, and allows nothing but
// what secrets need.
func checkPolicyShown(t *testing.T, s snippet) {
	var p policy
	decoder := json.NewDecoder(strings.NewReader(s.code))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p); err != nil {
		t.Fatal(err)
	}
	if p.Version != "2012-10-17" || len(p.Statement) == 0 {
		t.Errorf("version %q, %d statements", p.Version, len(p.Statement))
	}
	arn := regexp.MustCompile(`^arn:aws:(secretsmanager|kms):[a-z0-9-]+:\d{12}:(secret:[\w/]+-\?{6}|key/[\w-]+)$`)
	for _, one := range p.Statement {
		onlyTheSecret := one.Resource == "*" && len(one.Principal) > 0 // in the secret's own policy
		if one.Effect != "Allow" || !slices.Contains([]string{"secretsmanager:GetSecretValue", "kms:Decrypt"}, one.Action) {
			t.Errorf("%s %s", one.Effect, one.Action)
		}
		if !onlyTheSecret && !arn.MatchString(one.Resource) {
			t.Errorf("resource %q", one.Resource)
		}
	}
}

// dryRun checks that make knows how to do what takes too long, or changes what is
// measured; parts of it are in CI.
func dryRun(t *testing.T, s snippet) {
	toolNamed(t, "make")
	make := exec.CommandContext(t.Context(), "sh", "-euc", s.code+" --dry-run")
	make.Dir = ".."
	if out, err := make.CombinedOutput(); err != nil || len(out) == 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

// checkMakeHelp checks that every target that is explained is listed.
func checkMakeHelp(t *testing.T, s snippet) {
	toolNamed(t, "make")
	help := exec.CommandContext(t.Context(), "sh", "-euc", s.code)
	help.Dir = ".."
	out, err := help.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, target := range regexp.MustCompile(`(?m)^([a-z0-9-]+):.*## `).FindAllStringSubmatch(page(t, "Makefile"), -1) {
		if !regexp.MustCompile(`(?m)^` + target[1] + ` `).Match(out) {
			t.Errorf("%s is not listed:\n%s", target[1], out)
		}
	}
}

// checkDrawn draws the published results again, into a copy, in which nothing changes.
func checkDrawn(t *testing.T, s snippet) {
	docs := copyTree(t, "../docs")
	draw := exec.CommandContext(t.Context(), "sh", "-euc", strings.Replace(s.code, "../docs", docs, 1))
	if out, err := draw.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := exec.CommandContext(t.Context(), "diff", "-r", "../docs", docs).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// checkPackages compares the picture of the packages with the packages.
func checkPackages(t *testing.T, s snippet) {
	entries, err := os.ReadDir("../internal")
	if err != nil {
		t.Fatal(err)
	}
	words := regexp.MustCompile(`[a-z]+`).FindAllString(s.code, -1)
	for _, entry := range entries {
		if entry.IsDir() && !slices.Contains(words, entry.Name()) {
			t.Errorf("internal/%s is not in the picture", entry.Name())
		}
	}
	for _, arrow := range regexp.MustCompile(`─> +([a-z]+)`).FindAllStringSubmatch(s.code, -1) {
		if _, err := os.Stat(filepath.Join("../internal", arrow[1])); err != nil {
			t.Errorf("an arrow leads to %s: %v", arrow[1], err)
		}
	}
}

// recipeTested checks that a test of the neighbours runs a configuration.
func recipeTested(t *testing.T, s snippet) {
	sources, err := testSources()
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range regexp.MustCompile(`recipe(?:: |\(t, )"([^"]+)"`).FindAllStringSubmatch(sources, -1) {
		if block(t, page(t, s.page), s.language, word[1]) == s.code {
			return
		}
	}
	t.Error("no test runs this recipe")
}

// checkTwoWrappers runs the script that starts one wrapper with the other.
func (d documentation) checkTwoWrappers(t *testing.T, s snippet) {
	box := d.sandbox(t, nil)
	for _, name := range []string{"one", "two"} {
		box.script(t, name, "echo "+name+"\nexec \"$@\"\n")
	}
	code := strings.ReplaceAll(s.code, "/opt/", box.path("bin")+"/")
	if out := box.sh(t, "set -- echo 'a  b'\n"+code); out != "one\ntwo\na  b\n" {
		t.Errorf("printed %q", out)
	}
}

// checkRuntimeOfALayer has another layer's bootstrap started by the one of the
// function's code.
func (d documentation) checkRuntimeOfALayer(t *testing.T, s snippet) {
	box := d.sandbox(t, oneSecret())
	box.script(t, "bootstrap", "printenv DB_PASSWORD\n")
	box.write(t, "own", strings.ReplaceAll(s.code, "/opt/", box.path("bin")+"/"))
	checkPrints(t, box.sh(t, exported+"exec sh ./own"), canary)
}

// checkUnzipped checks that the layer is unpacked for an image as the example does it,
// whose image is run with what comes of it.
func checkUnzipped(t *testing.T, s snippet) {
	tested("TestEmulator/examples/image")(t, s)
	example := strings.NewReplacer("../../", "", "-o -q ", "") // another folder; again, and silently
	if code := example.Replace(page(t, "examples/image/README.md")); !strings.Contains(code, "\n"+s.code+"\n") {
		t.Errorf("the example does not run %q", s.code)
	}
}

// checkCargoLambda checks that cargo-lambda has the command that is warned of.
func checkCargoLambda(t *testing.T, s snippet) {
	builders(t, "cargo", "cargo-lambda").run(t, ".", "sh", "-euc", s.code+" --help")
}

// checkImage returns what proves a Dockerfile: its instructions are such, secretwrap
// comes before the program in it, and a test starts the same processes.
func checkImage(test string) func(*testing.T, snippet) {
	return func(t *testing.T, s snippet) {
		tested(test)(t, s)
		image := dockerfile(t, s.code)
		first := ""
		if entrypoint := image.list(t, "ENTRYPOINT"); len(entrypoint) > 0 {
			first = entrypoint[0]
		}
		byEntrypoint := first == "/opt/secretwrap"
		byVariable := image["ENV"] == "AWS_LAMBDA_EXEC_WRAPPER=/opt/secretwrap"
		byLink := image["RUN"] == "ln -s /opt/secretwrap ${LAMBDA_RUNTIME_DIR}/bootstrap"
		if !byEntrypoint && !byVariable && !byLink {
			t.Error("nothing starts secretwrap")
		}
		if !strings.Contains(image["COPY"], "opt/ /opt/") || image["CMD"]+first == "" {
			t.Errorf("the layer, or the program, is missing in %v", image)
		}
	}
}

// instructions are those of a Dockerfile; of one that stands twice both, by lines.
type instructions map[string]string

func dockerfile(t *testing.T, code string) instructions {
	t.Helper()
	found := make(instructions)
	for line := range strings.Lines(code) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !slices.Contains([]string{"FROM", "RUN", "COPY", "ENV", "WORKDIR", "ENTRYPOINT", "CMD"}, name) || rest == "" {
			t.Errorf("%q is no instruction", line)
		}
		found[name] = strings.TrimPrefix(found[name]+"\n"+rest, "\n")
	}
	return found
}

// list returns the words of ENTRYPOINT or CMD.
func (i instructions) list(t *testing.T, name string) []string {
	t.Helper()
	var words []string
	if i[name] == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(i[name]), &words); err != nil {
		t.Errorf("%s %s: %v", name, i[name], err)
	}
	return words
}
