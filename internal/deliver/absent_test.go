package deliver_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"secretwrap/internal/deliver"
	"secretwrap/internal/problem"
)

func TestWhatOptionalAndDefaultTolerate(t *testing.T) {
	sources := map[string]deliver.Source{
		"no such secret":    failure(problem.NotFound, "no such secret"),
		"no such field":     text(`{"other":1}`),
		"null":              text(`{"f":null}`),
		"denied":            failure(problem.Denied, "access denied"),
		"throttled":         failure(problem.Throttled, "throttled"),
		"unavailable":       failure(problem.Unavailable, "no answer"),
		"too late":          failure(problem.Timeout, "no answer in time"),
		"not JSON":          text("garbage"),
		"a key twice":       text(`{"f":1,"f":2}`),
		"half a character":  text(`{"f":"\udfff"}`),
		"there":             text(`{"f":"value"}`),
		"there and empty":   text(`{"f":""}`),
		"there and nothing": text(`{"f":{}}`),
	}
	tolerated := []string{"no such secret", "no such field", "null"}
	there := map[string]string{"there": "value", "there and empty": "", "there and nothing": "{}"}
	for name, source := range sources {
		for _, option := range []string{"", "?optional", "?default=fallback", "?default="} {
			c := configuration{environment: []string{"A=secretsmanager://s" + option + "#f"}, sources: map[string]deliver.Source{"s": source}}
			got, problems := c.run(t)
			var want []string
			_, fallback, hasDefault := strings.Cut(option, "default=")
			value, isThere := there[name]
			switch {
			case isThere:
				want = []string{"A=" + value}
			case option == "" || !slices.Contains(tolerated, name):
				if len(problems) != 1 || len(got.Variables) > 0 {
					t.Errorf("%s, option %q: problems %v, delivered %q", name, option, problems, variables(got))
				}
				continue
			case hasDefault:
				want = []string{"A=" + fallback}
			}
			if len(problems) > 0 {
				t.Errorf("%s, option %q: %v", name, option, problems)
			}
			checkEqual(t, name+" with "+option+": variables", variables(got), want)
		}
	}
}

func TestAnOptionalFileThatIsAbsentIsNotWritten(t *testing.T) {
	got := configuration{
		environment: []string{"A=secretsmanager://none?optional&file=a", "B=secretsmanager://none?default=d&file=b"},
		files:       declared("c=none?optional", "d=none?default=e"),
	}.deliver(t)
	checkEqual(t, "variables", variables(got), []string{"B=/dir/b"})
	checkEqual(t, "files", files(got), []string{"b=d", "d=e"})
}

func TestADefaultIsEncodedToo(t *testing.T) {
	got := configuration{environment: []string{"A=secretsmanager://none?default=a%26b&encode=url"}}.deliver(t)
	checkEqual(t, "variables", variables(got), []string{"A=a%26b"})
}

func TestAnAbsentVariableIsNotFilledByEnvFrom(t *testing.T) {
	got := configuration{
		environment: []string{"A=secretsmanager://none?optional"}, envFrom: []string{"s"}, sources: secrets("s", `{"A":"from s","B":"b"}`),
	}.deliver(t)
	checkEqual(t, "variables", variables(got), []string{"B=b"})
}

func TestAFaultOfAWholeSecretIsToldOnce(t *testing.T) {
	sources := map[string]deliver.Source{"denied": failure(problem.Denied, "access denied"), "text": text("no JSON"), "fields": text(`{"a":1}`)}
	problems := configuration{
		environment: []string{
			"A=secretsmanager://denied#a",
			"B=x{{secretsmanager://denied#b}}{{secretsmanager://denied#c}}{{secretsmanager://text#d}}",
			"C=secretsmanager://fields#none", "D=secretsmanager://fields#nil",
			"E=secretsmanager://text#e", "OK=secretsmanager://text",
		},
		files:   declared("f=denied"),
		envFrom: []string{"denied"},
		sources: sources,
	}.fails(t)
	want := []string{
		`A, B, f, env_from: secret "denied": access denied`,
		`B, E: secret "text": a path is given, but the secret's content cannot be read as JSON: not valid JSON`,
		`C: secret "fields": path "none": no such field`,
		`D: secret "fields": path "nil": no such field`,
	}
	if got := strings.Split(problems.Error(), "\n"); !slices.Equal(got, want) {
		t.Errorf("problems\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if problems[0].Class != problem.Denied || problems[0].Hint != "the hint" {
		t.Errorf("the problem is not the source's: %+v", *problems[0])
	}
}

func TestTwoVersionsOfASecretHaveTheirOwnFaults(t *testing.T) {
	problems := configuration{environment: []string{"A=secretsmanager://s", "B=secretsmanager://s?stage=AWSPREVIOUS"}}.fails(t)
	if got := strings.Split(problems.Error(), "\n"); len(got) != 2 {
		t.Errorf("problems %q, want one for each version", got)
	}
}

func TestAProblemTellsWhereItWasDeclared(t *testing.T) {
	problems := configuration{env: declared("A=none", "B=s#f"), files: declared("f=s#g"), sources: secrets("s", "{}")}.fails(t)
	want := "m.yaml:1: A: secret \"none\": no such secret\nm.yaml:2: B: secret \"s\": path \"f\": no such field\nm.yaml:1: f: secret \"s\": path \"g\": no such field"
	if problems.Error() != want {
		t.Errorf("problems\n%v\nwant\n%s", problems, want)
	}
}

func TestManyVariablesOfOneSecretAreCounted(t *testing.T) {
	var environment []string
	for i := range 9 {
		environment = append(environment, fmt.Sprintf("V%d=secretsmanager://none", i))
	}
	problems := configuration{environment: environment[:5]}.fails(t)
	if got := problems[0].Variable; got != "V0, V1, V2, V3, V4" {
		t.Errorf("five variables are written as %q", got)
	}
	problems = configuration{environment: environment}.fails(t)
	if got := problems[0].Variable; got != "V0, V1, V2, V3, V4 and 4 more" {
		t.Errorf("nine variables are written as %q", got)
	}
}

func TestTheSourcesProblemIsNotChanged(t *testing.T) {
	source := failure(problem.Denied, "access denied")
	configuration{environment: []string{"A=secretsmanager://s"}, sources: map[string]deliver.Source{"s": source}}.fails(t)
	if source.Err.Variable != "" || source.Err.Secret != "" {
		t.Errorf("the source's problem became %+v", *source.Err)
	}
}
