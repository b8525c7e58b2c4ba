//go:build lambda

package awssecrets

import (
	"context"
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
	c.useCredentials(guarded{endpointcreds.New(endpoint, func(o *endpointcreds.Options) {
		o.AuthorizationToken = environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
		o.HTTPClient = newEndpointClient()
		o.Retryer = aws.NopRetryer{}
	})})
	return nil
}

// newEndpointClient returns the client for the container endpoint. It uses no proxy,
// because the address is this machine's own, and follows no redirect, which would
// lead the token away from there.
func newEndpointClient() *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     bounded{&http.Transport{DisableCompression: true, MaxResponseHeaderBytes: maxHeaders}},
		Timeout:       endpointPatience,
	}
}

// guarded turns a panic of the SDK, as at an answer of null, into an error. It would
// come in a goroutine of the SDK's own, and end the process.
type guarded struct{ aws.CredentialsProvider }

// Retrieve implements aws.CredentialsProvider.
func (g guarded) Retrieve(ctx context.Context) (keys aws.Credentials, err error) {
	defer func() {
		if recover() != nil {
			err = errUnreadable
		}
	}()
	return g.CredentialsProvider.Retrieve(ctx)
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
