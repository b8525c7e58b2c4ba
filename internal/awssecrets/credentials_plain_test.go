//go:build !lambda

package awssecrets_test

import (
	"strings"
	"testing"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/problem"
)

// withoutKeys takes this process's own credentials away, because the SDK reads
// the environment itself.
func withoutKeys(t *testing.T, more map[string]string) {
	t.Helper()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for name, value := range more {
		t.Setenv(name, value)
	}
}

func TestAProfileGivesCredentialsAndRegion(t *testing.T) {
	profiles := writeFile(t, []byte(`
[default]
region = us-west-2
[profile work]
region = ap-south-1
aws_access_key_id = AKIDWORK
aws_secret_access_key = key
`))
	withoutKeys(t, map[string]string{"AWS_CONFIG_FILE": profiles, "AWS_PROFILE": "work"})
	server := holding(t)
	if _, err := get(t, clientOf(t, server), "prod/db"); err != nil {
		t.Fatal(err)
	}
	call := server.Calls()[0]
	if call.Signature.AccessKeyID != "AKIDWORK" || call.Signature.Region != "ap-south-1" || call.SecurityToken {
		t.Errorf("call %+v", call)
	}
}

func TestTheRegionOfTheEnvironmentGoesBeforeTheProfiles(t *testing.T) {
	profiles := writeFile(t, []byte("[default]\nregion = us-west-2\n"))
	withoutKeys(t, map[string]string{"AWS_CONFIG_FILE": profiles})
	for _, test := range []struct{ region, fallback, want string }{
		{"eu-west-1", "us-east-1", "eu-west-1"}, {"", "us-east-1", "us-east-1"}, {"", "", "us-west-2"},
	} {
		t.Setenv("AWS_REGION", test.region)
		t.Setenv("AWS_DEFAULT_REGION", test.fallback)
		environment := map[string]string{"AWS_REGION": test.region, "AWS_DEFAULT_REGION": test.fallback}
		config, problems := awssecrets.Load(environment, []awssecrets.Request{{Secret: "a"}})
		if len(problems) > 0 || config.Region != test.want {
			t.Errorf("%+v: region %q, %v", test, config.Region, problems)
		}
	}
}

func TestWithoutARegionASecretNeedsOneOfItsOwn(t *testing.T) {
	withoutKeys(t, nil)
	_, problems := awssecrets.Load(nil, []awssecrets.Request{{Secret: "a", Region: region}, {Secret: "b"}})
	if len(problems) != 1 || problems[0].Variable != "AWS_REGION" || problems[0].Secret != "b" {
		t.Errorf("problems %v", problems)
	}
}

func TestWithoutAnyCredentialsACallIsDenied(t *testing.T) {
	withoutKeys(t, nil)
	server := holding(t)
	wantFailure(t, failure(t, clientOf(t, server), "prod/db"), problem.Denied, awssecrets.Renewed, "no credentials were found")
	if len(server.Calls()) != 0 {
		t.Error("Secrets Manager was called without credentials")
	}
}

func TestAConfigurationThatCannotBeLoadedIsAnError(t *testing.T) {
	withoutKeys(t, map[string]string{"AWS_PROFILE": canary})
	_, problems := awssecrets.Load(function(nil), nil)
	if len(problems) != 1 || problems[0].Class != problem.Config || problems[0].Variable != "AWS_PROFILE" {
		t.Errorf("problems %v", problems)
	}
	if strings.Contains(problems.Error(), canary) {
		t.Error("the problem quotes the value")
	}
}

func TestABundleThatIsMissingIsNamedAlthoughTheSDKReadsItToo(t *testing.T) {
	t.Setenv("AWS_CA_BUNDLE", "/nonexistent/bundle.pem")
	_, problems := awssecrets.Load(function(map[string]string{"AWS_CA_BUNDLE": "/nonexistent/bundle.pem"}), nil)
	if len(problems) != 1 || problems[0].Class != problem.Config || problems[0].Variable != "AWS_CA_BUNDLE" {
		t.Errorf("problems %v", problems)
	}
}
