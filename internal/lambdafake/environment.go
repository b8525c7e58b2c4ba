package lambdafake

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"
)

// Result is what the caller of a function gets.
type Result struct {
	RequestID string
	Payload   []byte
	// FunctionError is the type of the error, empty when the function answered.
	FunctionError string
	// Init is what a cold start took, from the start of the extensions until the
	// runtime asked for work and every extension for an event, or until it
	// failed; 0 for a warm start.
	Init time.Duration
	// RuntimeInit is what it took until the runtime asked for work.
	RuntimeInit time.Duration
	// Duration is from the delivery of the invocation to its answer.
	Duration time.Duration
}

// Environment is an execution environment of a function: the programs of one
// instance, and after a failure those of the next. Its methods may be called by
// several goroutines; invocations wait for each other.
type Environment struct {
	function Function
	output   output

	mu     sync.Mutex
	closed bool
	// failed reports whether the latest init failed.
	failed   bool
	instance *instance
	// requests are the calls of the latest instance that was stopped.
	requests []Request
}

// NewEnvironment returns an environment in which nothing runs yet.
func NewEnvironment(function Function) *Environment {
	return &Environment{
		function: function.withDefaults(),
		output:   newOutput(function.Stdout, function.Stderr),
	}
}

// Invoke calls the function, after a cold start if its programs do not run. An
// init that failed is repeated at the next call; Lambda itself repeats the very
// first one without waiting for that. An error means that there is no result:
// ctx ended, the environment is closed, or the fake itself failed.
func (e *Environment) Invoke(ctx context.Context, payload []byte) (Result, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return Result{}, errors.New("the environment is closed")
	}
	result := Result{RequestID: newID()}
	e.discardBroken(ctx)
	if e.instance == nil {
		ended, err := e.coldStart(ctx, &result)
		if ended || err != nil {
			return result, err
		}
	}
	err := e.deliver(ctx, payload, &result)
	return result, err
}

// Close ends all programs, as Lambda ends an environment that it no longer
// needs: SIGTERM for the runtime and a SHUTDOWN event for the extensions if
// there are any, SIGKILL for what is left when the ShutdownTimeout ends.
func (e *Environment) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	e.stop("SPINDOWN")
}

// Requests returns the calls to the Runtime API and the Extensions API since the
// latest cold start, whether it succeeded or not.
func (e *Environment) Requests() []Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.instance == nil {
		return e.requests
	}
	return e.instance.api.Requests()
}

func (e *Environment) stop(reason string) {
	if e.instance != nil {
		e.instance.stop(reason)
		e.requests = e.instance.api.Requests()
		e.instance = nil
	}
}

// discardBroken waits until the programs have done with the invocation before,
// and ends them if they do not within its timeout.
func (e *Environment) discardBroken(ctx context.Context) {
	if e.instance == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, e.function.Timeout)
	defer cancel()
	if failure, err := e.instance.await(ctx, e.instance.idle); failure != nil || err != nil {
		e.stop("FAILURE")
	}
}

// coldStart starts the programs. It returns true when result holds why they
// could not be started.
func (e *Environment) coldStart(ctx context.Context, result *Result) (bool, error) {
	limit := e.function.InitTimeout
	if e.failed {
		limit = e.function.Timeout
	}
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	instance, failure, err := startInstance(bounded, e.function, e.output)
	e.instance = instance
	if instance != nil {
		result.Init = time.Since(instance.started)
		result.RuntimeInit = instance.runtimeInit()
	}
	failure, err = timedOut(ctx, failure, err, limit)
	e.failed = failure != nil
	return e.conclude(result, failure, err)
}

func (e *Environment) deliver(ctx context.Context, payload []byte, result *Result) error {
	started := time.Now()
	bounded, cancel := context.WithTimeout(ctx, e.function.Timeout)
	defer cancel()
	api := e.instance.api
	api.Invoke(Invocation{ID: result.RequestID, Payload: payload, Deadline: started.Add(e.function.Timeout)})
	failure, err := e.instance.await(bounded, func() bool { return api.runtime.outcome != nil })
	result.Duration = time.Since(started)
	if failure, err = timedOut(ctx, failure, err, e.function.Timeout); failure != nil || err != nil {
		_, err = e.conclude(result, failure, err)
		return err
	}
	done := e.instance.outcome()
	result.Payload, result.FunctionError = done.payload, done.errorType
	return nil
}

// conclude ends the programs after a failure and puts it into the result. It
// returns whether there was any.
func (e *Environment) conclude(result *Result, failure *failure, err error) (bool, error) {
	if failure == nil && err == nil {
		return false, nil
	}
	e.stop("FAILURE")
	if failure != nil {
		result.FunctionError = failure.errorType
		result.Payload = failure.body(result.RequestID)
	}
	return true, err
}

// failure is why the programs of an environment are of no more use.
type failure struct {
	errorType string
	message   string
	// payload is what the runtime itself said about it, nil if nothing.
	payload []byte
}

// body returns what the caller of the function reads.
func (f *failure) body(requestID string) []byte {
	if f.payload != nil {
		return f.payload
	}
	text, _ := json.Marshal(errorBody{Type: f.errorType, Message: "RequestId: " + requestID + " Error: " + f.message})
	return text
}

// timedOut turns the end of a time limit, but not that of ctx, into a failure.
func timedOut(ctx context.Context, f *failure, err error, limit time.Duration) (*failure, error) {
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return &failure{errorType: "Sandbox.Timedout", message: "Task timed out after " + seconds(limit) + " seconds"}, nil
	}
	return f, err
}
