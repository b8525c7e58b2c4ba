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

// leaks returns in which forms secret stands in text, none if it does not.
func leaks(text, secret string) []string {
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
	var found []string
	for name, form := range forms {
		if strings.Contains(text, form) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
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

func TestLeaksFindsASecretInEveryForm(t *testing.T) {
	t.Parallel()
	const secret = "p@ss \"wörd\" \n+/?canary"
	document := []byte(`{"password":"` + secret + `"}`)
	cases := map[string]string{
		"raw":                   "password=" + secret,
		"a JSON string":         `{"message":"` + jsonInside(secret) + `"}`,
		"a Go string":           fmt.Sprintf("%q", secret),
		"a URL's query":         "?p=" + url.QueryEscape(secret),
		"a URL's path":          "/" + url.PathEscape(secret),
		"a connection string":   "postgres://app:" + percent(secret) + "@db",
		"hexadecimal":           fmt.Sprintf("%x", document),
		"hexadecimal, upper":    fmt.Sprintf("%X", document),
		"bytes as printed":      fmt.Sprint(document),
		"base64":                base64.StdEncoding.EncodeToString(document),
		"base64, one further":   base64.StdEncoding.EncodeToString(append([]byte("1"), document...)),
		"base64, two further":   base64.StdEncoding.EncodeToString(append([]byte("12"), document...)),
		"base64 made for a URL": base64.RawURLEncoding.EncodeToString(document),
	}
	for name, text := range cases {
		if len(leaks("before "+text+" after", secret)) == 0 {
			t.Errorf("%s: not found in %s", name, text)
		}
	}
	if found := leaks("3 secrets, 5 variables, 12 ms", secret); len(found) > 0 {
		t.Errorf("found as %v in a text without it", found)
	}
}
