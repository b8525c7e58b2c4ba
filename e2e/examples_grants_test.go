//go:build linux

package e2e_test

import (
	"slices"
)

// grantedByForm returns what must be granted for testdata/references.json and for what a
// manifest holds, and more.
func grantedByForm(more map[string][]string, arns ...string) map[string][]string {
	const here = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"
	const there = "arn:aws:secretsmanager:us-east-1:210987654321:secret:"
	arns = append(arns,
		here+"plain-??????",
		here+"blanks-??????",
		here+"optional-??????", here+"optional",
		here+"default-??????", here+"default",
		here+"stage-??????",
		here+"path-??????",
		there+"full-AbCdEf",
		there+"partial-??????",
		there+"ecs-AbCdEf",
		here+"template/one-??????",
		here+"template/two-??????",
		here+"from/one-??????",
		here+"from/two-??????", here+"from/two",
		here+"from/three-??????",
		here+"manifest-??????",
	)
	slices.Sort(arns)
	more["secretsmanager:GetSecretValue"] = arns
	return more
}
