package forms_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"secretwrap/e2e/forms"
)

// written returns how programs write a document that holds text.
func written(text string) map[string]string {
	document := []byte(`{"password":"` + text + `"}`)
	return map[string]string{
		"raw":                   "password=" + text,
		"a JSON string":         `{"message":"` + forms.InJSON(text) + `"}`,
		"a Go string":           fmt.Sprintf("%q", text),
		"a URL's query":         "?p=" + url.QueryEscape(text),
		"a URL's path":          "/" + url.PathEscape(text),
		"a connection string":   "postgres://app:" + forms.Percent(text) + "@db",
		"hexadecimal":           fmt.Sprintf("%x", document),
		"hexadecimal, upper":    fmt.Sprintf("%X", document),
		"bytes as printed":      fmt.Sprint(document),
		"base64":                base64.StdEncoding.EncodeToString(document),
		"base64, one further":   base64.StdEncoding.EncodeToString(append([]byte("1"), document...)),
		"base64, two further":   base64.StdEncoding.EncodeToString(append([]byte("12"), document...)),
		"base64 made for a URL": base64.RawURLEncoding.EncodeToString(document),
	}
}

// holds reports whether text holds one of the forms of secret.
func holds(text, secret string) bool {
	for _, form := range forms.Of(secret) {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

func TestASecretIsFoundHoweverItIsWritten(t *testing.T) {
	for _, secret := range []string{"p@ss \"wörd\" \n+/?canary", `Qz7"\/+x-canary`} {
		beginning := forms.Beginning(secret)
		for _, text := range []string{secret, beginning, beginning + " and something else"} {
			for name, text := range written(text) {
				if !holds("before "+text+" after", beginning) {
					t.Errorf("%s: not found in %s", name, text)
				}
			}
		}
		for _, text := range []string{"3 secrets, 5 variables, 12 ms", strings.TrimSuffix(beginning, beginning[len(beginning)-1:]), secret[len(secret)-8:]} {
			for name, text := range written(text) {
				if holds(text, beginning) {
					t.Errorf("%s: found in a text without it: %s", name, text)
				}
			}
		}
	}
}

func TestTheBeginningHasEightCharacters(t *testing.T) {
	for secret, want := range map[string]string{"": "", "short": "short", "p@ss \"wörd\"": "p@ss \"wö", "12345678": "12345678"} {
		if got := forms.Beginning(secret); got != want {
			t.Errorf("%q begins with %q, want %q", secret, got, want)
		}
	}
}
