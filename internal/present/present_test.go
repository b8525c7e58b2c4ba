package present_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"secretwrap/internal/inspect"
	"secretwrap/internal/present"
	"secretwrap/internal/problem"
)

// sample is an inspection with something of everything.
func sample() inspect.Inspection {
	return inspect.Inspection{
		Items: []inspect.Item{
			{
				Variable: "URL", Size: 20, Outcome: inspect.Delivered,
				References: []inspect.Reference{
					{Secret: "prod/db", Stage: "AWSCURRENT", Version: "0123456789", Path: "user\x1b[31m", Kind: "string", Size: 3},
					{Secret: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x-AbCdE1", Region: "eu-west-1", Stage: "AWSCURRENT", Size: inspect.Unknown},
				},
			},
			{File: "tls/key", Mode: 0o400, Size: inspect.Unknown, Outcome: inspect.Failed, Reason: "access denied", References: []inspect.Reference{{Secret: "prod/tls", Size: inspect.Unknown}}},
		},
		Problems: problem.List{{Class: problem.Denied, Variable: "tls/key", Secret: "prod/tls", Cause: "access denied", Hint: "allow\nit"}},
		Warnings: []inspect.Warning{{Label: "URL", Text: "odd"}, {Text: "odder"}},
		Notes:    []string{"noted"},
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestWhatCannotBePrintedIsAnError(t *testing.T) {
	t.Parallel()
	if present.Text(full{}, sample(), "/dir", true, present.Style{}) == nil || present.JSON(full{}, sample(), "/dir", true) == nil {
		t.Error("no error")
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	const table = `VARIABLE  SECRET      STAGE       VERSION   PATH          TYPE    BYTES  DELIVERED TO
URL       prod/db     AWSCURRENT  01234567  user\x1b[31m  string      3  variable
          …:x-AbCdE1  AWSCURRENT
(file)    prod/tls                                                       no file tls/key: access denied

`
	const stacked = `URL: variable
  prod/db#user\x1b[31m AWSCURRENT 01234567: string, 3 bytes
  …:x-AbCdE1 AWSCURRENT
(file): no file tls/key: access denied
  prod/tls

`
	const rest = `note: noted
warning: URL: odd
warning: odder
error: tls/key: secret "prod/tls": access denied
hint: allow
hint: it
failed: 1 problem, 2 warnings
`
	tests := []struct {
		name  string
		style present.Style
		want  string
	}{
		{"no terminal", present.Style{}, table + rest},
		{"a wide terminal", present.Style{Width: 103}, table + rest},
		{"a narrow terminal", present.Style{Width: 102}, stacked + rest},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			if err := present.Text(&out, sample(), "/dir", true, test.style); err != nil || out.String() != test.want {
				t.Errorf("got %v:\n%s", err, out.String())
			}
		})
	}
}

func TestColors(t *testing.T) {
	t.Parallel()
	var colored, plain strings.Builder
	must(t, present.Text(&colored, sample(), "/dir", true, present.Style{Color: true}))
	must(t, present.Text(&plain, sample(), "/dir", true, present.Style{}))
	for _, want := range []string{"\x1b[1mVARIABLE\x1b[0m", "\x1b[31mno file tls/key: access denied\x1b[0m\n", "\x1b[33mwarning:\x1b[0m URL", "\x1b[31merror:\x1b[0m", "\x1b[31mfailed:\x1b[0m"} {
		if !strings.Contains(colored.String(), want) {
			t.Errorf("no %q in %q", want, colored.String())
		}
	}
	stripped := colored.String()
	for _, code := range []string{"\x1b[0m", "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m"} {
		stripped = strings.ReplaceAll(stripped, code, "")
	}
	if stripped != plain.String() {
		t.Errorf("the colors change the text: %q", stripped)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	must(t, present.JSON(&out, sample(), "/dir", true))
	var got struct {
		OK       bool
		Items    []map[string]any
		Problems []map[string]any
	}
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatal(err)
	}
	if got.OK || len(got.Items) != 2 || got.Items[1]["mode"] != "0400" || got.Items[1]["bytes"] != nil || got.Problems[0]["errorType"] != "Runtime.SecretAccessDenied" {
		t.Errorf("got %s", out.String())
	}
	out.Reset()
	must(t, present.JSON(&out, inspect.Inspection{}, "", false))
	if want := "{\n  \"ok\": true,\n  \"asked\": false,\n  \"items\": [],\n  \"problems\": [],\n  \"warnings\": []\n}\n"; out.String() != want {
		t.Errorf("got %s", out.String())
	}
}

func TestALongFieldPushesNoColumnOutOfSight(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("A", 60_000)
	result := inspect.Inspection{Items: []inspect.Item{
		{Variable: "URL", Outcome: inspect.Failed, Reason: "access denied", Size: inspect.Unknown, References: []inspect.Reference{{Secret: "prod/db", Size: inspect.Unknown}}},
		{Variable: long, File: long, Moved: true, Explodes: true, Outcome: inspect.Delivered, References: []inspect.Reference{{Secret: "s", Path: long}}},
	}}
	var out strings.Builder
	must(t, present.Text(&out, result, "/dir", true, present.Style{}))
	for line := range strings.Lines(out.String()) {
		if len(line) > 400 {
			t.Errorf("a line has %d bytes", len(line))
		}
	}
	if !strings.Contains(out.String(), "nowhere: access denied") || !strings.Contains(out.String(), strings.Repeat("A", 80)+"…") {
		t.Errorf("printed %.400q", out.String())
	}
}
