//go:build lambda

package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/environ"
	"secretwrap/internal/fetch"
	"secretwrap/internal/handover"
	"secretwrap/internal/lambdaapi"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/refresh"
	"secretwrap/internal/report"
)

const (
	// longestRefresh bounds a refresh beside an invocation, and refreshMargin is
	// how long before the invocation's deadline it ends: a request that is frozen
	// under way is worse than billed milliseconds. With less than shortestRefresh
	// left, the next invocation does it.
	longestRefresh  = 2 * time.Second
	refreshMargin   = 500 * time.Millisecond
	shortestRefresh = 150 * time.Millisecond
	// blindRefresh is the time for a refresh when deadlines say nothing, because this
	// clock is ahead of Lambda's: the shortest timeout of a function is a second.
	blindRefresh = time.Second - refreshMargin
	// settleAfter is when a start has ended for an extension that is told of no
	// invocations: Lambda gives none more time.
	settleAfter = 15 * time.Minute
)

// extension is one life of the extension.
type extension struct {
	*start
	keeper *refresh.Keeper
	// store holds what was fetched until the wrapper has it.
	store fetch.Store
	// server is nil without a hand-over.
	server *handover.Server
	// expected is set when a wrapper will come; then it resolves everything.
	expected bool
	// needed is set when there is something that only a wrapper can do, or say:
	// variables.
	needed bool
	// made is set when the extension has made the files of its own view.
	made bool
	// problems are what is wrong with the extension's view of the configuration, or
	// with the files that it has to make.
	problems problem.List
	// came is set when a wrapper has asked.
	came atomic.Bool
	// former is the mark that a wrapper of an earlier start left, nil if none did.
	// It tells nothing if marks cannot be left.
	former   os.FileInfo
	unmarked bool
	// late is set if the last invocation that found copies due left too little time.
	late bool
	// deadline is when the time for fetching at start ends.
	deadline time.Time
	// background bounds what goes on beside the events; stop ends it.
	background context.Context
	stop       context.CancelFunc
	// firstEvent does once what the first event calls for, resting what the end of
	// the start does.
	firstEvent, resting sync.Once

	mu     sync.Mutex
	client *awssecrets.Client
	config awssecrets.Config
	// spent is what the files took of the time before the registration.
	spent time.Duration
	// timed is set when Lambda tells of no invocations, ticking when the timer
	// runs in their place.
	timed, ticking bool
}

// newExtension returns an extension that knows nothing yet.
func newExtension(s *start) *extension {
	s.plan = &plan.Plan{}
	e := &extension{start: s, keeper: &refresh.Keeper{Now: time.Now}}
	e.background, e.stop = context.WithCancel(context.Background())
	return e
}

// runExtension keeps file copies fresh until the environment ends. An extension
// that exits before that, even with status 0, ends the function, so this one
// does so for one reason only: files that cannot be made, or a manifest that
// cannot be read, and nobody else to say so.
func runExtension(p process, environment *environ.Block) int {
	e := newExtension(newStart(p, environment))
	defer e.stop()
	if !e.inLambda {
		return e.fail(problem.List{{Class: problem.Config, Variable: "AWS_LAMBDA_RUNTIME_API", Cause: "not set, so this is no Lambda environment to extend", Hint: "run secretwrap help"}})
	}
	debug.SetGCPercent(startPercent)
	e.prepareGuarded()
	if e.mustFail() {
		// Without a registration: Lambda starts the program as soon as it has one,
		// and the error that could be posted after that would come too late.
		e.reporter.Problems(inOrder(e.problems))
		return 1
	}
	if !e.leavesProblems() { // they concern nothing that is declared
		e.reporter.Problems(inOrder(e.problems))
	}
	e.live()
	return 0
}

// prepareGuarded does what comes before the registration: the runtime starts
// after it. Files that a fault of ours kept from being made are a problem too.
func (e *extension) prepareGuarded() {
	prepared := false
	e.guard(func() { e.prepare(); prepared = true })
	if !prepared && len(e.declaredFiles().Copies) > 0 {
		e.problems = append(e.problems, &problem.Problem{Class: problem.File, Cause: "an internal fault kept the files from being made", Hint: "report it, with the lines before this one"})
	}
}

func (e *extension) prepare() {
	e.expected = e.wrapperExpected()
	_, e.problems = e.read()
	e.needed = e.needsWrapper()
	if !e.plan.Empty() {
		e.problems = append(e.problems, e.refuseSnapshot()...)
	}
	e.keeper.Every = e.settings.Refresh
	e.listen()
	e.deadline = e.startDeadline(e.readMarks())
	switch {
	case len(e.problems) > 0: // the wrapper says so, if one comes
	case !e.expected:
		e.completeFiles()
	case e.server != nil:
		e.prefetch()
	case !e.handsOver():
		e.adoptFiles()
	}
}

// live registers and handles events until SHUTDOWN.
func (e *extension) live() {
	client := lambdaapi.New(e.variables["AWS_LAMBDA_RUNTIME_API"])
	lifecycle := &lambdaapi.Lifecycle{
		Client: client, Name: filepath.Base(e.process.args[0]), Events: e.events(),
		Registered: e.registered, Invoke: e.invoked, Shutdown: e.shutDown, Fault: e.reportFault,
	}
	life, end := context.WithCancel(context.Background())
	defer end()
	e.endOnSignal(end)
	if registered := lifecycle.Register(life); registered != nil {
		lifecycle.Run(life, registered)
	}
}

// events returns what to register for: INVOKE costs every invocation a little,
// and managed instances refuse it.
func (e *extension) events() []string {
	refused := e.variables[initializationType] == "lambda-managed-instances"
	if !refused && (e.keepsDeclared() || e.isDoubtful()) {
		return []string{lambdaapi.Invoke, lambdaapi.Shutdown}
	}
	return []string{lambdaapi.Shutdown}
}

// registered notes which events Lambda tells of.
func (e *extension) registered(events []string) {
	timed := len(events) == 1
	e.mu.Lock()
	e.timed = timed
	e.mu.Unlock()
	e.startTimer()
	if timed {
		time.AfterFunc(settleAfter, func() { e.guard(func() { e.firstEvent.Do(e.settle) }) })
	}
}

// invoked refreshes what is due, alongside the handler.
func (e *extension) invoked(ctx context.Context, event lambdaapi.Event) {
	e.firstEvent.Do(e.settle)
	e.keeper.Sweep()
	if !e.keeper.Due() {
		return
	}
	limit := e.timeToRefresh(event)
	if limit < shortestRefresh {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	done := make(chan struct{})
	go e.guard(func() {
		defer close(done)
		e.reportRefresh(e.keeper.Refresh(bounded))
	})
	select {
	case <-done:
	case <-bounded.Done():
	}
}

// timeToRefresh returns how long a refresh beside an invocation may take. Lambda gives
// a second at least, so if two in a row leave too little, it is the clock.
func (e *extension) timeToRefresh(event lambdaapi.Event) time.Duration {
	if event.Deadline.IsZero() {
		return longestRefresh
	}
	left := time.Until(event.Deadline) - refreshMargin
	if left >= shortestRefresh {
		e.late = false
		return min(longestRefresh, left)
	}
	if e.late {
		return blindRefresh
	}
	e.late = true
	return 0
}

// startTimer lets a timer refresh in the place of invocations that Lambda does
// not tell of.
func (e *extension) startTimer() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ticking || !e.timed || e.keeper.Every == 0 || !e.keeper.Keeps() {
		return
	}
	e.ticking = true
	go func() {
		for e.background.Err() == nil {
			e.guard(func() { e.keeper.Run(e.background, e.reportRefresh) })
		}
	}()
}

// guard keeps a fault in the extension from ending the function.
func (e *extension) guard(f func()) {
	defer func() {
		if cause := recover(); cause != nil {
			// What it says may quote a value.
			e.reporter.Event(report.Error, report.CodeExtension, "internal fault: a panic of type %T; the extension goes on", cause)
		}
	}()
	f()
}
