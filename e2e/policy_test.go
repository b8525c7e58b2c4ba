//go:build linux

package e2e_test

import (
	"encoding/json"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestPoliciesAreThoseOfTheExamples compares what policy prints for references of all
// forms with what the CDK's construct and Terraform's module grant for them.
func TestPoliciesAreThoseOfTheExamples(t *testing.T) {
	t.Parallel()
	var references map[string]string
	if err := json.Unmarshal([]byte(page(t, "e2e/testdata/references.json")), &references); err != nil {
		t.Fatal(err)
	}
	delete(references, "PATH_LIKE_OPTION") // which is refused, but has a secret that can be read
	cmd := exec.CommandContext(t.Context(), built(t, "..", "secretwrap", "./wrapper"), "policy", "--account", "123456789012", "--kms-key", "none")
	cmd.Env = []string{"AWS_REGION=eu-west-1", "HOME=/no-home"}
	for name, value := range references {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	document, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var printed struct{ Statement []struct{ Resource []string } }
	if err := json.Unmarshal(document, &printed); err != nil || len(printed.Statement) != 1 {
		t.Fatalf("%v\n%s", err, document)
	}
	got := slices.Sorted(slices.Values(printed.Statement[0].Resource))
	want := slices.DeleteFunc(grantedByForm(make(map[string][]string))["secretsmanager:GetSecretValue"], func(arn string) bool {
		return strings.HasSuffix(arn, ":path-??????") || strings.HasSuffix(arn, ":manifest-??????")
	})
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestPoliciesAreAcceptedByLinters has parliament judge what policy prints, for
// references and options of every kind.
func TestPoliciesAreAcceptedByLinters(t *testing.T) {
	t.Parallel()
	command := built(t, "..", "secretwrap", "./wrapper")
	references := map[string]string{
		"NAME":     "secretsmanager://prod/db#a",
		"OPTIONAL": "secretsmanager://prod/cache?optional",
		"AWS_MADE": "secretsmanager://rds!cluster-1",
		"ARN":      "secretsmanager://arn:aws:secretsmanager:us-east-1:210987654321:secret:shared/key-AbCdE1",
		"PARTIAL":  "secretsmanager://arn:aws:secretsmanager:us-east-1:210987654321:secret:shared/key",
		"EITHER":   "secretsmanager://arn:aws:secretsmanager:us-east-1:210987654321:secret:shared-master?optional",
		"CHINA":    "secretsmanager://arn:aws-cn:secretsmanager:cn-north-1:210987654321:secret:shared/key-AbCdE1",
		"GOV":      "secretsmanager://arn:aws-us-gov:secretsmanager:us-gov-west-1:210987654321:secret:shared/key-AbCdE1",
	}
	environment := []string{"AWS_REGION=eu-west-1", "HOME=/no-home"}
	for _, name := range slices.Sorted(maps.Keys(references)) {
		environment = append(environment, name+"="+references[name])
	}
	for name, options := range map[string][]string{
		"as usual":        nil,
		"of an account":   {"--account", "123456789012"},
		"with a key":      {"--account", "123456789012", "--kms-key", "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"},
		"without any key": {"--kms-key", "none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), command, append([]string{"policy"}, options...)...)
			cmd.Env = environment
			document, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			lint(t, string(document))
		})
	}
}
