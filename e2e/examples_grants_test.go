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
		there+"db-master", there+"db-master-??????",
		there+"app-Prod01", there+"app-Prod01-??????",
		there+"partial-??????",
		there+"ecs-AbCdEf",
		here+"template/one-??????",
		here+"template/two-??????",
		here+"braces-??????", here+"braces",
		here+"template/blanks-??????", here+"template/blanks",
		here+"from/one-??????",
		here+"from/another-??????",
		here+"from_same-??????",
		here+"from/two-??????", here+"from/two",
		here+"from/three-??????",
		here+"manifest-??????",
	)
	slices.Sort(arns)
	more["secretsmanager:GetSecretValue"] = arns
	return more
}
