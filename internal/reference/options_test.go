package reference_test

import (
	"slices"
	"strings"
	"testing"

	"secretwrap/internal/reference"
)

func TestEveryOptionInEveryContext(t *testing.T) {
	tests := map[string]struct {
		text string
		// allowed are the contexts in which it may stand.
		allowed []string
	}{
		"stage":    {"db?stage=AWSPREVIOUS", []string{"a variable", "braces", "env_from", "a file"}},
		"version":  {"db?version=" + versionID, []string{"a variable", "braces", "env_from", "a file"}},
		"path":     {"db?path=a", []string{"a variable", "braces", "env_from", "a file"}},
		"#":        {"db#a", []string{"a variable", "braces", "env_from", "a file"}},
		"optional": {"db?optional", []string{"a variable", "env_from", "a file"}},
		"default":  {"db?default=x", []string{"a variable", "braces", "a file"}},
		"encode":   {"db?encode=url", []string{"a variable", "braces", "a file"}},
		"file":     {"db?file", []string{"a variable"}},
		"file=":    {"db?file=a", []string{"a variable"}},
		"mode":     {"db?mode=0400", []string{"a file"}},
		"prefix":   {"db?prefix=A_", []string{"env_from"}},
		"upper":    {"db?upper", []string{"env_from"}},
	}
	for name, test := range tests {
		for where, context := range contexts {
			_, p := reference.Parse(test.text, context)
			if allowed := slices.Contains(test.allowed, where); allowed != (p == nil) {
				t.Errorf("%s in %s: problem %v, allowed %t", name, where, p, allowed)
			}
		}
	}
}

func TestAnOptionOutOfPlaceIsToldWhatMayStandThere(t *testing.T) {
	tests := map[string]struct {
		text    string
		context reference.Context
		cause   string
		hint    string
	}{
		"file between braces":     {"db?file", reference.Template, "option file is not allowed between braces", "allowed between braces: stage=LABEL, version=ID, path=PATH, default=TEXT, encode=url|base64|json"},
		"optional between braces": {"db?optional", reference.Template, "option optional is not allowed between braces", "default=TEXT"},
		"default in env_from":     {"db?default=x", reference.EnvFrom, "option default is not allowed in env_from", "prefix=TEXT, upper"},
		"file under files":        {"db?file=x", reference.File, "option file is not allowed under files", "mode=0400|"},
		"upper in a variable":     {"db?upper", reference.Variable, "option upper is not allowed in a variable", "file or file=RELATIVE/PATH"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, p := reference.Parse(test.text, test.context)
			checkProblem(t, p, test.cause, test.hint)
		})
	}
}

func TestANearOptionIsSuggestedOnlyWhereItMayStand(t *testing.T) {
	_, p := reference.Parse("db?uper", reference.EnvFrom)
	checkProblem(t, p, `option "uper" is not known`, "did you mean upper?")
	_, p = reference.Parse("db?uper", reference.Variable)
	checkProblem(t, p, `option "uper" is not known`, "allowed in")
}

func TestEnvFromTakesPrefixAndUpper(t *testing.T) {
	got, p := reference.Parse("shared?prefix=SHARED_&upper&optional#inner", reference.EnvFrom)
	if p != nil {
		t.Fatal(p)
	}
	if want := (reference.Ref{Secret: "shared", Prefix: "SHARED_", Upper: true, Optional: true, Path: "inner"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestAPrefixMustBeginAName(t *testing.T) {
	for _, prefix := range []string{"A", "_", "a_", "A1_", "LD_"} {
		if _, p := reference.Parse("db?prefix="+prefix, reference.EnvFrom); p != nil {
			t.Errorf("prefix %q: %v", prefix, p)
		}
	}
	for _, prefix := range []string{"", "1", "9A", "A-", "A.", "A B", "%C3%A9", "A%3D", "%0A"} {
		_, p := reference.Parse("db?prefix="+prefix, reference.EnvFrom)
		checkProblem(t, p, "the prefix cannot begin a variable's name", "begins with a letter or _")
	}
}

func TestEveryModeThatIsAllowed(t *testing.T) {
	for _, mode := range []string{"0400", "0440", "0444", "0600", "0640", "0644"} {
		text := "db?mode=" + mode
		ref, p := reference.Parse(text, reference.File)
		if p != nil {
			t.Fatalf("%s: %v", text, p)
		}
		if got := ref.String(); got != reference.Scheme+text {
			t.Errorf("%s is read as %s", text, got)
		}
	}
	for _, mode := range []string{"", "0000", "0200", "0500", "0604", "0666", "0700", "0777", "00400", "04755", "0o400", "9999", "abc", "-400"} {
		_, p := reference.Parse("db?mode="+mode, reference.File)
		checkProblem(t, p, "the mode is not one of those allowed", "mode=0400")
	}
}

func TestStringIsCanonical(t *testing.T) {
	tests := map[string]string{
		"db":                                     "secretsmanager://db",
		"db?path=a.b":                            "secretsmanager://db#a.b",
		"db?path=%20a":                           "secretsmanager://db?path=%20a",
		"db?optional&default=x%26y":              "secretsmanager://db?default=x%26y",
		"db?mode=0400&file=a/b&optional":         "secretsmanager://db?optional&file=a/b&mode=0400",
		arn + ":key:AWSPREVIOUS:":                "secretsmanager://" + arn + ":key?stage=AWSPREVIOUS",
		arn + ":::" + versionID + "?encode=json": "secretsmanager://" + arn + "?version=" + versionID + "&encode=json",
		"db?default=a%2Bb+c%25d":                 "secretsmanager://db?default=a+b+c%25d",
		"db?default=%7B%7B%22%23%3F%C3%A9%7D%7D": "secretsmanager://db?default=%7B%7B%22%23%3F%C3%A9%7D%7D",
	}
	for text, want := range tests {
		ref, p := reference.Parse(text, reference.Variable)
		if p != nil {
			t.Fatalf("Parse(%q): %v", text, p)
		}
		if got := ref.String(); got != want {
			t.Errorf("Parse(%q).String() = %q, want %q", text, got, want)
		}
	}
}

func TestAProblemRepeatsNothingOfADefault(t *testing.T) {
	const canary = "CANARY-pw"
	for name, text := range map[string]string{
		"an ampersand in a default":                 "db?default=a&" + canary,
		"an ampersand and an equals sign":           "db?default=a&" + canary + "=x",
		"a default before an option that is wrong":  "db?default=" + canary + "&encode=rot13",
		"a default twice":                           "db?default=" + canary + "&default=" + canary,
		"a default after the path":                  "db#a?default=" + canary,
		"a default with an ampersand after a path":  "db#a?stage=X&default=a&" + canary,
		"a default that cannot be decoded":          "db?default=" + canary + "%",
		"a default that holds a reference":          "db?default=" + canary + "%20secretsmanager://x",
		"a default where none may stand":            "db?upper&default=" + canary,
		"a misspelt default":                        "db?defualt=" + canary,
		"a json-key and a path that say it twice":   arn + ":" + canary + "#a",
		"a name with a password after a colon":      "db:" + canary,
		"an ECS version that is none":               arn + ":::" + canary,
		"a control character in the json-key":       arn + ":" + canary + "\n",
		"an ARN with a password in place of fields": "arn:aws:secretsmanager:" + canary + ":" + canary + ":" + canary + ":x",
	} {
		t.Run(name, func(t *testing.T) {
			_, p := reference.Parse(text, reference.Variable)
			if p == nil {
				t.Fatalf("Parse(%q): no problem", text)
			}
			if shown := p.Error() + p.Hint; strings.Contains(shown, canary) {
				t.Errorf("the canary is shown: %s", shown)
			}
		})
	}
}

func TestABraceInATemplatesOptionIsRefused(t *testing.T) {
	for _, text := range []string{"x{{secretsmanager://a?default={}}}", "x{{secretsmanager://a?path={b}}}"} {
		_, p := reference.ParseEnvironment(text)
		if p == nil || !strings.Contains(p.Cause, "holds a brace") || !strings.Contains(p.Hint, "%7D") {
			t.Errorf("ParseEnvironment(%q): %v", text, p)
		}
	}
	value, p := reference.ParseEnvironment("x{{secretsmanager://a?default=%7B%7D}}")
	if p != nil || value.Parts[1].Ref.Default != "{}" {
		t.Errorf("an encoded brace: %v, %v", value, p)
	}
}
