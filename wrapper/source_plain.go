//go:build !lambda

package main

import (
	"errors"
	"flag"
	"io"
	"slices"
	"strings"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/environ"
	"secretwrap/internal/inspect"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/suggest"
)

// source is where check and policy read a configuration.
type source struct {
	envFile, manifest, template file
	function                    string
	values                      list
}

// file is an option that names a file, at most once. An empty name, as of a shell's
// variable that is not set, is none.
type file struct{ path string }

func (f *file) String() string { return f.path }

func (f *file) Set(path string) error {
	switch {
	case path == "":
		return errors.New("it names no file")
	case f.path != "":
		return errors.New("the option is given twice")
	}
	f.path = path
	return nil
}

// list is the values of an option that may be repeated.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

// options returns the options of a command, those of the source among them.
func (s *source) options(command string) *flag.FlagSet {
	options := flag.NewFlagSet(command, flag.ContinueOnError)
	options.SetOutput(io.Discard)
	options.Var(&s.envFile, strings.TrimPrefix(envFileOption, "--"), "")
	options.Var(&s.manifest, "manifest", "")
	options.Var(&s.template, "template", "")
	options.StringVar(&s.function, "function", "", "")
	options.Var(&s.values, "parameter", "")
	return options
}

// parse reads the arguments of a command. It returns the problem with them, or
// flag.ErrHelp.
func (s *source) parse(options *flag.FlagSet, arguments []string) (*problem.Problem, error) {
	err := options.Parse(arguments)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil, err
	case err != nil:
		return optionProblem(options, err), nil
	case options.NArg() > 0:
		return commandProblem(options.Name()+" takes options alone", "name a file with --template, --manifest or "+envFileOption), nil
	case s.template.path != "" && s.envFile.path != "":
		return commandProblem("a template and a .env file cannot be read together", "keep one of them"), nil
	case s.template.path == "" && (s.function != "" || len(s.values) > 0):
		return commandProblem("--function and --parameter belong to a template", "name it with --template"), nil
	}
	given := make(map[string]bool)
	for _, value := range s.values {
		name, _, found := strings.Cut(value, "=")
		switch {
		case !found || name == "":
			return commandProblem("a parameter has no name or no value", "write --parameter NAME=VALUE"), nil
		case given[name]:
			return commandProblem("the parameter "+name+" is given twice", "keep one of them"), nil
		}
		given[name] = true
	}
	return nil, nil
}

// optionProblem says what package flag has said, in the words of the other commands.
func optionProblem(options *flag.FlagSet, err error) *problem.Problem {
	hint := "secretwrap help has the options"
	if name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); unknown {
		var known []string
		options.VisitAll(func(option *flag.Flag) { known = append(known, option.Name) })
		if near, found := suggest.Nearest(name, known); found {
			hint = "did you mean --" + near + "?"
		}
		return commandProblem(options.Name()+" has no option --"+name, hint)
	}
	if name, empty := strings.CutPrefix(err.Error(), "flag needs an argument: -"); empty {
		return commandProblem(options.Name()+": --"+name+" needs a value", hint)
	}
	return commandProblem(options.Name()+": "+strings.Replace(err.Error(), "for flag -", "for --", 1), hint)
}

func commandProblem(cause, hint string) *problem.Problem {
	return &problem.Problem{Class: problem.Config, Cause: cause, Hint: hint}
}

// begin reads the arguments of a command. If its work ends there, it returns a
// launch or a status, and done.
func (s *source) begin(p process, environment *environ.Block, options *flag.FlagSet, arguments []string) (next *launch, status int, done bool) {
	wrong, err := s.parse(options, arguments)
	switch {
	case err != nil:
		writeHelp(p.stdout)
		return nil, 0, true
	case wrong != nil:
		return nil, newStart(p, environment).fail(problem.List{wrong}), true
	case s.envFile.path != "":
		next, status = withEnvFile(p, environment, s.envFile.path, append([]string{options.Name()}, without(options)...))
		return next, status, true
	}
	return nil, 0, false
}

// without returns the options that are set, but for the .env file.
func without(options *flag.FlagSet) []string {
	var arguments []string
	options.Visit(func(option *flag.Flag) {
		values := []string{option.Value.String()}
		if repeated, ok := option.Value.(*list); ok {
			values = *repeated
		}
		for _, value := range values {
			if "--"+option.Name != envFileOption {
				arguments = append(arguments, "--"+option.Name+"="+value)
			}
		}
	})
	return arguments
}

// configuration is what check and policy judge.
type configuration struct {
	start *start
	plan  *plan.Plan
	// inherited is what a program would be given beside what the plan delivers.
	inherited *environ.Block
	problems  problem.List
	// route is what is wrong with the way to Secrets Manager, as far as that can be
	// told without going it.
	route    problem.List
	warnings []inspect.Warning
	notes    []string
	// refine adds to problems that come later what the source knows of them.
	refine func(problem.List) problem.List
}

func (c *configuration) warn(label, text string) {
	c.warnings = append(c.warnings, inspect.Warning{Label: label, Text: text})
}

// read reads the configuration.
func (s *source) read(p process, environment *environ.Block) *configuration {
	// A shell passes variables on in any order.
	sorted := environ.New(slices.Sorted(slices.Values(environment.Entries())))
	c := &configuration{start: newStart(p, sorted), refine: func(problems problem.List) problem.List { return problems }}
	if s.template.path != "" {
		s.readTemplate(c)
	} else {
		s.readEnvironment(c)
	}
	if len(c.problems) == 0 && c.plan.Empty() {
		c.problems = problem.List{commandProblem("nothing refers to a secret",
			"set a variable such as DB_PASSWORD=secretsmanager://prod/db#password, or name a file with --template, --manifest or "+envFileOption)}
	}
	if c.plan != nil {
		c.warnings = append(c.warnings, inspect.Literals(c.inherited, c.plan, c.start.settings.Literal)...)
		for _, warning := range c.plan.ExtensionWarnings() {
			c.warn("", warning)
		}
	}
	return c
}

// readEnvironment reads what exec would read.
func (s *source) readEnvironment(c *configuration) {
	begun := c.start
	if s.manifest.path != "" {
		begun.environment.Export("SECRETWRAP_MANIFEST", s.manifest.path)
		begun.variables["SECRETWRAP_MANIFEST"] = s.manifest.path
		begun.usualDir = defaultDir
	}
	unknown, problems := begun.read()
	c.plan, c.route = begun.plan, awssecrets.Check(begun.variables, requests(begun.plan))
	if !c.plan.Empty() {
		problems = append(problems, begun.refuseSnapshot()...)
	}
	c.problems = inOrder(problems)
	for _, name := range unknown {
		c.warn(name, "this version knows no such setting, and ignores it")
	}
	if p := plan.CheckChain(begun.settings.ExecWrapper, begun.variables); p != nil {
		c.problems = append(c.problems, p)
	}
	if wrapper := begun.settings.ExecWrapper; wrapper != "" && s.manifest.path == "" && checkProgram(wrapper) != nil {
		c.warn(execWrapperSetting, "there is no such program here, without which exec would not start")
	}
	begun.strip()
	c.inherited = begun.environment
}
