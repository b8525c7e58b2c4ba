//go:build linux

package e2e_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// testCDK compiles the example for the CDK, and does with what it synthesizes what
// `cdk deploy` does.
func (x examples) testCDK(t *testing.T) {
	a := cloud{x.moto, "eu-central-1"}
	tools := x.tools(t, a, "node")
	tools.env = append(tools.env, "CDK_DISABLE_CLI_TELEMETRY=1")
	dir := x.dir("cdk")
	modules := cached(t, "builders/cdk/node_modules")
	if _, err := os.Stat(filepath.Join(modules, "aws-cdk")); err != nil {
		need(t, "no CDK: scripts/install-builders.sh installs it")
	}
	link(t, modules, filepath.Join(dir, "node_modules"))
	write(t, filepath.Join(dir, "bin", "page.ts"), pageProgram(t), 0o644)
	tools.run(t, dir, "node", "node_modules/typescript/bin/tsc")
	t.Run("stack", func(t *testing.T) {
		t.Parallel()
		x.testCDKStack(t, tools, a)
	})
	t.Run("grants", func(t *testing.T) {
		t.Parallel()
		x.testCDKGrants(t, tools)
	})
}

// pageProgram returns a program of what the example's page shows, to be compiled.
func pageProgram(t *testing.T) string {
	t.Helper()
	const given = `import { Stack } from 'aws-cdk-lib';
import { Function } from 'aws-cdk-lib/aws-lambda';
import { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { ref, template } from '../lib/reference';
import { Secretwrap } from '../lib/secretwrap';

declare const stack: Stack, fn: Function, secret: ISecret;
`
	return given + block(t, page(t, "examples/cdk/README.md"), "ts", "addTo")
}

func (x examples) testCDKStack(t *testing.T, tools toolbox, a cloud) {
	out := filepath.Join(x.dir("cdk"), "cdk.out")
	tools.run(t, x.dir("cdk"), "node", "node_modules/aws-cdk/bin/cdk", "synth", "--quiet", "--no-notices", "--output", out)
	template := filepath.Join(out, "SecretwrapExample.template.json")
	// The CDK itself has a function wait for its role twice.
	tools.run(t, out, "cfn-lint", "--ignore-checks", "W3005", "--", template)
	a.bootstrap(t)
	a.publishAssets(t, out)
	content, err := os.ReadFile(template)
	if err != nil {
		t.Fatal(err)
	}
	s := readStack(t, a, content)
	d := s.deploy(t)
	d.layer = x.checkAsBuilt(t, d.layer)
	checkPolicy(t, s.policies(t), map[string][]string{"secretsmanager:GetSecretValue": s.arns})
	x.checkAnswer(t, d, s.values...)
}

// assets is the bucket to which the CDK publishes.
const assets = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"

// bootstrap prepares the account for the CDK, as `cdk bootstrap` does.
func (a cloud) bootstrap(t *testing.T) {
	t.Helper()
	a.makeBucket(t, a.pseudo(assets))
	var put struct{}
	version := map[string]any{"Name": "/cdk-bootstrap/hnb659fds/version", "Value": "30", "Type": "String"}
	a.json(t, "ssm", "AmazonSSM.PutParameter", version, &put)
}

// publishAssets uploads what a synthesized app lists.
func (a cloud) publishAssets(t *testing.T, dir string) {
	t.Helper()
	var manifest struct {
		Files map[string]struct {
			Source       struct{ Path, Packaging string }
			Destinations map[string]struct{ BucketName, ObjectKey string }
		}
	}
	list, err := os.ReadFile(filepath.Join(dir, "SecretwrapExample.assets.json"))
	if err != nil {
		t.Fatal(err)
	}
	decode(t, list, &manifest)
	for _, file := range manifest.Files {
		content := asset(t, filepath.Join(dir, file.Source.Path), file.Source.Packaging)
		for _, to := range file.Destinations {
			a.put(t, a.pseudo(to.BucketName), to.ObjectKey, content)
		}
	}
}

// asset returns a file, or a folder as a zip.
func asset(t *testing.T, path, packaging string) []byte {
	t.Helper()
	if packaging == "file" {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	if err := archive.AddFS(os.DirFS(path)); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// testCDKGrants checks what the construct adds for references of all forms, and what it
// refuses.
func (x examples) testCDKGrants(t *testing.T, tools toolbox) {
	tools.env = append(tools.env, "NODE_PATH="+filepath.Join(x.dir("cdk"), "node_modules"))
	var got struct {
		Functions map[string]struct {
			Layers      []string
			Environment map[string]string
			Policy      map[string]any
		}
		Outputs []string
		Refused map[string]string
	}
	decode(t, tools.output(t, "builders/cdk", "node", "grants.js", x.dir("cdk")), &got)
	python := got.Functions["Python"]
	checkPolicy(t, []string{toJSON(t, python.Policy)}, grantedByForm(map[string][]string{
		"kms:Decrypt": {"arn:aws:kms:eu-west-1:123456789012:key/one", "arn:aws:kms:eu-west-1:123456789012:key/two"},
	},
		"arn:aws:secretsmanager:eu-west-1:123456789012:secret:construct/full-AbCdEf",
		"arn:aws:secretsmanager:eu-west-1:123456789012:secret:construct/aliased-AbCdEf",
		"arn:aws:secretsmanager:eu-west-1:123456789012:secret:construct/db-master-??????",
		"arn:aws:secretsmanager:us-east-1:210987654321:secret:construct/foreign-??????"))
	for _, s := range statements(t, toJSON(t, python.Policy)) {
		if via := s.Condition["StringEquals"]["kms:ViaService"]; s.Action == "kms:Decrypt" && via != "secretsmanager.eu-west-1.amazonaws.com" {
			t.Errorf("decryption is allowed via %v", via)
		}
	}
	for name, want := range map[string]struct {
		layers  []string
		wrapper string
	}{
		"Python":    {[]string{"secretwrap-layer-arm64.zip"}, "/opt/secretwrap"},
		"Go":        {[]string{"secretwrap-layer-os-only-x86_64.zip"}, ""},
		"Image":     {[]string{}, ""},
		"Neighbour": {[]string{"secretwrap-layer-x86_64.zip"}, "/opt/secretwrap"},
	} {
		fn := got.Functions[name]
		if wrapper := fn.Environment["AWS_LAMBDA_EXEC_WRAPPER"]; !slices.Equal(fn.Layers, want.layers) || wrapper != want.wrapper {
			t.Errorf("%s has the layers %q and the wrapper %q, want %+v", name, fn.Layers, wrapper, want)
		}
	}
	checkPolicy(t, []string{toJSON(t, got.Functions["Image"].Policy)}, map[string][]string{
		"secretsmanager:GetSecretValue": {"arn:aws:secretsmanager:eu-west-1:123456789012:secret:plain-??????"},
	})
	if len(got.Outputs) > 0 {
		t.Errorf("one stack exports %q to another", got.Outputs)
	}
	for name, want := range map[string]string{
		"CONSTRUCT":          "secretsmanager://construct/db-master#a",
		"CONSTRUCT_FOREIGN":  "secretsmanager://arn:aws:secretsmanager:us-east-1:210987654321:secret:construct/foreign",
		"CONSTRUCT_TEMPLATE": "a{{secretsmanager://arn:aws:secretsmanager:eu-west-1:123456789012:secret:construct/full-AbCdEf?encode=url&default=x%20%2B#b}}c",
	} {
		if text := python.Environment[name]; text != want {
			t.Errorf("%s is %q, want %q", name, text, want)
		}
	}
	for what, message := range map[string]string{
		"secretsmanager:/prod/db":                "MALFORMED: no secret can be read",
		"SecretsManager://prod/db":               "MALFORMED: no secret can be read",
		"secretsmanager://arn:aws:s3:::prod":     "MALFORMED: no secret can be read",
		"a name that is known at the deployment": "MALFORMED: the secret is not known before the deployment",
		"a program called bootstrap":             "call the program anything but bootstrap",
		"an alias whose key is not known":        "the key behind alias/one is not known",
		"a reference in a text":                  "is made by template`…`",
	} {
		if !strings.Contains(got.Refused[what], message) {
			t.Errorf("%s: %q, want %q", what, got.Refused[what], message)
		}
	}
}

// TestExampleNamesPinnedPackages checks that the example for the CDK is tried with the
// versions that it names.
func TestExampleNamesPinnedPackages(t *testing.T) {
	var manifest struct{ Dependencies, DevDependencies map[string]string }
	decode(t, []byte(page(t, "examples/cdk/package.json")), &manifest)
	installed := page(t, "scripts/install-builders.sh")
	for _, packages := range []map[string]string{manifest.Dependencies, manifest.DevDependencies} {
		for name, version := range packages {
			if !regexp.MustCompile(`[" ]` + regexp.QuoteMeta(name+"@"+version) + `[" ]`).MatchString(installed) {
				t.Errorf("%s %s is not what scripts/install-builders.sh installs", name, version)
			}
		}
	}
}
