package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"secretwrap/e2e/forms"
)

// leaks returns in which forms secret, or its first characters, stand in text, none
// if they do not.
func leaks(text, secret string) []string {
	var found []string
	for name, form := range forms.Of(secret) {
		if strings.Contains(text, form) {
			found = append(found, name)
		}
	}
	for name, form := range forms.Of(forms.Beginning(secret)) {
		if !slices.Contains(found, name) && strings.Contains(text, form) {
			found = append(found, name+", its beginning")
		}
	}
	slices.Sort(found)
	return found
}

// talkative returns the variables that make the program, Go, and AWS's SDKs say and
// write as much as an operator can have them do.
func talkative() []string {
	return []string{
		"AWS_LAMBDA_LOG_LEVEL=DEBUG", "GODEBUG=http2debug=2,http2client=1", "GOTRACEBACK=all", "SSLKEYLOGFILE=/tmp/tls-keys",
		"AWS_SDK_LOG_LEVEL=trace", "AWS_LOG_LEVEL=trace", "AWS_SDK_UA_APP_ID=talkative", "DEBUG=*",
	}
}

func TestLeaksNamesTheForms(t *testing.T) {
	t.Parallel()
	const secret = "p@ss \"wörd\" canary"
	for text, want := range map[string][]string{
		"nothing":                                nil,
		"x" + secret + "x":                       {"raw"},
		forms.Beginning(secret) + "another":      {"raw, its beginning"},
		fmt.Sprintf("%x", secret) + " " + secret: {"hex", "raw"},
	} {
		if found := leaks(text, secret); !slices.Equal(found, want) {
			t.Errorf("%q: found as %q, want %q", text, found, want)
		}
	}
}
