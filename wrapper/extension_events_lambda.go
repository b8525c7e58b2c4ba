//go:build lambda

package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"secretwrap/internal/problem"
	"secretwrap/internal/refresh"
	"secretwrap/internal/report"
)

// reportFault tells of trouble with Lambda's Extensions API, or in the extension
// itself.
func (e *extension) reportFault(err error) {
	e.reporter.Event(report.Error, report.CodeExtension, "%v; the extension goes on", err)
}

// reportRefresh tells what became of a refresh.
func (e *extension) reportRefresh(r refresh.Report) {
	switch {
	case r.Repaired:
		e.reporter.Event(report.Warn, report.CodeRefresh, "%s had been changed or removed, and %s written again", count(r.Written, "file"), plural(r.Written, "is", "are"))
	case r.Written > 0:
		e.reporter.Event(report.Info, report.CodeRefresh, "%s written: new version of %s", count(r.Written, "file"), shorten(r.Secrets))
	}
	if len(r.Recovered) > 0 {
		e.reporter.Event(report.Info, report.CodeRefresh, "fresh again: %s", shorten(r.Recovered))
	}
	for _, stale := range r.Stale {
		e.reportStale(stale)
	}
}

// reportStale tells which files are old, how old, and why.
func (e *extension) reportStale(stale refresh.Stale) {
	why := stale.Problems[0].Error()
	if more := len(stale.Problems) - 1; more > 0 {
		why += " and " + count(more, "more problem")
	}
	e.reporter.Event(report.Warn, report.CodeStale, "%s: kept as %s %s ago: %s; %s",
		shorten(stale.Files), plural(len(stale.Files), "it was", "they were"), stale.Age.Round(time.Second), why, stale.Problems[0].Hint)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// reportUnresolved tells of references that nobody resolved, the commonest
// mistake: the program runs with their texts.
func (e *extension) reportUnresolved() {
	if e.wrapperCame() {
		return
	}
	if names := e.unresolved(); len(names) > 0 {
		e.reporter.Problems(problem.List{{
			Class: problem.Config, Variable: shorten(names),
			Cause: "nobody resolved the references: secretwrap was not started before the function's program", Hint: e.unresolvedHint(),
		}})
	}
	if e.leavesProblems() {
		e.reporter.Problems(inOrder(e.problems))
	}
}

// reportUnkept tells of files that nobody keeps fresh, because a wrapper that
// works alone wrote them.
func (e *extension) reportUnkept() {
	if !e.keepsDeclared() || e.keeper.Keeps() || !e.wrapperCame() || !e.handsOver() {
		return
	}
	why := "it did not ask the extension"
	switch {
	case e.came.Load():
		why = "it differs from the extension in build, region, endpoint or credentials"
	case e.server == nil:
		why = "it found no socket to ask on"
	}
	e.reporter.Event(report.Warn, report.CodeStale, "the files are not refreshed: the wrapper worked alone, since %s", why)
}

// unresolvedHint says what starts the wrapper in this function. In an image of the
// user's own there may be no telling.
func (e *extension) unresolvedHint() string {
	const (
		rename = "call the program anything but bootstrap, and the function's handler the same"
		ownEnd = "end " + functionBootstrap + " with exec /opt/secretwrap and the path of the function's own program"
		osOnly = "add secretwrap's layer for those and " + rename + ", or " + ownEnd
	)
	first, other := firstBootstrap(), e.variables[lambdasWrapper]
	switch {
	case filepath.IsAbs(other) && !exists(other):
		return fmt.Sprintf("AWS_LAMBDA_EXEC_WRAPPER names %q, which does not exist: set it to /opt/secretwrap", other)
	case first == functionBootstrap && e.isOwn(layerBootstrap):
		return functionBootstrap + " hides " + layerBootstrap + ", which would do it: " + rename + ", or " + ownEnd
	case first == functionBootstrap && other != "":
		return "OS-only runtimes ignore AWS_LAMBDA_EXEC_WRAPPER: " + osOnly
	case first == layerBootstrap && isExecutable(layerBootstrap) && !e.isOwn(layerBootstrap):
		return layerBootstrap + " is another layer's: put secretwrap's layer for OS-only runtimes after that one or, if it is the runtime itself, end " + functionBootstrap + " with exec /opt/secretwrap " + layerBootstrap
	case e.wrapperIsSet():
		return "AWS_LAMBDA_EXEC_WRAPPER is set, but the runtime did not start it; OS-only runtimes ignore it, and so do container images with an entry point of their own"
	case e.expected:
		return layerBootstrap + " was not started; managed runtimes need AWS_LAMBDA_EXEC_WRAPPER=/opt/secretwrap, images with an entry point of their own /opt/secretwrap at its beginning"
	case filepath.IsAbs(other):
		return fmt.Sprintf("AWS_LAMBDA_EXEC_WRAPPER names %q: set it to /opt/secretwrap, and SECRETWRAP_EXEC_WRAPPER to what it was", other)
	}
	return strings.Join([]string{"set AWS_LAMBDA_EXEC_WRAPPER=/opt/secretwrap", "on an OS-only runtime " + osOnly, "in an image of your own begin ENTRYPOINT with /opt/secretwrap"}, "; ")
}
