//go:build linux

package e2e_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// testTerraform applies and destroys the example for Terraform as its page has it,
// together with a configuration that tries its module with references of all forms.
func (x examples) testTerraform(t *testing.T) {
	a := cloud{x.moto, "eu-west-1"}
	dir := x.dir("terraform")
	tools := terraform(t, a)
	tools.run(t, dir, "terraform", "fmt", "-check", "-recursive")
	write(t, filepath.Join(dir, "grants.tf"), page(t, "e2e/builders/terraform/grants.tf"), 0o644)
	write(t, filepath.Join(dir, "references.json"), page(t, "e2e/testdata/references.json"), 0o644)
	tools.run(t, dir, "sh", "-ec", pageCommands(t, "terraform", "terraform init", "make "))
	tools.run(t, dir, "terraform", "validate")
	graph := string(tools.output(t, dir, "terraform", "graph"))
	for _, resource := range []string{"aws_iam_role_policy.secrets", "aws_iam_role_policy_attachment.logs", "aws_cloudwatch_log_group.function"} {
		if !regexp.MustCompile(`aws_lambda_function\.function\b.* -> .*` + regexp.QuoteMeta(resource) + `\b`).MatchString(graph) {
			t.Errorf("the function does not wait for %s", resource)
		}
	}
	t.Run("applied", func(t *testing.T) {
		runAll(t, map[string]func(*testing.T){
			"function": func(t *testing.T) { x.testTerraformFunction(t, a) },
			"grants":   func(t *testing.T) { testTerraformGrants(t, tools, dir) },
		})
	})
	tools.run(t, dir, "sh", "-ec", pageCommands(t, "terraform", "terraform destroy"))
	if left := tools.output(t, dir, "aws", "secretsmanager", "list-secrets", "--query", "SecretList[].Name", "--output", "text"); len(left) > 0 {
		t.Errorf("the page leaves %s", left)
	}
}

func (x examples) testTerraformFunction(t *testing.T, a cloud) {
	config := a.configuration(t, "secretwrap-example")
	a.checkLayer(t, config, x.zip())
	checkPolicy(t, a.policies(t, config.Role), map[string][]string{
		"secretsmanager:GetSecretValue": {
			"arn:aws:secretsmanager:eu-west-1:123456789012:secret:secretwrap-example/db-??????",
			"arn:aws:secretsmanager:eu-west-1:123456789012:secret:secretwrap-example/signing-key-??????",
		},
	})
	var fields struct{ Password string }
	decode(t, []byte(a.secret(t, "secretwrap-example/db")), &fields)
	task, layer := unzip(t, filepath.Join(x.dir("terraform"), "function.zip")), unpacked(t, x.zip())
	x.checkAnswer(t, deployment{a, config, task, layer}, fields.Password, a.secret(t, "secretwrap-example/signing-key"))
}

// checkLayer checks that a function has one layer, which is the zip as built.
func (a cloud) checkLayer(t *testing.T, config configuration, zip string) {
	t.Helper()
	if len(config.Layers) != 1 {
		t.Fatalf("the function has layers %v, want one", config.Layers)
	}
	// arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION
	arn := strings.Split(config.Layers[0].Arn, ":")
	var version struct{ Content struct{ CodeSha256 string } }
	decode(t, a.call(t, "lambda", "GET", "/2018-10-31/layers/"+arn[6]+"/versions/"+arn[7], nil, nil), &version)
	built, err := os.ReadFile(zip)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(built); version.Content.CodeSha256 != base64.StdEncoding.EncodeToString(sum[:]) {
		t.Error("the layer is not the zip as built")
	}
}

// testTerraformGrants checks what the module returns for references of all forms, and
// that it refuses what it cannot read.
func testTerraformGrants(t *testing.T, tools toolbox, dir string) {
	var got struct {
		Value struct {
			Policy      string
			Environment map[string]string
		}
	}
	var outputs map[string]json.RawMessage
	decode(t, tools.output(t, dir, "terraform", "output", "-json"), &outputs)
	decode(t, outputs["all_forms"], &got)
	checkPolicy(t, []string{got.Value.Policy}, grantedByForm(map[string][]string{
		"kms:Decrypt": {"arn:aws:kms:eu-west-1:123456789012:key/one"},
	}))
	for _, s := range statements(t, got.Value.Policy) {
		if via := s.Condition["StringEquals"]["kms:ViaService"]; s.Action == "kms:Decrypt" && via != "secretsmanager.eu-west-1.amazonaws.com" {
			t.Errorf("decryption is allowed via %v", via)
		}
	}
	if wrapper, set := got.Value.Environment["AWS_LAMBDA_EXEC_WRAPPER"]; set {
		t.Errorf("a function on an OS-only runtime has the wrapper %q", wrapper)
	}
	var layers struct{ Value []string }
	decode(t, outputs["layers"], &layers)
	if len(layers.Value) != 2 || layers.Value[0] != layers.Value[1] {
		t.Errorf("two functions share the layers %q", layers.Value)
	}
	var none struct{ Value bool }
	if decode(t, outputs["no_policy"], &none); !none.Value {
		t.Error("a function without references has a policy")
	}
	const alias = `keys=["arn:aws:kms:eu-west-1:123456789012:alias/one"]`
	if message := tools.fails(t, dir, "terraform", "plan", "-no-color", "-var", alias); !strings.Contains(message, "A key's ARN has :key/ in it.") {
		t.Errorf("an alias: %s", message)
	}
	const malformed = `malformed={"SLASH":"secretsmanager:/a","CASE":"SecretsManager://a","SERVICE":"secretsmanager://arn:aws:s3:::a","RIGHT":"secretsmanager://a"}`
	if message := tools.fails(t, dir, "terraform", "plan", "-no-color", "-var", malformed); !strings.Contains(message, "No secret can be read from: CASE, SERVICE, SLASH.") {
		t.Errorf("malformed references: %s", message)
	}
}

// terraform returns Terraform, working on an account.
func terraform(t *testing.T, a cloud) toolbox {
	t.Helper()
	toolNamed(t, "terraform")
	tools := builders(t, "zip", "aws")
	tools.env = append(tools.env, a.access()...)
	tools.env = append(tools.env,
		"TF_CLI_CONFIG_FILE="+terraformSettings(t),
		"TF_IN_AUTOMATION=1",
		"TF_INPUT=0",
		"TF_CLI_ARGS_init=-no-color",
		"TF_CLI_ARGS_apply=-auto-approve -no-color",
		"TF_CLI_ARGS_destroy=-auto-approve -no-color",
		"CHECKPOINT_DISABLE=1",
	)
	return tools
}

// terraformSettings returns a file with settings for Terraform: to take providers from
// a mirror on this machine, if there is one.
func terraformSettings(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "terraformrc")
	settings := ""
	if mirror := terraformMirror(); mirror != "" {
		settings = "provider_installation {\n  filesystem_mirror {\n    path = \"" + mirror + "\"\n  }\n}\n"
	}
	write(t, path, settings, 0o644)
	return path
}

// terraformMirror returns a directory that mirrors the provider for AWS, empty if there
// is none.
func terraformMirror() string {
	home, _ := os.UserHomeDir()
	for _, place := range []string{"/opt", "/usr/share/terraform/plugins", "/usr/local/share/terraform/plugins", filepath.Join(home, ".terraform.d", "plugins")} {
		for _, depth := range []string{"", "*", "*/*"} {
			found, _ := filepath.Glob(filepath.Join(place, depth, "registry.terraform.io", "hashicorp", "aws"))
			if len(found) > 0 {
				return filepath.Dir(filepath.Dir(filepath.Dir(found[0])))
			}
		}
	}
	return ""
}
