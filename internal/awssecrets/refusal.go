package awssecrets

import (
	"slices"
	"strconv"
	"strings"

	"secretwrap/internal/arn"
	"secretwrap/internal/problem"
)

// isCode reports whether a text that the server chose may be repeated as the code
// of a refusal. Such codes have no digits, as most values that leak would.
func isCode(text string) bool {
	return len(text) <= 64 && consistsOf(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.")
}

// isRequestID reports whether a text that the server chose may be repeated as the id
// of a request, which is a UUID.
func isRequestID(text string) bool {
	groups := strings.Split(text, "-")
	if len(groups) != 5 {
		return false
	}
	for i, length := range []int{8, 4, 4, 4, 12} {
		if len(groups[i]) != length || !consistsOf(groups[i], "0123456789abcdef") {
			return false
		}
	}
	return true
}

var (
	throttlingCodes = []string{
		"ThrottlingException", "Throttling", "ThrottledException", "TooManyRequestsException", "RequestLimitExceeded",
		"RequestThrottled", "RequestThrottledException", "SlowDown", "PriorRequestNotComplete", "KMSThrottlingException",
	}
	identityCodes = []string{
		"ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException",
		"SignatureDoesNotMatch", "RequestExpired", "RequestTimeTooSkewed", "IncompleteSignature", "MissingAuthenticationToken",
		"MissingAuthenticationTokenException", "AuthFailure",
	}
)

// byCode reads the code of an answer. The message only helps to tell apart what
// Secrets Manager says under one code.
func (c *Client) byCode(request Request, code, message string, status int) *Error {
	switch {
	case slices.Contains(throttlingCodes, code), strings.Contains(message, "Rate exceeded"), strings.Contains(message, "exceeded the rate"):
		return throttled()
	case slices.Contains(identityCodes, code):
		return &Error{Class: problem.Denied, Cause: "the credentials were refused: " + code, Hint: keysHint, Retry: Renewed}
	case code == "ResourceNotFoundException":
		return &Error{
			Class: problem.NotFound, Cause: "no such secret, version or stage in " + c.regionOf(request), Absent: true,
			Hint: "check the name, the region and the stage; a secret of another account is found by its ARN only",
		}
	case isOfKMS(code, message):
		return &Error{Class: problem.Denied, Cause: "KMS refused to decrypt the secret", Hint: "allow kms:Decrypt on the secret's key to the function's role, in its policy and the key's own; check that the key is enabled"}
	case code == "InvalidRequestException" && strings.Contains(message, "delet"):
		return &Error{Class: problem.NotFound, Cause: "the secret is scheduled for deletion", Hint: "restore it with aws secretsmanager restore-secret, or change the reference", Absent: true}
	case strings.HasPrefix(code, "AccessDenied"):
		return c.denied(request)
	case status >= 500 || code == "InternalServiceError" || code == "InternalServiceErrorException":
		return unavailable(status)
	case status == 400 && isCode(code):
		return refused(code)
	default:
		return c.byStatus(request, status)
	}
}

// isOfKMS reports whether a refusal is about the secret's key: by its code, or since
// Secrets Manager says so of a code that has many reasons.
func isOfKMS(code, message string) bool {
	hasManyReasons := code == "InvalidRequestException" || strings.HasPrefix(code, "AccessDenied")
	return code == "DecryptionFailure" || strings.HasPrefix(code, "KMS") || hasManyReasons && strings.Contains(message, "KMS")
}

// byStatus reads an answer without a code, such as that of a proxy.
func (c *Client) byStatus(request Request, status int) *Error {
	switch {
	case status >= 200 && status < 300:
		return unreadable()
	case status == 401 || status == 403:
		return c.denied(request)
	case status == 429:
		return throttled()
	case status >= 500 || status == 408:
		return unavailable(status)
	case status >= 300 && status < 400:
		return &Error{Class: problem.Unavailable, Cause: "the answer is a redirect, which is not followed", Hint: dataHint}
	default:
		return refused("HTTP " + strconv.Itoa(status))
	}
}

func unreadable() *Error {
	return &Error{Class: problem.Unavailable, Cause: "the answer cannot be read", Hint: dataHint, Retry: Always}
}

func throttled() *Error {
	return &Error{Class: problem.Throttled, Cause: "throttled", Hint: "too many calls at once in this account and region; keep several fields in one secret", Retry: Always}
}

func unavailable(status int) *Error {
	return &Error{Class: problem.Unavailable, Cause: "Secrets Manager failed: HTTP " + strconv.Itoa(status), Hint: "try again; see the health of AWS in this region", Retry: Always}
}

func refused(how string) *Error {
	return &Error{Class: problem.Invalid, Cause: "Secrets Manager refused the request: " + how, Hint: "check the stage and the version of the reference"}
}

func (c *Client) denied(request Request) *Error {
	return &Error{
		Class: problem.Denied, Cause: "access denied",
		Hint: "allow secretsmanager:GetSecretValue on " + c.resource(request) + " to the function's role; a secret of another account must allow it too",
	}
}

// regionOf returns the region that a request goes to.
func (c *Client) regionOf(request Request) string {
	if request.Region != "" {
		return request.Region
	}
	return c.config.Region
}

// resource returns what a policy names to allow the request.
func (c *Client) resource(request Request) string {
	switch {
	case !strings.HasPrefix(request.Secret, "arn:"):
		return arn.Secret(request.Secret, c.regionOf(request), "*")
	case arn.IsComplete(request.Secret):
		return request.Secret
	}
	return request.Secret + arn.Any
}
