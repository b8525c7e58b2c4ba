package manifest_test

import (
	"strings"
	"testing"
)

func TestParseProblem(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, data, want string }{
		{"an empty file", "", `1 file declares nothing (DB_PASSWORD: "prod/db#password"`},
		{"only comments", "# nothing\n#here\n", "1 file declares nothing (env:\n"},
		{"only an empty document", "---\n", "1 file declares nothing"},
		{"only sections without entries", "env:\nenv_from: []\n", "1 file declares nothing"},
		{"a list", "\n- a\n", "2 file is a list, want a map (env, env_from and files"},
		{"a text", "prod/db", "1 file is a text, want a map"},
		{"a tag on the whole", "!secret\nenv: {A: x}\n", "1 file has a tag"},
		{"an anchor on the whole", "&a\nenv: {A: x}\n", "1 file has an anchor"},

		{"an unknown key", "env: {A: x}\nsecrets: 1\n", `2 key "secrets" is unknown (the keys are env, env_from and files`},
		{"a key in another case", "Env: {A: x}\n", `1 key "Env" is unknown (did you mean env?`},
		{"a misspelt key", "env-from: [x]\n", `1 key "env-from" is unknown (did you mean env_from?`},
		{"a very long key", strings.Repeat("ä", 120) + ": x", `1 key "` + strings.Repeat("ä", 100) + `…" is unknown`},
		{"a key that is a map", "env:\n  {{x}}: y\n", "2 a key is a map"},
		{"a key that is a list", "? [a]\n: b\n", "1 a key is a list"},
		{"a key with an anchor", "&a env: {A: x}\n", "1 a key has an anchor"},
		{"a key with a tag", "env: {!a A: x}\n", "1 a key has a tag"},
		{"a key that is an alias", "env: {A: &a x, *a : y}\n", "1 A: has an anchor|1 a key is an alias"},
		{"an empty key", "env: {A: x, '': y}\n", "1 a key is empty (NAME:"},
		{"a control character in a key", `env: {"A\0\n\e": x}`, `1 key "A\x00\n\x1b" holds a character that cannot be printed`},
		{"an invisible character in a key", `env: {"A\u202e": x}`, `1 key "A\u202e" holds a character that cannot be printed`},
		{"a merge key", "env:\n  A: x\n  <<: {B: y}\n", "3 merge keys (<<) are not supported (write every entry"},
		{"a merge key on top", "<<: {B: y}\n", "1 merge keys (<<) are not supported"},

		{"env as a list", "env:\n  - A: x\n", `1 key "env" is a list (want a map`},
		{"env as a text", "env: prod/db\n", `1 key "env" is a text (want a map`},
		{"files as a number", "files: 1\n", `1 key "files" is a number (want a map`},
		{"env_from as a text", "env_from: prod/app\n", `1 key "env_from" is a text (- "prod/app"`},
		{"env_from as a map", "env_from: {A: x}\n", `1 key "env_from" is a map (want a list`},
		{"an anchor on a section", "env: &a {A: x}\n", `1 key "env" has an anchor`},
		{"an alias for a section", "env: &a {A: x}\nfiles: *a\n", `1 key "env" has an anchor|2 key "files" is an alias`},

		{"a map in braces", "env:\n  A: {{prod/db#url}}\n", `2 A: is a map, want a text ("{{prod/db#password}}"`},
		{"a JSON template", `env: {A: {"p":"{{x}}"}}`, "1 A: is a map, want a text (quote"},
		{"an indented map", "env:\n  A:\n    B: x\n", "2 A: is a map, want a text (one reference"},
		{"a list in brackets", "env:\n  A: [x]\n", "2 A: is a list, want a text (quote"},
		{"an indented list", "env:\n  A:\n    - x\n", "2 A: is a list, want a text (one reference"},
		{"a number", "env: {A: 0x1F}", "1 A: is a number, want a text (quote"},
		{"a fraction", "env: {A: 1e3}", "1 A: is a number, want a text"},
		{"a truth", "env: {A: true}", "1 A: is true or false, want a text"},
		{"null", "env: {A: null}", "1 A: is null, want a text"},
		{"nothing", "env:\n  A:\n  B: x\n", "2 A: has no text"},
		{"nothing but a comment", "env:\n  A: #password\n", "2 A: has no text (begins with #"},
		{"blanks", "files: {a/b: '  '}", "1 a/b: has no text"},
		{"an empty block", "env:\n  A: |\n\n\n", "2 A: has no text"},
		{"an empty item", "env_from:\n  - a\n  -\n", "3 has no text"},
		{"a tag", "env: {A: !secret x}", "1 A: has a tag (begins with !"},
		{"a tag of YAML", "env: {A: !!str x}", "1 A: has a tag"},
		{"an anchor", "env: {A: &a x}", "1 A: has an anchor (begins with &"},
		{"an alias", "env: {A: &a x, B: *a}", "1 A: has an anchor|1 B: is an alias (begins with *"},
		{"a list that holds itself", "env: &a [*a]", `1 key "env" has an anchor`},

		{"a variable that is not set", "env: {A: '${NOPE}'}", `1 A: variable "NOPE" is not set (set it`},
		{"an empty variable", "env_from:\n - a\n - '${EMPTY}'", `3 variable "EMPTY" is empty (set it`},
		{"a variable with a colon", "env: {A: '${COLON}'}", `1 A: variable "COLON" holds a character that no secret's name may hold (letters`},
		{"a variable with a blank", "env: {A: '${BLANK}'}", `1 A: variable "BLANK" holds a character that no secret's name may hold`},
		{"a variable with a line break", "env: {A: '${NEWLINE}'}", `1 A: variable "NEWLINE" holds a character that no secret's name may hold`},
		{"a variable with a path", "env: {A: '${HASH}'}", `1 A: variable "HASH" holds a character that no secret's name may hold`},
		{"a variable with braces", "env: {A: '${BRACES}'}", `1 A: variable "BRACES" holds a character that no secret's name may hold`},
		{"a variable with other letters", "env: {A: '${UMLAUT}'}", `1 A: variable "UMLAUT" holds a character that no secret's name may hold`},
		{"a variable with a secret key", "env: {A: '${AWS_SECRET_ACCESS_KEY}'}", `1 A: variable "AWS_SECRET_ACCESS_KEY" holds credentials (logs`},
		{"a variable with a session token", "files: {a: 'db#${AWS_SESSION_TOKEN}'}", `1 a: variable "AWS_SESSION_TOKEN" holds credentials (logs`},
		{"a variable that names another", "env: {A: '${NESTED}'}", `1 A: variable "NESTED" holds a character that no secret's name may hold`},
		{"one bad variable twice", "env: {A: '${NOPE}${NOPE}'}", `1 A: variable "NOPE" is not set`},
		{"two bad variables", "env: {A: '${NOPE}${EMPTY}'}", `1 A: variable "NOPE" is not set|1 A: variable "EMPTY" is empty`},
		{"an open brace", "env: {A: 'x${STAGE'}", `1 A: ${ is not closed ($\{`},
		{"a variable without a name", "env: {A: '${}'}", `1 A: ${…} holds "", which is not the name of a variable`},
		{"a variable's name with a digit in front", "env: {A: '${1A}'}", `1 A: ${…} holds "1A", which is not the name of a variable`},
		{"a default as in a shell", "env: {A: '${STAGE:-x}'}", `1 A: ${…} holds "STAGE:-x", which is not the name of a variable`},
		{"a variable inside another", "env: {A: '${A${B}}'}", `1 A: ${…} holds "A${B", which is not the name of a variable`},

		{"a second document", "env: {A: x}\n---\nenv: {B: y}\n", "2 a second document begins"},
		{"a second document after an end", "env: {A: x}\n...\nenv: {B: y}\n", "3 a second document begins"},
		{"UTF-16", "\xff\xfee\x00n\x00v\x00", "1 file is UTF-16 (UTF-8"},
		{"UTF-16 in the other order", "\xfe\xff\x00e\x00n\x00v", "1 file is UTF-16"},
		{"UTF-16 without a mark", "e\x00n\x00v\x00", "1 holds the character U+0000"},
		{"Latin-1", "env:\n  A: caf\xe9\n", "2 file is not valid UTF-8"},
		{"a NUL", "env:\n  A: x\n  B: \x00\n", "3 holds the character U+0000"},
		{"an escape character in a comment", "env: {A: x} # \x1b[0m\n", "1 holds the character U+001B"},
		{"a line separator", "env:\n  A: x\u2028  B: y\n", "2 holds the character U+2028"},
		{"a next-line character", "env:\n  A: x\u0085  B: y\n", "2 holds the character U+0085"},
		{"a byte order mark inside", "env:\n  A: \uFEFFx\n", "2 holds the character U+FEFF"},
		{"line breaks of an old Mac", "env:\r  A: x\r", "1 holds the character U+000D"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			checkProblems(t, test.data, strings.Split(test.want, "|"))
		})
	}
}

func TestParseSyntaxError(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, data, want string }{
		{"a colon before a blank", "env:\n  A: x\n  B: x?default=a: b\n", "3 a colon stands where none may (quote"},
		{"a colon at the end", "env:\n  A: x\n  B: arn:x::\n", "3 a colon stands where none may (quote"},
		{"a line too far in", "env:\n  A: x\n   B: y\n", "3 a colon stands where none may (same column"},
		{"a line too far out", "env:\n  A: x\n B: y\n  C: z\n", "3 does not fit what stands above (same column"},
		{"text after braces", "env:\n  A: x\n  B: {{x}}:{{y}}\n  C: z\n", `3 does not fit what stands above ("{{prod/db#password}}"`},
		{"text after braces in a list", "env_from:\n  - a\n  - {{x}}:{{y}}\n", "3 does not fit the list above (quote"},
		{"text after a quote", "env:\n  A: x\n  B: \"x\"y\n", "3 does not fit what stands above"},
		{"a quote closed by the next one", "env:\n  A: \"x\n  B: \"y\"\n", "3 does not fit what stands above (close every quote"},
		{"a list after a map", "env:\n  A: x\n  - y\n", "3 does not fit what stands above"},
		{"a comment in braces", "env:\n  A: {{x #y}}\n  C: x\n", "2 a bracket or brace is not closed (quote"},
		{"an open bracket", "env:\n  A: [x\n", "2 a bracket or brace is not closed"},
		{"braces inside braces", "env: {A: {{x}}{{y}}}\n", "1 a bracket or brace is not closed"},
		{"a missing colon", "env:\n  A: x\n  B x\n  C: x\n", "3 a colon is missing after a key (NAME:"},
		{"a tab at the start", "env:\n\tA: x\n", "2 a tab stands where only blanks may (blanks"},
		{"a tab in a later line", "env:\n  A: x\n\tB: x\n", "3 a tab stands where only blanks may"},
		{"a tab after blanks", "env:\n  A: |\n  \tx\n   y\n", "3 a tab stands where only blanks may"},
		{"an at sign", "env:\n  A: @x\n", "2 a text begins with a character that YAML keeps for itself (quote"},
		{"a percent sign", "env:\n  A: %x\n", "2 a text begins with a character that YAML keeps for itself"},
		{"a closing brace", "env: {A: x}\nfiles: }\n", "2 a text begins with a character that YAML keeps for itself"},
		{"a backslash", "env:\n  A: \"a\\.b\"\n  D: z\n", "2 a backslash in double quotes begins an escape that YAML does not know (single quotes"},
		{"half an escape", "env:\n  A: \"\\xzz\"\n", "2 a backslash in double quotes begins an escape that YAML does not know"},
		{"half a character", "env:\n  A: \"\\ud800\"\n", "2 a backslash in double quotes begins an escape that YAML does not know"},
		{"an open quote", "env:\n  A: 'x\n  B: y\n", "2 a quote is not closed (close it"},
		{"a dash", "env:\n  A: - x\n", "2 a dash begins a list where none may stand (quote"},
		{"an alias of nothing", "env:\n  A: *.x\n", "2 holds an anchor or alias without a name (*"},
		{"an alias of an unknown anchor", "env:\n  A: x\n  B: *password\n", "3 holds an alias (*"},
		{"an ampersand", "env:\n  A: & x\n", "2 holds an anchor or alias without a name (&"},
		{"an unknown kind of tag", "env:\n  A: !a!b c\n", "2 is not valid YAML (quotes"},
		{"an unknown directive", "%SECRET\n---\nenv: {A: x}\n", "1 is not valid YAML (quotes"},
		{"deep brackets", strings.Repeat("[\n", 20_000), "10001 is nested too deeply"},
		{"deep maps", "a:\n  " + strings.Repeat("? ", 20_000), "2 is nested too deeply"},
		{"in the second document", "env: {A: x}\n---\n]\n", "3 a text begins with a character that YAML keeps for itself"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			checkProblems(t, test.data, []string{test.want})
		})
	}
}
