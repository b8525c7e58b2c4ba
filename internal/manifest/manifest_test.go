package manifest_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"secretwrap/internal/manifest"
	"secretwrap/internal/problem"
)

// configured stands for the function's configuration.
func configured(name string) (string, bool) {
	value, set := map[string]string{
		"STAGE":                 "prod",
		"_a1":                   "A-Za/z0_+=.@!",
		"EMPTY":                 "",
		"BRACES":                "{{leaked",
		"COLON":                 "leaked:x",
		"BLANK":                 "leaked x",
		"NEWLINE":               "leaked\n",
		"HASH":                  "leaked#x",
		"UMLAUT":                "leakedä",
		"AWS_SESSION_TOKEN":     "leaked/token==",
		"AWS_SECRET_ACCESS_KEY": "leaked+key",
		"NESTED":                "${STAGE}leaked",
	}[name]
	return value, set
}

func parse(data string) (manifest.Manifest, problem.List) {
	return manifest.Parse("secretwrap.yaml", []byte(data), configured)
}

func lines(lines ...string) string { return strings.Join(lines, "\n") + "\n" }

func TestParseReturnsEveryDeclarationInOrder(t *testing.T) {
	t.Parallel()
	got, problems := parse(lines(
		`# the secrets of the shop`,
		`env:`,
		`  DB_PASSWORD: "${STAGE}/db#password"`,
		`  DATABASE_URL: "postgres://{{${STAGE}/db#username}}@{{${STAGE}/db#host}}/app"`,
		``,
		`env_from:`,
		`  - ${STAGE}/app  # every field`,
		`  - shared?prefix=SHARED_&upper`,
		`files:`,
		`  tls/client.pem:`,
		`    ${STAGE}/tls#certificate`,
		`  tls/client.key: '${STAGE}/tls?mode=0400#private_key'`,
	))
	if len(problems) != 0 {
		t.Fatalf("problems: %v", problems)
	}
	want := manifest.Manifest{
		Source: "secretwrap.yaml",
		Env: []manifest.Entry{
			{"DB_PASSWORD", "prod/db#password", 3},
			{"DATABASE_URL", "postgres://{{prod/db#username}}@{{prod/db#host}}/app", 4},
		},
		EnvFrom: []manifest.Entry{{"", "prod/app", 7}, {"", "shared?prefix=SHARED_&upper", 8}},
		Files: []manifest.Entry{
			{"tls/client.pem", "prod/tls#certificate", 10},
			{"tls/client.key", "prod/tls?mode=0400#private_key", 12},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParseTellsWhetherVariablesHaveProblems(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]bool{
		"env:\n  A: ${UNSET}/db#p\n":                    true,
		"env: wrong\n":                                  true,
		"env_from:\n  - {}\n":                           true,
		"env:\n  A: prod/db#p\nfiles:\n  f: ${UNSET}\n": false,
		"env:\nfiles:\n  f: prod/tls#p\n":               false,
		"env: [\n":                                      false,
	} {
		if m, _ := parse(data); m.BadVariables != want {
			t.Errorf("%q: BadVariables = %t", data, m.BadVariables)
		}
	}
}

func TestParseText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		// value stands after "A:" in the second line.
		value string
		want  string
	}{
		{"plain", " prod/db#p", "prod/db#p"},
		{"in double quotes, with an escape", ` "prod/db#a\u0062"`, "prod/db#ab"},
		{"in single quotes, with a backslash", ` 'prod/db#a\.b'`, `prod/db#a\.b`},
		{"quotes keep blanks", `  " x{{prod/db}} "`, " x{{prod/db}} "},
		{"braces in the middle", " x{{prod/db#p}}", "x{{prod/db#p}}"},
		{"a folded block loses the line breaks at its end", " >\n    a\n    b\n\n", "a b"},
		{"a literal block keeps those inside", " |+\n    a\n\n    b\n\n\n", "a\n\nb"},
		{"Windows line breaks", " |\r\n    a\r\n    b\r\n", "a\nb"},
		{"a date is a name", " 2026-11-22", "2026-11-22"},
		{"a number in quotes is a name", ` "123456"`, "123456"},
		{"yes is a name", " yes", "yes"},
		{"a variable", " ${STAGE}/db", "prod/db"},
		{"several variables", " ${STAGE}/${STAGE}${_a1}/db", "prod/prodA-Za/z0_+=.@!/db"},
		{"a variable in a block", " >-\n    x ${STAGE}\n", "x prod"},
		{"a dollar stands for itself", " $STAGE/$$db$", "$STAGE/$$db$"},
		{"a dollar before a variable", " $${STAGE}", "$prod"},
		{"an escaped brace is no variable", ` '{{prod/db#$\{STAGE}}}'`, `{{prod/db#$\{STAGE}}}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, problems := parse("env:\n  A:" + test.value + "\n")
			if len(problems) != 0 {
				t.Fatalf("problems: %v", problems)
			}
			want := []manifest.Entry{{"A", test.want, 2}}
			if !reflect.DeepEqual(got.Env, want) {
				t.Errorf("got %+v, want %+v", got.Env, want)
			}
		})
	}
}

func TestParseAccepts(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, data string }{
		{"a byte order mark", "\uFEFFenv: {A: x}"},
		{"Windows line breaks", "env:\r\n  A: x # note\r\n"},
		{"a document start and end", "---\nenv: {A: x}\n...\n"},
		{"a version of YAML", "%YAML 1.1\n---\nenv: {A: x}\n"},
		{"JSON", `{"env": {"A": "x"}}`},
		{"sections without entries", "env: {A: x}\nenv_from:\nfiles: {}\n"},
		{"names that are no variables, which others judge", "env: {A: x, 1: y, a b: z, ~: w}\n"},
		{"braces in a key", "env: {A: x}\nfiles:\n  \"${NOT}\": z\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, problems := parse(test.data)
			if len(problems) != 0 {
				t.Errorf("problems: %v", problems)
			}
			if len(got.Env) == 0 || got.Env[0].Name != "A" || got.Env[0].Text != "x" {
				t.Errorf("env is %+v", got.Env)
			}
		})
	}
}

// reported returns problems as "line variable: cause (hint)".
func reported(problems problem.List) []string {
	var all []string
	for _, p := range problems {
		name := p.Variable
		if name != "" {
			name += ": "
		}
		all = append(all, fmt.Sprintf("%d %s%s (%s)", p.Line, name, p.Cause, p.Hint))
	}
	return all
}

// checkProblems compares problems with their beginnings: all of them up to the
// hint, and of the hint what wanted says.
func checkProblems(t *testing.T, data string, wanted []string) {
	t.Helper()
	_, problems := parse(data)
	got := reported(problems)
	for i, p := range problems {
		if p.Class != problem.Config || p.Source != "secretwrap.yaml" || p.Hint == "" {
			t.Errorf("problem %d: %+v", i, *p)
		}
	}
	if len(got) != len(wanted) {
		t.Fatalf("got  %q\nwant %q", got, wanted)
	}
	for i := range got {
		cause, hint, _ := strings.Cut(wanted[i], " (")
		if !strings.HasPrefix(got[i], cause+" (") || !strings.Contains(got[i], hint) {
			t.Errorf("got  %q\nwant %q", got[i], wanted[i])
		}
	}
}

func TestParseReportsAllProblemsInOrder(t *testing.T) {
	t.Parallel()
	checkProblems(t, lines(
		`envs:`,
		`  X: y`,
		`env:`,
		`  A: 1`,
		`  B: prod/db #password`,
		`  A: "${NOPE}"`,
		`  C: fine`,
		`files: [a]`,
		`env: {D: &x y, E: "${EMPTY}${NOPE}${NOPE}"}`,
		`env_from: [{a: b}, "", c]`,
		`---`,
	), []string{
		`1 key "envs" is unknown (did you mean env?`,
		`4 A: is a number, want a text (quote`,
		`5 B: a # after a blank begins a comment and is lost (write "prod/db#password", or put a blank`,
		`6 A: is given twice, first in line 4 (keep`,
		`6 A: variable "NOPE" is not set (set it`,
		`8 key "files" is a list (want a map`,
		`9 key "env" is given twice, first in line 3 (keep`,
		`9 D: has an anchor (quote`,
		`9 E: variable "EMPTY" is empty (set it`,
		`9 E: variable "NOPE" is not set (set it`,
		`10 is a map, want a text (quote`,
		`10 has no text (write`,
		`11 a second document begins (remove`,
	})
}

func TestParseKeepsEntriesWithoutProblems(t *testing.T) {
	t.Parallel()
	got, problems := parse("env: {A: 1, B: b, C: '', B: c}\nenv_from: [~, d]\n")
	if len(problems) != 4 {
		t.Errorf("problems: %v", problems)
	}
	if want := []manifest.Entry{{"B", "b", 1}}; !reflect.DeepEqual(got.Env, want) {
		t.Errorf("env is %+v, want %+v", got.Env, want)
	}
	if want := []manifest.Entry{{"", "d", 2}}; !reflect.DeepEqual(got.EnvFrom, want) {
		t.Errorf("env_from is %+v, want %+v", got.EnvFrom, want)
	}
}
