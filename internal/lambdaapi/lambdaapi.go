// Package lambdaapi is a client of the APIs that Lambda offers inside an execution
// environment.
package lambdaapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// maxAnswer is the largest answer that is read, in bytes.
const maxAnswer = 64 << 10

// Client speaks to the Runtime API with the Extensions API beside it.
type Client struct {
	address string
	http    *http.Client
}

// New returns a Client for an address host:port, as Lambda gives it in
// AWS_LAMBDA_RUNTIME_API. It goes through no proxy, because the address is not a
// loopback one in production and HTTP_PROXY would catch it, and has no timeout,
// because the question for the next event may wait for hours.
func New(address string) *Client {
	return &Client{address: address, http: &http.Client{Transport: &http.Transport{}}}
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
	_, _, err = c.do(ctx, http.MethodPost, "/2018-06-01/runtime/init/error", header, body, http.StatusAccepted)
	return err
}

// do makes one call and returns the answer's header and body.
func (c *Client) do(ctx context.Context, method, path string, header http.Header, body []byte, want int) (http.Header, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+c.address+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	request.Header = header
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode != want {
		return nil, nil, fmt.Errorf("%s %s: status %d", method, path, response.StatusCode)
	}
	return response.Header, answer, nil
}
