package plan_test

import (
	"strings"
	"testing"

	"secretwrap/internal/manifest"
	"secretwrap/internal/plan"
)

func TestAReferenceThatAnExtensionReadsIsWarnedAbout(t *testing.T) {
	tests := map[string]string{
		"DD_API_KEY":               "DD_API_KEY_SECRET_ARN",
		"NEW_RELIC_LICENSE_KEY":    "NEW_RELIC_LICENSE_KEY_SECRET",
		"LUMIGO_TRACER_TOKEN":      "documentation",
		"ELASTIC_APM_SECRET_TOKEN": "ELASTIC_APM_SECRETS_MANAGER_SECRET_TOKEN_ID",
		"ELASTIC_APM_API_KEY":      "ELASTIC_APM_SECRETS_MANAGER_API_KEY_ID",
		"ELASTIC_APM_SERVER_URL":   "documentation",
		"HONEYCOMB_API_KEY":        "documentation",
		"DT_CONNECTION_AUTH_TOKEN": "DT_CONNECTION_AUTH_TOKEN_SECRETS_MANAGER_ARN",
		"DT_TENANT":                "documentation",
	}
	for name, instead := range tests {
		for _, value := range []string{"secretsmanager://a#b", "x{{secretsmanager://a#b}}"} {
			warnings := configuration{environment: []string{name + "=" + value}}.make(t).ExtensionWarnings()
			if len(warnings) != 1 || !strings.HasPrefix(warnings[0], name+": ") || !strings.HasSuffix(warnings[0], instead) {
				t.Errorf("%s: %q, want one that ends in %q", name, warnings, instead)
			}
		}
	}
}

func TestWhatNoExtensionReadsIsNotWarnedAbout(t *testing.T) {
	got := configuration{
		environment: []string{"DD_API_KEY=literal", "DD_SITE=secretsmanager://a", "MY_DD_API_KEY=secretsmanager://a", "DT=secretsmanager://a", "DTX=secretsmanager://a"},
		manifest:    manifest.Manifest{Source: "m", Env: entries("HONEYCOMB_API_KEY=a"), Files: entries("DT_X=a")},
	}.make(t).ExtensionWarnings()
	if len(got) > 0 {
		t.Errorf("warnings %q", got)
	}
}

func TestDatadogsWrapperIsRefusedWhereItsProxyIsNeeded(t *testing.T) {
	const wrapper = "/opt/datadog_wrapper"
	appSec := map[string]string{"DD_SERVERLESS_APPSEC_ENABLED": "true"}
	tests := map[string]struct {
		next        string
		environment map[string]string
		want        bool
	}{
		"without anything":         {wrapper, nil, true},
		"with AppSec":              {wrapper, appSec, false},
		"with AppSec, as 1":        {wrapper, map[string]string{"DD_SERVERLESS_APPSEC_ENABLED": "1"}, false},
		"with AppSec, as T":        {wrapper, map[string]string{"DD_SERVERLESS_APPSEC_ENABLED": "T"}, false},
		"with AppSec, in capitals": {wrapper, map[string]string{"DD_SERVERLESS_APPSEC_ENABLED": "TRUE"}, false},
		"with the proxy":           {wrapper, map[string]string{"DD_EXPERIMENTAL_ENABLE_PROXY": "true"}, false},
		"with AppSec off":          {wrapper, map[string]string{"DD_SERVERLESS_APPSEC_ENABLED": "false", "DD_EXPERIMENTAL_ENABLE_PROXY": ""}, true},
		"by another path":          {"/opt/./datadog_wrapper", appSec, false},
		"another wrapper":          {"/opt/otel-handler", appSec, true},
		"no wrapper":               {"", appSec, true},
	}
	for name, test := range tests {
		p := plan.CheckChain(test.next, test.environment)
		if (p == nil) != test.want {
			t.Errorf("%s: problem %v", name, p)
		}
		if p != nil && (p.Variable != "SECRETWRAP_EXEC_WRAPPER" || !strings.Contains(p.Hint, "DD_")) {
			t.Errorf("%s: problem %v (%s)", name, p, p.Hint)
		}
	}
}
