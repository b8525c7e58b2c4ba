package e2e_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// leaks returns in which forms secret, or its first characters, stand in text, none
// if they do not.
func leaks(text, secret string) []string {
	var found []string
	for name, form := range forms(secret) {
		if strings.Contains(text, form) {
			found = append(found, name)
		}
	}
	for name, form := range forms(beginning(secret)) {
		if !slices.Contains(found, name) && strings.Contains(text, form) {
			found = append(found, name+", its beginning")
		}
	}
	slices.Sort(found)
	return found
}

// beginning returns the characters that are enough to know a secret by.
func beginning(secret string) string {
	const enough = 8
	characters := []rune(secret)
	return string(characters[:min(len(characters), enough)])
}

// forms returns how a text may stand in another.
func forms(secret string) map[string]string {
	forms := map[string]string{
		"raw":          secret,
		"JSON":         jsonInside(secret),
		"Go quoted":    inside(strconv.Quote(secret)),
		"query":        url.QueryEscape(secret),
		"URL path":     url.PathEscape(secret),
		"percent":      percent(secret),
		"hex":          hex.EncodeToString([]byte(secret)),
		"upper hex":    strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"decimal list": strings.Trim(fmt.Sprint([]byte(secret)), "[]"),
	}
	for shift := range 3 {
		forms[fmt.Sprintf("base64 at %d", shift)] = base64Inside(base64.RawStdEncoding, secret, shift)
		forms[fmt.Sprintf("URL base64 at %d", shift)] = base64Inside(base64.RawURLEncoding, secret, shift)
	}
	return forms
}

// talkative returns the variables that make the program, Go, and AWS's SDKs say and
// write as much as an operator can have them do.
func talkative() []string {
	return []string{
		"AWS_LAMBDA_LOG_LEVEL=DEBUG", "GODEBUG=http2debug=2,http2client=1", "GOTRACEBACK=all", "SSLKEYLOGFILE=/tmp/tls-keys",
		"AWS_SDK_LOG_LEVEL=trace", "AWS_LOG_LEVEL=trace", "AWS_SDK_UA_APP_ID=talkative", "DEBUG=*",
	}
}

// jsonInside returns the inside of the JSON string that holds text.
func jsonInside(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		return text
	}
	return inside(string(quoted))
}

// inside returns what stands between quotation marks.
func inside(quoted string) string { return quoted[1 : len(quoted)-1] }

// percent returns text with every byte as %XX that is not a letter or digit,
// or one of -._~ which no URL needs to escape.
func percent(text string) string {
	var escaped strings.Builder
	for _, b := range []byte(text) {
		if strings.ContainsRune("-._~", rune(b)) || '0' <= b && b <= '9' || 'A' <= b && b <= 'Z' || 'a' <= b && b <= 'z' {
			escaped.WriteByte(b)
		} else {
			fmt.Fprintf(&escaped, "%%%02X", b)
		}
	}
	return escaped.String()
}

// base64Inside returns the characters that depend on text alone when text is
// encoded together with what stands before and after it, and starts shift bytes
// into a group of three.
func base64Inside(encoding *base64.Encoding, text string, shift int) string {
	encoded := encoding.EncodeToString(append(make([]byte, shift), text...))
	first := (shift*8 + 5) / 6
	last := (shift + len(text)) * 8 / 6
	return encoded[first:last]
}

// written returns how programs write a document that holds text.
func written(text string) map[string]string {
	document := []byte(`{"password":"` + text + `"}`)
	return map[string]string{
		"raw":                   "password=" + text,
		"a JSON string":         `{"message":"` + jsonInside(text) + `"}`,
		"a Go string":           fmt.Sprintf("%q", text),
		"a URL's query":         "?p=" + url.QueryEscape(text),
		"a URL's path":          "/" + url.PathEscape(text),
		"a connection string":   "postgres://app:" + percent(text) + "@db",
		"hexadecimal":           fmt.Sprintf("%x", document),
		"hexadecimal, upper":    fmt.Sprintf("%X", document),
		"bytes as printed":      fmt.Sprint(document),
		"base64":                base64.StdEncoding.EncodeToString(document),
		"base64, one further":   base64.StdEncoding.EncodeToString(append([]byte("1"), document...)),
		"base64, two further":   base64.StdEncoding.EncodeToString(append([]byte("12"), document...)),
		"base64 made for a URL": base64.RawURLEncoding.EncodeToString(document),
	}
}

func TestLeaksFindsASecretInEveryForm(t *testing.T) {
	t.Parallel()
	const secret, enough, less = "p@ss \"wörd\" \n+/?canary", `p@ss "wö`, `p@ss "w`
	for _, text := range []string{secret, enough, enough + " and something else"} {
		for name, text := range written(text) {
			if len(leaks("before "+text+" after", secret)) == 0 {
				t.Errorf("%s: not found in %s", name, text)
			}
		}
	}
	for _, text := range []string{"3 secrets, 5 variables, 12 ms", less, secret[len(secret)-8:]} {
		for name, text := range written(text) {
			if found := leaks(text, secret); len(found) > 0 {
				t.Errorf("%s: found as %v in a text without it: %s", name, found, text)
			}
		}
	}
}
