package reference_test

import (
	"strings"
	"testing"

	"secretwrap/internal/reference"
)

// A manifest may hold a text of 256 KiB. Nothing in it may be read again and again:
// the function would start when its time is over, and this test not end in its own.
func TestTheTimeForATextFollowsItsLength(t *testing.T) {
	const length = 256 << 10
	pieces := []string{
		"{", "{{", "{{ ", "x{{arn:aws", "{a#", "{{a/", "{{x ", "{{ssm:", "{{secretsmanage", "{{secretsmanage:x", "{{secretsmanager:x/y", "\\{", "{{prod/db?",
		"secretsmanager", "secretsmanager:", "//secretsmanager:/a", "\"secretsmanager:", "arn:aws:secretsmanager:a:b:secret:x", "{{arn:aws:secretsmanager:a:b:secret:x",
		"secretsmanager:/", "ssm:/", "{{secretsmanager://a}}", "{{secretsmanager://a#b}}{", "{{secretsmanager://a#(", "a", "&", "?", "#", "|optional", "\u00a0", " ", "\\",
	}
	for _, piece := range pieces {
		t.Run(piece, func(t *testing.T) {
			t.Parallel()
			long := strings.Repeat(piece, length/len(piece))
			for _, before := range []string{"", "{{secretsmanager://db}}"} {
				reference.ParseEnvironment(before + long)
				reference.ParseDeclaration(before+long, reference.Variable)
			}
		})
	}
}
