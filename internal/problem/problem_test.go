package problem_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"secretwrap/internal/problem"
)

const arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf"

func TestErrorGoesFromTheVariableToTheCause(t *testing.T) {
	tests := map[string]problem.Problem{
		"secretwrap.yaml:3: A: secret \"s\": path \"p\": gone": {Source: "secretwrap.yaml", Line: 3, Variable: "A", Secret: "s", Path: "p", Cause: "gone"},
		"secretwrap.yaml: gone":                                {Source: "secretwrap.yaml", Cause: "gone"},
		"A: gone":                                              {Variable: "A", Cause: "gone"},
		"gone":                                                 {Cause: "gone"},
	}
	for want, p := range tests {
		if got := p.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestPublicNamesNothingButVariableSecretAndClass(t *testing.T) {
	tests := map[string]problem.Problem{
		"A: secret \"prod/db\": access denied":           {Class: problem.Denied, Variable: "A", Secret: arn, Path: "p", Cause: "cause", Hint: "hint"},
		"A: secret \"prod/db\": field not found":         {Class: problem.FieldNotFound, Variable: "A", Secret: "prod/db", Path: "p", Cause: "cause"},
		"A: secret \"?\": not found":                     {Class: problem.NotFound, Variable: "A", Secret: "arn:aws:x"},
		"SECRETWRAP_TIMEOUT: configuration is not valid": {Class: problem.Config, Variable: "SECRETWRAP_TIMEOUT", Source: "s", Line: 1, Cause: "cause"},
		"A: secret \"short\": no answer in time":         {Class: problem.Timeout, Variable: "A", Secret: strings.Replace(arn, "prod/db-AbCdEf", "short", 1)},
	}
	for want, p := range tests {
		if got := p.Public(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestTheMostImportantClassIsTheListsOwn(t *testing.T) {
	list := problem.List{{Class: problem.Unavailable}, {Class: problem.Denied}, {Class: problem.Invalid}}
	if got := list.Class(); got != problem.Denied {
		t.Errorf("class %v", got)
	}
	if got := (problem.List{}).Class(); got != 0 {
		t.Errorf("class of nothing: %v", got)
	}
}

func TestEveryClassHasATypeThatLambdaTakes(t *testing.T) {
	form := regexp.MustCompile(`^Runtime\.[A-Z][A-Za-z]+$`)
	classes := 0
	for class := problem.Config; class.ErrorType() != ""; class++ {
		classes++
		if !form.MatchString(class.ErrorType()) || class.Status() < 64 || class.Status() > 127 {
			t.Errorf("class %d: %s, status %d", class, class.ErrorType(), class.Status())
		}
	}
	if classes != 12 {
		t.Errorf("%d classes", classes)
	}
}

func TestTheListsPublicTextStaysWithinItsLimit(t *testing.T) {
	long := strings.Repeat("é", 3000)
	var many problem.List
	for range 500 {
		many = append(many, &problem.Problem{Class: problem.Denied, Variable: "VARIABLE" + strings.Repeat("X", len(many)), Secret: "s"})
	}
	tests := map[string]struct {
		list problem.List
		want string
	}{
		"one":                      {problem.List{{Class: problem.Denied, Variable: "A"}}, "A: access denied (the function's log says what to do)"},
		"two":                      {problem.List{{Class: problem.Denied, Variable: "A"}, {Class: problem.Invalid, Variable: "B"}}, "A: access denied; B: content is not valid (the"},
		"the same twice":           {problem.List{{Class: problem.Denied, Variable: "A"}, {Class: problem.Denied, Variable: "A"}}, "A: access denied (the"},
		"too many":                 {many, " more (the function's log says what to do)"},
		"one that is too long":     {problem.List{{Class: problem.Denied, Variable: long}}, "é… (the function's log says what to do)"},
		"too long and another one": {problem.List{{Class: problem.Denied, Variable: long}, {Class: problem.Denied, Variable: "B"}}, "é…; and 1 more (the"},
	}
	for name, test := range tests {
		got := test.list.Public(4096)
		if !strings.Contains(got, test.want) || len(got) > 4096 || !utf8.ValidString(got) {
			t.Errorf("%s: %d bytes: %q", name, len(got), got)
		}
	}
}

// FuzzPublic has the caller read no more than may be shown, whatever the names are.
func FuzzPublic(f *testing.F) {
	f.Add("DB_PASSWORD", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf", 4096, 3)
	f.Add("A", "arn:::::", 60, 1)
	f.Add("ä", "\xff", 61, 2)
	f.Add("", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:-AbCdEf", 100, 900)
	f.Fuzz(func(t *testing.T, variable, name string, limit, count int) {
		const least = 100
		limit, count = max(limit, least), min(max(count, 1), 100)
		var list problem.List
		for i := range count {
			list = append(list, &problem.Problem{Class: problem.Denied, Variable: fmt.Sprint(variable, i), Secret: name, Path: "PATH-CANARY", Cause: "CAUSE-CANARY", Hint: "HINT-CANARY"})
		}
		text := list.Public(limit)
		if len(text) > limit {
			t.Errorf("%d bytes, want at most %d: %s", len(text), limit, text)
		}
		for _, hidden := range []string{"PATH-CANARY", "CAUSE-CANARY", "HINT-CANARY"} {
			if strings.Contains(text, hidden) && !strings.Contains(variable+name, hidden) {
				t.Errorf("shows %s: %s", hidden, text)
			}
		}
		if account := "arn:aws:secretsmanager:"; strings.HasPrefix(name, account) && strings.Contains(text, account) && !strings.Contains(variable+name[len(account):], account) {
			t.Errorf("shows the ARN: %s", text)
		}
	})
}
