//go:build !lambda

package awssecrets

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"secretwrap/internal/problem"
)

// loadCredentials leaves the search for credentials and region to the SDK:
// variables, profiles, SSO, container, instance. The SDK makes its own client
// for that, because it refuses to combine one of ours with AWS_CA_BUNDLE.
func (c *Config) loadCredentials(environment map[string]string) problem.List {
	loaded, err := config.LoadDefaultConfig(context.Background(), config.WithLogger(logging.Nop{}))
	if err != nil {
		c.useCredentials(aws.AnonymousCredentials{})
		// The SDK reads the bundle too, and does not tell what it failed at; what
		// is wrong with it is reported by itself.
		if len(c.loadRoots(environment)) > 0 {
			return nil
		}
		return problem.List{{
			Class: problem.Config, Variable: "AWS_PROFILE", Cause: "the AWS configuration cannot be loaded",
			Hint: "run aws sts get-caller-identity in the same shell, which explains what is wrong with it",
		}}
	}
	c.useCredentials(loaded.Credentials)
	if loaded.Region != "" {
		c.Region = loaded.Region
	}
	return nil
}
