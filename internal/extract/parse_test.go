package extract_test

import (
	"errors"
	"strings"
	"testing"

	"secretwrap/internal/extract"
	"secretwrap/internal/secret"
)

const canary = "CANARY-7f3a91c2"

func parse(t testing.TB, text string) extract.Document {
	t.Helper()
	document, err := extract.Parse(secret.FromString(text))
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return document
}

func parseError(text string) error {
	_, err := extract.Parse(secret.FromString(text))
	return err
}

func TestParseAcceptsJSON(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"object":                             `{"a":1}`,
		"empty object":                       `{}`,
		"array":                              `[1,"b",null,{}]`,
		"empty array":                        `[]`,
		"number":                             `123456`,
		"string":                             `"x"`,
		"true":                               `true`,
		"null":                               `null`,
		"blanks everywhere":                  " \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } } \n",
		"every escape":                       `"\"\\\/\b\f\n\r\t\u00e9\u00E9"`,
		"surrogate pair in a key":            `{"\ud83d\ude00":1}`,
		"lone surrogate in a value":          `{"a":"\ud800"}`,
		"same key in two objects":            `[{"a":1},{"a":{"a":2}}]`,
		"keys that differ in case":           `{"a":1,"A":2}`,
		"keys that differ in normalisation":  "{\"\u00e9\":1,\"e\u0301\":2}",
		"replacement character":              "\"\ufffd\"",
		"byte order mark inside a string":    "\"\ufeff\"",
		"delete character":                   "\"\x7f\"",
		"escaped control character":          `{"a":"\u0000\u001f"}`,
		"separators that JavaScript forbids": "\"\u2028\u2029\"",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := parseError(text); err != nil {
				t.Errorf("Parse(%q): %v", text, err)
			}
		})
	}
}

func TestParseRejectsWhatIsNotJSON(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"nothing":                         ``,
		"blanks alone":                    " \n",
		"plain text":                      `hunter2`,
		"truncated number":                `{"a":12`,
		"truncated string":                `{"a":"secr`,
		"truncated after a key":           `{"a"`,
		"truncated after a colon":         `{"a":`,
		"truncated after a comma":         `{"a":1,`,
		"truncated escape":                `{"a":"\`,
		"truncated unicode escape":        `{"a":"\u12`,
		"open bracket":                    `[`,
		"open brace":                      `{`,
		"trailing garbage":                `{"a":1}x`,
		"two documents":                   `{"a":1}{"b":2}`,
		"JSON lines":                      "{\"a\":1}\n{\"b\":2}",
		"closing brace too many":          `{"a":1}}`,
		"trailing comma in an object":     `{"a":1,}`,
		"trailing comma in an array":      `[1,]`,
		"leading comma":                   `[,1]`,
		"comma missing":                   `[1 2]`,
		"colon missing":                   `{"a" 1}`,
		"value missing":                   `{"a":}`,
		"key without quotes":              `{a:1}`,
		"number as a key":                 `{1:1}`,
		"single quotes":                   `{'a':'b'}`,
		"array closed as an object":       `[1}`,
		"object closed as an array":       `{"a":1]`,
		"comment":                         `{"a":1} // b`,
		"unknown escape":                  `{"a":"\q"}`,
		"short unicode escape":            `{"a":"\u12"}`,
		"unicode escape that is no hex":   `{"a":"\u12g4"}`,
		"unicode escape with a sign":      `{"a":"\u+123"}`,
		"raw newline in a string":         "{\"a\":\"b\nc\"}",
		"raw tab in a string":             "{\"a\":\"b\tc\"}",
		"raw NUL in a string":             "{\"a\":\"b\x00c\"}",
		"raw control character in a key":  "{\"a\x1f\":1}",
		"NUL after the document":          "{\"a\":1}\x00",
		"NUL between tokens":              "{\x00\"a\":1}",
		"form feed as a blank":            "{\"a\":\f1}",
		"no-break space as a blank":       "{\"a\":\u00a01}",
		"byte order mark after a blank":   " x\ufeff{}",
		"capital true":                    `True`,
		"misspelt true":                   `trve`,
		"true with more letters":          `{"a":truely}`,
		"NaN":                             `{"a":NaN}`,
		"infinity":                        `{"a":-Infinity}`,
		"leading zero":                    `{"a":01}`,
		"leading plus":                    `{"a":+1}`,
		"sign alone":                      `{"a":-}`,
		"digits missing before the point": `{"a":.5}`,
		"digits missing after the point":  `{"a":1.}`,
		"exponent missing":                `{"a":1e}`,
		"exponent with a sign alone":      `{"a":1e+}`,
		"hexadecimal number":              `{"a":0x10}`,
		"digits in groups":                `{"a":1_000}`,
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := parseError(text); !errors.Is(err, extract.ErrNotJSON) {
				t.Errorf("Parse(%q): %v", text, err)
			}
		})
	}
}

func TestParseNamesOtherMistakes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want error
	}{
		"invalid UTF-8 in a string":            {"{\"a\":\"\xff\"}", extract.ErrNotUTF8},
		"UTF-8 of a surrogate":                 {"{\"a\":\"\xed\xa0\x80\"}", extract.ErrNotUTF8},
		"UTF-16":                               {"\xff\xfe{\x00}\x00", extract.ErrNotUTF8},
		"byte order mark":                      {"\ufeff{\"a\":1}", extract.ErrByteOrderMark},
		"byte order mark alone":                {"\ufeff", extract.ErrByteOrderMark},
		"key with a lone high surrogate":       {`{"\ud800":1}`, extract.ErrLoneSurrogate},
		"key with a lone low surrogate":        {`{"a":{"x\udc00":1}}`, extract.ErrLoneSurrogate},
		"two keys with different surrogates":   {`{"\ud800":1,"\ud801":2}`, extract.ErrLoneSurrogate},
		"key with a reversed surrogate pair":   {`{"\ude00\ud83d":1}`, extract.ErrLoneSurrogate},
		"UTF-8 is judged before all else":      {"{{\xff", extract.ErrNotUTF8},
		"of two mistakes the first is named":   {`{"\ud800":1`, extract.ErrLoneSurrogate},
		"a mistake before the lone surrogates": {`{1,"\ud800":1}`, extract.ErrNotJSON},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := parseError(test.text); !errors.Is(err, test.want) {
				t.Errorf("Parse(%q): %v, want %v", test.text, err, test.want)
			}
		})
	}
}

func TestParseRejectsDuplicateKeys(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want string
	}{
		"at the top":               {`{"w":1,"v":2,"w":3}`, "w"},
		"with equal values":        {`{"w":1,"w":1}`, "w"},
		"escaped differently":      {`{"w":1,"\u0077":2}`, "w"},
		"escaped as a pair":        {`{"😀":1,"\ud83d\ude00":2}`, "😀"},
		"slash with and without":   {`{"a/b":1,"a\/b":2}`, "a/b"},
		"empty":                    {`{"":1,"":2}`, ""},
		"nested in an object":      {`{"a":{"w":1,"w":2}}`, "w"},
		"nested in an array":       {`{"a":[0,{"w":1,"w":2}]}`, "w"},
		"around a nested object":   {`{"w":{"v":1},"w":2}`, "w"},
		"that are a quote":         {`{"\"":1,"\u0022":2}`, `"`},
		"of which the first holds": {`{"a":1,"b":2,"b":3,"a":4}`, "b"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			duplicate, ok := errors.AsType[*extract.DuplicateKeyError](parseError(test.text))
			if !ok || duplicate.Key != test.want {
				t.Errorf("Parse(%q): %v, want key %q", test.text, duplicate, test.want)
			}
		})
	}
}

func TestALongDuplicateKeyIsCutInTheMessage(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ key, shown string }{
		"64 characters": {strings.Repeat("é", 64), strings.Repeat("é", 64)},
		"65 characters": {strings.Repeat("é", 65), strings.Repeat("é", 64) + "…"},
		"line break":    {"a\nb", `a\nb`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := &extract.DuplicateKeyError{Key: test.key}
			if want := `key "` + test.shown + `" is in one object twice`; err.Error() != want {
				t.Errorf("got %s, want %s", err, want)
			}
		})
	}
}
