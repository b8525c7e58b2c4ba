package lambdaapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// The pauses between calls that fail double from the first to the longest.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

// errUnknownEvent stands for an event that is none of those there are.
var errUnknownEvent = errors.New("next event: an event of unknown type")

// Lifecycle is the life of one extension, from its registration to SHUTDOWN. An
// extension that exits before, even with status 0, ends the function, so nothing
// that the API or one of the functions here does ends a Lifecycle. All fields are
// needed. Its methods are for one goroutine, which also calls the functions.
type Lifecycle struct {
	Client *Client
	// Name is that of the extension's file in /opt/extensions.
	Name string
	// Events are those wished for. Where INVOKE is refused, the extension
	// registers for SHUTDOWN alone.
	Events []string
	// Registered is told once, after the registration, for which events that was.
	Registered func(events []string)
	// Invoke handles an INVOKE. The next event is asked for when it returns, which
	// is what Lambda waits for.
	Invoke func(ctx context.Context, event Event)
	// Shutdown handles the SHUTDOWN.
	Shutdown func(ctx context.Context, event Event)
	// Fault is told what goes wrong: each thing once, until the same kind of work
	// has succeeded again. It is told of a panic in the other functions too, but
	// only the type of its value. No error holds text of others.
	Fault func(error)

	// calls and handling are what Fault was told about either kind of work.
	calls, handling outage
	// pause is the latest one, 0 after a success.
	pause time.Duration
}

// outage is what Fault was told since something last worked. It holds texts,
// because these differ between kinds of faults, and not within a kind.
type outage []string

// Register registers the extension, and returns nil only when ctx ends before
// that succeeds.
func (l *Lifecycle) Register(ctx context.Context) *Extension {
	for ctx.Err() == nil {
		extension, events, err := l.register(ctx)
		if err != nil {
			l.failed(ctx, err)
			continue
		}
		l.succeeded()
		l.guard("after the registration", func() { l.Registered(events) })
		return extension
	}
	l.Client.transport.CloseIdleConnections()
	return nil
}

// register tries to register for the events wished for, or else for SHUTDOWN.
func (l *Lifecycle) register(ctx context.Context) (*Extension, []string, error) {
	extension, err := l.Client.RegisterExtension(ctx, l.Name, l.Events...)
	if !isForbidden(err) || !slices.Contains(l.Events, Invoke) {
		return extension, l.Events, err
	}
	// Lambda Managed Instances have no INVOKE. The refusal leaves the extension
	// free to register.
	events := []string{Shutdown}
	extension, err = l.Client.RegisterExtension(ctx, l.Name, events...)
	return extension, events, err
}

func isForbidden(err error) bool {
	status, ok := errors.AsType[*StatusError](err)
	return ok && status.Status == http.StatusForbidden
}

// Run asks for events and handles them. It returns when SHUTDOWN was handled, or
// when ctx has ended.
func (l *Lifecycle) Run(ctx context.Context, extension *Extension) {
	defer l.Client.transport.CloseIdleConnections()
	for ctx.Err() == nil {
		event, err := extension.Next(ctx)
		if err == nil && event.Type != Invoke && event.Type != Shutdown {
			err = errUnknownEvent
		}
		if err != nil {
			l.failed(ctx, err)
			continue
		}
		l.succeeded()
		if event.Type == Shutdown {
			l.guard("at SHUTDOWN", func() { l.Shutdown(ctx, event) })
			return
		}
		l.guard("at INVOKE", func() { l.Invoke(ctx, event) })
	}
}

// failed reports that a call failed, and waits: whatever the answers are, they
// are not asked for in a hot loop.
func (l *Lifecycle) failed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	l.report(&l.calls, err)
	l.pause = min(max(2*l.pause, firstPause), longestPause)
	select {
	case <-time.After(l.pause):
	case <-ctx.Done():
	}
}

func (l *Lifecycle) succeeded() { l.calls, l.pause = nil, 0 }

// guard keeps a panic in f from ending the function.
func (l *Lifecycle) guard(when string, f func()) {
	defer func() {
		if value := recover(); value != nil {
			// What the value says may quote a secret.
			l.report(&l.handling, fmt.Errorf("internal fault %s: a panic of type %T", when, value))
		}
	}()
	f()
	l.handling = nil
}

// report tells Fault what it does not know yet.
func (l *Lifecycle) report(known *outage, err error) {
	if slices.Contains(*known, err.Error()) {
		return
	}
	*known = append(*known, err.Error())
	// A panic in Fault could be reported to nobody.
	defer func() { _ = recover() }()
	l.Fault(err)
}
