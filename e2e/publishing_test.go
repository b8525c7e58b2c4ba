//go:build linux

package e2e_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"go.yaml.in/yaml/v3"
)

// organization is an organization's ID. moto_server takes any.
const organization = "o-a1b2c3d4e5"

// twoRegions is a wish for one layer in two regions, shared, and with parameters.
func twoRegions(more ...string) []string {
	return append([]string{
		"REGIONS=eu-west-1 us-east-1", "VARIANTS=managed", "ARCHITECTURES=x86_64",
		"ORGANIZATION=" + organization, "SSM_PREFIX=/secretwrap/layer",
	}, more...)
}

// TestPublishing publishes layers with AWS's CLI to an account that is a moto_server, in
// which each test has regions of its own. moto_server stands for AWS only so far: it
// takes any credentials and any organization, takes a permission a second time, which
// AWS refuses, and keeps the words of a permission where AWS makes a principal and a
// condition of them.
func TestPublishing(t *testing.T) {
	p := newProject(t)
	tests := map[string]func(*testing.T, project){
		"prints what it does, and does it once": testPrintsWhatItDoes,
		"mends, and keeps the old version":      testMendsAndKeeps,
		"stops at the first failure":            testStopsAtTheFirstFailure,
		"says that nobody is signed in":         testSaysThatNobodyIsSignedIn,
		"publishes every variant by default":    testPublishesTheDefaults,
		"runs nothing that values hold":         testRunsNoValues,
		"trusts no version that is another":     testTrustsNoOtherVersion,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, p)
		})
	}
}

// testPrintsWhatItDoes pastes the printed commands in two regions, and publishes the
// same to two others.
func testPrintsWhatItDoes(t *testing.T, p project) {
	out, progress := p.publish(t, p.account, twoRegions("REGIONS=eu-central-1 us-west-1")...)
	for _, want := range []string{
		"eu-central-1 secretwrap-managed-x86_64: would publish the first version\n",
		"us-west-1 secretwrap-managed-x86_64: would share with organization " + organization + "\n",
		"us-west-1 secretwrap-managed-x86_64: would write the ARN to /secretwrap/layer/managed/x86_64/arn\n",
		"nothing was changed; with PUBLISH=yes these commands run",
	} {
		if !strings.Contains(progress, want) {
			t.Errorf("does not say %q:\n%s", want, progress)
		}
	}
	if held := p.holdings(t, "eu-central-1", "us-west-1"); len(held.Versions)+len(held.Parameters) > 0 {
		t.Fatalf("the account holds %+v before anything was pasted", held)
	}
	paste := exec.CommandContext(t.Context(), "sh")
	paste.Env, paste.Stdin = p.env, strings.NewReader(out)
	said, err := paste.CombinedOutput()
	if err != nil {
		t.Fatalf("pasted: %v\n%s", err, said)
	}
	pasted := p.holdings(t, "eu-central-1", "us-west-1")
	pasted.check(t, p, "eu-central-1", "us-west-1")
	for _, arn := range pasted.arns() {
		if !strings.Contains("\n"+string(said), "\n"+arn+"\n") {
			t.Errorf("pasted, it does not print %s:\n%s", arn, said)
		}
	}
	table, _ := p.publish(t, p.account, twoRegions("REGIONS=eu-west-3 us-west-2", "PUBLISH=yes")...)
	published := p.holdings(t, "eu-west-3", "us-west-2")
	published.check(t, p, "eu-west-3", "us-west-2")
	for _, arn := range published.arns() {
		if !regexp.MustCompile(`secretwrap-managed-x86_64 +published +` + arn + "\n").MatchString(table) {
			t.Errorf("the table does not list %s:\n%s", arn, table)
		}
	}
	testPublishesNothingTwice(t, p)
}

// check fails the test unless the account holds one version in each region, as
// twoRegions wishes.
func (h holdings) check(t *testing.T, p project, regions ...string) {
	t.Helper()
	var versions []layerVersion
	parameters := make(map[string]string)
	for _, region := range regions {
		arn := "arn:aws:lambda:" + region + ":123456789012:layer:secretwrap-managed-x86_64:1"
		versions = append(versions, layerVersion{
			ARN:           arn,
			Description:   "secretwrap 1.0.0, managed, x86_64",
			License:       "Apache-2.0",
			Architectures: []string{"x86_64"},
			Content:       struct{ CodeSha256 string }{p.sum(t, "secretwrap-layer-x86_64.zip")},
			Statements: []statement{{
				Sid: "organization-" + organization, Effect: "Allow", Action: "lambda:GetLayerVersion",
				Principal: "*", OrganizationID: organization, Resource: arn,
			}},
		})
		parameters[region+"/secretwrap/layer/managed/x86_64/arn"] = arn
	}
	if want := (holdings{versions, parameters}); !reflect.DeepEqual(h, want) {
		t.Errorf("the account holds\n%+v, want\n%+v", h, want)
	}
}

// testPublishesNothingTwice publishes what a region holds.
func testPublishesNothingTwice(t *testing.T, p project) {
	t.Helper()
	want := p.holdings(t, "us-west-2")
	table, progress := p.publish(t, p.account, twoRegions("REGIONS=us-west-2", "PUBLISH=yes")...)
	if strings.Count(table, " unchanged ") != 1 || strings.Contains(table, " published ") {
		t.Errorf("the table does not list an unchanged version:\n%s", table)
	}
	if !strings.Contains(progress, "us-west-2 secretwrap-managed-x86_64: version 1 is there already\n") {
		t.Errorf("does not say what is there:\n%s", progress)
	}
	commands, progress := p.publish(t, p.account, twoRegions("REGIONS=us-west-2")...)
	if commands != "" || !strings.Contains(progress, "nothing is to be done; these are there:\n") || strings.Count(progress, " unchanged ") != 1 {
		t.Errorf("would do something:\n%s\n%s", progress, commands)
	}
	if got := p.holdings(t, "us-west-2"); !reflect.DeepEqual(got, want) {
		t.Errorf("the account holds\n%+v, before\n%+v", got, want)
	}
}

// testMendsAndKeeps shares a version, and writes its parameter, that was published
// without, and publishes another one.
func testMendsAndKeeps(t *testing.T, p project) {
	a := p.account
	p.publish(t, a, "REGIONS=us-east-1", "VARIANTS=managed", "ARCHITECTURES=x86_64", "PUBLISH=yes")
	wish := twoRegions("REGIONS=us-east-1", "PUBLISH=yes")
	p.publish(t, a, wish...)
	a.holdings(t, "us-east-1").check(t, p, "us-east-1")

	p.publish(t, a, append(wish, "ACCOUNTS=210987654321")...)
	v := a.holdings(t, "us-east-1").Versions[0]
	want := statement{
		Sid: "account-210987654321", Effect: "Allow", Action: "lambda:GetLayerVersion", Principal: "210987654321", Resource: v.ARN,
	}
	if len(v.Statements) != 2 || v.Statements[1] != want {
		t.Errorf("the permissions are %+v, want another: %+v", v.Statements, want)
	}

	_, progress := p.changed(t, "secretwrap-layer-x86_64.zip").publish(t, a, wish...)
	if !strings.Contains(progress, ": will publish a version, since version 1 differs\n") {
		t.Errorf("does not say why:\n%s", progress)
	}
	const arn = "arn:aws:lambda:us-east-1:123456789012:layer:secretwrap-managed-x86_64:"
	held := a.holdings(t, "us-east-1")
	if got := held.arns(); !slices.Equal(got, []string{arn + "1", arn + "2"}) {
		t.Errorf("the account holds %q", got)
	}
	if got := held.Parameters["us-east-1/secretwrap/layer/managed/x86_64/arn"]; got != arn+"2" {
		t.Errorf("the parameter is %q", got)
	}
}

// testStopsAtTheFirstFailure refuses to tell of the last region, as AWS does of one
// that is not enabled, and then to publish there.
func testStopsAtTheFirstFailure(t *testing.T, p project) {
	a := p.account
	wish := []string{"REGIONS=eu-west-2 us-east-2", "VARIANTS=managed wrapper", "ARCHITECTURES=x86_64", "PUBLISH=yes"}
	refusing, called := a.refusing(t, "list-layer-versions --region us-east-2")
	_, progress, err := p.try(t, refusing, wish...)
	if err == nil || !strings.Contains(progress, "publish: us-east-2 secretwrap-managed-x86_64: aws lambda list-layer-versions: An error") {
		t.Errorf("%v:\n%s", err, progress)
	}
	if calls := called(); slices.ContainsFunc(calls, func(call string) bool { return strings.Contains(call, "publish-layer-version") }) {
		t.Errorf("publishes before it knows of every region: %q", calls)
	}
	refusing, called = a.refusing(t, "publish-layer-version --region us-east-2")
	table, progress, err := p.try(t, refusing, wish...)
	if err == nil {
		t.Error("succeeds")
	}
	if strings.Count(table, " published ") != 2 || strings.Contains(table, "us-east-2") {
		t.Errorf("the table does not list what is published:\n%s", table)
	}
	for _, want := range []string{
		"publish: us-east-2 secretwrap-managed-x86_64: aws lambda publish-layer-version: An error occurred (AccessDeniedException)",
		"publish: stopped there; 2 of 4 layers are published; mend it and run the same again",
	} {
		if !strings.Contains(progress, want) {
			t.Errorf("does not say %q:\n%s", want, progress)
		}
	}
	if calls := called(); !strings.Contains(calls[len(calls)-1], "publish-layer-version --region us-east-2") {
		t.Errorf("went on with %s", calls[len(calls)-1])
	}
	table, _ = p.publish(t, a, wish...)
	if strings.Count(table, " unchanged ") != 2 || strings.Count(table, " published ") != 2 {
		t.Errorf("does not go on where it stopped:\n%s", table)
	}
}

func testSaysThatNobodyIsSignedIn(t *testing.T, p project) {
	a := p.account
	a.env = slices.DeleteFunc(slices.Clone(a.env), func(entry string) bool {
		return name(entry) == "AWS_SECRET_ACCESS_KEY" || name(entry) == "AWS_ACCESS_KEY_ID"
	})
	out, progress, err := p.try(t, a, twoRegions()...)
	if err == nil || out != "" {
		t.Errorf("goes on: %v\n%s", err, out)
	}
	if !strings.Contains(progress, "publish: AWS does not say whose account it is: sign in") {
		t.Errorf("does not say what to do:\n%s", progress)
	}
}

// testPublishesTheDefaults publishes to the region to which newProject did not.
func testPublishesTheDefaults(t *testing.T, p project) {
	a := p.account
	p.publish(t, a, "REGIONS=eu-west-1", "PUBLISH=yes", "LAYER_NAME=team-secrets")
	var want []string
	for _, layer := range []string{"managed-arm64", "managed-x86_64", "os-only-arm64", "os-only-x86_64"} {
		want = append(want, "arn:aws:lambda:eu-west-1:123456789012:layer:team-secrets-"+layer+":1")
	}
	held := a.holdings(t, "eu-west-1")
	if got := held.arns(); !slices.Equal(got, want) {
		t.Errorf("the account holds %q, want %q", got, want)
	}
	for _, v := range held.Versions {
		if len(v.Statements) > 0 {
			t.Errorf("%s is shared: %+v", v.ARN, v.Statements)
		}
	}
}

// testTrustsNoOtherVersion replaces a zip file after it was read, before it is sent.
func testTrustsNoOtherVersion(t *testing.T, p project) {
	p = project{copyTree(t, p.dir), p.account}
	tools := t.TempDir()
	write(t, filepath.Join(tools, "aws"), fmt.Sprintf(`#!/bin/sh
case "$*" in
*publish-layer-version*) cp %s dist/secretwrap-layer-x86_64.zip ;;
esac
exec %s/aws "$@"
`, emptyZip(t), p.tools), 0o755)
	p.env = append(slices.Clone(p.env), "PATH="+tools+":"+os.Getenv("PATH"))
	table, progress, err := p.try(t, p.account, twoRegions("REGIONS=ap-south-1", "PUBLISH=yes")...)
	if err == nil || strings.Contains(table, "published") {
		t.Errorf("is content with it: %v\n%s", err, table)
	}
	const said = "layer:secretwrap-managed-x86_64:1 was published, but has the checksum "
	if !strings.Contains(progress, said) || !strings.Contains(progress, "let no function use it") {
		t.Errorf("does not say what is wrong:\n%s", progress)
	}
	held := p.holdings(t, "ap-south-1")
	if len(held.Versions) != 1 || len(held.Versions[0].Statements) > 0 || len(held.Parameters) > 0 {
		t.Errorf("shares it, or writes it down: %+v", held)
	}
}

// testRunsNoValues has commands in all variables, which a shell would run.
func testRunsNoValues(t *testing.T, p project) {
	var assigned []string
	for _, name := range []string{"REGIONS", "VARIANTS", "ARCHITECTURES", "LAYER_NAME", "ORGANIZATION", "ACCOUNTS", "SSM_PREFIX", "PUBLISH", "AWS_PROFILE", "VERSION"} {
		assigned = append(assigned, name+"=\"; touch ran; echo \"`touch ran`'; touch ran; '")
	}
	_, said, err := p.try(t, p.account, assigned...)
	if _, missing := os.Stat(filepath.Join(p.dir, "ran")); err == nil || missing == nil {
		t.Errorf("%v, and what they hold ran: %v\n%s", err, missing == nil, said)
	}
	if !strings.Contains(said, "LAYER_NAME is") {
		t.Errorf("the values are not looked at:\n%s", said)
	}
}

// TestPublishingPage runs the commands of the page one after the other, and looks
// whether what it shows for SAM, the CDK and Terraform finds the layer then.
func TestPublishingPage(t *testing.T) {
	text, a := page(t, "docs/publishing.md"), newAccount(t)
	p := project{copyProject(t), a}.withZip(t, "secretwrap-layer-x86_64.zip")
	// Every command is run; they publish one layer, which is there already.
	make := toolNamed(t, "make").path
	write(t, filepath.Join(a.tools, "make"), "#!/bin/sh\nexec '"+make+"' -o layer \"$@\"\n", 0o755)
	a.env = append(a.env, "AWS_DEFAULT_REGION=eu-west-1", "VARIANTS=managed", "ARCHITECTURES=x86_64")
	a.createFunction(t, "app")
	for _, part := range strings.Split(text, "```sh\n")[1:] {
		commands, _, _ := strings.Cut(part, "```")
		command := exec.CommandContext(t.Context(), "sh", "-eu", "-c", commands)
		command.Dir, command.Env = p.dir, a.env
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", commands, err, out)
		}
	}
	const name, arn = "/secretwrap/layer/managed/x86_64/arn", "arn:aws:lambda:eu-west-1:123456789012:layer:secretwrap-managed-x86_64:1"
	held := a.holdings(t, "eu-west-1", "us-east-1")
	if got := held.Parameters["eu-west-1"+name]; got != arn {
		t.Errorf("%s is %q, want %q", name, got, arn)
	}
	if len(held.Versions) != 2 || len(held.Parameters) != 1 || len(held.Versions[0].Statements) != 1 {
		t.Errorf("the account holds %q, and parameters %v", held.arns(), held.Parameters)
	}
	if got := a.ask(t, "lambda", "get-function-configuration", "--function-name", "app", "--query", "Layers[].Arn", "--output", "text"); got != arn {
		t.Errorf("the function has %q, want %q", got, arn)
	}

	t.Run("SAM", func(t *testing.T) {
		var template parameters
		if err := yaml.Unmarshal([]byte(block(t, text, "yaml", "SecretwrapLayer")), &template); err != nil {
			t.Fatal(err)
		}
		template.check(t, name)
	})
	t.Run("CDK", func(t *testing.T) {
		var template parameters
		if err := json.Unmarshal(synthesized(t, block(t, text, "ts", "fromLayerVersionArn")), &template); err != nil {
			t.Fatal(err)
		}
		template.check(t, name)
		layers := template.Resources["fn"].Properties.Layers
		if len(layers) != 1 || template.Parameters[layers[0].Ref].Default != name {
			t.Errorf("the function has the layers %+v", layers)
		}
	})
	t.Run("Terraform", func(t *testing.T) {
		if got := a.terraformOutput(t, block(t, text, "hcl", "aws_ssm_parameter"), "data.aws_ssm_parameter.secretwrap.insecure_value"); got != arn {
			t.Errorf("Terraform reads %q, want %q", got, arn)
		}
	})
}

// parameters is a template of CloudFormation, as far as it reads an ARN.
type parameters struct {
	Parameters map[string]struct {
		Type    string `yaml:"Type"`
		Default string `yaml:"Default"`
	} `yaml:"Parameters"`
	Resources map[string]struct {
		Properties struct {
			Layers []struct{ Ref string }
		}
	} `yaml:"-"`
}

// check fails the test unless a parameter of the template is that of AWS Systems
// Manager.
func (p parameters) check(t *testing.T, name string) {
	t.Helper()
	for _, parameter := range p.Parameters {
		if parameter.Type == "AWS::SSM::Parameter::Value<String>" && parameter.Default == name {
			return
		}
	}
	t.Errorf("the template's parameters are %v, none is %s", p.Parameters, name)
}

// synthesized returns the template of a stack with a function fn, to which the
// snippet does something.
func synthesized(t *testing.T, snippet string) []byte {
	t.Helper()
	dir := t.TempDir()
	modules := cached(t, "builders/cdk/node_modules")
	if _, err := os.Stat(modules); err != nil {
		need(t, "no CDK: scripts/install-builders.sh installs it")
	}
	write(t, filepath.Join(dir, "app.js"), `
const { App, Stack } = require('aws-cdk-lib');
const { Code, Function, LayerVersion, Runtime } = require('aws-cdk-lib/aws-lambda');
const { StringParameter } = require('aws-cdk-lib/aws-ssm');

class Example extends Stack {
  constructor(app) {
    super(app, 'Stack');
    const fn = new Function(this, 'Function', {
      runtime: Runtime.NODEJS_22_X, handler: 'index.handler', code: Code.fromInline('exports.handler = () => {};'),
    });
    fn.node.defaultChild.overrideLogicalId('fn');
`+snippet+`
  }
}
new Example(new App());
`, 0o644)
	command := exec.CommandContext(t.Context(), toolNamed(t, "node").path, "app.js")
	command.Dir, command.Env = dir, append(outside(), "NODE_PATH="+modules, "CDK_OUTDIR="+dir)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	template, err := os.ReadFile(filepath.Join(dir, "Stack.template.json"))
	if err != nil {
		t.Fatal(err)
	}
	return template
}

// terraformOutput applies a configuration, and returns what an expression is then.
func (a account) terraformOutput(t *testing.T, configuration, expression string) string {
	t.Helper()
	dir, terraform := t.TempDir(), toolNamed(t, "terraform").path
	write(t, filepath.Join(dir, "main.tf"), `
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

provider "aws" {
  region                      = "eu-west-1"
  skip_credentials_validation = true
}

output "it" {
  value = `+expression+`
}

`+configuration, 0o644)
	run := func(args ...string) {
		command := exec.CommandContext(t.Context(), terraform, args...)
		command.Dir, command.Env = dir, append(slices.Clone(a.env), "TF_CLI_CONFIG_FILE="+terraformSettings(t), "CHECKPOINT_DISABLE=1")
		var stderr bytes.Buffer
		command.Stderr = &stderr
		out, err := command.Output()
		if err != nil {
			t.Fatalf("terraform %q: %v\n%s%s", args, err, out, &stderr)
		}
	}
	run("init", "-input=false", "-no-color")
	run("apply", "-auto-approve", "-input=false", "-no-color")
	var state struct {
		Outputs struct{ It struct{ Value string } }
	}
	content, err := os.ReadFile(filepath.Join(dir, "terraform.tfstate"))
	if err != nil {
		t.Fatal(err)
	}
	decode(t, content, &state)
	return state.Outputs.It.Value
}

// project is a copy of this project with its layers built, and an account without
// anything.
type project struct {
	dir string
	account
}

// newProject copies the project, and builds its layers as make publish does before it
// prints commands. What the environment has must neither publish nor share.
func newProject(t *testing.T) project {
	t.Helper()
	p := project{copyProject(t), newAccount(t)}
	if _, said, err := p.make(t, p.env, "publish"); err == nil || !strings.Contains(said, "REGIONS names no region") {
		t.Errorf("without regions: %v\n%s", err, said)
	}
	if _, err := os.Stat(filepath.Join(p.dir, "dist")); err == nil {
		t.Error("the layers are built for a wish that is refused")
	}
	env := append(slices.Clone(p.env), "PUBLISH=yes", "ORGANIZATION="+organization, "ACCOUNTS=210987654321")
	commands, said, err := p.make(t, env, "publish", "REGIONS=eu-west-1", "VARIANTS=managed", "ARCHITECTURES=x86_64")
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	// What else is published need not be large.
	for _, name := range []string{"arm64", "os-only-x86_64", "os-only-arm64", "wrapper-x86_64"} {
		p.withZip(t, "secretwrap-layer-"+name+".zip")
	}
	if !regexp.MustCompile(`^\(\nset -eu\ncd .*\nexport AWS_PAGER=\narn=.*\necho "\$arn"\nsum=.*\n\[ "\$sum" = .*\n\)\n$`).MatchString(commands) {
		t.Errorf("prints, instead of the commands that publish one layer and share it with nobody:\n%s", commands)
	}
	return p
}

// copyProject copies what the layers are made of, and what publishes them.
func copyProject(t *testing.T) string {
	t.Helper()
	toolNamed(t, "make")
	dir := t.TempDir()
	for _, part := range []string{"internal", "layer", "scripts", "wrapper"} {
		if err := os.CopyFS(filepath.Join(dir, part), os.DirFS(filepath.Join("..", part))); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"Makefile", "LICENSE", "go.mod", "go.sum"} {
		copyFile(t, filepath.Join("..", file), filepath.Join(dir, file))
	}
	write(t, filepath.Join(dir, "CHANGELOG.md"), "## 1.0.0\n", 0o644)
	return dir
}

// outside returns the environment without what comes from AWS's tools, or from a
// make that runs these tests.
func outside() []string {
	return slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, "AWS_") || strings.HasPrefix(entry, "MAKE") || strings.HasPrefix(entry, "MFLAGS=")
	})
}

// changed returns a copy of the project in which one zip file is another.
func (p project) changed(t *testing.T, name string) project {
	t.Helper()
	return project{copyTree(t, p.dir), p.account}.withZip(t, name)
}

// withZip puts a zip file in the place of a layer.
func (p project) withZip(t *testing.T, name string) project {
	t.Helper()
	directory(t, filepath.Join(p.dir, "dist"), 0o755)
	copyFile(t, emptyZip(t), filepath.Join(p.dir, "dist", name))
	return p
}

// emptyZip returns the path of a zip file that holds nothing.
func emptyZip(t *testing.T) string {
	t.Helper()
	var empty bytes.Buffer
	if err := zip.NewWriter(&empty).Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "empty.zip")
	write(t, path, empty.String(), 0o644)
	return path
}

// sum returns the checksum of a zip file as Lambda writes it.
func (p project) sum(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(p.dir, "dist", name))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// publish runs make publish, which must succeed.
func (p project) publish(t *testing.T, a account, variables ...string) (stdout, stderr string) {
	t.Helper()
	stdout, stderr, err := p.try(t, a, variables...)
	if err != nil {
		t.Fatalf("make publish %q: %v\n%s", variables, err, stderr)
	}
	return stdout, stderr
}

// try runs make publish with the layers that are built.
func (p project) try(t *testing.T, a account, variables ...string) (stdout, stderr string, err error) {
	t.Helper()
	return p.make(t, a.env, append([]string{"-o", "layer", "publish"}, variables...)...)
}

// make runs make, and fails the test if it prints a credential.
func (p project) make(t *testing.T, env []string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "make", args...)
	command.Dir, command.Env = p.dir, env
	var out, errors bytes.Buffer
	command.Stdout, command.Stderr = &out, &errors
	err = command.Run()
	if strings.Contains(out.String()+errors.String(), canary) {
		t.Errorf("make %q prints a credential", args)
	}
	return out.String(), errors.String(), err
}

// account is an AWS account, and the environment in which the aws command reaches
// it.
type account struct {
	tools string // the directory of the aws command
	url   string // the moto_server
	env   []string
}

// newAccount starts a moto_server that is an account without anything.
func newAccount(t *testing.T) account {
	t.Helper()
	python, tools, url := pythonWith(t, "awscli").path, t.TempDir(), motoServer(t)
	loader, err := filepath.Abs(awsLoader)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(tools, "aws"), "#!/bin/sh\nexec '"+python+"' -ES '"+loader+"' call '"+loadAWS(t, python)+"' \"$@\"\n", 0o755)
	env := append(outside(), "PATH="+tools+":"+os.Getenv("PATH"), "AWS_ENDPOINT_URL="+url,
		"AWS_ACCESS_KEY_ID=AKIDEXAMPLE"+canary, "AWS_SECRET_ACCESS_KEY="+canary, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
	return account{tools, url, env}
}

// awsLoader is a program that runs the aws command often, and loads it once.
const awsLoader = "testdata/publishing/aws.py"

// loadAWS loads the aws command until the test ends, and returns the socket at which
// it waits for calls.
func loadAWS(t *testing.T, python string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "aws") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "socket")
	server := exec.Command(python, awsLoader, "serve", socket)
	server.Env, server.Stderr = outside(), os.Stderr
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	ready, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		_ = os.RemoveAll(dir)
	})
	if line, err := bufio.NewReader(ready).ReadString('\n'); err != nil {
		t.Fatalf("the aws command is not loaded: %v, after %q", err, line)
	}
	return socket
}

// ask runs the aws command, which must succeed, and returns what it prints.
func (a account) ask(t *testing.T, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), filepath.Join(a.tools, "aws"), args...)
	command.Env = a.env
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("aws %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// createFunction creates a function without layers.
func (a account) createFunction(t *testing.T, name string) {
	t.Helper()
	a.ask(t, "iam", "create-role", "--role-name", name, "--assume-role-policy-document", "{}")
	a.ask(t, "lambda", "create-function", "--function-name", name, "--runtime", "python3.13", "--handler", "app.handler",
		"--role", "arn:aws:iam::123456789012:role/"+name, "--zip-file", "fileb://"+emptyZip(t))
}

// refusing returns the account with an aws command that refuses calls in which
// words stand, and what tells which calls were made.
func (a account) refusing(t *testing.T, words string) (refusing account, called func() []string) {
	t.Helper()
	tools := t.TempDir()
	log := filepath.Join(tools, "calls")
	write(t, filepath.Join(tools, "aws"), fmt.Sprintf(`#!/bin/sh
echo "$*" >>%s
case "$*" in
*"%s"*)
  echo "An error occurred (AccessDeniedException) when calling it" >&2
  exit 254
  ;;
esac
exec %s/aws "$@"
`, log, words, a.tools), 0o755)
	a.env = append(slices.Clone(a.env), "PATH="+tools+":"+os.Getenv("PATH"))
	return a, func() []string {
		t.Helper()
		calls, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSpace(string(calls)), "\n")
	}
}

// holdings is what an account holds in some regions.
type holdings struct {
	Versions   []layerVersion
	Parameters map[string]string // by region and name
}

type layerVersion struct {
	ARN           string   `json:"LayerVersionArn"`
	Description   string   `json:"Description"`
	License       string   `json:"LicenseInfo"`
	Architectures []string `json:"CompatibleArchitectures"`
	Content       struct{ CodeSha256 string }
	Statements    []statement
}

type statement struct {
	Sid, Effect, Action, Principal, Resource string
	OrganizationID                           string `json:"OrganizationId"`
}

func (h holdings) arns() []string {
	var arns []string
	for _, v := range h.Versions {
		arns = append(arns, v.ARN)
	}
	return arns
}

// holdings asks without the aws command.
func (a account) holdings(t *testing.T, regions ...string) holdings {
	t.Helper()
	held := holdings{Parameters: make(map[string]string)}
	for _, region := range regions {
		c := cloud{a.url, region}
		held.Versions = append(held.Versions, c.layerVersions(t)...)
		var answer struct {
			Parameters []struct{ Name, Value string }
		}
		c.json(t, "ssm", "AmazonSSM.GetParametersByPath", map[string]any{"Path": "/", "Recursive": true}, &answer)
		for _, parameter := range answer.Parameters {
			held.Parameters[region+parameter.Name] = parameter.Value
		}
	}
	slices.SortFunc(held.Versions, func(a, b layerVersion) int { return strings.Compare(a.ARN, b.ARN) })
	return held
}

// layerVersions returns all versions of layers in a region.
func (a cloud) layerVersions(t *testing.T) []layerVersion {
	t.Helper()
	const root = "/2018-10-31/layers"
	get := func(path string, answer any) { decode(t, a.call(t, "lambda", http.MethodGet, path, nil, nil), answer) }
	var layers struct{ Layers []struct{ LayerName string } }
	get(root, &layers)
	var versions []layerVersion
	for _, layer := range layers.Layers {
		place := root + "/" + layer.LayerName + "/versions"
		var listed struct{ LayerVersions []struct{ Version int } }
		get(place, &listed)
		for _, version := range listed.LayerVersions {
			var v layerVersion
			path := fmt.Sprint(place, "/", version.Version)
			get(path, &v)
			v.Statements = a.sharing(t, path)
			versions = append(versions, v)
		}
	}
	return versions
}

// sharing returns the permissions of a version; one without has no policy.
func (a cloud) sharing(t *testing.T, path string) []statement {
	t.Helper()
	answer, status := a.send(t, "lambda", http.MethodGet, path+"/policy", nil, nil)
	if status == http.StatusNotFound {
		return nil
	}
	var held struct{ Policy string }
	decode(t, answer, &held)
	var policy struct{ Statement []statement }
	decode(t, []byte(held.Policy), &policy)
	return policy.Statement
}
