// Package arn writes the ARNs by which policies name secrets.
package arn

import "strings"

// suffixLength is that of the hyphen and six characters that Secrets Manager
// adds to a secret's name in its ARN.
const suffixLength = 7

// Any stands for a suffix that is not known.
const Any = "-??????"

// Secret returns the ARN of the secret of that name, with Any for its suffix. An
// account that is not known may be "*".
func Secret(name, region, account string) string {
	return "arn:" + Partition(region) + ":secretsmanager:" + region + ":" + account + ":secret:" + name + Any
}

// IsComplete reports whether a secret's ARN ends as Secrets Manager ends them. A
// name may end so too.
func IsComplete(arn string) bool {
	cut := len(arn) - suffixLength
	return cut >= 0 && arn[cut] == '-'
}

// Completes reports whether suffix is what Secrets Manager adds to a name.
func Completes(suffix string) bool { return len(suffix) == suffixLength && suffix[0] == '-' }

// Partition returns the part of AWS's world that a region belongs to.
func Partition(region string) string {
	for _, known := range []struct{ prefix, partition string }{
		{"cn-", "aws-cn"}, {"us-gov-", "aws-us-gov"}, {"eusc-", "aws-eusc"},
		{"us-iso-", "aws-iso"}, {"us-isob-", "aws-iso-b"}, {"eu-isoe-", "aws-iso-e"}, {"us-isof-", "aws-iso-f"},
	} {
		if strings.HasPrefix(region, known.prefix) {
			return known.partition
		}
	}
	return "aws"
}
