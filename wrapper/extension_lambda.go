//go:build lambda

package main

import (
	"context"
	"path/filepath"
	"time"

	"secretwrap/internal/environ"
	"secretwrap/internal/lambdaapi"
	"secretwrap/internal/problem"
	"secretwrap/internal/report"
)

// longestExtensionPause bounds the waits between calls that fail.
const longestExtensionPause = 5 * time.Second

// runExtension waits for the end of the environment. An extension that exits
// before that, even with status 0, ends the function, so this one never does.
func runExtension(p process, environment *environ.Block) int {
	s := newStart(p, environment)
	if !s.inLambda {
		return s.fail(problem.List{{Class: problem.Config, Variable: "AWS_LAMBDA_RUNTIME_API", Cause: "not set, so this is no Lambda environment to extend", Hint: "run secretwrap help"}})
	}
	api := lambdaapi.New(s.variables["AWS_LAMBDA_RUNTIME_API"])
	var extension *lambdaapi.Extension
	s.untilItWorks(func() (err error) {
		extension, err = api.RegisterExtension(context.Background(), filepath.Base(p.args[0]), lambdaapi.Shutdown)
		return err
	})
	for event := (lambdaapi.Event{}); event.Type != lambdaapi.Shutdown; {
		s.untilItWorks(func() (err error) {
			event, err = extension.Next(context.Background())
			return err
		})
	}
	return 0
}

// untilItWorks repeats a call with growing pauses, and reports the first fault.
func (s *start) untilItWorks(call func() error) {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, longestExtensionPause) {
		err := call()
		if err == nil {
			return
		}
		if pause == 100*time.Millisecond {
			s.reporter.Event(report.Error, report.CodeExtension, "Lambda's Extensions API failed: %v", err)
		}
		time.Sleep(pause)
	}
}
