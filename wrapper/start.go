package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/brake"
	"secretwrap/internal/deliver"
	"secretwrap/internal/environ"
	"secretwrap/internal/fetch"
	"secretwrap/internal/lambdaapi"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/refresh"
	"secretwrap/internal/report"
	"secretwrap/internal/settings"
)

const (
	// callerTextLimit bounds what the caller of the function reads, in bytes.
	callerTextLimit = 4 << 10
	// initErrorPatience is the time for telling Lambda why a start failed.
	initErrorPatience = 500 * time.Millisecond
	// defaultDir is where file copies live in Lambda: nothing but /tmp can be
	// written there.
	defaultDir = "/tmp/secretwrap"
	// usualTemporary is the directory for temporary files if TMPDIR names none.
	usualTemporary = "/tmp"
	// defaultRoot is where the function's code lies if LAMBDA_TASK_ROOT does not say.
	defaultRoot = "/var/task"
	// defaultManifest is looked for in the function's root.
	defaultManifest = "secretwrap.yaml"
	// noteName is the file that remembers a start that failed.
	noteName = "secretwrap.failed"
	// initializationType is the variable in which Lambda tells how it uses an
	// environment.
	initializationType = "AWS_LAMBDA_INITIALIZATION_TYPE"
	// startPercent keeps the collector out of a usual start, whose time it would
	// take: a fetch of 20 secrets takes an eighth less CPU, one of 100 secrets of
	// 64 KiB still fits into the memory of the smallest function.
	startPercent = 400
	// extensionPath is where the layer brings the extension.
	extensionPath = "/opt/extensions/secretwrap"
	// markName is the file that tells a second start of an environment from the
	// first.
	markName = "secretwrap.started"
)

// start is one start of a program with its secrets.
type start struct {
	process     process
	environment *environ.Block
	// variables is the environment as it was inherited.
	variables map[string]string
	inLambda  bool
	// isBootstrap is set if Lambda started this program as the bootstrap of an
	// OS-only runtime.
	isBootstrap bool
	// isCommand is set if the command line asked for the program.
	isCommand bool
	reporter  *report.Reporter
	// former is the visit before this one, visit what this one leaves, and visitProblems
	// what is wrong with that.
	former, visit visit
	visitProblems problem.List
	// usualDir is where file copies live if no setting says so, empty for nowhere.
	usualDir string
	// temporary is the directory for temporary files.
	temporary string
	brake     brake.Brake
	settings  settings.Settings
	plan      *plan.Plan
	// badVariables is set if a variable's reference, or its declaration, has a
	// problem.
	badVariables bool
}

func newStart(p process, environment *environ.Block) *start {
	variables := make(map[string]string)
	for _, name := range environment.Names() {
		variables[name], _ = environment.Lookup(name)
	}
	former, visitProblems := readVisit(variables)
	visit := former.settle(variables)
	inLambda := variables["AWS_LAMBDA_RUNTIME_API"] != ""
	temporary := variables["TMPDIR"]
	if info, err := os.Stat(temporary); err != nil || !info.IsDir() {
		temporary = usualTemporary
	}
	s := &start{
		process: p, environment: environment, variables: variables, inLambda: inLambda,
		reporter: newReporter(p, variables), temporary: temporary,
		former: former, visit: visit, visitProblems: visitProblems,
		brake: brake.Brake{Path: filepath.Join(temporary, noteName)},
	}
	if inLambda {
		s.usualDir = defaultDir
	}
	return s
}

// newReporter follows Lambda's own settings for logs.
func newReporter(p process, variables map[string]string) *report.Reporter {
	level := variables["AWS_LAMBDA_LOG_LEVEL"]
	if own := variables[settings.Prefix+"LOG_LEVEL"]; own != "" {
		level = own
	}
	return &report.Reporter{
		Out: p.stderr, JSON: isJSON(variables["AWS_LAMBDA_LOG_FORMAT"]), Least: report.ParseLevel(level),
		Lambda: variables["AWS_LAMBDA_RUNTIME_API"] != "", Now: time.Now,
	}
}

// prepare completes the environment for the program at path, to be given argv.
func (s *start) prepare(path string, argv []string) (*launch, int) {
	debug.SetGCPercent(startPercent)
	restarted := s.restarted()
	next, config, problems := s.configure(path, argv)
	if len(problems) > 0 {
		s.decline()
		return nil, s.fail(problems)
	}
	s.warnOfEnvironment()
	if s.plan.Empty() {
		s.strip()
		s.leave(path, next.path)
		return s.ready(next), 0
	}
	s.warn(config)
	note, noted := s.readNote()
	if noted && note.Holds(s.plan.Hash(), time.Now()) {
		s.reporter.Event(report.Warn, report.CodeBrake, "this start failed a moment ago; the same error is reported without asking Secrets Manager again")
		s.decline()
		return nil, s.fail(note.Problems)
	}
	if problems := s.resolve(config, next, restarted); len(problems) > 0 {
		s.writeNote(problems)
		return nil, s.fail(problems)
	}
	return s.ready(next), 0
}

// warnOfEnvironment tells what is not passed on, or not taken from the manifest.
func (s *start) warnOfEnvironment() {
	if dropped := s.environment.Dropped(); dropped > 0 {
		s.reporter.Event(report.Warn, report.CodeSettings, "dropped %d malformed entries of the environment", dropped)
	}
	for _, name := range s.plan.Shadowed {
		s.reporter.Event(report.Debug, report.CodeShadowed, "%s: the manifest's declaration gives way to the variable that is set", name)
	}
}

// warn tells what may not be what it looks like.
func (s *start) warn(config awssecrets.Config) {
	if s.isSnapStart() {
		s.reporter.Event(report.Warn, report.CodeSettings, "SECRETWRAP_SNAPSTART is allow: the variables hold what was current when the snapshot was taken")
	}
	if config.Plain() {
		s.reporter.Event(report.Warn, report.CodeSettings, "the secrets travel unencrypted: %s begins with http://", config.EndpointVariable)
	}
	for _, warning := range s.plan.ExtensionWarnings() {
		s.reporter.Event(report.Warn, report.CodeSettings, "%s", warning)
	}
}

// resolve fetches the secrets, writes the files, and completes the environment.
func (s *start) resolve(config awssecrets.Config, next *program, restarted bool) problem.List {
	outcomes, extension := s.fetch(config, restarted)
	if extension != nil {
		defer extension.Close()
	}
	s.strip()
	s.leave() // it takes room
	room := environ.Limit(s.process.stackLimit) - environ.Size(next.path, next.argv, s.environment.Entries())
	delivery, problems := deliver.Deliver(s.plan, sources(outcomes), s.environment, room)
	if len(problems) > 0 {
		return problems
	}
	if p := s.deliverFiles(extension, delivery); p != nil {
		return problem.List{p}
	}
	if problems := s.setVariables(delivery); len(problems) > 0 {
		return problems
	}
	s.note(delivery)
	s.reportDelivery(delivery, outcomes, extension != nil)
	return nil
}

// sources tells package deliver what became of each secret, and the operator how
// to give it more time.
func sources(outcomes []fetch.Outcome) []deliver.Source {
	list := refresh.Sources(outcomes)
	for _, source := range list {
		if p := source.Err; p != nil && p.Class == problem.Timeout {
			p.Hint += "; SECRETWRAP_TIMEOUT sets the time"
		}
	}
	return list
}

// ready completes a launch.
func (s *start) ready(next *program) *launch {
	return &launch{path: next.path, argv: next.argv, env: s.environment.Entries(), failed: func(err error) int {
		return s.fail(problem.List{execProblem(next.path, err)})
	}}
}

// fail reports problems to the log and to the caller of the function, and
// returns the exit status.
func (s *start) fail(problems problem.List) int {
	s.reporter.Problems(problems)
	class := problems.Class()
	if s.inLambda && (s.former.Number == 0 || s.former.isOwn()) { // what the program starts concerns nobody else
		ctx, cancel := context.WithTimeout(context.Background(), initErrorPatience)
		defer cancel()
		api := lambdaapi.New(s.variables["AWS_LAMBDA_RUNTIME_API"])
		if err := api.InitError(ctx, class.ErrorType(), problems.Public(callerTextLimit)); err != nil {
			s.reporter.Event(report.Warn, class.ErrorType(), "the caller of the function could not be told why it did not start")
		}
	}
	return class.Status()
}

// execProblem says why a program could not be executed. What execve returns
// holds no text of ours.
func execProblem(path string, err error) *problem.Problem {
	class := problem.NotExecutable
	hint := "check that the program was built for this system and architecture; a script begins with #!"
	switch {
	case errors.Is(err, syscall.E2BIG):
		hint = "the arguments and variables together are too large; deliver large values with file"
	case errors.Is(err, syscall.ENOENT):
		class, hint = problem.NoProgram, "the program, or the interpreter in its first line, does not exist"
	}
	return &problem.Problem{Class: class, Source: path, Cause: err.Error(), Hint: hint}
}
