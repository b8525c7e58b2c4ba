package main

import (
	"os"
	"path/filepath"
	"syscall"

	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
)

// target is the program to execute.
type target struct {
	path string
	argv []string
}

// findTarget checks that the program can be executed, before anything is
// fetched for it, and puts the next wrapper before it if there is one.
func (s *start) findTarget(path string, argv []string) (*target, *problem.Problem) {
	if p := checkProgram(path); p != nil {
		return nil, p
	}
	next := s.settings.ExecWrapper
	if !filepath.IsAbs(next) { // none, or one that is reported as a setting
		return &target{path, argv}, nil
	}
	p := checkProgram(next)
	if s.isSelf(next) {
		p = &problem.Problem{Class: problem.Config, Cause: "the next wrapper is this one again", Hint: "name another wrapper, such as /opt/otel-handler, or take the variable away"}
	}
	if p == nil {
		p = plan.CheckChain(next, s.variables)
	}
	if p != nil {
		p.Variable = "SECRETWRAP_EXEC_WRAPPER"
		return nil, p
	}
	return &target{next, append([]string{next}, argv...)}, nil
}

// checkProgram judges a program by its path.
func checkProgram(path string) *problem.Problem {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return &problem.Problem{Class: problem.NoProgram, Variable: path, Cause: "no such program", Hint: "check the path"}
	case !info.Mode().IsRegular():
		return &problem.Problem{Class: problem.NotExecutable, Variable: path, Cause: "this is no regular file", Hint: "name a program"}
	case syscall.Access(path, executable) != nil:
		return &problem.Problem{Class: problem.NotExecutable, Variable: path, Cause: "the file is not executable", Hint: "give it mode 0755, in the zip file too"}
	}
	return nil
}

// executable is access(2)'s X_OK, which package syscall does not have.
const executable = 1

// isSelf reports whether path leads to this program, through links too.
func (s *start) isSelf(path string) bool {
	there, err := os.Stat(path)
	if err != nil {
		return false
	}
	for _, own := range []string{s.process.executable, s.process.args[0], s.variables["AWS_LAMBDA_EXEC_WRAPPER"]} {
		if here, err := os.Stat(own); filepath.IsAbs(own) && err == nil && os.SameFile(here, there) {
			return true
		}
	}
	return false
}
