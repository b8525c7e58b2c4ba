package awssecrets_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/problem"
)

func TestTheEndpointIsWhatTheVariablesSay(t *testing.T) {
	tests := []struct {
		name        string
		environment map[string]string
		want        string
		plain       bool
	}{
		{"none", nil, "", false},
		{"for all services", map[string]string{"AWS_ENDPOINT_URL": "https://all.test"}, "https://all.test", false},
		{"for this service", map[string]string{"AWS_ENDPOINT_URL_SECRETS_MANAGER": "https://one.test"}, "https://one.test", false},
		{"this service's goes first", map[string]string{"AWS_ENDPOINT_URL": "https://all.test", "AWS_ENDPOINT_URL_SECRETS_MANAGER": "https://one.test"}, "https://one.test", false},
		{"ignored", map[string]string{"AWS_ENDPOINT_URL": "https://all.test", "AWS_ENDPOINT_URL_SECRETS_MANAGER": "ftp://one.test", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "True"}, "", false},
		{"not ignored", map[string]string{"AWS_ENDPOINT_URL": "https://all.test", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false"}, "https://all.test", false},
		{"a loopback address", map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, "http://127.0.0.1:4566", true},
		{"a loopback address of IPv6", map[string]string{"AWS_ENDPOINT_URL": "http://[::1]:4566"}, "http://[::1]:4566", true},
		{"a private address", map[string]string{"AWS_ENDPOINT_URL": "http://10.1.2.3"}, "http://10.1.2.3", true},
		{"a private address in the form of IPv6", map[string]string{"AWS_ENDPOINT_URL": "http://[::ffff:10.1.2.3]"}, "http://[::ffff:10.1.2.3]", true},
		{"a link-local address", map[string]string{"AWS_ENDPOINT_URL": "http://169.254.1.1"}, "http://169.254.1.1", true},
		{"a name", map[string]string{"AWS_ENDPOINT_URL": "http://localstack:4566"}, "http://localstack:4566", true},
		{"the scheme in other case", map[string]string{"AWS_ENDPOINT_URL": "HTTP://localstack:4566"}, "HTTP://localstack:4566", true},
		{"a path", map[string]string{"AWS_ENDPOINT_URL": "https://gateway.test/aws"}, "https://gateway.test/aws", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			config, problems := awssecrets.Load(function(test.environment), []awssecrets.Request{{Secret: "a"}, {Secret: "b", Region: region}})
			if len(problems) > 0 || config.Endpoint != test.want || config.Plain() != test.plain {
				t.Errorf("endpoint %q, plain %v, problems %v", config.Endpoint, config.Plain(), problems)
			}
		})
	}
}

func TestAProxyThatIsNoneIsAConfigurationError(t *testing.T) {
	good := []string{
		"", "http://proxy.test:3128", "https://user:p%40ss@proxy.test", "proxy.test:3128", "10.1.2.3:3128", "socks5://proxy.test", "http://[::1]:3128",
		"http://app:{{secretsmanager://proxy?encode=url#password}}@proxy.test",
	}
	for _, value := range good {
		if _, problems := awssecrets.Load(function(map[string]string{"HTTPS_PROXY": value}), nil); len(problems) > 0 {
			t.Errorf("HTTPS_PROXY=%q: %v", value, problems)
		}
	}
	bad := []string{"http://app:100%z" + canary + "@proxy.test", " http://proxy.test", "ftp://proxy.test", "http://", "http:proxy.test", "http://proxy.test:" + canary}
	for _, value := range bad {
		for _, variable := range []string{"HTTPS_PROXY", "https_proxy"} {
			_, problems := awssecrets.Load(function(map[string]string{variable: value}), nil)
			if len(problems) != 1 || problems[0].Class != problem.Config || problems[0].Variable != variable {
				t.Errorf("%s=%q: %v", variable, value, problems)
			} else if strings.Contains(problems[0].Error()+problems[0].Hint, canary) {
				t.Errorf("%s=%q: the problem quotes the value", variable, value)
			}
		}
	}
}

func TestAnEndpointThatIsNoneIsAConfigurationError(t *testing.T) {
	const (
		noServer = "the value is not the address of a server"
		tooMuch  = "the address holds more than a server and a path"
		public   = "plain http to a public address would show the secrets to the network"
	)
	tests := map[string]string{
		"secretsmanager.test":        noServer,
		"ftp://one.test":             noServer,
		"https://":                   noServer,
		"https:one.test":             noServer,
		"https://one.test\x00":       noServer,
		" https://one.test":          noServer,
		"/run/socket":                noServer,
		"https://user@one.test":      tooMuch,
		"https://one.test?a=" + "b":  tooMuch,
		"https://one.test/#a":        tooMuch,
		"http://8.8.8.8":             public,
		"HTTP://8.8.8.8":             public,
		"http://[2001:db8::1]":       public,
		"http://[::ffff:8.8.8.8]":    public,
		"http://0.0.0.0:4566":        public,
		"https://" + canary + "@a":   tooMuch,
		"https://one.test:" + canary: noServer,
	}
	for endpoint, cause := range tests {
		for _, variable := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SECRETS_MANAGER"} {
			_, problems := awssecrets.Load(function(map[string]string{variable: endpoint}), nil)
			if len(problems) != 1 || problems[0].Class != problem.Config || problems[0].Variable != variable || problems[0].Cause != cause {
				t.Errorf("%s=%q: %v", variable, endpoint, problems)
			} else if strings.Contains(problems[0].Error()+problems[0].Hint, canary) {
				t.Errorf("%s=%q: the problem quotes the value", variable, endpoint)
			}
		}
	}
}

func TestAnEndpointExcludesOtherChoices(t *testing.T) {
	elsewhere := []awssecrets.Request{{Secret: "a"}, {Secret: "b", Region: "us-east-2"}}
	tests := []struct {
		name     string
		more     map[string]string
		requests []awssecrets.Request
		cause    string
	}{
		{"FIPS", map[string]string{"AWS_USE_FIPS_ENDPOINT": "true"}, nil, "cannot be combined"},
		{"dual-stack", map[string]string{"AWS_USE_DUALSTACK_ENDPOINT": "TRUE"}, nil, "cannot be combined"},
		{"another region", nil, elsewhere, "us-east-2"},
	}
	for _, test := range tests {
		environment := function(test.more)
		if _, problems := awssecrets.Load(environment, test.requests); len(problems) > 0 {
			t.Errorf("%s without an endpoint: %v", test.name, problems)
		}
		environment = maps.Clone(environment)
		environment["AWS_ENDPOINT_URL"] = "https://one.test"
		_, problems := awssecrets.Load(environment, test.requests)
		if len(problems) != 1 || problems.Class() != problem.Config || !strings.Contains(problems[0].Cause, test.cause) {
			t.Errorf("%s: %v", test.name, problems)
		}
	}
	environment := function(map[string]string{"AWS_ENDPOINT_URL": "https://one.test"})
	if _, problems := awssecrets.Load(environment, elsewhere); len(problems) != 1 || problems[0].Secret != "b" {
		t.Errorf("the problem does not name the secret: %v", problems)
	}
}

func TestFIPSAndDualStackAreSwitchedOnByTrue(t *testing.T) {
	for value, want := range map[string]bool{"true": true, "True": true, "false": false, "False": false, "": false} {
		config, problems := awssecrets.Load(function(map[string]string{"AWS_USE_FIPS_ENDPOINT": value, "AWS_USE_DUALSTACK_ENDPOINT": value}), nil)
		if len(problems) > 0 || config.FIPS != want || config.DualStack != want {
			t.Errorf("%q: %+v, %v", value, config, problems)
		}
	}
}

func TestASwitchThatIsNeitherTrueNorFalseIsAConfigurationError(t *testing.T) {
	for _, name := range []string{"AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"} {
		for _, value := range []string{"1", "yes", "maybe", "true "} {
			_, problems := awssecrets.Load(function(map[string]string{name: value}), nil)
			if len(problems) != 1 || problems[0].Variable != name || problems[0].Class != problem.Config {
				t.Errorf("%s=%q: %v", name, value, problems)
			}
		}
	}
}

// net/http refuses to send them, which would look like a network that is down.
func TestCredentialsThatNoHeaderCanHoldAreAConfigurationError(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		for _, value := range []string{canary + "\n", canary + "\r", "\t" + canary, canary + "\x00", " " + canary} {
			_, problems := awssecrets.Load(function(map[string]string{name: value}), []awssecrets.Request{{Secret: "prod/db"}})
			if len(problems) != 1 || problems[0].Variable != name || problems[0].Class != problem.Config || problems[0].Hint == "" {
				t.Errorf("%s=%q: %v", name, value, problems)
			} else if strings.Contains(problems[0].Error()+problems[0].Hint, canary) {
				t.Errorf("%s: the problem quotes the value", name)
			}
		}
	}
}

func TestPrintingAConfigShowsNoKey(t *testing.T) {
	config, _ := awssecrets.Load(function(map[string]string{"AWS_SECRET_ACCESS_KEY": canary, "AWS_SESSION_TOKEN": canary}), nil)
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if strings.Contains(fmt.Sprintf(format, config), canary) {
			t.Errorf("%s prints a key", format)
		}
	}
}

func TestConnectionsFollowFromTheMemory(t *testing.T) {
	for memory, want := range map[string]int{"128": 8, "64": 4, "256": 16, "512": 32, "10240": 32, "": 32, "much": 32, "-1": 4} {
		config, _ := awssecrets.Load(function(map[string]string{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": memory}), nil)
		if config.Connections != want {
			t.Errorf("%q MB: %d connections, want %d", memory, config.Connections, want)
		}
	}
}
