package plan

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"secretwrap/internal/problem"
)

// readByExtensions are variables that a vendor's extension reads, which was
// started before the values were there, and the vendor's own setting for a
// secret. A name that ends in _ stands for all that begin so.
var readByExtensions = []struct{ name, instead string }{
	{"DD_API_KEY", "DD_API_KEY_SECRET_ARN"},
	{"NEW_RELIC_LICENSE_KEY", "NEW_RELIC_LICENSE_KEY_SECRET"},
	{"LUMIGO_TRACER_TOKEN", "the setting for a secret in its documentation"},
	{"ELASTIC_APM_SECRET_TOKEN", "ELASTIC_APM_SECRETS_MANAGER_SECRET_TOKEN_ID"},
	{"ELASTIC_APM_API_KEY", "ELASTIC_APM_SECRETS_MANAGER_API_KEY_ID"},
	{"ELASTIC_APM_", "the setting for a secret in its documentation"},
	{"HONEYCOMB_API_KEY", "the setting for a secret in its documentation"},
	{"DT_CONNECTION_AUTH_TOKEN", "DT_CONNECTION_AUTH_TOKEN_SECRETS_MANAGER_ARN"},
	{"DT_", "the setting for a secret in its documentation"},
}

// ExtensionWarnings tells of references in variables of the function's
// configuration that an extension reads: it sees the reference, not the value.
func (p *Plan) ExtensionWarnings() []string {
	var warnings []string
	for _, target := range p.Targets {
		if target.Origin.Source != "" {
			continue
		}
		for _, vendor := range readByExtensions {
			if target.Name == vendor.name || strings.HasSuffix(vendor.name, "_") && strings.HasPrefix(target.Name, vendor.name) {
				warnings = append(warnings, fmt.Sprintf("%s: an extension that reads this variable sees the reference, not the secret; for it use %s", target.Name, vendor.instead))
				break
			}
		}
	}
	return warnings
}

// CheckChain judges the next wrapper. Datadog's extension opens the proxy that
// its AppSec needs only if AWS_LAMBDA_EXEC_WRAPPER in the function's
// configuration is Datadog's own wrapper, while the wrapper makes the runtime
// call that proxy in any case.
func CheckChain(next string, environment map[string]string) *problem.Problem {
	if filepath.Clean(next) != "/opt/datadog_wrapper" {
		return nil
	}
	for _, name := range []string{"DD_SERVERLESS_APPSEC_ENABLED", "DD_EXPERIMENTAL_ENABLE_PROXY"} {
		if slices.Contains([]string{"1", "t", "true"}, strings.ToLower(environment[name])) {
			return &problem.Problem{
				Class: problem.Config, Variable: "SECRETWRAP_EXEC_WRAPPER", Cause: "Datadog's wrapper cannot follow another one while " + name + " is set: the runtime would call a port that nobody opens",
				Hint: "take " + name + " away, or deliver the secrets without this wrapper",
			}
		}
	}
	return nil
}
