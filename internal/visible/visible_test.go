package visible_test

import (
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
