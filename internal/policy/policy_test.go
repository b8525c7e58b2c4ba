package policy_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"secretwrap/internal/environ"
	"secretwrap/internal/manifest"
	"secretwrap/internal/plan"
	"secretwrap/internal/policy"
	"secretwrap/internal/settings"
)

const account = "123456789012"

// planOf returns the plan of variables with these references.
func planOf(t *testing.T, references ...string) *plan.Plan {
	t.Helper()
	var m manifest.Manifest
	for i, text := range references {
		name := string(rune('A' + i))
		m.Env = append(m.Env, manifest.Entry{Name: name, Text: text, Line: i + 1})
	}
	p, problems := plan.Make(environ.New(nil), settings.Settings{Dir: "/d", MaxEnvValue: 1 << 15}, m)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return p
}

func TestResources(t *testing.T) {
	t.Parallel()
	const prefix = "arn:aws:secretsmanager:eu-west-1:" + account + ":secret:"
	const other = "arn:aws-cn:secretsmanager:cn-north-1:210987654321:secret:"
	tests := []struct {
		name       string
		references []string
		want       []string
	}{
		{"a name", []string{"prod/db#a"}, []string{prefix + "prod/db-??????"}},
		{"a name several times", []string{"prod/db#a", "x{{prod/db#b}}", "prod/db?stage=AWSPREVIOUS"}, []string{prefix + "prod/db-??????"}},
		{"a name that ends like an ARN", []string{"prod/db-AbCdE1"}, []string{prefix + "prod/db-AbCdE1-??????"}},
		{"an ARN", []string{other + "prod/db-AbCdE1#a"}, []string{other + "prod/db-AbCdE1"}},
		{"an ARN without its suffix", []string{other + "prod/db"}, []string{other + "prod/db-??????"}},
		{"an ARN that may or may not have one", []string{other + "prod/db-master"}, []string{other + "prod/db-master", other + "prod/db-master-??????"}},
		{"an ARN that may or may not have one with a number", []string{other + "db-Prod01"}, []string{other + "db-Prod01", other + "db-Prod01-??????"}},
		{"an ARN with ECS's fields", []string{other + "prod/db-AbCdE1:key::"}, []string{other + "prod/db-AbCdE1"}},
		{"an optional name", []string{"prod/db?optional"}, []string{prefix + "prod/db-??????", prefix + "prod/db"}},
		{"an optional part of a text", []string{"x{{prod/db?default=y}}"}, []string{prefix + "prod/db-??????", prefix + "prod/db"}},
		{"a name that is optional once", []string{"prod/db#a", "b", "prod/db?optional#b"}, []string{prefix + "prod/db-??????", prefix + "b-??????", prefix + "prod/db"}},
		{"an optional ARN", []string{other + "prod/db-AbCdE1?optional"}, []string{other + "prod/db-AbCdE1"}},
		{"an optional ARN without its suffix", []string{other + "prod/db?optional"}, []string{other + "prod/db-??????", other + "prod/db"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := policy.For(planOf(t, test.references...), policy.Options{Region: "eu-west-1", Account: account})
			if !slices.Equal(got.Statement[0].Resource, test.want) {
				t.Errorf("got %q, want %q", got.Statement[0].Resource, test.want)
			}
		})
	}
}

func TestAnOptionalExplosion(t *testing.T) {
	t.Parallel()
	m := manifest.Manifest{EnvFrom: []manifest.Entry{{Text: "prod/app?optional", Line: 1}}}
	p, problems := plan.Make(environ.New(nil), settings.Settings{MaxEnvValue: 1}, m)
	got := policy.For(p, policy.Options{Region: "us-gov-west-1", Account: "*"}).Statement[0].Resource
	const prefix = "arn:aws-us-gov:secretsmanager:us-gov-west-1:*:secret:prod/app"
	if len(problems) > 0 || !slices.Equal(got, []string{prefix + "-??????", prefix}) {
		t.Errorf("got %q, %v", got, problems)
	}
}

func TestDecryption(t *testing.T) {
	t.Parallel()
	const (
		here  = "arn:aws:secretsmanager:eu-west-1:" + account + ":secret:"
		china = "arn:aws-cn:secretsmanager:cn-north-1:210987654321:secret:other-AbCdE1"
	)
	p := planOf(t, "prod/db?optional", "prod/app", china)
	got := policy.For(p, policy.Options{Region: "eu-west-1", Account: account}).Statement[1]
	if want := []string{"arn:aws:kms:eu-west-1:" + account + ":key/*", "arn:aws-cn:kms:cn-north-1:210987654321:key/*"}; !slices.Equal(got.Resource, want) {
		t.Errorf("keys %q, want %q", got.Resource, want)
	}
	services := []string{"secretsmanager.eu-west-1.amazonaws.com", "secretsmanager.cn-north-1.amazonaws.com", "secretsmanager.cn-north-1.amazonaws.com.cn"}
	if got := got.Condition["StringEquals"]["kms:ViaService"]; !slices.Equal(got, services) {
		t.Errorf("services %q, want %q", got, services)
	}
	secrets := []string{here + "prod/db-??????", here + "prod/app-??????", china}
	if got := got.Condition["StringLike"]["kms:EncryptionContext:SecretARN"]; !slices.Equal(got, secrets) {
		t.Errorf("secrets %q, want %q", got, secrets)
	}
	const key = "arn:aws:kms:eu-west-1:" + account + ":key/1234"
	named := policy.For(p, policy.Options{Region: "eu-west-1", Account: account, Keys: []string{key}}).Statement[1]
	if !slices.Equal(named.Resource, []string{key}) || len(named.Condition) != 2 {
		t.Errorf("got %+v", named)
	}
	iso := planOf(t, "arn:aws-iso:secretsmanager:us-iso-east-1:"+account+":secret:db-AbCdE1")
	if got := policy.For(iso, policy.Options{}).Statement[1].Condition; len(got) != 1 || got["StringLike"] == nil {
		t.Errorf("got %v", got)
	}
	if none := policy.For(p, policy.Options{Region: "eu-west-1", Account: account, NoKeys: true}); len(none.Statement) != 1 {
		t.Errorf("got %+v", none)
	}
}

func TestThePolicyIsJSON(t *testing.T) {
	t.Parallel()
	text := policy.For(planOf(t, "prod/db"), policy.Options{Region: "eu-west-1", Account: account}).JSON()
	var read policy.Policy
	if err := json.Unmarshal(text, &read); err != nil || len(read.Statement) != 2 || strings.Contains(string(text), "null") {
		t.Errorf("%v: %s", err, text)
	}
}
