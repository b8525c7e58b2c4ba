//go:build !lambda

package main

import (
	"secretwrap/internal/envfile"
	"secretwrap/internal/environ"
	"secretwrap/internal/problem"
	"secretwrap/internal/report"
)

// withEnvFile starts this program again, with the variables of a .env file beside
// those that are set: so everything sees them that reads the environment, AWS's SDK
// too.
func withEnvFile(p process, environment *environ.Block, path string, arguments []string) (*launch, int) {
	if path == "" {
		return nil, misused(p, environment, envFileOption+" names no file", "write "+envFileOption+" FILE")
	}
	s := newStart(p, environment)
	content, err := envfile.Kind().Read(path)
	if err != nil {
		return nil, s.fail(problem.List{asProblem(err, problem.Config)})
	}
	file, problems := envfile.Parse(path, content)
	if len(problems) > 0 {
		return nil, s.fail(problems)
	}
	for _, warning := range file.Warnings {
		s.reporter.Event(report.Warn, report.CodeSettings, "%s", warning)
	}
	fromFile := environ.New(file.Entries)
	for _, name := range fromFile.Names() {
		value, _ := fromFile.Lookup(name)
		if set, found := environment.Lookup(name); found && set != value {
			s.reporter.Event(report.Info, report.CodeShadowed, "%s: the variable that is set stays, %s has another value", name, path)
		}
	}
	merged := environ.New(append(environment.Entries(), file.Entries...))
	return &launch{path: p.executable, argv: append([]string{p.args[0]}, arguments...), env: merged.Entries(), failed: func(err error) int {
		return s.fail(problem.List{execProblem(p.executable, err)})
	}}, 0
}
