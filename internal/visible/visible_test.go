package visible_test

import (
	"encoding/json"
	"testing"

	"secretwrap/internal/visible"
)

func TestLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain":                "plain",
		"ä 😀":                  "ä 😀",
		"a\nb\r\t\x1b[31m\x00": `a\x0ab\x0d\x09\x1b[31m\x00`,
		"\u202eabc\u2066":      `\u202eabc\u2066`,
		"\xff":                 "\ufffd",
	} {
		if got := visible.Line(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	const text = "a\u009b\u202e\u007fä😀\U000e0001\n\u2028"
	encoded, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	got := string(visible.JSON(append(encoded, '\n')))
	if want := "\"a\\u009b\\u202e\\u007fä😀\\udb40\\udc01\\n\\u2028\"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var again string
	if err := json.Unmarshal([]byte(got), &again); err != nil || again != text {
		t.Errorf("reads as %q, %v", again, err)
	}
}
