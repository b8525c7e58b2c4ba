// Package awssecrets makes one call to Secrets Manager.
package awssecrets

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go/logging"

	"secretwrap/internal/arn"
	"secretwrap/internal/secret"
)

// Request names one version of one secret.
type Request struct {
	// Secret is a name, an ARN, or an ARN without its suffix.
	Secret string
	// Region is where the secret is kept; empty means the function's region.
	Region string
	// Stage and Version select a version; both empty means AWSCURRENT.
	Stage, Version string
}

// Document is what Secrets Manager keeps for one version of one secret.
type Document struct {
	Value secret.Value
	// Binary is set when the value was stored as SecretBinary.
	Binary    bool
	VersionID string
}

// Client calls Secrets Manager. It is safe for concurrent use.
type Client struct {
	config      Config
	credentials *aws.CredentialsCache
	http        *http.Client
	api         *secretsmanager.Client
}

// New returns a Client. It sends nothing. The config must have been checked.
func New(config Config) *Client {
	credentials := aws.NewCredentialsCache(config.credentials())
	client := newHTTPClient(config)
	options := secretsmanager.Options{
		AppID:       "secretwrap",
		Credentials: credentials,
		HTTPClient:  client,
		Logger:      logging.Nop{},
		Region:      config.Region,
		Retryer:     aws.NopRetryer{},
	}
	if config.Endpoint != "" {
		options.BaseEndpoint = aws.String(config.Endpoint)
	}
	if config.FIPS {
		options.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled
	}
	if config.DualStack {
		options.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled
	}
	return &Client{config, credentials, client, secretsmanager.New(options)}
}

// Get makes one attempt. With patience, it waits that long for a connection and
// then that long for the whole answer; without, as long as ctx lasts. The error
// is an *Error.
func (c *Client) Get(ctx context.Context, request Request, patience time.Duration) (Document, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if patience > 0 {
		timer := time.AfterFunc(patience, func() { cancel(errImpatient) })
		defer timer.Stop()
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			GotConn: func(httptrace.GotConnInfo) { timer.Reset(patience) },
		})
	}
	if keys, err := c.credentials.Retrieve(ctx); err != nil || !keys.HasKeys() {
		return Document{}, c.credentialsError(ctx, err)
	}
	answer, err := c.ask(ctx, request)
	if err != nil {
		return Document{}, c.classify(ctx, request, err)
	}
	return document(request, answer)
}

// ask sends the request. The SDK panics at some answers, such as one with a date
// that is no number.
func (c *Client) ask(ctx context.Context, request Request) (answer *secretsmanager.GetSecretValueOutput, err error) {
	defer func() {
		if recover() != nil {
			err = errUnreadable
		}
	}()
	return c.api.GetSecretValue(ctx, request.input(), func(o *secretsmanager.Options) {
		if request.Region != "" {
			o.Region = request.Region
		}
	})
}

// Renew forgets the credentials, so that the next call asks for new ones.
func (c *Client) Renew() { c.credentials.Invalidate() }

// Disconnect closes the connections that are not in use. A frozen environment
// or a restored snapshot wakes up with connections that are dead and do not know.
func (c *Client) Disconnect() { c.http.CloseIdleConnections() }

func (r Request) input() *secretsmanager.GetSecretValueInput {
	input := &secretsmanager.GetSecretValueInput{SecretId: aws.String(r.Secret)}
	if r.Stage != "" {
		input.VersionStage = aws.String(r.Stage)
	}
	if r.Version != "" {
		input.VersionId = aws.String(r.Version)
	}
	return input
}

// document takes the value out of the answer. The SDK accepts an answer that is
// empty, and one that is about another secret.
func document(request Request, answer *secretsmanager.GetSecretValueOutput) (Document, error) {
	if answer.SecretString == nil && answer.SecretBinary == nil {
		return Document{}, errNothing
	}
	if !request.answeredBy(aws.ToString(answer.ARN), aws.ToString(answer.Name)) {
		return Document{}, errWrongSecret
	}
	version := aws.ToString(answer.VersionId)
	if answer.SecretString != nil {
		return Document{Value: secret.FromString(*answer.SecretString), VersionID: version}, nil
	}
	return Document{Value: secret.New(answer.SecretBinary), Binary: true, VersionID: version}, nil
}

// answeredBy reports whether the secret of that ARN and name is the one asked for.
func (r Request) answeredBy(whole, name string) bool {
	if !strings.HasPrefix(r.Secret, "arn:") {
		return name == r.Secret
	}
	suffix, same := strings.CutPrefix(whole, r.Secret)
	return same && (suffix == "" || arn.Completes(suffix))
}
