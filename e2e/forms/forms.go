// Package forms knows the forms in which a secret may stand in a text.
package forms

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// enough is how many characters are enough to know a secret by.
const enough = 8

// Beginning returns the characters that are enough to know a secret by.
func Beginning(secret string) string {
	characters := []rune(secret)
	return string(characters[:min(len(characters), enough)])
}

// Of returns how a text may stand in another, by the names of the forms.
func Of(text string) map[string]string {
	digits := hex.EncodeToString([]byte(text))
	all := map[string]string{
		"raw":          text,
		"JSON":         InJSON(text),
		"Go quoted":    inside(strconv.Quote(text)),
		"query":        url.QueryEscape(text),
		"URL path":     url.PathEscape(text),
		"percent":      Percent(text),
		"hex":          digits,
		"upper hex":    strings.ToUpper(digits),
		"decimal list": strings.Trim(fmt.Sprint([]byte(text)), "[]"),
	}
	for shift := range 3 {
		all[fmt.Sprintf("base64 at %d", shift)] = inBase64(base64.RawStdEncoding, text, shift)
		all[fmt.Sprintf("URL base64 at %d", shift)] = inBase64(base64.RawURLEncoding, text, shift)
	}
	return all
}

// InJSON returns the inside of the JSON string that holds text.
func InJSON(text string) string {
	quoted, _ := json.Marshal(text) // a string can always be one
	return inside(string(quoted))
}

// inside returns what stands between quotation marks.
func inside(quoted string) string { return quoted[1 : len(quoted)-1] }

// Percent returns text with every byte as %XX that is not a letter or digit, or one
// of -._~ which no URL needs to escape.
func Percent(text string) string {
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

// inBase64 returns the characters that depend on text alone when text is encoded
// together with what stands before and after it, and starts shift bytes into a group
// of three.
func inBase64(encoding *base64.Encoding, text string, shift int) string {
	encoded := encoding.EncodeToString(append(make([]byte, shift), text...))
	return encoded[(shift*8+5)/6 : (shift+len(text))*8/6]
}
