package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"secretwrap/internal/environ"
	"secretwrap/internal/manifest"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/reference"
	"secretwrap/internal/settings"
)

const arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf"

// configuration is what a plan is made of.
type configuration struct {
	environment []string
	settings    settings.Settings
	manifest    manifest.Manifest
}

func (c configuration) make(t *testing.T) *plan.Plan {
	t.Helper()
	p, problems := c.plan()
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return p
}

func (c configuration) plan() (*plan.Plan, problem.List) {
	if c.settings.MaxEnvValue == 0 {
		c.settings.MaxEnvValue = 32 << 10
	}
	if c.settings.Dir == "" {
		c.settings.Dir = "/tmp/secretwrap"
	}
	return plan.Make(environ.New(c.environment), c.settings, c.manifest)
}

// entries makes declarations of NAME=text, one a line from line 10 on.
func entries(texts ...string) []manifest.Entry {
	var list []manifest.Entry
	for i, text := range texts {
		name, text, _ := strings.Cut(text, "=")
		list = append(list, manifest.Entry{Name: name, Text: text, Line: 10 + i})
	}
	return list
}

// written writes each target in one line.
func written(p *plan.Plan) []string {
	var lines []string
	for _, target := range p.Targets {
		line := target.Name + "|" + target.File + "|"
		for _, part := range target.Parts {
			if part.Ref == nil {
				line += part.Literal
				continue
			}
			line += fmt.Sprintf("<%d %s>", part.Secret, strings.TrimPrefix(part.Ref.String(), reference.Scheme))
		}
		lines = append(lines, line)
	}
	for _, e := range p.Explosions {
		lines = append(lines, fmt.Sprintf("all of <%d %s>", e.Secret, strings.TrimPrefix(e.Ref.String(), reference.Scheme)))
	}
	return lines
}

func TestMakePlansEveryDeclarationInItsOrder(t *testing.T) {
	got := configuration{
		environment: []string{
			"PATH=/bin", "PW=secretsmanager://prod/db#password", "URL=x{{secretsmanager://prod/db#user}}:{{secretsmanager://other}}y",
			"KEY=secretsmanager://prod/tls?file=tls/client.key&mode=0440#key", "CERT=secretsmanager://prod/tls?file#cert", "EMPTY=",
		},
		settings: settings.Settings{EnvFrom: settings.Names{"early?upper", "late"}},
		manifest: manifest.Manifest{
			Source:  "secretwrap.yaml",
			Env:     entries("TOKEN=api#token", "GREETING=hello {{api#name}}"),
			EnvFrom: entries("=first", "=second?prefix=S_"),
			Files:   entries("tls/ca.pem=prod/tls#ca", "app.conf=user={{prod/db#user}}"),
		},
	}.make(t)
	want := []string{
		"PW||<0 prod/db#password>",
		"URL||x<0 prod/db#user>:<1 other>y",
		"KEY|tls/client.key|<2 prod/tls?file=tls/client.key&mode=0440#key>",
		"CERT|CERT|<2 prod/tls?file#cert>",
		"TOKEN||<3 api#token>",
		"GREETING||hello <3 api#name>",
		"|tls/ca.pem|<2 prod/tls#ca>",
		"|app.conf|user=<0 prod/db#user>",
		"all of <5 late>",
		"all of <4 early?upper>",
		"all of <7 second?prefix=S_>",
		"all of <6 first>",
	}
	if lines := written(got); !slices.Equal(lines, want) {
		t.Errorf("the plan is\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if got.Targets[2].Mode != 0o440 || got.Targets[3].Mode != 0 {
		t.Errorf("modes %o and %o, want 440 and 0", got.Targets[2].Mode, got.Targets[3].Mode)
	}
	if got.Targets[1].Template != true || got.Targets[0].Template {
		t.Error("the template is not told from the reference")
	}
	for i, origin := range map[int]plan.Origin{0: {}, 4: {Source: "secretwrap.yaml", Line: 10}, 5: {Source: "secretwrap.yaml", Line: 11}, 7: {Source: "secretwrap.yaml", Line: 11}} {
		if got.Targets[i].Origin != origin {
			t.Errorf("target %d comes from %+v, want %+v", i, got.Targets[i].Origin, origin)
		}
	}
	if got.Dir != "/tmp/secretwrap" || got.MaxEnvValue != 32<<10 || got.Empty() {
		t.Errorf("directory %q, largest value %d, empty %t", got.Dir, got.MaxEnvValue, got.Empty())
	}
}

func TestAConfigurationWithoutReferencesGivesAnEmptyPlan(t *testing.T) {
	got := configuration{environment: []string{"A=1", "ARN=" + arn, "T={{x}}", "SECRETWRAP_FUTURE=secretsmanager://x"}}.make(t)
	if !got.Empty() || len(written(got)) > 0 {
		t.Errorf("the plan is %q", written(got))
	}
}

func TestEachVersionOfASecretIsFetchedOnce(t *testing.T) {
	var environment []string
	for i := range 20 {
		environment = append(environment, fmt.Sprintf("V%d=secretsmanager://prod/db#field%d", i, i))
	}
	environment = append(environment,
		"STAGE=secretsmanager://prod/db?stage=AWSPREVIOUS#a", "AGAIN=x{{secretsmanager://prod/db?stage=AWSPREVIOUS#b}}",
		"VERSION=secretsmanager://prod/db?version=0123456789abcdef0123456789abcdef",
		"ARN=secretsmanager://"+arn, "KEY=secretsmanager://"+arn+":key::", "OLD=secretsmanager://"+arn+"::AWSPREVIOUS:",
	)
	got := configuration{environment: environment, settings: settings.Settings{EnvFrom: settings.Names{"prod/db"}}}.make(t)
	want := []plan.Secret{
		{ID: "prod/db"},
		{ID: "prod/db", Stage: "AWSPREVIOUS"},
		{ID: "prod/db", Version: "0123456789abcdef0123456789abcdef"},
		{ID: arn, Region: "eu-west-1"},
		{ID: arn, Region: "eu-west-1", Stage: "AWSPREVIOUS"},
	}
	if !slices.Equal(got.Secrets, want) {
		t.Errorf("secrets %+v, want %+v", got.Secrets, want)
	}
	if got.Explosions[0].Secret != 0 {
		t.Errorf("env_from asks for secret %d, want 0", got.Explosions[0].Secret)
	}
}

func TestAVariableThatIsSetWinsOverTheManifest(t *testing.T) {
	got := configuration{
		environment: []string{"SET=literal", "EMPTY=", "REF=secretsmanager://a"},
		manifest:    manifest.Manifest{Source: "m", Env: entries("SET=x", "EMPTY=y", "REF=z", "FREE=w")},
	}.make(t)
	if want := []string{"REF||<0 a>", "FREE||<1 w>"}; !slices.Equal(written(got), want) {
		t.Errorf("the plan is %q, want %q", written(got), want)
	}
	if want := []string{"SET", "EMPTY", "REF"}; !slices.Equal(got.Shadowed, want) {
		t.Errorf("shadowed %q, want %q", got.Shadowed, want)
	}
	if want := []plan.Secret{{ID: "a"}, {ID: "w"}}; !slices.Equal(got.Secrets, want) {
		t.Errorf("what lost is fetched: %+v", got.Secrets)
	}
}

func TestLiteralExemptsVariables(t *testing.T) {
	got := configuration{
		environment: []string{"A=secretsmanager://a", "B=SECRETSMANAGER://b", "C={{secretsmanager://c", "D=secretsmanager://d"},
		settings:    settings.Settings{Literal: settings.Names{"A", "B", "C", "NOT_THERE"}},
	}.make(t)
	if want := []string{"D||<0 d>"}; !slices.Equal(written(got), want) {
		t.Errorf("the plan is %q, want %q", written(got), want)
	}
}

func TestTheManifestFillsNothingInForALiteral(t *testing.T) {
	got := configuration{
		environment: []string{"A=secretsmanager://a"},
		settings:    settings.Settings{Literal: settings.Names{"A"}},
		manifest:    manifest.Manifest{Source: "m", Env: entries("A=x")},
	}.make(t)
	if !got.Empty() || !slices.Equal(got.Shadowed, []string{"A"}) {
		t.Errorf("the plan is %q, shadowed %q", written(got), got.Shadowed)
	}
}

func TestLabelIsTheVariableElseTheFile(t *testing.T) {
	for want, target := range map[string]plan.Target{
		"A": {Name: "A"}, "B": {Name: "B", File: "b"}, "c/d": {File: "c/d"},
	} {
		if got := target.Label(); got != want {
			t.Errorf("Label() of %+v = %q, want %q", target, got, want)
		}
	}
}

func TestTheUsualStageIsNoOtherVersion(t *testing.T) {
	p := configuration{environment: []string{"A=secretsmanager://a", "B=secretsmanager://a?stage=AWSCURRENT", "C=secretsmanager://a?stage=AWSPREVIOUS"}}.make(t)
	if want := []plan.Secret{{ID: "a"}, {ID: "a", Stage: "AWSPREVIOUS"}}; !slices.Equal(p.Secrets, want) {
		t.Errorf("secrets %v, want %v", p.Secrets, want)
	}
}
