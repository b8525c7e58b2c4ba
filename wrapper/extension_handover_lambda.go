//go:build lambda

package main

import (
	"errors"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/fetch"
	"secretwrap/internal/handover"
	"secretwrap/internal/problem"
	"secretwrap/internal/refresh"
	"secretwrap/internal/report"
)

var (
	// errNoClient makes the wrapper work alone, which tells what is wrong.
	errNoClient = errors.New("secrets manager cannot be asked from here")
	// errInternal makes the wrapper work alone after a panic.
	errInternal = errors.New("internal fault")
)

// listen opens the socket on which the wrapper asks.
func (e *extension) listen() {
	if !e.handsOver() {
		return
	}
	server, err := handover.Listen(handover.Directory(e.temporary), e.identity())
	if err != nil {
		e.reporter.Event(report.Warn, report.CodeExtension, "wrapper and extension each work alone: %v", err)
		return
	}
	e.server = server
	go e.guard(func() { server.Serve(e) })
}

// Documents implements handover.Extension.
func (e *extension) Documents(asked []awssecrets.Request, budget time.Duration) (outcomes []fetch.Outcome, err error) {
	e.came.Store(true)
	err = errInternal
	e.guard(func() {
		if len(e.connect(asked)) > 0 {
			err = errNoClient
			return
		}
		e.mu.Lock()
		budget -= e.spent
		e.mu.Unlock()
		outcomes, err = e.fetch(asked, budget), nil
	})
	return outcomes, err
}

// Publish implements handover.Extension.
func (e *extension) Publish(asked []awssecrets.Request, files handover.Files) (found *problem.Problem, err error) {
	err = errInternal
	e.guard(func() {
		outcomes := e.fetch(asked, 0) // known by now
		e.store.Forget()
		set := refresh.Set{Dir: files.Dir, Requests: asked, Copies: files.Copies}
		if problems := e.keeper.Publish(set, outcomes); len(problems) > 0 {
			found = problems[0]
		}
		e.startTimer()
		e.rest()
		err = nil
	})
	return found, err
}

// Alone implements handover.Extension: files of a wrapper that works alone are
// not touched.
func (e *extension) Alone() {
	e.came.Store(true)
	e.store.Forget()
	e.keeper.Drop()
	e.rest()
}
