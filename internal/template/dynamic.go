package template

import (
	"regexp"
	"strings"
)

// A dynamic reference is replaced by CloudFormation, while it deploys, with a value
// that is kept elsewhere.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
const (
	dynamicStart  = "{{resolve:"
	dynamicSecret = dynamicStart + "secretsmanager:"
)

// withoutDynamic takes the dynamic references out of a value, which then depends on
// them.
func (v Variable) withoutDynamic() Variable {
	if !strings.Contains(v.Value, dynamicStart) {
		return v
	}
	if before, rest, found := strings.Cut(v.Value, dynamicSecret); found {
		inside, after, _ := strings.Cut(rest, "}}")
		v.Instead = anyReference // of an intrinsic function the parts are known alone
		if v.Unresolved == "" && !v.hidden {
			v.Instead = asReference(inside)
		}
		if before != "" || after != "" {
			v.Instead = "{{" + v.Instead + "}}"
		}
	}
	if v.Unresolved == "" {
		v.Unresolved = Dynamic
	}
	for {
		before, rest, found := strings.Cut(v.Value, dynamicStart)
		if !found {
			return v
		}
		_, after, _ := strings.Cut(rest, "}}")
		v.Value = before + after
	}
}

// dynamic takes secret-id:SecretString:json-key:stage:version apart, as far as it has
// nothing but what a name, a simple key, a label and a version hold: no text is
// repeated that might be something else.
var dynamic = regexp.MustCompile(`^((?:arn:[a-z0-9:-]+:secret:)?[A-Za-z0-9/_+=.@!-]+)(?::(?:SecretString)?(?::([A-Za-z0-9_.-]*)(?::([A-Za-z0-9_-]*)(?::([A-Za-z0-9-]*))?)?)?)?$`)

// anyReference stands for a reference that cannot be told.
const anyReference = "secretsmanager://NAME#FIELD"

// asReference returns what says the same as the inside of a dynamic reference.
func asReference(inside string) string {
	found := dynamic.FindStringSubmatch(inside)
	if found == nil {
		return anyReference
	}
	reference := "secretsmanager://" + found[1]
	switch {
	case found[4] != "":
		reference += "?version=" + found[4]
	case found[3] != "":
		reference += "?stage=" + found[3]
	}
	if found[2] != "" {
		reference += "#" + found[2]
	}
	return reference
}
