package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/settings"
)

// program is what takes this program's place.
type program struct {
	path string
	argv []string
}

// findProgram checks that the program can be executed, before anything is
// fetched for it, and puts the next wrapper before it if there is one. Without a
// path, argv names a program that PATH does not have.
func (s *start) findProgram(path string, argv []string) (*program, problem.List) {
	var problems problem.List
	if path == "" {
		problems = append(problems, &problem.Problem{Class: problem.NoProgram, Source: argv[0], Cause: "no such program", Hint: "check the name, and PATH"})
	} else if p := checkProgram(path); p != nil {
		problems = append(problems, p)
	}
	next := s.settings.ExecWrapper
	if !filepath.IsAbs(next) { // none, or one that is reported as a setting
		return &program{path, argv}, problems
	}
	if p := s.checkNext(next); p != nil {
		p.Variable, p.Source = execWrapperSetting, ""
		problems = append(problems, p)
	}
	return &program{next, append([]string{next}, argv...)}, problems
}

// execWrapperSetting names the next wrapper.
const execWrapperSetting = settings.Prefix + "EXEC_WRAPPER"

// checkNext judges the next wrapper.
func (s *start) checkNext(next string) *problem.Problem {
	if s.isSelf(next) {
		return &problem.Problem{Class: problem.Config, Cause: "the next wrapper is this one again", Hint: "name another wrapper, such as /opt/otel-handler, or remove the variable"}
	}
	if p := checkProgram(next); p != nil {
		return p
	}
	return plan.CheckChain(next, s.variables)
}

// checkProgram judges a program by its path, which the caller of the function
// must not read: it stands where a file's name does.
func checkProgram(path string) *problem.Problem {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return &problem.Problem{Class: problem.NoProgram, Source: path, Cause: "no such program", Hint: "check the path"}
	case err != nil:
		return &problem.Problem{Class: problem.NotExecutable, Source: path, Cause: "the file cannot be reached", Hint: "every directory above it must have mode 0755, and links must lead to it"}
	case !info.Mode().IsRegular():
		return &problem.Problem{Class: problem.NotExecutable, Source: path, Cause: "not a regular file", Hint: "name a program"}
	case syscall.Access(path, executable) != nil:
		return &problem.Problem{Class: problem.NotExecutable, Source: path, Cause: "the file is not executable", Hint: "give it mode 0755, in the zip file too"}
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
