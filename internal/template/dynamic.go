package template

import "strings"

// dynamicStart begins CloudFormation's own reference to a secret, which a
// deployment replaces by the value.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
const dynamicStart = "{{resolve:secretsmanager:"

// DynamicSecret reports whether a variable has one of CloudFormation's own
// references to a secret, and what to write in place of the first.
func (v Variable) DynamicSecret() (instead string, found bool) {
	before, rest, found := strings.Cut(v.Value, dynamicStart)
	if !found {
		return "", false
	}
	inside, after, _ := strings.Cut(rest, "}}")
	instead = "secretsmanager://NAME#FIELD" // of an intrinsic function the parts are known alone
	if v.Unresolved == "" {
		instead = "secretsmanager://" + asReference(inside)
	}
	if before != "" || after != "" {
		instead = "{{" + instead + "}}"
	}
	return instead, true
}

// asReference turns secret-id:SecretString:json-key:stage:version into ours.
func asReference(inside string) string {
	id, rest, _ := strings.Cut(inside, ":")
	if id == "arn" {
		fields := strings.SplitN(inside, ":", 8)
		id = strings.Join(fields[:min(len(fields), 7)], ":")
		rest = strings.Join(fields[min(len(fields), 7):], "")
	}
	fields := append(strings.Split(rest, ":"), "", "", "", "")
	reference := id
	switch {
	case fields[3] != "":
		reference += "?version=" + fields[3]
	case fields[2] != "":
		reference += "?stage=" + fields[2]
	}
	if fields[1] != "" {
		reference += "#" + fields[1]
	}
	return reference
}
