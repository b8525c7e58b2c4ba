package suggest_test

import (
	"strings"
	"testing"

	"secretwrap/internal/suggest"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	keys := []string{"env", "env_from", "files"}
	tests := []struct {
		name  string
		word  string
		known []string
		want  string
	}{
		{"the word itself", "files", keys, "files"},
		{"another case", "ENV_From", keys, "env_from"},
		{"a letter missing", "file", keys, "files"},
		{"a letter too many", "enve", keys, "env"},
		{"a wrong letter", "env-from", keys, "env_from"},
		{"two neighbours swapped are one slip", "evn", keys, "env"},
		{"two slips in a long word", "envfom", keys, "env_from"},
		{"two slips in a word of four letters are too many", "evnx", keys, ""},
		{"three slips are too many", "environ", keys, ""},
		{"one slip in a word of one letter is all of it", "a", []string{"b"}, ""},
		{"one slip in a word of two letters", "ab", []string{"ac"}, "ac"},
		{"letters of more than a byte count as one", "clé", []string{"cle"}, "cle"},
		{"the nearest of several", "stagd", []string{"stack", "stage"}, "stage"},
		{"the first of equally near ones", "stags", []string{"stage", "stagy"}, "stage"},
		{"nothing resembles an empty word", "", []string{"a"}, ""},
		{"an empty known word resembles nothing", "a", []string{""}, ""},
		{"nothing is known", "env", nil, ""},
		{"a word as long as a file", strings.Repeat("env", 100_000), keys, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, found := suggest.Nearest(test.word, test.known)
			if got != test.want || found != (test.want != "") {
				t.Errorf("got %q, %t, want %q", got, found, test.want)
			}
		})
	}
}
