// Package lambdaapi is a client of the APIs that Lambda offers inside an execution
// environment.
package lambdaapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
)

// maxAnswer is the most that is read of an answer's header, and of its body, in
// bytes.
const maxAnswer = 64 << 10

// Client speaks to the Runtime API with the Extensions API beside it.
type Client struct {
	address   string
	transport *http.Transport
}

// New returns a Client for an address host:port, as Lambda gives it in
// AWS_LAMBDA_RUNTIME_API. It goes through no proxy, because the address is not a
// loopback one in production and HTTP_PROXY would catch it, and has no timeout,
// because the question for the next event may wait for hours. It follows no
// redirect.
func New(address string) *Client {
	return NewWithDialer(address, new(net.Dialer).DialContext)
}

// NewWithDialer returns a Client as New does, whose connections are made by dial.
func NewWithDialer(address string, dial func(ctx context.Context, network, address string) (net.Conn, error)) *Client {
	return &Client{address, &http.Transport{DialContext: dial, DisableCompression: true, MaxResponseHeaderBytes: maxAnswer}}
}

// InitError tells Lambda why the runtime will not start: the caller of the
// function reads it. The type is of the form Runtime.Word. See "Initialization
// error" in the Runtime API's documentation.
func (c *Client) InitError(ctx context.Context, errorType, message string) error {
	body, err := json.Marshal(struct {
		ErrorType    string   `json:"errorType"`
		ErrorMessage string   `json:"errorMessage"`
		StackTrace   []string `json:"stackTrace"`
	}{errorType, message, []string{}})
	if err != nil {
		return fmt.Errorf("initialization error: %w", err)
	}
	header := http.Header{"Lambda-Runtime-Function-Error-Type": {errorType}}
	_, err = c.do(ctx, call{http.MethodPost, "/2018-06-01/runtime/init/error", header, body, http.StatusAccepted})
	return err
}

// call is what to ask.
type call struct {
	method string
	path   string
	header http.Header
	// body is JSON, nil for none.
	body []byte
	// want is the status of a success.
	want int
}

// answer is what a call brings when it has succeeded.
type answer struct {
	header http.Header
	// body holds at most maxAnswer bytes.
	body []byte
	// cut is why the body is incomplete, nil if it is complete. The call has had
	// its effect all the same.
	cut error
}

// do makes a call. It returns a StatusError for any other status than the wanted
// one.
func (c *Client) do(ctx context.Context, call call) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, call.method, "http://"+c.address+call.path, bytes.NewReader(call.body))
	if err != nil {
		return answer{}, fmt.Errorf("%s %s: %w", call.method, call.path, err)
	}
	request.Header = call.header
	if call.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	// Not by an http.Client, which looks at the Location of a redirect, and quotes
	// it, even when it is told not to go there.
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return answer{}, fmt.Errorf("%s %s: %w", call.method, call.path, causeOf(ctx, err))
	}
	defer response.Body.Close()
	if response.StatusCode != call.want {
		return answer{}, statusError(call, response)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		err = fmt.Errorf("%s %s: %w", call.method, call.path, causeOf(ctx, err))
	}
	return answer{response.Header, body, err}, nil
}

// statusError returns the error for an answer with an unwanted status.
func statusError(call call, response *http.Response) *StatusError {
	err := &StatusError{Method: call.method, Path: call.path, Status: response.StatusCode}
	// What comes after a status 101, say, need not ever end.
	if response.StatusCode >= http.StatusBadRequest {
		body, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
		err.ErrorType = errorTypeOf(body)
	}
	return err
}
