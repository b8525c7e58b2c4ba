package manifest_test

import (
	"strings"
	"testing"
)

const lost = "a # after a blank begins a comment and is lost"

func TestParseFindsPathsThatAreComments(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, data, want string }{
		{"after a plain text", "env:\n  A: prod/db #p\n", `2 A: ` + lost + ` (write "prod/db#p", or put a blank after the # of a comment`},
		{"at the end of the file", "env:\n  A: prod/db #p", `2 A: ` + lost + ` (write "prod/db#p"`},
		{"before a Windows line break", "env:\r\n  A: prod/db #p\r\n", `2 A: ` + lost + ` (write "prod/db#p"`},
		{"after a tab", "env:\n  A: prod/db\t#p\n", `2 A: ` + lost + ` (write "prod/db#p"`},
		{"with more words", "env:\n  A: prod/db #(a == b).c\n", `2 A: ` + lost + ` (write "prod/db#(a == b).c"`},
		{"with two signs", "env:\n  A: prod/db ##.c\n", `2 A: ` + lost + ` (write "prod/db##.c"`},
		{"after a quote", "env:\n  A: \"prod/db\" #p\n", `2 A: ` + lost + ` (write "prod/db#p"`},
		{"inside a path", "env:\n  A: prod/db#[a, #(x).y]\n", `2 A: ` + lost + ` (write "prod/db#[a, #(x).y]"`},
		{"with double quotes in it", "env:\n  A: prod/db #(x==\"it's\")\n", `2 A: ` + lost + ` (write 'prod/db#(x=="it''s")'`},
		{"after the sign of a block", "env:\n  A: >-  #p\n    prod/db\n", `2 A: ` + lost + ` (write "prod/db#p"`},
		{"after the key of an indented text", "env:\n  A: #p\n    prod/db\n", `2 A: ` + lost + ` (write "prod/db#p"`},
		{"after an indented text", "env:\n  A:\n    prod/db #p\n", `2 A: ` + lost + ` (write "prod/db#p"`},
		{"after a text of two lines", "env:\n  A: x{{prod\n    /db #p\n", `2 A: ` + lost + ` (write "x{{prod /db#p"`},
		{"in a list", "env_from:\n  - a\n  - prod/db #p\n", `3 ` + lost + ` (write "prod/db#p"`},
		{"in brackets", "env_from: [a, #p\n  b]\n", `1 ` + lost + ` (write "a#p"`},
		{"in braces", "env: {A: a, #p\n  B: b #q\n  }\n", `1 A: ` + lost + ` (write "a#p"|2 B: ` + lost + ` (write "b#q"`},
		{"very long", "env:\n  A: a #" + strings.Repeat("p", 300) + "\n", `2 A: ` + lost + ` (quote the text, or put a blank`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			checkProblems(t, test.data, strings.Split(test.want, "|"))
		})
	}
}

// The YAML library attaches comments to whatever stands near. This puts each
// kind of line before and after a declaration, with and without a lost path.
func TestParseFindsLostPathsBetweenAnyLines(t *testing.T) {
	t.Parallel()
	neighbours := []string{
		"", "\n", "\n\n", "  # note\n", "  #B: out\n", "#B: out\n", "       #out\n", "\n  #out\n\n", "#out\n\n#out\n",
		"  C: y\n", "  C: y # note\n", "  #out\n  C: y\n", "  C:\n    y\n", "  C: |\n    #y\n", "  C: \"y\n    #z\"\n",
	}
	entries := []struct {
		text string
		lost bool
	}{
		{"  A: x\n", false},
		{"  A: x#p\n", false},
		{"  A: x # note\n", false},
		{"  A: x #\n", false},
		{"  A: x #\tnote\n", false},
		{"  A: \"x #p\"\n", false},
		{"  A: |\n    x #p\n", false},
		{"  A: | # note\n    x #p\n", false},
		{"  A:\n    # note\n    x\n", false},
		{"  A:\n    #out\n    x\n", false},
		{"  A: x #p\n", true},
		{"  A: 'x' #p\n", true},
		{"  A: | #p\n    x\n", true},
		{"  A:\n    x #p\n", true},
	}
	for _, entry := range entries {
		for _, before := range neighbours {
			for _, after := range append(neighbours, "files: #out\n  f: z\n", "env_from:\n#out\n- z\n#out\n") {
				after = strings.ReplaceAll(after, "C:", "D:")
				data := "env: #out\n" + before + entry.text + after
				_, problems := parse(data)
				found := len(problems) == 1 && problems[0].Variable == "A" && problems[0].Cause == lost
				if found != entry.lost || len(problems) > 1 || !found && len(problems) != 0 {
					t.Errorf("lost is %t, want %t in\n%s%q", found, entry.lost, data, reported(problems))
				}
			}
		}
	}
}
