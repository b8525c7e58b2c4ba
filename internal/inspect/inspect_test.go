package inspect_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"secretwrap/internal/deliver"
	"secretwrap/internal/environ"
	"secretwrap/internal/inspect"
	"secretwrap/internal/manifest"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/secret"
	"secretwrap/internal/settings"
)

// planOf returns the plan of an environment, in which NAME=value entries hold
// references.
func planOf(t *testing.T, entries ...string) *plan.Plan {
	t.Helper()
	p, problems := plan.Make(environ.New(entries), settings.Settings{Dir: "/dir", MaxEnvValue: 64}, manifest.Manifest{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return p
}

// inspectOne judges a plan whose only secret has that value.
func inspectOne(t *testing.T, value string, entries ...string) inspect.Inspection {
	t.Helper()
	source := inspect.Source{Source: deliver.Source{Value: secret.FromString(value)}, VersionID: "v"}
	return inspect.Documents(planOf(t, entries...), []inspect.Source{source}, environ.New(nil), 1<<20)
}

func TestWhereAnAddressNeedsEncoding(t *testing.T) {
	t.Parallel()
	const ref = "{{secretsmanager://s}}"
	tests := []struct {
		text, value       string
		offline, withSelf bool
	}{
		{"postgres://u:" + ref + "@h/d", "p@ss", true, true},
		{"postgres://u:" + ref + "@h/d", "plain-1._~", true, true},
		{"postgres://" + ref + ":p@h/d", "plain-1._~", false, false},
		{"postgres://" + ref + ":p@h/d", "u/x", false, true},
		{"postgres://u:p@" + ref + "/d", "h:5432", false, false},
		{"https://" + ref + "/x", "h:5432", false, false},
		{"https://h/" + ref, "a/b", false, true},
		{"https://h?k=" + ref + "&x", "a&b", false, true},
		{"https://h#" + ref, "a b", false, true},
		{"user:" + ref + "@h", "p@ss", false, false},
		{"postgres://u:{{secretsmanager://s?encode=url}}@h/d", "p@ss", false, false},
	}
	warned := func(i inspect.Inspection) bool {
		return slices.ContainsFunc(i.Warnings, func(w inspect.Warning) bool { return strings.Contains(w.Text, "?encode=url") })
	}
	for _, test := range tests {
		t.Run(test.text+" "+test.value, func(t *testing.T) {
			t.Parallel()
			if got := warned(inspect.Configuration(planOf(t, "A="+test.text))); got != test.offline {
				t.Errorf("without the value: %t", got)
			}
			if got := warned(inspectOne(t, test.value, "A="+test.text)); got != test.withSelf {
				t.Errorf("with the value: %t", got)
			}
		})
	}
}

func TestAnItemFailsByItself(t *testing.T) {
	t.Parallel()
	got := inspectOne(t, `{"a":"x","b":2}`, "A=secretsmanager://s#a", "B=secretsmanager://s#c", "C=secretsmanager://s?optional#c", "D=secretsmanager://s?default=x#c", "E=secretsmanager://s?file=e/f#b")
	var outcomes []string
	for _, item := range got.Items {
		outcomes = append(outcomes, fmt.Sprint(item.Label(), " ", item.Outcome, " ", item.Size, item.File))
	}
	want := []string{"A delivered 1", "B failed -1", "C absent -1", "D default 1", "E delivered 1e/f"}
	if !slices.Equal(outcomes, want) || got.Problems.Class() != problem.FieldNotFound || len(got.Problems) != 1 {
		t.Errorf("got %q, %v", outcomes, got.Problems)
	}
}

func TestWhatNoVariableCanHold(t *testing.T) {
	t.Parallel()
	got := inspectOne(t, strings.Repeat("x", 65), "A=secretsmanager://s")
	if item := got.Items[0]; !item.Moved || item.File != "A" || item.Size != 65 || len(got.Problems) > 0 {
		t.Errorf("got %+v, %v", item, got.Problems)
	}
	tight := inspect.Documents(planOf(t, "A=secretsmanager://s"), []inspect.Source{{Source: deliver.Source{Value: secret.FromString("x")}}}, environ.New(nil), 1)
	if tight.Problems.Class() != problem.Invalid {
		t.Errorf("got %v", tight.Problems)
	}
}

func TestExplosionsGiveWhatIsLeft(t *testing.T) {
	t.Parallel()
	entries := []string{"A=secretsmanager://s#A", "B=here"}
	s := settings.Settings{Dir: "/dir", MaxEnvValue: 64, EnvFrom: settings.Names{"s", "s?prefix=X_"}}
	p, problems := plan.Make(environ.New(entries), s, manifest.Manifest{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	source := inspect.Source{Source: deliver.Source{Value: secret.FromString(`{"A":"1","B":"2","C":[1],"D":null}`)}}
	got := inspect.Documents(p, []inspect.Source{source}, environ.New([]string{"B=here"}), 1<<20)
	var lines []string
	for _, item := range got.Items {
		lines = append(lines, fmt.Sprint(item.Variable, " ", item.References[0].Path, " ", item.References[0].Kind))
	}
	want := []string{"A A string", "X_A A string", "X_B B string", "X_C C array", "C C array"}
	if !slices.Equal(lines, want) || len(got.Problems) > 0 {
		t.Errorf("got %q, %v", lines, got.Problems)
	}
}

func TestLiteralsThatLookLikeReferences(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		"prod/db#password": true, "a/b/c?optional#x.y": true, "secret://prod/db": true, "aws-secretsmanager://prod/db": true, "sm://x": true,
		"secretsmanager://prod/db": false, "#fff": false, "prod#1": false, "https://h/p#a": false, "a/b": false, "a/b # c": false, "": false, "C#": false,
		"docs/index.html#section": false, "owner/repo#42": false,
	}
	for value, want := range tests {
		environment := environ.New([]string{"A=" + value})
		p, _ := plan.Make(environment, settings.Settings{Dir: "/dir", MaxEnvValue: 64}, manifest.Manifest{})
		if got := inspect.Literals(environment, p, nil); (len(got) == 1) != want {
			t.Errorf("%q: got %v", value, got)
		}
		if got := inspect.Literals(environment, p, []string{"A"}); len(got) > 0 {
			t.Errorf("%q, which is meant: got %v", value, got)
		}
	}
}

func TestNoValueIsKept(t *testing.T) {
	t.Parallel()
	const value = "zqSENTINELqz"
	got := inspectOne(t, `{"a":"`+value+`"}`, "A=secretsmanager://s#a", "B=secretsmanager://s", "C=x{{secretsmanager://s#b}}")
	if text := fmt.Sprintf("%+v", got); strings.Contains(text, value) || len(got.Items) != 3 {
		t.Errorf("got %s", text)
	}
}

// A secret of the largest size with as many fields as fit.
func TestAnObjectOfManyFieldsIsReadOnce(t *testing.T) {
	const fields, most = 5000, 128 << 20
	var content strings.Builder
	for field := range fields {
		fmt.Fprintf(&content, `,"f%d":1`, field)
	}
	p, problems := plan.Make(environ.New(nil), settings.Settings{Dir: "/dir", MaxEnvValue: 64, EnvFrom: []string{"s"}}, manifest.Manifest{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	source := inspect.Source{Source: deliver.Source{Value: secret.FromString("{" + content.String()[1:] + "}")}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := inspect.Documents(p, []inspect.Source{source}, environ.New(nil), 1<<20)
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; len(got.Items) != fields || took > most {
		t.Errorf("%d items take %d bytes of memory", len(got.Items), took)
	}
	if last := got.Items[fields-1]; last.Variable != "f4999" || last.Size != 1 || last.References[0].Kind != "number" || last.References[0].Path != "f4999" {
		t.Errorf("the last is %+v", last)
	}
}
