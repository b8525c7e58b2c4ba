package report_test

import (
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"secretwrap/internal/problem"
	"secretwrap/internal/report"
)

// noon is a time in a zone of its own, to be written in UTC.
func noon() time.Time {
	return time.Date(2026, 3, 1, 13, 0, 0, int(42*time.Millisecond), time.FixedZone("", 3600))
}

var denied = problem.Problem{
	Class: problem.Denied, Variable: "DB_PASSWORD", Secret: "prod/db", Path: "password", Cause: "access denied", Hint: "allow secretsmanager:GetSecretValue",
}

func TestProblemsAsText(t *testing.T) {
	tests := map[string]struct {
		lambda bool
		list   problem.List
		want   string
	}{
		"on the command line": {false, problem.List{&denied},
			"secretwrap: error: DB_PASSWORD: secret \"prod/db\": path \"password\": access denied [Runtime.SecretAccessDenied]\n" +
				"secretwrap: hint: allow secretsmanager:GetSecretValue\n"},
		"in Lambda": {true, problem.List{&denied},
			"[secretwrap] error: DB_PASSWORD: secret \"prod/db\": path \"password\": access denied [Runtime.SecretAccessDenied]\n" +
				"[secretwrap] hint: allow secretsmanager:GetSecretValue\n"},
		"without a hint": {true, problem.List{{Class: problem.Config, Variable: "A", Cause: "wrong"}},
			"[secretwrap] error: A: wrong [Runtime.SecretConfigInvalid]\n"},
		"a place in a file": {true, problem.List{{Class: problem.Config, Source: "m.yaml", Line: 3, Variable: "A", Cause: "wrong"}},
			"[secretwrap] error: m.yaml:3: A: wrong [Runtime.SecretConfigInvalid]\n"},
		"several, in their order": {true, problem.List{{Class: problem.Timeout, Cause: "b"}, {Class: problem.Config, Cause: "a"}},
			"[secretwrap] error: b [Runtime.SecretTimeout]\n[secretwrap] error: a [Runtime.SecretConfigInvalid]\n"},
		"a hint of several lines": {true, problem.List{{Class: problem.Config, Cause: "empty", Hint: "for example:\nenv:\n  A: \"x\""}},
			"[secretwrap] error: empty [Runtime.SecretConfigInvalid]\n[secretwrap] hint: for example:\n[secretwrap] hint: env:\n[secretwrap] hint:   A: \"x\"\n"},
		"nothing": {true, nil, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			(&report.Reporter{Out: &out, Lambda: test.lambda, Least: report.Error}).Problems(test.list)
			if out.String() != test.want {
				t.Errorf("wrote\n%swant\n%s", out.String(), test.want)
			}
		})
	}
}

func TestProblemsAsJSON(t *testing.T) {
	var out strings.Builder
	r := &report.Reporter{Out: &out, JSON: true, Least: report.Error, Lambda: true, Now: noon}
	r.Problems(problem.List{&denied, {Class: problem.Unavailable, Cause: "down", Hint: "a\nb"}})
	want := `{"timestamp":"2026-03-01T12:00:00.042Z","level":"ERROR","code":"Runtime.SecretAccessDenied",` +
		`"message":"DB_PASSWORD: secret \"prod/db\": path \"password\": access denied","hint":"allow secretsmanager:GetSecretValue",` +
		`"variable":"DB_PASSWORD","secret":"prod/db","errorType":"Runtime.SecretAccessDenied"}` + "\n" +
		`{"timestamp":"2026-03-01T12:00:00.042Z","level":"ERROR","code":"Runtime.SecretUnavailable","message":"down","hint":"a\nb","errorType":"Runtime.SecretUnavailable"}` + "\n"
	if out.String() != want {
		t.Errorf("wrote\n%swant\n%s", out.String(), want)
	}
}

func TestEventsByLevel(t *testing.T) {
	levels := []report.Level{report.Debug, report.Info, report.Warn, report.Error}
	texts := []string{
		"secretwrap: debug: d 1 [SecretShadowed]\n", "secretwrap: info: d 1 [SecretShadowed]\n", "secretwrap: warning: d 1 [SecretShadowed]\n", "secretwrap: error: d 1 [SecretShadowed]\n",
	}
	for least := range levels {
		var out strings.Builder
		r := &report.Reporter{Out: &out, Least: levels[least]}
		for _, level := range levels {
			r.Event(level, report.CodeShadowed, "d %d", 1)
		}
		if want := strings.Join(texts[least:], ""); out.String() != want {
			t.Errorf("from level %v on\n%swant\n%s", levels[least], out.String(), want)
		}
	}
}

func TestEventsAsJSON(t *testing.T) {
	var out strings.Builder
	r := &report.Reporter{Out: &out, JSON: true, Least: report.Info, Now: noon}
	r.Event(report.Debug, report.CodeMoved, "not written")
	r.Event(report.Warn, report.CodeMoved, "%s moved", "A\n")
	want := `{"timestamp":"2026-03-01T12:00:00.042Z","level":"WARN","code":"SecretMovedToFile","message":"A\n moved"}` + "\n"
	if out.String() != want {
		t.Errorf("wrote\n%swant\n%s", out.String(), want)
	}
}

func TestParseLevel(t *testing.T) {
	for name, want := range map[string]report.Level{
		"TRACE": report.Debug, "DEBUG": report.Debug, "debug": report.Debug, "INFO": report.Info, "info": report.Info,
		"WARN": report.Warn, "warn": report.Warn, "ERROR": report.Error, "FATAL": report.Error, "error": report.Error,
		"": report.Info, "loud": report.Info,
	} {
		if got := report.ParseLevel(name); got != want {
			t.Errorf("ParseLevel(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestNoNameCanForgeALine(t *testing.T) {
	tests := map[string]string{
		"a\nb":         `a\x0ab`,
		"a\r\x00\x1b[": `a\x0d\x00\x1b[`,
		"a\u0085b":     `a\x85b`,
		"a\u2028b":     `a\u2028b`,
		"a\u202eb":     `a\u202eb`,
		"a\u200bb":     `a\u200bb`,
		"é 😀\u00a0ü":   "é 😀\u00a0ü",
		"tab\tstop":    `tab\x09stop`,
	}
	for name, want := range tests {
		var out strings.Builder
		r := &report.Reporter{Out: &out, Lambda: true}
		r.Event(report.Warn, report.CodeSettings, "%s", name)
		r.Problems(problem.List{{Class: problem.Config, Variable: name, Cause: "wrong"}})
		lines := "[secretwrap] warning: " + want + " [SecretSettings]\n[secretwrap] error: " + want + ": wrong [Runtime.SecretConfigInvalid]\n"
		if out.String() != lines {
			t.Errorf("%q: wrote\n%swant\n%s", name, out.String(), lines)
		}
	}
}

func TestALogThatIsClosedStopsNothing(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	reader, writer := io.Pipe()
	_ = reader.Close()
	for _, out := range []io.Writer{file, writer} {
		for _, asJSON := range []bool{false, true} {
			r := &report.Reporter{Out: out, JSON: asJSON, Now: noon}
			r.Event(report.Error, report.CodeStart, "lost")
			r.Problems(problem.List{&denied})
		}
	}
}

// FuzzReporter holds that each event and each problem is one line, whatever the
// names hold, and that a line of JSON is JSON.
func FuzzReporter(f *testing.F) {
	f.Add("A\nB", "line\u2028\xff", "hint\nsecond")
	f.Fuzz(func(t *testing.T, variable, cause, hint string) {
		list := problem.List{{Class: problem.Invalid, Variable: variable, Cause: cause, Hint: hint}}
		for _, asJSON := range []bool{false, true} {
			var out strings.Builder
			r := &report.Reporter{Out: &out, JSON: asJSON, Lambda: true, Now: noon}
			r.Event(report.Info, report.CodeStart, "%s %s", variable, cause)
			r.Problems(list)
			lines := slices.Collect(strings.Lines(out.String()))
			want := 2
			if !asJSON && hint != "" {
				want += 1 + strings.Count(hint, "\n")
			}
			if len(lines) != want {
				t.Fatalf("%d lines, want %d:\n%s", len(lines), want, out.String())
			}
			for _, line := range lines {
				if asJSON && !json.Valid([]byte(line)) || !asJSON && !strings.HasPrefix(line, "[secretwrap] ") {
					t.Errorf("line %q", line)
				}
			}
		}
	})
}
