package main

import (
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"

	"secretwrap/internal/environ"
	"secretwrap/internal/problem"
)

// fault describes a panic to whoever can mend it: what it was, and where. What the
// panic itself says may quote a value. Only a deferred function may call it.
func fault(cause any) *problem.Problem {
	return &problem.Problem{
		Class: problem.Internal,
		Cause: fmt.Sprintf("internal fault: a panic of type %T %s", cause, panicked()),
		Hint:  "report it, with the line before this one",
	}
}

// fail reports a fault, and returns the exit status. If reading the environment is
// what is at fault, it says no more than that.
func (p process) fail(found *problem.Problem) (status int) {
	defer func() {
		if recover() != nil {
			_, _ = io.WriteString(p.stderr, "secretwrap: error: "+found.Error()+"\n")
			status = found.Class.Status()
		}
	}()
	return newStart(p, environ.New(p.environ)).fail(problem.List{found})
}

// panicked returns the place in this program where the panic under way began.
func panicked() string {
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	began := false
	for frame, more := frames.Next(); more; frame, more = frames.Next() {
		name, isOurs := strings.CutPrefix(frame.Function, "secretwrap/internal/")
		if began && (isOurs || strings.HasPrefix(name, "main.")) {
			return fmt.Sprintf("in %s, %s:%d", name, filepath.Base(frame.File), frame.Line)
		}
		began = began || frame.Function == "runtime.gopanic"
	}
	return "in a place unknown"
}
