// Package lambdafake is AWS Lambda as far as the programs in an execution
// environment can see it.
//
// API speaks the Runtime API and the Extensions API, for tests of their
// clients. Environment runs real programs behind it, in the order in which
// Lambda does.
package lambdafake

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// ManagedInstances is the initialization type of functions that run on Lambda
// Managed Instances, where no extension may register for INVOKE.
const ManagedInstances = "lambda-managed-instances"

// errClosed ends the calls that wait for something when the API is closed.
var errClosed = errors.New("the API is closed")

// APIConfig says what an API tells its clients.
type APIConfig struct {
	// FunctionName, FunctionVersion, Handler and AccountID are told to
	// extensions; empty means function, $LATEST, bootstrap and 123456789012.
	FunctionName    string
	FunctionVersion string
	Handler         string
	AccountID       string
	// InitializationType as in AWS_LAMBDA_INITIALIZATION_TYPE; only
	// ManagedInstances makes a difference.
	InitializationType string
	// Extensions are the names of the files in /opt/extensions. No other name
	// can be registered.
	Extensions []string
	// Answers are the answers to the first calls, by path: one each, in this
	// order. All calls after them are answered as Lambda does. A call that is not
	// answered in the ordinary way changes nothing, unless it is Lost.
	Answers map[string][]Answer
}

func (c APIConfig) withDefaults() APIConfig {
	for _, field := range []struct {
		value    *string
		fallback string
	}{
		{&c.FunctionName, "function"},
		{&c.FunctionVersion, "$LATEST"},
		{&c.Handler, "bootstrap"},
		{&c.AccountID, "123456789012"},
	} {
		if *field.value == "" {
			*field.value = field.fallback
		}
	}
	return c
}

// Request is one call as it reached the API.
type Request struct {
	// Time is when the request had arrived in full.
	Time   time.Time
	Method string
	Path   string
	Header http.Header
	Body   []byte
	// Status is that of the answer, 0 as long as there is none.
	Status int
}

// API serves the Runtime API and the Extensions API of one execution
// environment. Its methods may be called by several goroutines.
type API struct {
	config      APIConfig
	addr        string
	http        *http.Server
	closing     chan struct{}
	listeners   sync.WaitGroup
	connections sync.WaitGroup

	mu sync.Mutex
	// changed is closed, and replaced, whenever something changes that somebody
	// may wait for.
	changed  chan struct{}
	closed   bool
	requests []*Request
	// answers are the Answers that are left.
	answers    map[string][]Answer
	runtime    runtimeState
	extensions map[string]*extensionState
}

// NewAPI returns an API that answers nobody yet, see Serve.
func NewAPI(config APIConfig) *API {
	a := &API{
		config:     config.withDefaults(),
		closing:    make(chan struct{}),
		changed:    make(chan struct{}),
		answers:    maps.Clone(config.Answers),
		extensions: make(map[string]*extensionState),
	}
	a.http = &http.Server{
		Handler:   a.record(a.routes()),
		ConnState: a.watch,
		ErrorLog:  log.New(io.Discard, "", 0),
	}
	return a
}

// StartAPI returns an API that answers on 127.0.0.1, on a port of the system's.
func StartAPI(config APIConfig) (*API, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for calls to the Runtime API: %w", err)
	}
	a := NewAPI(config)
	a.addr = listener.Addr().String()
	a.Serve(listener)
	return a, nil
}

// Serve answers on listener too. It returns at once; Close ends it.
func (a *API) Serve(listener net.Listener) {
	a.listeners.Go(func() { _ = a.http.Serve(listener) })
}

func (a *API) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", a.nextInvocation)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", a.invocationResponse)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", a.invocationError)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", a.initError)
	mux.HandleFunc("POST /2020-01-01/extension/register", a.register)
	mux.HandleFunc("GET /2020-01-01/extension/event/next", a.nextEvent)
	mux.HandleFunc("POST /2020-01-01/extension/init/error", a.extensionFailed("Extension.InitError"))
	mux.HandleFunc("POST /2020-01-01/extension/exit/error", a.extensionFailed("Extension.ExitError"))
	return mux
}

// Addr returns host and port, as AWS_LAMBDA_RUNTIME_API holds them; nothing for
// an API that was not started by StartAPI.
func (a *API) Addr() string { return a.addr }

// Requests returns the calls so far, in the order of their arrival.
func (a *API) Requests() []Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.snapshot()
}

// Await returns nil as soon as the calls so far satisfy condition, which must
// not call the API. It returns an error when ctx ends or the API is closed
// before.
func (a *API) Await(ctx context.Context, condition func([]Request) bool) error {
	return a.await(ctx, func() bool { return condition(a.snapshot()) })
}

// Close ends all calls under way and waits for the API's goroutines.
func (a *API) Close() {
	a.mu.Lock()
	first := !a.closed
	a.closed = true
	a.mu.Unlock()
	// Connections go first: a call that is given up must not end as an empty
	// success.
	_ = a.http.Close()
	if first {
		close(a.closing)
	}
	a.listeners.Wait()
	a.connections.Wait()
}

// snapshot returns the calls so far; the lock is held.
func (a *API) snapshot() []Request {
	requests := make([]Request, len(a.requests))
	for i, r := range a.requests {
		requests[i] = *r
	}
	return requests
}

// change changes something under the lock and wakes whoever waits for it.
func (a *API) change(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
	close(a.changed)
	a.changed = make(chan struct{})
}

// await returns nil as soon as condition, called under the lock, is true.
func (a *API) await(ctx context.Context, condition func() bool) error {
	for {
		a.mu.Lock()
		met, changed := condition(), a.changed
		a.mu.Unlock()
		if met {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-a.closing:
			return errClosed
		}
	}
}

func (a *API) watch(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		a.connections.Add(1)
	case http.StateClosed, http.StateHijacked:
		a.connections.Done()
	}
}

// record notes each call and its status, and gives it its answer.
func (a *API) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		request := &Request{Time: time.Now(), Method: r.Method, Path: r.URL.Path, Header: r.Header, Body: body}
		x := &exchange{a, next, &notingWriter{w, a, request}, r}
		x.answer(a.begin(request))
	})
}

// begin notes a call and returns how it is to be answered.
func (a *API) begin(request *Request) Answer {
	answer := Ordinary
	a.change(func() {
		a.requests = append(a.requests, request)
		if left := a.answers[request.Path]; len(left) > 0 {
			answer, a.answers[request.Path] = left[0], left[1:]
		}
	})
	return answer
}

// notingWriter notes the status of an answer.
type notingWriter struct {
	http.ResponseWriter
	api     *API
	request *Request
}

// WriteHeader implements http.ResponseWriter.
func (w *notingWriter) WriteHeader(status int) {
	w.api.change(func() { w.request.Status = status })
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap returns what is underneath, for http.ResponseController.
func (w *notingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// fail answers with an error in the form of both APIs.
func fail(w http.ResponseWriter, status int, errorType, message string) {
	reply(w, status, errorBody{Message: message, Type: errorType})
}

// accept answers what both APIs answer to a report.
func accept(w http.ResponseWriter) {
	reply(w, http.StatusAccepted, map[string]string{"status": "OK"})
}

func reply(w http.ResponseWriter, status int, body any) {
	text, _ := json.Marshal(body)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// errorBody is an error as Lambda shows it.
type errorBody struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType"`
}

// newID returns a random UUID.
func newID() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// knows reports whether a file of that name lies in /opt/extensions.
func (c APIConfig) knows(extension string) bool {
	return slices.Contains(c.Extensions, extension)
}
