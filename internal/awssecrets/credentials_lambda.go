//go:build lambda

package awssecrets

import (
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"

	"secretwrap/internal/problem"
)

// endpointPatience ends a request to the container endpoint. The SDK lets every
// later call wait for the request under way, so one whose connection died, as in
// a restored snapshot, would otherwise be waited for by all.
const endpointPatience = 2 * time.Second

// loadCredentials finds the credentials of the function's role: keys in the
// environment, or the container endpoint, which Lambda uses under SnapStart.
// Nothing else is asked, so that no request leaves for an instance's metadata
// and no profile names a program to run.
func (c *Config) loadCredentials(environment map[string]string) problem.List {
	key, secretKey := environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]
	if key != "" && secretKey != "" {
		c.useCredentials(credentials.NewStaticCredentialsProvider(key, secretKey, environment["AWS_SESSION_TOKEN"]))
		return nil
	}
	variable := "AWS_CONTAINER_CREDENTIALS_FULL_URI"
	endpoint := environment[variable]
	if relative := environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]; relative != "" {
		variable, endpoint = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "http://169.254.170.2"+relative
	}
	if endpoint == "" {
		c.useCredentials(aws.AnonymousCredentials{})
		return problem.List{{
			Class: problem.Denied, Variable: "AWS_ACCESS_KEY_ID", Cause: "no credentials are in the environment",
			Hint: "Lambda gives a function its role's credentials; elsewhere set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
		}}
	}
	if !isContainerEndpoint(endpoint) {
		return problem.List{{
			Class: problem.Config, Variable: variable, Cause: "the address is neither loopback nor link-local",
			Hint: "remove the variable; Lambda sets it where it is needed",
		}}
	}
	c.ownCredentials = true
	c.useCredentials(endpointcreds.New(endpoint, func(o *endpointcreds.Options) {
		o.AuthorizationToken = environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
		// Without a proxy: the address is this machine's own.
		o.HTTPClient = &http.Client{Transport: &http.Transport{}, Timeout: endpointPatience}
		o.Retryer = aws.NopRetryer{}
	}))
	return nil
}

// isContainerEndpoint keeps the token from leaving the machine.
func isContainerEndpoint(endpoint string) bool {
	address, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	host, err := netip.ParseAddr(address.Hostname())
	return address.Hostname() == "localhost" || err == nil && (host.IsLoopback() || host.IsLinkLocalUnicast() || host == netip.MustParseAddr("fd00:ec2::23"))
}
