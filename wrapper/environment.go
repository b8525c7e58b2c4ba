package main

import (
	"strings"

	"secretwrap/internal/deliver"
	"secretwrap/internal/problem"
	"secretwrap/internal/refresh"
	"secretwrap/internal/report"
	"secretwrap/internal/secretfiles"
	"secretwrap/internal/settings"
)

// strip removes what is for this program only, and what is yet to be delivered.
func (s *start) strip() {
	for _, name := range s.environment.Names() {
		if strings.HasPrefix(name, settings.Prefix) && name != settings.Dir {
			s.environment.Unset(name)
		}
	}
	for _, t := range s.plan.Targets {
		if t.Name != "" {
			s.environment.Unset(t.Name)
		}
	}
	if s.settings.ExecWrapper != "" {
		s.environment.Export(lambdasWrapper, s.settings.ExecWrapper)
	}
	if !s.plan.Empty() && s.settings.Dir != "" {
		s.environment.Export(settings.Dir, s.settings.Dir)
	}
}

// writeFiles publishes the files. With none, it removes those of an earlier start
// of the same execution environment, which would otherwise stay. On a laptop they
// may be those of the program that started this one.
func (s *start) writeFiles(files []secretfiles.File) *problem.Problem {
	if len(files) == 0 {
		if s.beginsFunction() && secretfiles.Published(s.settings.Dir) && secretfiles.Publish(s.settings.Dir, nil) != nil {
			s.reporter.Event(report.Warn, report.CodeFiles, "the files of an earlier start cannot be removed from %q", s.settings.Dir)
		}
		return nil
	}
	if err := secretfiles.Publish(s.settings.Dir, files); err != nil {
		return refresh.FileProblem(err)
	}
	return nil
}

// beginsFunction reports whether Lambda has started this program, in whose place the
// function's program comes, rather than that program.
func (s *start) beginsFunction() bool {
	return s.inLambda && !s.isCommand && s.former.Number == 0
}

// keepFiles keeps the files of the visit before, which more would replace.
func keepFiles(more []secretfiles.File) *problem.Problem {
	if len(more) == 0 {
		return nil
	}
	return &problem.Problem{
		Class: problem.File, Variable: more[0].Path, Cause: "the wrapper was started a second time, and its files of the first time would be replaced",
		Hint: "declare every file in the function's configuration or its manifest",
	}
}

func (s *start) setVariables(delivery deliver.Delivery) problem.List {
	var problems problem.List
	for _, v := range delivery.Variables {
		if err := s.environment.Set(v.Name, v.Value); err != nil {
			problems = append(problems, &problem.Problem{Class: problem.Invalid, Variable: v.Name, Cause: err.Error(), Hint: "choose another name"})
		}
	}
	return problems
}
