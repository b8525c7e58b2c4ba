package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"secretwrap/internal/manifest"
)

func TestTheSameSecretsGoToTheSameFiles(t *testing.T) {
	const in = `SecretManagers:
- prefix: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"
  secrets:
    - secretname: prod/db-AbCdEf
      filename: db
    - secretname: api
- prefix: prod/
  secrets:
    - secretname: tls
      filename: 'say "hi".json'
SecretsHome: /tmp/elsewhere
`
	var out bytes.Buffer
	if err := run(strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "# SECRETWRAP_DIR=/tmp/secrets ") {
		t.Errorf("the paths change:\n%s", out.String())
	}
	parsed, problems := manifest.Parse("secretwrap.yaml", out.Bytes(), nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var files []string
	for _, entry := range parsed.Files {
		files = append(files, entry.Name+" = "+entry.Text)
	}
	want := []string{
		"db = arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf",
		"api = arn:aws:secretsmanager:eu-west-1:123456789012:secret:api",
		`say "hi".json = prod/tls`,
	}
	if !slices.Equal(files, want) {
		t.Errorf("declared %q, want %q", files, want)
	}
}

func TestTheDirectoryIsTheOneThatTheExtensionReads(t *testing.T) {
	var out bytes.Buffer
	const in = "secretshome: /tmp/s\nSecretsHome: /tmp/t\nSecretManagers: [{secrets: [{secretname: db}]}]\n"
	if err := run(strings.NewReader(in), &out); err != nil || !strings.HasPrefix(out.String(), "# SECRETWRAP_DIR=/tmp/s ") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestWhatCannotBeConvertedPrintsNothing(t *testing.T) {
	const group = "SecretManagers:\n- prefix: p/\n  secrets:\n"
	for in, want := range map[string]string{
		"":                         "no secret is below SecretManagers",
		"SecretManagers: []":       "no secret is below SecretManagers",
		"secretManagers: []":       "field secretManagers not found",
		"SecretManagers: {a: b}":   "cannot unmarshal",
		"\tSecretManagers":         "cannot start any token",
		group + "  - filename: db": `a secret below prefix "p/" has no secretname`,
		group + "  - secretname: db\n    filename: x\n  - secretname: x": `two secrets go to the file "x"`,
		group + "  - secretname: db\n    mode: 0400":                     "field mode not found",
		group + "  - secretname: db\n    filename: .hid":                 `file ".hid": the path begins with a dot; write a relative path`,
		group + "  - secretname: /abs/x":                                 `file "/abs/x": the path is absolute; write a relative path`,
		group + "  - secretname: a\n  - secretname: a/b":                 `the file "a/b" is in the way of "a"`,
		group + "  - secretname: a b":                                    `a b: the secret's name holds ' '; `,
		group + "  - secretname: $HOME":                                  `$HOME: the secret's name holds '$'; `,
		group + "  - secretname: db\nsecretshome: tmp":                   "write an absolute path",
	} {
		var out bytes.Buffer
		err := run(strings.NewReader(in), &out)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", in, err, want)
		}
		if out.Len() > 0 {
			t.Errorf("%q: printed %q", in, out.String())
		}
	}
}
