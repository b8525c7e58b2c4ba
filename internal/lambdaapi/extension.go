package lambdaapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// Shutdown is the event after which an extension ends.
const Shutdown = "SHUTDOWN"

// Extension is an extension that Lambda knows.
type Extension struct {
	client     *Client
	identifier string
}

// RegisterExtension announces an extension for the given events. The name must
// be that of the file in /opt/extensions: anything else is taken for an
// extension inside the runtime, and Lambda waits for the file's in vain.
func (c *Client) RegisterExtension(ctx context.Context, name string, events ...string) (*Extension, error) {
	body, err := json.Marshal(map[string][]string{"events": events})
	if err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	header := http.Header{"Lambda-Extension-Name": {name}}
	answered, _, err := c.do(ctx, http.MethodPost, "/2020-01-01/extension/register", header, body, http.StatusOK)
	if err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	identifier := answered.Get("Lambda-Extension-Identifier")
	if identifier == "" {
		return nil, errors.New("register: the answer has no identifier")
	}
	return &Extension{c, identifier}, nil
}

// Next waits for the next event, for hours if need be, and returns its type.
// The first call tells Lambda that the extension is ready.
func (e *Extension) Next(ctx context.Context) (string, error) {
	header := http.Header{"Lambda-Extension-Identifier": {e.identifier}}
	_, body, err := e.client.do(ctx, http.MethodGet, "/2020-01-01/extension/event/next", header, nil, http.StatusOK)
	if err != nil {
		return "", fmt.Errorf("next event: %w", err)
	}
	var event struct {
		EventType string `json:"eventType"`
	}
	if json.Unmarshal(body, &event) != nil || event.EventType == "" {
		return "", errors.New("next event: the answer is not an event")
	}
	return event.EventType, nil
}
