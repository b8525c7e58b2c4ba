//go:build lambda

package main

import (
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/fetch"
	"secretwrap/internal/problem"
	"secretwrap/internal/secretfiles"
)

// prefetch starts to fetch what the wrapper will probably ask for.
func (e *extension) prefetch() {
	asked := requests(e.plan)
	if e.server == nil || len(asked) == 0 || e.isBraked() {
		return
	}
	go e.guard(func() {
		if len(e.connect(asked)) == 0 { // else the wrapper says why not
			e.fetch(asked, time.Until(e.deadline))
		}
	})
}

// isBraked reports whether a start failed a moment ago, so that the wrapper will
// probably not ask.
func (e *extension) isBraked() bool {
	note, noted := e.readNote()
	return noted && note.Holds(note.Plan, time.Now())
}

// startDeadline returns when the time for fetching at start ends.
func (e *extension) startDeadline(restarted bool) time.Time {
	return e.process.started.Add(e.settings.StartBudget(e.variables[initializationType], restarted))
}

// fetch returns what became of the requests. What is known is not asked for
// again.
func (e *extension) fetch(asked []awssecrets.Request, budget time.Duration) []fetch.Outcome {
	return e.store.Get(e.background, e.client, asked, fetch.Options{
		Budget:      max(0, budget),
		Connections: e.config.Connections,
		Waiting:     func(pending []awssecrets.Request) { e.reportWaiting(pending, len(asked)) },
	})
}

// connect makes the client, if there is none, for what is to be asked for.
func (e *extension) connect(asked []awssecrets.Request) problem.List {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client != nil {
		return nil
	}
	config, problems := awssecrets.Load(e.variables, asked)
	if len(problems) > 0 {
		return problems
	}
	e.client, e.config = awssecrets.New(config), config
	e.keeper.Client, e.keeper.Connections = e.client, config.Connections
	return nil
}

// completeFiles makes the files before the runtime starts, because nobody else
// may.
func (e *extension) completeFiles() {
	set := e.declaredFiles()
	if e.needed { // so that a wrapper that comes need not wait a second time
		e.prefetch()
	}
	if len(set.Copies) == 0 {
		return
	}
	if note, noted := e.readNote(); noted && note.Holds(e.plan.Hash(), time.Now()) {
		e.problems = note.Problems
		return
	}
	if e.needed && e.isBraked() {
		return // the wrapper, which failed, will do so again
	}
	if e.problems = e.connect(set.Requests); len(e.problems) > 0 {
		return
	}
	began := time.Now()
	outcomes := e.fetch(set.Requests, time.Until(e.deadline))
	e.mu.Lock()
	e.spent = time.Since(began)
	e.mu.Unlock()
	e.problems = e.keeper.Publish(set, outcomes)
	e.made = len(e.problems) == 0
	if !e.made && !e.needed {
		e.writeNote(e.problems)
	}
}

// dropOthers keeps nothing fresh that a wrapper wrote which works alone, unless
// the operator wants that.
func (e *extension) dropOthers() {
	keep := !e.wrapperCame()
	if !e.handsOver() {
		keep = secretfiles.Published(e.settings.Dir)
	}
	if !keep && !e.came.Load() {
		e.keeper.Drop()
	}
}

// adoptFiles keeps fresh what a wrapper writes that works alone.
func (e *extension) adoptFiles() {
	set := e.declaredFiles()
	if len(set.Copies) > 0 && len(e.connect(set.Requests)) == 0 {
		e.keeper.Adopt(set)
	}
}
