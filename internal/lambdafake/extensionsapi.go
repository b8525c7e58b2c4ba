package lambdafake

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The kinds of events.
const (
	invokeEvent   = "INVOKE"
	shutdownEvent = "SHUTDOWN"
)

const traceID = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0"

// event is one answer to event/next.
type event struct {
	Type               string   `json:"eventType"`
	DeadlineMs         int64    `json:"deadlineMs"`
	RequestID          string   `json:"requestId,omitempty"`
	InvokedFunctionARN string   `json:"invokedFunctionArn,omitempty"`
	Tracing            *tracing `json:"tracing,omitempty"`
	ShutdownReason     string   `json:"shutdownReason,omitempty"`
}

type tracing struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// extensionState is a registered extension.
type extensionState struct {
	id     string
	events []string
	queue  []event
	// waiting reports whether it is asking for an event.
	waiting bool
	// failed is the error type of a failure that it reported.
	failed string
}

// accepts reports whether the extension registered for that kind of event.
func (e *extensionState) accepts(kind string) bool { return slices.Contains(e.events, kind) }

func (e *extensionState) enqueue(ev event) {
	if e.accepts(ev.Type) {
		e.queue = append(e.queue, ev)
	}
}

// idle reports whether the extension has done with all events.
func (e *extensionState) idle() bool { return e.waiting && len(e.queue) == 0 }

// Shutdown hands a SHUTDOWN event to the extensions that registered for it. The
// reason is SPINDOWN, TIMEOUT or FAILURE.
func (a *API) Shutdown(reason string, deadline time.Time) {
	a.change(func() {
		for _, e := range a.extensions {
			e.enqueue(event{Type: shutdownEvent, DeadlineMs: deadline.UnixMilli(), ShutdownReason: reason})
		}
	})
}

func (a *API) invokeEvent(invocation Invocation) event {
	return event{
		Type:               invokeEvent,
		DeadlineMs:         invocation.Deadline.UnixMilli(),
		RequestID:          invocation.ID,
		InvokedFunctionARN: a.functionARN(),
		Tracing:            &tracing{"X-Amzn-Trace-Id", traceID},
	}
}

func (a *API) functionARN() string {
	return "arn:aws:lambda:eu-west-1:" + a.config.AccountID + ":function:" + a.config.FunctionName
}

func (a *API) register(w http.ResponseWriter, r *http.Request) {
	name := r.Header.Get("Lambda-Extension-Name")
	var body struct {
		Events []string `json:"events"`
	}
	malformed := json.NewDecoder(r.Body).Decode(&body)
	switch {
	case name == "":
		fail(w, http.StatusForbidden, "Extension.InvalidExtensionName", "Empty extension name")
		return
	case malformed != nil:
		fail(w, http.StatusForbidden, "InvalidRequestFormat", "the body is not a list of events")
		return
	case !a.config.knows(name):
		// Lambda takes a name that no file has for an extension inside the
		// runtime, which gets no SHUTDOWN.
		fail(w, http.StatusForbidden, "Extension.InvalidEventType", "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension")
		return
	}
	for _, kind := range body.Events {
		if !a.offers(kind) {
			fail(w, http.StatusForbidden, "Extension.InvalidEventType", kind+": event is not supported")
			return
		}
	}
	id := newID()
	if !a.enrol(name, &extensionState{id: id, events: body.Events}) {
		fail(w, http.StatusForbidden, "Extension.InvalidExtensionState", "State transition from Registered to Registered failed for extension "+name+". Error: State transition is not allowed")
		return
	}
	w.Header().Set("Lambda-Extension-Identifier", id)
	reply(w, http.StatusOK, a.description(r.Header))
}

// offers reports whether extensions may register for that kind of event.
func (a *API) offers(kind string) bool {
	return kind == shutdownEvent || kind == invokeEvent && a.config.InitializationType != ManagedInstances
}

// enrol adds an extension. It returns false when there is one of that name.
func (a *API) enrol(name string, e *extensionState) bool {
	added := false
	a.change(func() {
		if a.extensions[name] == nil {
			a.extensions[name] = e
			added = true
		}
	})
	return added
}

// description is what a registered extension learns about the function.
func (a *API) description(header http.Header) map[string]string {
	out := map[string]string{
		"functionName":    a.config.FunctionName,
		"functionVersion": a.config.FunctionVersion,
		"handler":         a.config.Handler,
	}
	if strings.Contains(header.Get("Lambda-Extension-Accept-Feature"), "accountId") {
		out["accountId"] = a.config.AccountID
	}
	return out
}

// caller returns the extension that makes a call. Without one it has told the
// client so and returns nil.
func (a *API) caller(w http.ResponseWriter, r *http.Request) *extensionState {
	id := r.Header.Get("Lambda-Extension-Identifier")
	if id == "" {
		fail(w, http.StatusForbidden, "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header")
		return nil
	}
	e := a.extensionWith(id)
	if e == nil {
		fail(w, http.StatusForbidden, "Extension.UnknownExtensionIdentifier", "Unknown extension "+id)
	}
	return e
}

func (a *API) extensionWith(id string) *extensionState {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range a.extensions {
		if e.id == id {
			return e
		}
	}
	return nil
}

func (a *API) nextEvent(w http.ResponseWriter, r *http.Request) {
	e := a.caller(w, r)
	if e == nil {
		return
	}
	a.change(func() { e.waiting = true })
	var next event
	err := a.await(r.Context(), func() bool {
		if len(e.queue) == 0 {
			return false
		}
		next, e.queue, e.waiting = e.queue[0], e.queue[1:], false
		return true
	})
	if err != nil {
		a.change(func() { e.waiting = false })
		return
	}
	w.Header().Set("Lambda-Extension-Event-Identifier", newID())
	reply(w, http.StatusOK, next)
}

// extensionFailed accepts the report of a failure. Lambda keeps errorType and
// nothing of the report.
func (a *API) extensionFailed(errorType string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		e := a.caller(w, r)
		if e == nil {
			return
		}
		if r.Header.Get("Lambda-Extension-Function-Error-Type") == "" {
			fail(w, http.StatusForbidden, "Extension.MissingHeader", "Lambda-Extension-Function-Error-Type not found")
			return
		}
		a.change(func() { e.failed = errorType })
		accept(w)
	}
}
