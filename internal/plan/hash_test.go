package plan_test

import (
	"regexp"
	"slices"
	"testing"

	"secretwrap/internal/manifest"
	"secretwrap/internal/settings"
)

func TestHashIsTheSameForTheSameConfiguration(t *testing.T) {
	c := configuration{
		environment: []string{"A=secretsmanager://a?file#x", "B=b{{secretsmanager://b}}"},
		settings:    settings.Settings{EnvFrom: settings.Names{"c"}},
	}
	first := c.make(t).Hash()
	c.environment = append(slices.Clone(c.environment), "UNRELATED=1")
	if again := c.make(t).Hash(); again != first {
		t.Errorf("%s, then %s", first, again)
	}
	if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(first) {
		t.Errorf("the hash is %q", first)
	}
}

func TestHashDiffersWhenAnythingThatMattersDoes(t *testing.T) {
	environment := func(entries ...string) configuration { return configuration{environment: entries} }
	configurations := map[string]configuration{
		"nothing":               environment(),
		"a reference":           environment("A=secretsmanager://a#x"),
		"another variable":      environment("B=secretsmanager://a#x"),
		"another secret":        environment("A=secretsmanager://b#x"),
		"another path":          environment("A=secretsmanager://a#y"),
		"no path":               environment("A=secretsmanager://a"),
		"a stage":               environment("A=secretsmanager://a?stage=AWSPREVIOUS#x"),
		"another stage":         environment("A=secretsmanager://a?stage=AWSPENDING#x"),
		"a version":             environment("A=secretsmanager://a?version=0123456789abcdef0123456789abcdef#x"),
		"an ARN":                environment("A=secretsmanager://" + arn + "#x"),
		"a json-key":            environment("A=secretsmanager://" + arn + ":x::"),
		"optional":              environment("A=secretsmanager://a?optional#x"),
		"a default":             environment("A=secretsmanager://a?default=1#x"),
		"another default":       environment("A=secretsmanager://a?default=2#x"),
		"an empty default":      environment("A=secretsmanager://a?default=#x"),
		"an encoding":           environment("A=secretsmanager://a?encode=url#x"),
		"another encoding":      environment("A=secretsmanager://a?encode=json#x"),
		"a file":                environment("A=secretsmanager://a?file#x"),
		"another file":          environment("A=secretsmanager://a?file=b#x"),
		"a mode":                environment("A=secretsmanager://a?file&mode=0440#x"),
		"a template":            environment("A={{secretsmanager://a#x}}."),
		"a longer text":         environment("A={{secretsmanager://a#x}}.."),
		"two references":        environment("A={{secretsmanager://a#x}}{{secretsmanager://a#y}}"),
		"in the other order":    environment("A={{secretsmanager://a#y}}{{secretsmanager://a#x}}"),
		"two variables":         environment("A=secretsmanager://a#x", "B=secretsmanager://a#x"),
		"a largest value":       {environment: []string{"A=secretsmanager://a#x"}, settings: settings.Settings{MaxEnvValue: 10}},
		"another directory":     {environment: []string{"A=secretsmanager://a#x"}, settings: settings.Settings{Dir: "/x"}},
		"a secret to explode":   {settings: settings.Settings{EnvFrom: settings.Names{"a#x"}}},
		"exploded with a name":  {settings: settings.Settings{EnvFrom: settings.Names{"a?prefix=A_#x"}}},
		"in upper case":         {settings: settings.Settings{EnvFrom: settings.Names{"a?upper#x"}}},
		"two to explode":        {settings: settings.Settings{EnvFrom: settings.Names{"a#x", "b"}}},
		"explode the other way": {settings: settings.Settings{EnvFrom: settings.Names{"b", "a#x"}}},
		"a file of a manifest":  {manifest: manifest.Manifest{Files: entries("A=a#x")}},
	}
	seen := make(map[string]string)
	for name, c := range configurations {
		hash := c.make(t).Hash()
		if other, taken := seen[hash]; taken {
			t.Errorf("%q has the hash of %q", name, other)
		}
		seen[hash] = name
	}
}
