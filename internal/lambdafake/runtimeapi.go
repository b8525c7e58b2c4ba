package lambdafake

import (
	"io"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// Invocation is one event for the function.
type Invocation struct {
	// ID is made up when it is empty.
	ID       string
	Payload  []byte
	Deadline time.Time
}

// outcome is what became of an invocation, or of a start that failed.
type outcome struct {
	// payload is the answer, or the body of the error.
	payload []byte
	// errorType is empty for an answer.
	errorType string
}

// runtimeState is what the runtime has told so far.
type runtimeState struct {
	// asked is when it first asked for work, which ends its start.
	asked time.Time
	// waiting reports whether it is asking now.
	waiting bool
	// failed is why it could not start.
	failed    *outcome
	current   Invocation
	delivered bool
	outcome   *outcome
}

// Invoke hands an invocation to the runtime's next call, and an INVOKE event to
// the extensions that registered for it. It returns the invocation's id at once.
// An invocation takes the place of the one before it, which should have ended.
func (a *API) Invoke(invocation Invocation) string {
	if invocation.ID == "" {
		invocation.ID = newID()
	}
	a.change(func() {
		a.runtime.current, a.runtime.delivered, a.runtime.outcome = invocation, false, nil
		for _, e := range a.extensions {
			e.enqueue(a.invokeEvent(invocation))
		}
	})
	return invocation.ID
}

func (a *API) nextInvocation(w http.ResponseWriter, r *http.Request) {
	a.change(func() {
		a.runtime.waiting = true
		if a.runtime.asked.IsZero() {
			a.runtime.asked = time.Now()
		}
	})
	var invocation Invocation
	err := a.await(r.Context(), func() bool {
		invocation = a.runtime.current
		return a.runtime.claim()
	})
	if err != nil {
		a.change(func() { a.runtime.waiting = false })
		return
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Lambda-Runtime-Aws-Request-Id", invocation.ID)
	header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(invocation.Deadline.UnixMilli(), 10))
	header.Set("Lambda-Runtime-Invoked-Function-Arn", a.functionARN())
	header.Set("Lambda-Runtime-Trace-Id", traceID)
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(invocation.Payload)
}

// claim takes the invocation that waits for the runtime, if there is one.
func (s *runtimeState) claim() bool {
	if s.current.ID == "" || s.delivered {
		return false
	}
	s.delivered, s.waiting = true, false
	return true
}

func (a *API) invocationResponse(w http.ResponseWriter, r *http.Request) {
	a.settle(w, r, "")
}

func (a *API) invocationError(w http.ResponseWriter, r *http.Request) {
	a.settle(w, r, runtimeErrorType(r.Header))
}

// settle ends the current invocation.
func (a *API) settle(w http.ResponseWriter, r *http.Request, errorType string) {
	payload, _ := io.ReadAll(r.Body)
	known := false
	a.change(func() {
		known = a.runtime.delivered && a.runtime.outcome == nil && a.runtime.current.ID == r.PathValue("id")
		if known {
			a.runtime.outcome = &outcome{payload: payload, errorType: errorType}
		}
	})
	if !known {
		fail(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return
	}
	accept(w)
}

// initError is accepted once, and only before the runtime asks for work.
func (a *API) initError(w http.ResponseWriter, r *http.Request) {
	payload, _ := io.ReadAll(r.Body)
	accepted := false
	a.change(func() {
		accepted = a.runtime.failed == nil && a.runtime.asked.IsZero()
		if accepted {
			a.runtime.failed = &outcome{payload: payload, errorType: runtimeErrorType(r.Header)}
		}
	})
	if !accepted {
		fail(w, http.StatusForbidden, "InvalidStateTransition", "State transition to RuntimeInitError failed for runtime. Error: State transition is not allowed")
		return
	}
	accept(w)
}

// runtimeErrorType returns the error type that a runtime reports, or what
// Lambda makes of one that has not the form it wants.
func runtimeErrorType(header http.Header) string {
	errorType := header.Get("Lambda-Runtime-Function-Error-Type")
	if matched, _ := regexp.MatchString(`(Runtime|Function)\.[A-Z][a-zA-Z]+`, errorType); !matched {
		return "Runtime.Unknown"
	}
	return errorType
}
