//go:build linux

package e2e_test

import (
	"maps"
	"os/exec"
	"slices"
	"testing"
)

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
