package envfile_test

import (
	"slices"
	"strings"
	"testing"

	"secretwrap/internal/envfile"
)

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, data string
		want       []string
	}{
		{"nothing", "", nil},
		{"blanks and comments", "\n  \n# A=1\n\t# B\n", nil},
		{"plain values", "A=1\nB = two words \nexport C=3\nexport\tD=4\n", []string{"A=1", "B=two words", "C=3", "D=4"}},
		{"a variable called export", "export=1", []string{"export=1"}},
		{"an empty value", "A=\nB=''\nC=\"\"\nD= # none\n", []string{"A=", "B=", "C=", "D="}},
		{"an equals sign in a value", "A=b=c", []string{"A=b=c"}},
		{"lines of Windows, and a byte order mark", "\uFEFFA=1\r\nB='2'\r\n", []string{"A=1", "B=2"}},
		{"comments behind values", "A=1 # one\nB='2' # two\nC=\"3\"\t#\n", []string{"A=1", "B=2", "C=3"}},
		{"a # inside a word", "A=secretsmanager://prod/db#password", []string{"A=secretsmanager://prod/db#password"}},
		{"single quotes", `A=' \n"x" #$B '`, []string{`A= \n"x" #$B `}},
		{"double quotes", `A="a\n\t\"\\\$b\x#'"`, []string{"A=a\n\t\"\\$b\\x#'"}},
		{"backticks", "A=`it's \"x\"`", []string{`A=it's "x"`}},
		{"several lines", "A='x\ny'\nB=\"1\n2\n\"\nC=3", []string{"A=x\ny", "B=1\n2\n", "C=3"}},
		{"blanks inside quotes at the end of a line", "A='abc  \ndef' \nB=\"x \n\"", []string{"A=abc  \ndef", "B=x \n"}},
		{"a blank that is none", "A=x\u00a0", []string{"A=x\u00a0"}},
		{"a quote inside a word", `A=it's`, []string{"A=it's"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, problems := envfile.Parse(".env", []byte(test.data))
			if len(problems) > 0 || !slices.Equal(got.Entries, test.want) {
				t.Errorf("got %q, %v, want %q", got.Entries, problems, test.want)
			}
		})
	}
}

func TestParseProblem(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, data, want string }{
		{"no equals sign", "A=1\nhunter2\n", ".env:2: the line sets nothing"},
		{"a name that is none", "hunter-2=x", ".env:1: what stands before = cannot be the name of a variable"},
		{"no name", "=hunter2", ".env:1: what stands before ="},
		{"a variable twice", "A=hunter2\nB=1\nA=3\n", ".env:3: A: is given twice, first in line 1"},
		{"an open quote", "B=1\nA='hunter2\n\n", ".env:2: A: a quote is not closed"},
		{"an escaped closing quote", `A="hunter2\"`, ".env:1: A: a quote is not closed"},
		{"a text behind a quote", "A='hunter2'x", ".env:1: A: a text follows the closing quote"},
		{"a path behind a quote", `A="secretsmanager://db"#password`, ".env:1: A: a text follows the closing quote"},
		{"a path behind a blank", "A=secretsmanager://db #password", ".env:1: A: a # after a blank begins a comment and is lost"},
		{"a NUL byte", "A='hunter\x002'", ".env:1: A: the value holds a NUL byte"},
		{"several", "x\nA='1' 2\ny", ".env:1: the line|.env:2: A: a text|.env:3: the line"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, problems := envfile.Parse(".env", []byte(test.data))
			wants := strings.Split(test.want, "|")
			if len(problems) != len(wants) {
				t.Fatalf("got %v", problems)
			}
			for i, p := range problems {
				if !strings.HasPrefix(p.Error(), wants[i]) || p.Hint == "" || strings.Contains(p.Error()+p.Hint, "hunter") {
					t.Errorf("got %v (%s), want %s", p, p.Hint, wants[i])
				}
			}
		})
	}
}

func TestAFileOfOneOpenQuote(t *testing.T) {
	t.Parallel()
	_, problems := envfile.Parse(".env", []byte("A='"+strings.Repeat("x\n", 128<<10)))
	if len(problems) != 1 || problems[0].Line != 1 {
		t.Errorf("got %v", problems)
	}
}

func TestReferencesThatOthersReadOtherwise(t *testing.T) {
	t.Parallel()
	tests := []struct{ data, want string }{
		{"A=secretsmanager://db", ""},
		{"A=secretsmanager://db?path=password", ""},
		{"A='secretsmanager://db?optional&stage=X#password'", ""},
		{`A="secretsmanager://db?optional&stage=X#password"`, ""},
		{"A=p#ss # no reference", ""},
		{"A=secretsmanager://db#password", `.env:1: A: other readers of .env files take "#" in a value without quotes`},
		{"\nA=secretsmanager://db?optional&stage=X", `.env:2: A: other readers of .env files take "&" in a value without quotes`},
		{"A=x {{secretsmanager://db}}", `take " " in a value without quotes`},
		{`A="secretsmanager://$STAGE/db"`, `take "$" in double quotes`},
		{"A=`secretsmanager://db`", "take backticks for"},
	}
	for _, test := range tests {
		got, problems := envfile.Parse(".env", []byte(test.data))
		text := strings.Join(got.Warnings, "|")
		if len(problems) > 0 || !strings.Contains(text, test.want) || (text == "") != (test.want == "") {
			t.Errorf("%s: got %q, %v", test.data, text, problems)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"A=1\n", "export A='x\ny' # z\n", "A=\"\\\"", "=\n#\nA=`", "A=secretsmanager://db #x"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, problems := envfile.Parse("f", data)
		lines := strings.Count(string(data), "\n") + 1
		for _, p := range problems {
			if p.Line < 1 || p.Line > lines || p.Cause == "" || p.Hint == "" {
				t.Errorf("problem %+v in a file of %d lines", *p, lines)
			}
		}
		for _, entry := range file.Entries {
			name, value, _ := strings.Cut(entry, "=")
			again, problems := envfile.Parse("f", []byte(name+"='"+value+"'"))
			if !strings.ContainsAny(value, "'\r") && (len(problems) > 0 || !slices.Equal(again.Entries, []string{entry})) {
				t.Errorf("%q read again is %q, %v", entry, again.Entries, problems)
			}
		}
	})
}
