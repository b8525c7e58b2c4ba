package lambdaapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
)

// StatusError is an answer with another status than the expected one.
type StatusError struct {
	// Method and Path are the call's.
	Method, Path string
	// Status is the answer's HTTP status.
	Status int
	// ErrorType is the answer's errorType, such as Extension.InvalidEventType.
	// It is empty if the answer has none, or one that is anything but 1 to 64
	// letters and dots.
	ErrorType string
}

// Error implements error.
func (e *StatusError) Error() string {
	text := fmt.Sprintf("%s %s: status %d", e.Method, e.Path, e.Status)
	if e.ErrorType != "" {
		text += " (" + e.ErrorType + ")"
	}
	return text
}

// maxErrorType is the longest errorType that is repeated, in bytes.
const maxErrorType = 64

// errNotHTTP stands for all that net/http finds wrong with an answer: it would
// quote it.
var errNotHTTP = errors.New("the answer is not HTTP")

// errorTypeOf returns the errorType of an answer's body, empty without a plain
// one.
func errorTypeOf(body []byte) string {
	var answer struct {
		ErrorType string `json:"errorType"`
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.ErrorType) > maxErrorType || strings.ContainsFunc(answer.ErrorType, isUnfit) {
		return ""
	}
	return answer.ErrorType
}

// isUnfit tells what an errorType that is fit for a log does not hold.
func isUnfit(c rune) bool {
	return c != '.' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
}

// causeOf returns why a call failed, without what differs from call to call, such
// as the port of this side, and without what the server wrote.
func causeOf(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return number
	}
	for _, known := range []error{io.ErrUnexpectedEOF, io.EOF, net.ErrClosed} {
		if errors.Is(err, known) {
			return known
		}
	}
	if operation, ok := errors.AsType[*net.OpError](err); ok && operation.Op == "dial" {
		return operation.Err
	}
	return errNotHTTP
}
