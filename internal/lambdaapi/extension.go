package lambdaapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// The types of events.
const (
	// Invoke is the event of an invocation that begins.
	Invoke = "INVOKE"
	// Shutdown is the event after which an extension ends.
	Shutdown = "SHUTDOWN"
)

const extensionPath = "/2020-01-01/extension/"

// Extension is an extension that Lambda knows.
type Extension struct {
	client     *Client
	identifier string
}

// Event is what Lambda tells an extension.
type Event struct {
	// Type is Invoke or Shutdown, unless Lambda has thought of a new one.
	Type string
	// Deadline is when the invocation times out, or when the environment is
	// killed; the zero time if Lambda does not say.
	Deadline time.Time
	// ShutdownReason is Lambda's word for the reason of a Shutdown: spindown,
	// timeout or failure, in upper or lower case.
	ShutdownReason string
}

// RegisterExtension announces an extension for the given events. The name must
// be that of the file in /opt/extensions: anything else is taken for an
// extension inside the runtime, and Lambda waits for the file's in vain. A
// refusal is a StatusError.
func (c *Client) RegisterExtension(ctx context.Context, name string, events ...string) (*Extension, error) {
	body, err := json.Marshal(map[string][]string{"events": events})
	if err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	header := http.Header{"Lambda-Extension-Name": {name}}
	answered, err := c.do(ctx, call{http.MethodPost, extensionPath + "register", header, body, http.StatusOK})
	if err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	// The body does not matter, not even if it is cut short: the extension is
	// registered, and could not be so again.
	identifier := answered.header.Get("Lambda-Extension-Identifier")
	if identifier == "" {
		return nil, errors.New("register: the answer has no identifier")
	}
	return &Extension{c, identifier}, nil
}

// Next waits for the next event, for hours if need be. The first call tells
// Lambda that the extension is ready.
func (e *Extension) Next(ctx context.Context) (Event, error) {
	answered, err := e.client.do(ctx, call{http.MethodGet, extensionPath + "event/next", e.header(), nil, http.StatusOK})
	if err != nil {
		return Event{}, fmt.Errorf("next event: %w", err)
	}
	if answered.cut != nil {
		return Event{}, fmt.Errorf("next event: %w", answered.cut)
	}
	return parseEvent(answered.body)
}

func (e *Extension) header() http.Header {
	return http.Header{"Lambda-Extension-Identifier": {e.identifier}}
}

func parseEvent(text []byte) (Event, error) {
	var event struct {
		EventType      string `json:"eventType"`
		DeadlineMs     int64  `json:"deadlineMs"`
		ShutdownReason string `json:"shutdownReason"`
	}
	if json.Unmarshal(text, &event) != nil || event.EventType == "" {
		return Event{}, errors.New("next event: the answer is not an event")
	}
	parsed := Event{Type: event.EventType, ShutdownReason: event.ShutdownReason}
	if event.DeadlineMs > 0 {
		parsed.Deadline = time.UnixMilli(event.DeadlineMs)
	}
	return parsed, nil
}
