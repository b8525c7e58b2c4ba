package manifest_test

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"testing"

	"secretwrap/internal/manifest"
	"secretwrap/internal/problem"
)

// A value that no input holds by chance, and that a reference may hold or not.
const (
	goodValue = "zqSENTINELqz"
	badValue  = goodValue + ":"
)

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"",
		"\uFEFFenv:\r\n  A: ${X}/db#p\r\n",
		"env: {A: 'x${b}', <<: {B: &a y}, C: *a}\nenv_from: [x, #y\n z]\n---\n",
		"files:\n  a/b: |\n    x\n  c: !t d #e\n#f\n",
		"env_from:\n - - ? {{x}}: \"\\u0000\"\n...\n%YAML 1.1\n",
		"env:\n\tA: @\n",
		"env:\n  A:",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.Contains(data, []byte(goodValue)) {
			t.Skip("the input names the value itself")
		}
		got, problems := manifest.Parse("m", data, func(name string) (string, bool) {
			if strings.HasPrefix(name, "b") {
				return badValue, true
			}
			return goodValue, name != "unset"
		})
		checkFuzzedProblems(t, problems, bytes.Count(data, []byte("\n"))+1)
		for _, section := range [][]manifest.Entry{got.Env, got.EnvFrom, got.Files} {
			if !slices.IsSortedFunc(section, func(a, b manifest.Entry) int { return cmp.Compare(a.Line, b.Line) }) {
				t.Errorf("not in the order of the file: %+v", section)
			}
			for _, entry := range section {
				if strings.TrimSpace(entry.Text) == "" || strings.Contains(entry.Text, badValue) {
					t.Errorf("entry %+v", entry)
				}
			}
		}
		if len(problems)+len(got.Env)+len(got.EnvFrom)+len(got.Files) == 0 {
			t.Error("neither a declaration nor a problem")
		}
	})
}

func checkFuzzedProblems(t *testing.T, problems problem.List, lines int) {
	t.Helper()
	for _, p := range problems {
		if p.Line < 1 || p.Line > lines {
			t.Errorf("line %d of %d: %v", p.Line, lines, p)
		}
		if strings.Contains(p.Error()+p.Hint, goodValue) {
			t.Errorf("the value of a variable is shown: %v (%s)", p, p.Hint)
		}
		if p.Cause == "" || p.Hint == "" || p.Class != problem.Config {
			t.Errorf("incomplete: %+v", *p)
		}
	}
}
