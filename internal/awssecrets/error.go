package awssecrets

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"secretwrap/internal/problem"
)

// Retry says whether a further attempt makes sense.
type Retry uint8

// What a further attempt may bring.
const (
	// Never means that the answer is final.
	Never Retry = iota
	// Renewed means one more attempt, with new credentials and a new signature.
	Renewed
	// Always means that the fault may pass.
	Always
)

// Error is a call that brought no secret. It holds nothing of what the SDK or
// the server wrote, since both may quote a value.
type Error struct {
	Class problem.Class
	Cause string
	Hint  string
	Retry Retry
	// Absent is set when the secret, version or stage does not exist, which an
	// optional reference tolerates.
	Absent bool
}

// Answered reports whether the call came to an end that another attempt would not
// change, and that no limit of calls was the cause of.
func (e *Error) Answered() bool {
	return e.Retry == Never && !slices.Contains([]problem.Class{problem.Timeout, problem.Unavailable, problem.Throttled}, e.Class)
}

// Error implements error.
func (e *Error) Error() string { return e.Cause }

const (
	routeHint = "a function in a VPC reaches Secrets Manager through an interface endpoint for secretsmanager or a NAT gateway; check its security groups, its DNS, and HTTPS_PROXY if that is set"
	dataHint  = "something between the function and Secrets Manager changes the answers, such as a proxy; check HTTPS_PROXY and AWS_ENDPOINT_URL"
	proxyHint = "check the user's name and password in HTTPS_PROXY, and which hosts the proxy allows; NO_PROXY takes a host out"
	keysHint  = "check that the credentials are current (aws sso login renews those of SSO) and, on a laptop, that the clock is right"
)

var (
	errImpatient   = errors.New("attempt took too long")
	errNothing     = &Error{Class: problem.Unavailable, Cause: "the answer holds no secret", Hint: dataHint, Retry: Always}
	errWrongSecret = &Error{Class: problem.Invalid, Cause: "the answer is about another secret", Hint: "refer to the secret by its whole ARN"}
)

// classify turns what the SDK returned into an *Error: by the code that
// Secrets Manager sends, else by the status, else by the fault of the network.
func (c *Client) classify(ctx context.Context, request Request, err error) *Error {
	if found := localFault(ctx, err); found != nil {
		return found
	}
	status, requestID := 0, ""
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && response.Response != nil {
		status, requestID = response.HTTPStatusCode(), response.Response.Header.Get("x-amzn-RequestId")
	}
	var found *Error
	api, isAPI := errors.AsType[smithy.APIError](err)
	switch {
	case isAPI && api.ErrorCode() != "" && api.ErrorCode() != "UnknownError":
		found = c.byCode(request, api.ErrorCode(), api.ErrorMessage(), status)
	case status == 0 || isCutOff(err):
		found = c.networkFault(request, err)
	default:
		found = c.byStatus(request, status)
	}
	if isRequestID(requestID) {
		found.Cause += " (request " + requestID + ")"
	}
	return found
}

// localFault finds what did not come from the server.
func localFault(ctx context.Context, err error) *Error {
	switch {
	case errors.Is(err, errTooLarge):
		return &Error{Class: problem.Unavailable, Cause: "the answer is larger than any secret", Hint: dataHint}
	case errors.Is(err, errEncoded):
		return &Error{Class: problem.Unavailable, Cause: "the answer is compressed, which was not asked for", Hint: dataHint}
	case errors.Is(err, errNoText):
		return &Error{Class: problem.Invalid, Cause: "the secret's text is not valid Unicode", Hint: "store it anew; bytes that are no text belong into SecretBinary"}
	case errors.Is(err, errUnreadable):
		return unreadable()
	case errors.Is(err, errPlainPublic):
		return &Error{Class: problem.Config, Cause: "plain http to a public address would show the secrets to the network", Hint: "write https:// in AWS_ENDPOINT_URL"}
	}
	return lateness(ctx)
}

// lateness returns nil while there is time.
func lateness(ctx context.Context) *Error {
	switch {
	case ctx.Err() == nil:
		return nil
	case errors.Is(context.Cause(ctx), errImpatient):
		return &Error{Class: problem.Timeout, Cause: "no answer in time", Hint: routeHint, Retry: Always}
	default:
		return &Error{Class: problem.Timeout, Cause: "no answer in time", Hint: routeHint}
	}
}

// isCutOff reports whether the connection failed in the middle of an answer.
func isCutOff(err error) bool {
	_, failed := errors.AsType[*net.OpError](err)
	return failed || errors.Is(err, io.ErrUnexpectedEOF)
}

// networkFault reads an error that came before the whole answer.
func (c *Client) networkFault(request Request, err error) *Error {
	found := &Error{Class: problem.Unavailable, Cause: "the connection failed", Hint: routeHint, Retry: Always}
	if c.config.Endpoint != "" {
		found.Hint = "check that a server answers at the address in " + c.config.EndpointVariable + "; " + routeHint
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		found.Cause = "the name of the server cannot be resolved"
		if dns.IsNotFound {
			found.Retry, found.Hint = Never, "check that "+c.regionOf(request)+" is a region; "+found.Hint
		}
	}
	if refusal, ok := errors.AsType[proxyRefusal](err); ok {
		found.Cause, found.Hint = refusal.Error(), proxyHint
		if refusal < 500 {
			found.Retry = Never
		}
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		found.Cause, found.Retry = "the server's certificate cannot be verified", Never
		found.Hint = "behind a proxy that opens TLS, or with an emulator, name its authority in AWS_CA_BUNDLE"
	}
	return found
}

// credentialsError says that no credentials were to be had. Without an err they
// came incomplete.
func (c *Client) credentialsError(ctx context.Context, err error) *Error {
	late := &Error{Class: problem.Timeout, Cause: "no credentials in time", Hint: "what gives the credentials does not answer; on a laptop run aws sts get-caller-identity in the same shell"}
	if found := lateness(ctx); found != nil {
		late.Retry = found.Retry
		return late
	}
	if network, ok := errors.AsType[net.Error](err); ok && network.Timeout() {
		late.Retry = Renewed
		return late
	}
	if c.config.ownCredentials && mayPass(err) {
		return &Error{Class: problem.Unavailable, Cause: "the endpoint for credentials failed", Hint: "try again", Retry: Always}
	}
	return &Error{Class: problem.Denied, Cause: "no credentials were found", Hint: "give the function a role; on a laptop run aws sso login or set AWS_PROFILE", Retry: Renewed}
}

// mayPass reports whether an endpoint for credentials failed by itself, rather
// than refuse.
func mayPass(err error) bool {
	answered, ok := errors.AsType[interface {
		error
		HTTPStatusCode() int
	}](err)
	if !ok {
		return err != nil
	}
	status := answered.HTTPStatusCode()
	return status < 400 || status >= 500 || status == 408 || status == 429
}
