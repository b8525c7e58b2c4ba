package lambdaapi_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"secretwrap/internal/lambdaapi"
	"secretwrap/internal/lambdafake"
	"secretwrap/internal/pipenet"
)

// anHour is how many calls fail in about an hour.
const anHour = 720

// life is an extension in a Lambda in memory, with what it was told.
type life struct {
	api       *lambdafake.API
	network   *pipenet.Listener
	lifecycle *lambdaapi.Lifecycle
	// end ends the context of run, which returns when the extension's life does.
	end  context.CancelFunc
	run  func()
	over chan struct{}
	// open counts the connections that the extension has not closed.
	open atomic.Int32

	mu sync.Mutex
	// told are the calls of Registered, Invoke and Shutdown.
	told   []string
	faults []string
}

// newLife returns an extension that wishes for all events, and has not begun to
// run. It belongs into a synctest bubble, which fails when a goroutine is left.
func newLife(t *testing.T, config lambdafake.APIConfig) *life {
	t.Helper()
	config.Extensions = []string{"secretwrap"}
	l := &life{api: lambdafake.NewAPI(config), network: pipenet.Listen(), over: make(chan struct{})}
	l.api.Serve(l.network)
	t.Cleanup(l.api.Close)
	l.lifecycle = &lambdaapi.Lifecycle{
		Client:     lambdaapi.NewWithDialer("fake:9001", l.dial),
		Name:       "secretwrap",
		Events:     []string{lambdaapi.Invoke, lambdaapi.Shutdown},
		Registered: func(events []string) { l.tell("registered for " + strings.Join(events, " ")) },
		Invoke:     func(_ context.Context, event lambdaapi.Event) { l.tell(event.Type) },
		Shutdown:   func(_ context.Context, event lambdaapi.Event) { l.tell(event.Type + " " + event.ShutdownReason) },
		Fault:      l.fault,
	}
	ctx, end := context.WithCancel(t.Context())
	l.end = end
	l.run = func() {
		defer close(l.over)
		if extension := l.lifecycle.Register(ctx); extension != nil {
			l.lifecycle.Run(ctx, extension)
		}
	}
	t.Cleanup(func() {
		end()
		<-l.over
		synctest.Wait()
		if open := l.open.Load(); open > 0 {
			t.Errorf("%d connections were left open", open)
		}
	})
	return l
}

func (l *life) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := l.network.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.open.Add(1)
	return &countedConn{Conn: conn, closed: sync.OnceFunc(func() { l.open.Add(-1) })}, nil
}

// countedConn tells of its end.
type countedConn struct {
	net.Conn
	closed func()
}

func (c *countedConn) Close() error {
	c.closed()
	return c.Conn.Close()
}

func (l *life) tell(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, what)
}

func (l *life) fault(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, err.Error())
}

// hears checks what the extension was told so far.
func (l *life) hears(t *testing.T, want ...string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Equal(l.told, want) {
		t.Errorf("told %q, want %q", l.told, want)
	}
}

// reports checks what went wrong so far.
func (l *life) reports(t *testing.T, want ...string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Equal(l.faults, want) {
		t.Errorf("reported\n%s\nwant\n%s", strings.Join(l.faults, "\n"), strings.Join(want, "\n"))
	}
}

// calls returns how often a path was asked for.
func (l *life) calls(path string) int {
	count := 0
	for _, request := range l.api.Requests() {
		if request.Path == path {
			count++
		}
	}
	return count
}

// shutDown lets Lambda end the environment, and returns when the extension has
// ended too.
func (l *life) shutDown() {
	l.api.Shutdown("SPINDOWN", time.Now().Add(2*time.Second))
	<-l.over
}

// scripted returns an API that answers the first calls of a path so.
func scripted(path string, answers ...lambdafake.Answer) lambdafake.APIConfig {
	return lambdafake.APIConfig{Answers: map[string][]lambdafake.Answer{path: answers}}
}

const (
	registerCall = "register: POST " + registerPath
	nextCall     = "next event: GET " + nextPath

	registeredForAll      = "registered for INVOKE SHUTDOWN"
	registeredForShutdown = "registered for SHUTDOWN"
)

func TestALifeEndsWithShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLife(t, lambdafake.APIConfig{})
		go l.run()
		synctest.Wait()
		for range 2 {
			l.api.Invoke(lambdafake.Invocation{})
		}
		synctest.Wait()
		l.hears(t, registeredForAll, "INVOKE", "INVOKE")
		l.shutDown()
		l.hears(t, registeredForAll, "INVOKE", "INVOKE", "SHUTDOWN SPINDOWN")
		l.reports(t)
		if got := len(l.api.Requests()); got != 4 {
			t.Errorf("%d calls, want a registration and a question for each event", got)
		}
	})
}

func TestTheNextEventIsAskedForWhenTheLatestIsHandled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLife(t, lambdafake.APIConfig{})
		l.lifecycle.Invoke = func(ctx context.Context, _ lambdaapi.Event) {
			select {
			case <-time.After(time.Minute):
			case <-ctx.Done():
			}
		}
		go l.run()
		synctest.Wait()
		l.api.Invoke(lambdafake.Invocation{})
		time.Sleep(59 * time.Second)
		if got := l.calls(nextPath); got != 1 {
			t.Errorf("%d questions for an event while one is handled", got)
		}
		time.Sleep(2 * time.Second)
		if got := l.calls(nextPath); got != 2 {
			t.Errorf("%d questions for an event after one was handled", got)
		}
	})
}

func TestAnEventMayTakeHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLife(t, lambdafake.APIConfig{})
		go l.run()
		time.Sleep(14 * time.Hour)
		l.api.Invoke(lambdafake.Invocation{})
		synctest.Wait()
		l.hears(t, registeredForAll, "INVOKE")
		l.reports(t)
		if got := l.calls(nextPath); got != 2 {
			t.Errorf("%d questions for an event", got)
		}
	})
}

// wrongAnswers returns what a call can bring in place of what it should, with the
// message for it.
func wrongAnswers(call string) map[lambdafake.Answer]string {
	answers := map[lambdafake.Answer]string{
		lambdafake.Reset:   call + ": EOF", // All that a connection in memory can do.
		lambdafake.Close:   call + ": EOF",
		lambdafake.NotHTTP: call + ": the answer is not HTTP",
	}
	for _, status := range []lambdafake.Answer{201, 204, 206, 301, 302, 303, 304, 307, 308} {
		answers[status] = fmt.Sprintf("%s: status %d", call, status)
	}
	for _, status := range []lambdafake.Answer{400, 401, 403, 404, 405, 429, 500, 502, 503, 504, 599} {
		answers[status] = fmt.Sprintf("%s: status %d (Test.Failure)", call, status)
	}
	return answers
}

func TestRegisteringGoesOnUntilItWorks(t *testing.T) {
	answers := wrongAnswers(registerCall)
	for _, answer := range []lambdafake.Answer{
		200, lambdafake.Cut, lambdafake.HTML, lambdafake.Empty, lambdafake.Truncated, lambdafake.Oversized, lambdafake.UnknownEvent, lambdafake.NoIdentifier,
	} {
		answers[answer] = "register: the answer has no identifier"
	}
	for answer, want := range answers {
		t.Run(answer.String(), func(t *testing.T) {
			tries := anHour
			if answer == http.StatusForbidden {
				tries *= 2 // Each is followed by one for SHUTDOWN alone.
			}
			synctest.Test(t, func(t *testing.T) {
				l := newLife(t, scripted(registerPath, slices.Repeat([]lambdafake.Answer{answer}, tries)...))
				go l.run()
				time.Sleep(59 * time.Minute)
				l.hears(t)
				if got := l.calls(registerPath); got < tries*9/10 || got > tries {
					t.Errorf("%d calls in an hour", got)
				}
				time.Sleep(2 * time.Minute)
				l.hears(t, registeredForAll)
				l.reports(t, want)
				l.shutDown()
				if l.calls("/elsewhere") > 0 {
					t.Error("a redirect was followed")
				}
			})
		})
	}
}

func TestAskingGoesOnUntilItWorks(t *testing.T) {
	answers := wrongAnswers(nextCall)
	for _, answer := range []lambdafake.Answer{200, lambdafake.HTML, lambdafake.Empty, lambdafake.Truncated, lambdafake.Oversized, lambdafake.NoIdentifier} {
		answers[answer] = "next event: the answer is not an event"
	}
	answers[lambdafake.Cut] = nextCall + ": unexpected EOF"
	answers[lambdafake.UnknownEvent] = "next event: an event of unknown type"
	for answer, want := range answers {
		t.Run(answer.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLife(t, scripted(nextPath, slices.Repeat([]lambdafake.Answer{answer}, anHour)...))
				go l.run()
				synctest.Wait()
				l.api.Invoke(lambdafake.Invocation{})
				time.Sleep(59 * time.Minute)
				l.hears(t, registeredForAll)
				if got := l.calls(nextPath); got < anHour*9/10 || got > anHour {
					t.Errorf("%d calls in an hour", got)
				}
				time.Sleep(2 * time.Minute)
				l.hears(t, registeredForAll, "INVOKE")
				l.reports(t, want)
				l.shutDown()
				if l.calls("/elsewhere") > 0 {
					t.Error("a redirect was followed")
				}
			})
		})
	}
}

func TestPausesGrowAndStartAfresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures := slices.Repeat([]lambdafake.Answer{503}, 8)
		l := newLife(t, scripted(nextPath, slices.Concat(failures, []lambdafake.Answer{lambdafake.Ordinary}, failures)...))
		go l.run()
		synctest.Wait()
		l.api.Invoke(lambdafake.Invocation{})
		time.Sleep(time.Minute)
		var pauses []time.Duration
		var before time.Time
		for _, request := range l.api.Requests()[1:] {
			if !before.IsZero() {
				pauses = append(pauses, request.Time.Sub(before))
			}
			before = request.Time
		}
		const s, ms = time.Second, time.Millisecond
		growing := []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 3200 * ms, 5 * s, 5 * s}
		if want := slices.Concat(growing, []time.Duration{0}, growing); !slices.Equal(pauses, want) {
			t.Errorf("pauses %v, want %v", pauses, want)
		}
	})
}

func TestWithoutInvokeTheRestRemains(t *testing.T) {
	tests := map[string]struct {
		config lambdafake.APIConfig
		events []string
		want   string
	}{
		"refused for what Managed Instances lack": {lambdafake.APIConfig{InitializationType: lambdafake.ManagedInstances}, []string{"INVOKE", "SHUTDOWN"}, registeredForShutdown},
		"refused for any reason":                  {scripted(registerPath, 403), []string{"INVOKE", "SHUTDOWN"}, registeredForShutdown},
		"refused, then broken":                    {scripted(registerPath, 403, lambdafake.Close), []string{"INVOKE", "SHUTDOWN"}, registeredForAll},
		"not wished for":                          {lambdafake.APIConfig{InitializationType: lambdafake.ManagedInstances}, []string{"SHUTDOWN"}, registeredForShutdown},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLife(t, test.config)
				l.lifecycle.Events = test.events
				go l.run()
				time.Sleep(200 * time.Millisecond)
				l.hears(t, test.want)
				l.shutDown()
				l.hears(t, test.want, "SHUTDOWN SPINDOWN")
			})
		})
	}
}

func TestARefusalOfInvokeTakesNoTimeAndIsNoFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLife(t, lambdafake.APIConfig{InitializationType: lambdafake.ManagedInstances})
		go l.run()
		synctest.Wait()
		l.hears(t, registeredForShutdown)
		l.reports(t)
	})
}

func TestWhatIsRefusedIsNotAskedForAgainAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLife(t, scripted(registerPath, 403))
		l.lifecycle.Events = []string{lambdaapi.Shutdown}
		go l.run()
		synctest.Wait()
		if got := l.calls(registerPath); got != 1 {
			t.Errorf("%d calls", got)
		}
		l.reports(t, registerCall+": status 403 (Test.Failure)")
	})
}

func TestARegistrationThatLambdaAloneKnowsOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLife(t, scripted(registerPath, lambdafake.Lost))
		go l.run()
		time.Sleep(time.Hour)
		l.hears(t)
		l.reports(t, registerCall+": EOF", registerCall+": status 403 (Extension.InvalidExtensionState)")
		if got := l.calls(registerPath); got > 2*anHour+10 {
			t.Errorf("%d calls in an hour", got)
		}
	})
}

func TestEachKindOfFaultIsReportedOnce(t *testing.T) {
	const status500, status503 = nextCall + ": status 500 (Test.Failure)", nextCall + ": status 503 (Test.Failure)"
	tests := map[string]struct {
		answers []lambdafake.Answer
		want    []string
	}{
		"a change":                 {[]lambdafake.Answer{500, 500, 503, 503}, []string{status500, status503}},
		"back and forth":           {[]lambdafake.Answer{500, 503, 500, 503, 500}, []string{status500, status503}},
		"after it worked":          {[]lambdafake.Answer{500, lambdafake.Ordinary, 500, 500}, []string{status500, status500}},
		"after an event of no use": {[]lambdafake.Answer{500, lambdafake.UnknownEvent, 500}, []string{status500, "next event: an event of unknown type"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLife(t, scripted(nextPath, test.answers...))
				go l.run()
				synctest.Wait()
				l.api.Invoke(lambdafake.Invocation{})
				time.Sleep(time.Minute)
				l.hears(t, registeredForAll, "INVOKE")
				l.reports(t, test.want...)
			})
		})
	}
}

func TestAnAPIThatCannotBeReachedForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLife(t, lambdafake.APIConfig{})
		reachable := time.Now().Add(time.Hour)
		dials := 0
		l.lifecycle.Client = lambdaapi.NewWithDialer("fake:9001", func(ctx context.Context, network, address string) (net.Conn, error) {
			dials++
			if time.Now().Before(reachable) {
				return nil, &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
			}
			return l.network.Dial(ctx, network, address)
		})
		go l.run()
		time.Sleep(time.Hour + 10*time.Second)
		l.hears(t, registeredForAll)
		l.reports(t, registerCall+": connection refused")
		if dials > anHour+20 {
			t.Errorf("%d dials in an hour", dials)
		}
	})
}

// A synctest bubble fails when a goroutine is left in it.
func TestALifeEndsWithItsContext(t *testing.T) {
	unreachable := func(l *life) { l.lifecycle.Client = lambdaapi.NewWithDialer("fake:9001", pipenet.Listen().Dial) }
	handling := func(l *life) {
		l.lifecycle.Invoke = func(ctx context.Context, _ lambdaapi.Event) { <-ctx.Done() }
		l.api.Invoke(lambdafake.Invocation{})
	}
	tests := map[string]struct {
		config lambdafake.APIConfig
		// after is called when the extension has registered, if it ever does.
		before, after func(*life)
	}{
		"connecting":            {before: unreachable},
		"registering":           {config: scripted(registerPath, lambdafake.NoAnswer)},
		"between registrations": {config: scripted(registerPath, slices.Repeat([]lambdafake.Answer{500}, anHour)...)},
		"asking":                {},
		"between questions":     {config: scripted(nextPath, slices.Repeat([]lambdafake.Answer{500}, anHour)...)},
		"handling an event":     {after: handling},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLife(t, test.config)
				if test.before != nil {
					test.before(l)
				}
				go l.run()
				synctest.Wait()
				if test.after != nil {
					test.after(l)
				}
				time.Sleep(10*time.Minute + time.Second)
				reports, calls := len(l.faults), len(l.api.Requests())
				l.end()
				<-l.over
				time.Sleep(time.Minute)
				if len(l.faults) != reports || len(l.api.Requests()) != calls {
					t.Errorf("after its end it reported %q, and made calls %+v", l.faults[reports:], l.api.Requests()[calls:])
				}
			})
		})
	}
}

func TestAnEndedContextBeginsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLife(t, lambdafake.APIConfig{})
		l.end()
		l.run()
		if calls := l.api.Requests(); len(calls) > 0 {
			t.Errorf("calls %+v", calls)
		}
	})
}

// canary is what panics say.
const canary = "CANARY-93be"

// mishap is an error that quotes what it should not.
type mishap struct{}

func (*mishap) Error() string { return canary }

func TestAPanicEndsNothingAndItsTextIsSeenNowhere(t *testing.T) {
	values := map[string]any{"string": canary, "*lambdaapi_test.mishap": new(mishap), "*errors.errorString": errors.New(canary)}
	for kind, value := range values {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLife(t, lambdafake.APIConfig{})
				invocations := 0
				l.lifecycle.Registered = func([]string) { panic(value) }
				l.lifecycle.Invoke = func(context.Context, lambdaapi.Event) {
					if invocations++; invocations != 3 {
						panic(value)
					}
				}
				l.lifecycle.Shutdown = func(context.Context, lambdaapi.Event) { panic(value) }
				go l.run()
				synctest.Wait()
				for range 5 {
					l.api.Invoke(lambdafake.Invocation{})
				}
				l.shutDown()
				if invocations != 5 {
					t.Errorf("%d invocations were handled", invocations)
				}
				const invoke = "internal fault at INVOKE: a panic of type "
				// The third invocation works.
				l.reports(t, "internal fault after the registration: a panic of type "+kind, invoke+kind, invoke+kind, "internal fault at SHUTDOWN: a panic of type "+kind)
			})
		})
	}
}

func TestAFaultInTheRuntimeIsAPanicLikeOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLife(t, lambdafake.APIConfig{})
		l.lifecycle.Invoke = nil
		go l.run()
		synctest.Wait()
		l.api.Invoke(lambdafake.Invocation{})
		l.shutDown()
		l.hears(t, registeredForAll, "SHUTDOWN SPINDOWN")
		l.reports(t, "internal fault at INVOKE: a panic of type runtime.errorString")
	})
}

func TestAPanicWhileReportingEndsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLife(t, scripted(nextPath, 500, 503))
		l.lifecycle.Fault = func(error) { panic(canary) }
		l.lifecycle.Invoke = func(context.Context, lambdaapi.Event) { panic(canary) }
		go l.run()
		synctest.Wait()
		l.api.Invoke(lambdafake.Invocation{})
		l.shutDown()
		l.hears(t, registeredForAll, "SHUTDOWN SPINDOWN")
	})
}
