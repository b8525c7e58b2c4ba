package awssecrets_test

import (
	"maps"
	"strings"
	"testing"

	"secretwrap/internal/awssecrets"
)

func TestIdentityFollowsWhatDecidesTheAnswers(t *testing.T) {
	base := map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "the secret key", "PATH": "/bin"}
	identity := awssecrets.Identity(base)
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "HTTPS_PROXY", "no_proxy", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
		other := maps.Clone(base)
		other[name] = "other"
		if awssecrets.Identity(other) == identity {
			t.Errorf("%s makes no difference", name)
		}
	}
	other := maps.Clone(base)
	other["PATH"], other["_HANDLER"], other["AWS_EXECUTION_ENV"] = "/opt/bin", "index.handler", "AWS_Lambda_python3.13"
	other["SSL_CERT_FILE"] = "/var/runtime/empty-certificates.crt" // as .NET's does
	if awssecrets.Identity(other) != identity {
		t.Error("what the runtime's bootstrap exports makes a difference")
	}
	base["AWS_ENDPOINT_URL_SECRETS_MANAGER"], base["HTTPS_PROXY"] = "https://vpce.example", "http://proxy:3128"
	other = maps.Clone(base)
	other["AWS_DEFAULT_REGION"], other["AWS_ENDPOINT_URL"], other["https_proxy"] = "us-east-1", "http://127.0.0.1:4566", "http://other:3128"
	if awssecrets.Identity(other) != awssecrets.Identity(base) {
		t.Error("what has no effect makes a difference")
	}
	if strings.Contains(identity, "key") {
		t.Error("the identity holds a key")
	}
}
