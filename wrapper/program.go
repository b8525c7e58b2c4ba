package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
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
	if p := s.checkLast(path, argv[0]); p != nil {
		problems = append(problems, p)
	}
	next := s.nextWrapper()
	if next.path == "" {
		return &program{path, argv}, problems
	}
	if p := s.checkNext(next); p != nil {
		p.Variable, p.Source = next.variable, ""
		problems = append(problems, p)
	}
	return &program{next.path, append([]string{next.path}, argv...)}, problems
}

// checkLast judges the program at the end of the chain.
func (s *start) checkLast(path, name string) *problem.Problem {
	switch {
	case s.isBootstrap:
		return s.checkHandler(path)
	case path == "":
		return &problem.Problem{Class: problem.NoProgram, Source: name, Cause: "no such program", Hint: "check the name, and PATH"}
	}
	return checkProgram(path)
}

const (
	// execWrapperSetting names the next wrapper.
	execWrapperSetting = settings.Prefix + "EXEC_WRAPPER"
	// lambdasWrapper names the wrapper that managed runtimes start.
	lambdasWrapper = "AWS_LAMBDA_EXEC_WRAPPER"
)

// wrapper is another wrapper, by its path and the variable that names it.
type wrapper struct{ path, variable string }

// nextWrapper returns the wrapper that comes after this program, one without a
// path if none does.
func (s *start) nextWrapper() wrapper {
	lambdas, own := s.lambdasWrapper(), s.settings.ExecWrapper
	switch {
	case s.isBootstrap && own == "" && !s.isOwn(lambdas):
		return wrapper{lambdas, lambdasWrapper}
	case !filepath.IsAbs(own): // none, or one that is reported as a setting
		return wrapper{}
	}
	return wrapper{own, execWrapperSetting}
}

// lambdasWrapper returns the path of the wrapper that Lambda's variable names, ""
// for none, or for one that the visit before has started.
func (s *start) lambdasWrapper() string {
	if path := s.variables[lambdasWrapper]; path != s.former.Next {
		return path
	}
	return ""
}

// checkNext judges the next wrapper.
func (s *start) checkNext(next wrapper) *problem.Problem {
	if !filepath.IsAbs(next.path) {
		return &problem.Problem{Class: problem.Config, Cause: "the value is not an absolute path", Hint: "name a wrapper, such as /opt/otel-handler, or remove the variable"}
	}
	if s.isOwn(next.path) || !s.isBootstrap && isSame(next.path, s.lambdasWrapper()) {
		return &problem.Problem{Class: problem.Config, Cause: "the next wrapper is this one again", Hint: "name another wrapper, such as /opt/otel-handler, or remove the variable"}
	}
	if s.isBootstrap && next.variable == execWrapperSetting && s.isPassedOver(next.path) {
		return &problem.Problem{Class: problem.Config, Cause: "AWS_LAMBDA_EXEC_WRAPPER names another wrapper, and only one can come next", Hint: "remove one of the two variables"}
	}
	if p := checkProgram(next.path); p != nil || next.variable == lambdasWrapper {
		return p
	}
	return plan.CheckChain(next.path, s.variables)
}

// isPassedOver reports whether Lambda's variable names a wrapper that is neither
// this program nor the one at path.
func (s *start) isPassedOver(path string) bool {
	lambdas := s.lambdasWrapper()
	return lambdas != "" && !s.isOwn(lambdas) && !isSame(lambdas, path)
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

// isOwn reports whether path leads to this program, or to a copy of it that a
// packager made of a link.
func (s *start) isOwn(path string) bool {
	if !filepath.IsAbs(path) {
		return false
	}
	if isSame(path, s.process.executable) || isSame(path, s.process.args[0]) {
		return true
	}
	there, err := os.Stat(path)
	if err != nil {
		return false
	}
	here, err := os.Stat(s.process.executable)
	return err == nil && here.Size() == there.Size() && slices.Contains([]string{"secretwrap", bootstrapName}, filepath.Base(path))
}

// isSame reports whether two paths lead to one file.
func isSame(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil || !filepath.IsAbs(b) {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// isExecutable tells a program from a directory or a text of that name.
func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
