package main

import (
	"os"
	"path/filepath"
	"strings"

	"secretwrap/internal/environ"
	"secretwrap/internal/problem"
)

// bootstrapName is what Lambda starts on an OS-only runtime: it looks into the
// function's root first, then into /opt.
const bootstrapName = "bootstrap"

// shownPrograms bounds how many of the function's programs a hint names.
const shownPrograms = 3

// runBootstrap starts the program of a function on an OS-only runtime, which is
// what its handler names. As with managed runtimes, whatever comes in the
// arguments is Lambda's own.
func runBootstrap(p process, environment *environ.Block) (*launch, int) {
	s := newStart(p, environment)
	s.isBootstrap = true
	path := filepath.Join(s.root(), s.variables["_HANDLER"])
	return s.prepare(path, []string{path})
}

// checkHandler judges the program that the handler names.
func (s *start) checkHandler(path string) *problem.Problem {
	if s.variables["_HANDLER"] == "" {
		return &problem.Problem{Class: problem.Config, Variable: "_HANDLER", Cause: "no handler is set", Hint: s.handlerHint()}
	}
	if s.isOwn(path) {
		return &problem.Problem{Class: problem.Config, Variable: "_HANDLER", Cause: "the function's handler is this program again", Hint: s.handlerHint()}
	}
	p := checkProgram(path)
	if p != nil && p.Class == problem.NoProgram {
		p.Hint = s.handlerHint()
	}
	return p
}

// handlerHint says what the handler should be, with the names that are possible.
func (s *start) handlerHint() string {
	hint := "on an OS-only runtime the function's handler is the name of its program"
	if programs := s.programs(); len(programs) > 0 {
		hint += ", such as " + strings.Join(programs, ", ")
	}
	if len(s.process.args) > 1 {
		hint += "; on a managed one set AWS_LAMBDA_EXEC_WRAPPER=/opt/secretwrap"
	}
	return hint
}

// programs returns a few of the programs in the function's root, none if it
// cannot be read.
func (s *start) programs() []string {
	entries, _ := os.ReadDir(s.root())
	var names []string
	for _, entry := range entries {
		if path := filepath.Join(s.root(), entry.Name()); len(names) < shownPrograms && isExecutable(path) && !s.isOwn(path) {
			names = append(names, entry.Name())
		}
	}
	return names
}
