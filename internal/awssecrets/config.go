package awssecrets

import (
	"context"
	"crypto/x509"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"secretwrap/internal/problem"
)

// Config is how Secrets Manager is reached.
type Config struct {
	// Region is the function's.
	Region string
	// Endpoint replaces the address that follows from the region. It comes from
	// EndpointVariable.
	Endpoint, EndpointVariable string
	// FIPS and DualStack choose among the addresses of a region.
	FIPS, DualStack bool
	// CABundle is a file of certificates that replaces the system's store.
	CABundle string
	// Connections is how many calls to one region may be under way at once.
	Connections int
	// Dial connects to Secrets Manager; nil means over the network. Tests connect
	// in memory, where time can be driven.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// roots are who is trusted, nil for the system's store. With amazonFirst,
	// Amazon's own authorities come before it.
	roots       *x509.CertPool
	amazonFirst bool
	// credentials is a function so that no way of printing a Config finds a key.
	credentials func() aws.CredentialsProvider
	// ownCredentials is set when the credentials come from an endpoint on this
	// machine, whose faults may pass.
	ownCredentials bool
}

// Load reads the configuration that AWS's own tools read from an environment,
// and checks it against what will be asked for.
func Load(environment map[string]string, requests []Request) (Config, problem.List) {
	config := Config{
		Region:      environment["AWS_REGION"],
		CABundle:    environment["AWS_CA_BUNDLE"],
		Connections: connections(environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]),
	}
	if config.Region == "" {
		config.Region = environment["AWS_DEFAULT_REGION"]
	}
	problems := config.readEndpoint(environment)
	problems = append(problems, checkKeys(environment)...)
	problems = append(problems, config.loadCredentials(environment)...)
	problems = append(problems, config.loadRoots(environment)...)
	problems = append(problems, checkProxy(environment)...)
	problems = append(problems, config.checkEndpoint(requests)...)
	return config, append(problems, config.CheckRegion(requests)...)
}

// Check judges what an environment says about the way to Secrets Manager, as far as
// that needs neither credentials nor files.
func Check(environment map[string]string, requests []Request) problem.List {
	config := Config{Region: environment["AWS_REGION"]}
	if config.Region == "" { // it may come from a profile
		requests = nil
	}
	problems := append(config.readEndpoint(environment), checkProxy(environment)...)
	return append(problems, config.checkEndpoint(requests)...)
}

// readEndpoint reads which address is asked.
func (c *Config) readEndpoint(environment map[string]string) (problems problem.List) {
	ignored := false
	for _, s := range []struct {
		name string
		set  *bool
	}{{"AWS_USE_FIPS_ENDPOINT", &c.FIPS}, {"AWS_USE_DUALSTACK_ENDPOINT", &c.DualStack}, {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", &ignored}} {
		problems = append(problems, readSwitch(s.name, environment[s.name], s.set)...)
	}
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SECRETS_MANAGER"} {
		if value := environment[name]; value != "" && !ignored {
			c.Endpoint, c.EndpointVariable = value, name
		}
	}
	return problems
}

// checkKeys finds credentials that were cut out of a text with more than they are.
// net/http sends no header with a line break, which would look like a network that
// is down.
func checkKeys(environment map[string]string) (problems problem.List) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		if strings.ContainsFunc(environment[name], func(c rune) bool { return c <= ' ' || c == 0x7f }) {
			problems = append(problems, &problem.Problem{Class: problem.Config, Variable: name, Cause: "the value holds a blank or a line break", Hint: "set it again without"})
		}
	}
	return problems
}

// useCredentials keeps where the credentials come from.
func (c *Config) useCredentials(provider aws.CredentialsProvider) {
	c.credentials = func() aws.CredentialsProvider { return provider }
}

// readSwitch reads a switch as AWS's SDKs do, which refuse anything but true,
// false and nothing.
func readSwitch(name, value string, set *bool) problem.List {
	*set = strings.EqualFold(value, "true")
	if value == "" || *set || strings.EqualFold(value, "false") {
		return nil
	}
	return problem.List{{Class: problem.Config, Variable: name, Cause: "the value is neither true nor false", Hint: "write true or false"}}
}

// connections follows from the memory, and with it the CPU, that Lambda gives.
// One each is needed to fetch 20 secrets in little more than the time of one;
// at 128 MB's share of CPU so many handshakes cost more than they save.
func connections(memoryMB string) int {
	memory, err := strconv.Atoi(memoryMB)
	if err != nil {
		return 32
	}
	return min(max(memory/16, 4), 32)
}

// checkEndpoint judges an address that replaces the region's own.
func (c Config) checkEndpoint(requests []Request) problem.List {
	if c.Endpoint == "" {
		return nil
	}
	if cause := endpointFault(c.Endpoint); cause != "" {
		return problem.List{c.endpointProblem(cause, "write https://HOST, or http:// and a loopback or private address")}
	}
	if c.FIPS || c.DualStack {
		return problem.List{c.endpointProblem("a custom endpoint cannot be combined with AWS_USE_FIPS_ENDPOINT or AWS_USE_DUALSTACK_ENDPOINT", "keep one of them")}
	}
	for _, request := range requests {
		if request.Region != "" && request.Region != c.Region {
			p := c.endpointProblem("the endpoint is for one region, the secret is in "+request.Region, "remove the variable, or refer to a secret in the function's region")
			p.Secret = request.Secret
			return problem.List{p}
		}
	}
	return nil
}

func (c Config) endpointProblem(cause, hint string) *problem.Problem {
	return &problem.Problem{Class: problem.Config, Variable: c.EndpointVariable, Cause: cause, Hint: hint}
}

// endpointFault says what is wrong with an address, "" if nothing.
func endpointFault(endpoint string) string {
	address, err := url.Parse(endpoint)
	switch {
	case err != nil || address.Hostname() == "" || address.Scheme != "http" && address.Scheme != "https":
		return "the value is not the address of a server"
	case address.User != nil || address.RawQuery != "" || address.Fragment != "":
		return "the address holds more than a server and a path"
	}
	host, err := netip.ParseAddr(address.Hostname())
	if address.Scheme == "http" && err == nil && !isLocal(host) {
		return "plain http to a public address would show the secrets to the network"
	}
	return ""
}

// checkProxy judges the address of the proxy, which net/http would pass over in
// silence if it cannot read it, or take for another: the requests would then go
// past the proxy. A reference in it is refused elsewhere.
func checkProxy(environment map[string]string) problem.List {
	name := "HTTPS_PROXY"
	if environment[name] == "" {
		name = "https_proxy"
	}
	value := environment[name]
	if value == "" || strings.Contains(value, "secretsmanager://") {
		return nil
	}
	if !strings.Contains(value, "://") {
		value = "http://" + value
	}
	address, err := url.Parse(value)
	if err == nil && address.Hostname() != "" && slices.Contains([]string{"http", "https", "socks5", "socks5h"}, address.Scheme) {
		return nil
	}
	return problem.List{{
		Class: problem.Config, Variable: name, Cause: "the value is not the address of a proxy",
		Hint: "write http://HOST:PORT, and what is special in a user's name or password as %XX",
	}}
}

// Plain reports whether the secrets travel unencrypted, as to an emulator.
func (c Config) Plain() bool {
	address, err := url.Parse(c.Endpoint)
	return err == nil && address.Scheme == "http"
}

// CheckRegion judges the function's own region if any request depends on it.
func (c Config) CheckRegion(requests []Request) problem.List {
	for _, request := range requests {
		if request.Region == "" && !consistsOf(c.Region, "abcdefghijklmnopqrstuvwxyz0123456789-") {
			return problem.List{{
				Class: problem.Config, Variable: "AWS_REGION", Secret: request.Secret, Cause: "no region is known for the secret",
				Hint: "set AWS_REGION to a region such as eu-west-1, or refer to the secret by its ARN",
			}}
		}
	}
	return nil
}

// consistsOf reports whether text is not empty and holds nothing but the
// characters allowed.
func consistsOf(text, allowed string) bool {
	return text != "" && strings.Trim(text, allowed) == ""
}
