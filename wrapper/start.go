package main

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/brake"
	"secretwrap/internal/deliver"
	"secretwrap/internal/environ"
	"secretwrap/internal/fetch"
	"secretwrap/internal/lambdaapi"
	"secretwrap/internal/manifest"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/report"
	"secretwrap/internal/secretfiles"
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
	// defaultManifest is looked for in the function's root.
	defaultManifest = "secretwrap.yaml"
	// noteName is the file that remembers a start that failed.
	noteName = "secretwrap.failed"
)

// start is one start of a program with its secrets.
type start struct {
	process     process
	environment *environ.Block
	// variables is the environment as it was inherited.
	variables map[string]string
	inLambda  bool
	reporter  *report.Reporter
	brake     brake.Brake
	settings  settings.Settings
	plan      *plan.Plan
}

func newStart(p process, environment *environ.Block) *start {
	variables := make(map[string]string)
	for _, name := range environment.Names() {
		variables[name], _ = environment.Lookup(name)
	}
	inLambda := variables["AWS_LAMBDA_RUNTIME_API"] != ""
	temporary := variables["TMPDIR"]
	if temporary == "" {
		temporary = "/tmp"
	}
	return &start{
		process: p, environment: environment, variables: variables, inLambda: inLambda,
		reporter: newReporter(p, variables),
		brake:    brake.Brake{Path: filepath.Join(temporary, noteName)},
	}
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

// launch prepares the program at path, to be given argv.
func (s *start) launch(path string, argv []string) (*launch, int) {
	target, problems := s.configure(path, argv)
	if s.plan.Empty() {
		if len(problems) > 0 {
			return nil, s.fail(problems)
		}
		s.strip()
		return s.ready(target), 0
	}
	config, more := awssecrets.Load(s.variables, requests(s.plan))
	problems = append(problems, more...)
	if problems = append(problems, s.refuseSnapshot()...); len(problems) > 0 {
		return nil, s.fail(problems)
	}
	s.warn(config)
	note, noted := s.readNote()
	if noted && note.Holds(s.plan.Hash(), time.Now()) {
		s.reporter.Event(report.Warn, report.CodeBrake, "this start failed a moment ago; the same error is reported without asking Secrets Manager again")
		return nil, s.fail(note.Problems)
	}
	if problems := s.resolve(config, target, noted); len(problems) > 0 {
		s.writeNote(problems)
		return nil, s.fail(problems)
	}
	return s.ready(target), 0
}

// configure reads everything that the operator wrote, and finds the program. It
// returns all problems at once.
func (s *start) configure(path string, argv []string) (*target, problem.List) {
	var unknown []string
	var problems problem.List
	s.settings, unknown, problems = settings.Parse(s.variables)
	if s.settings.Dir == "" && s.inLambda {
		s.settings.Dir = defaultDir
	}
	declared, more := s.readManifest()
	problems = append(problems, more...)
	s.plan, more = plan.Make(s.environment, s.settings, declared)
	problems = append(problems, more...)
	target, p := s.findTarget(path, argv)
	if p != nil {
		problems = append(problems, p)
	}
	for _, name := range unknown {
		s.reporter.Event(report.Warn, report.CodeSettings, "%s: this version knows no such setting, and ignores it", name)
	}
	// What the parser of the manifest finds comes before what its texts mean.
	slices.SortStableFunc(problems, func(a, b *problem.Problem) int { return cmp.Compare(a.Line, b.Line) })
	return target, problems
}

// readManifest reads the manifest that is set, or the one beside the handler if
// there is one.
func (s *start) readManifest() (manifest.Manifest, problem.List) {
	root := s.variables["LAMBDA_TASK_ROOT"]
	if root == "" && s.inLambda {
		root = "/var/task"
	}
	name := s.settings.Manifest
	if name == "" {
		name = defaultManifest
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(root, path)
	}
	content, err := manifest.Read(path)
	if errors.Is(err, fs.ErrNotExist) && s.settings.Manifest == "" {
		return manifest.Manifest{}, nil
	}
	if err != nil {
		return manifest.Manifest{}, problem.List{asProblem(err, problem.Config)}
	}
	return manifest.Parse(name, content, func(name string) (string, bool) {
		value, set := s.variables[name]
		return value, set
	})
}

// asProblem returns the problem in err, or one of the given class that quotes
// err, which must then be one of the system's errors.
func asProblem(err error, class problem.Class) *problem.Problem {
	if p, ok := errors.AsType[*problem.Problem](err); ok {
		return p
	}
	return &problem.Problem{Class: class, Cause: err.Error()}
}

// requests returns what the plan asks of Secrets Manager.
func requests(p *plan.Plan) []awssecrets.Request {
	list := make([]awssecrets.Request, len(p.Secrets))
	for i, s := range p.Secrets {
		list[i] = awssecrets.Request{Secret: s.ID, Region: s.Region, Stage: s.Stage, Version: s.Version}
	}
	return list
}

// refuseSnapshot keeps secrets out of a SnapStart snapshot, where they would
// stay until the next version is published, rotated or not.
func (s *start) refuseSnapshot() problem.List {
	if s.variables["AWS_LAMBDA_INITIALIZATION_TYPE"] != "snap-start" {
		return nil
	}
	if s.settings.SnapStart == "allow" {
		s.reporter.Event(report.Warn, report.CodeSettings, "SECRETWRAP_SNAPSTART is allow: the variables hold what was current when the snapshot was taken")
		return nil
	}
	return problem.List{{
		Class: problem.Config, Variable: "SECRETWRAP_SNAPSTART", Cause: "SnapStart would keep the secrets in its snapshot, and every restored function would read old ones after a rotation",
		Hint: "turn SnapStart off, or set SECRETWRAP_SNAPSTART=allow",
	}}
}

// warn tells what may not be what it looks like.
func (s *start) warn(config awssecrets.Config) {
	if dropped := s.environment.Dropped(); dropped > 0 {
		s.reporter.Event(report.Warn, report.CodeSettings, "%d entries of the environment are no variables, and are not passed on", dropped)
	}
	if config.Plain() {
		s.reporter.Event(report.Warn, report.CodeSettings, "the secrets travel unencrypted: AWS_ENDPOINT_URL begins with http://")
	}
	for _, warning := range s.plan.ExtensionWarnings() {
		s.reporter.Event(report.Warn, report.CodeSettings, "%s", warning)
	}
	for _, name := range s.plan.Shadowed {
		s.reporter.Event(report.Debug, report.CodeShadowed, "%s: the manifest's declaration gives way to the variable that is set", name)
	}
}

// resolve fetches the secrets, writes the files, and completes the environment.
func (s *start) resolve(config awssecrets.Config, target *target, again bool) problem.List {
	client, err := awssecrets.New(config)
	if err != nil {
		return problem.List{asProblem(err, problem.Config)}
	}
	asked := requests(s.plan)
	outcomes := fetch.All(context.Background(), client, asked, fetch.Options{
		Budget:      s.settings.StartBudget(s.variables["AWS_LAMBDA_INITIALIZATION_TYPE"], again),
		Connections: config.Connections,
		Waiting:     func(pending []awssecrets.Request) { s.reportWaiting(pending, len(asked)) },
	})
	s.strip()
	room := environ.Limit(s.process.stackLimit) - environ.Size(target.path, target.argv, s.environment.Entries())
	delivery, problems := deliver.Deliver(s.plan, sources(outcomes), s.environment, room)
	if len(problems) > 0 {
		return problems
	}
	if p := s.writeFiles(delivery.Files); p != nil {
		return problem.List{p}
	}
	if problems := s.setVariables(delivery); len(problems) > 0 {
		return problems
	}
	s.reportDelivery(delivery, outcomes)
	return nil
}

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
		s.environment.Export("AWS_LAMBDA_EXEC_WRAPPER", s.settings.ExecWrapper)
	}
	if !s.plan.Empty() && s.settings.Dir != "" {
		s.environment.Export(settings.Dir, s.settings.Dir)
	}
}

// sources tells deliver what became of each secret.
func sources(outcomes []fetch.Outcome) []deliver.Source {
	list := make([]deliver.Source, len(outcomes))
	for i, o := range outcomes {
		if o.Err != nil {
			list[i] = deliver.Source{Absent: o.Err.Absent, Err: &problem.Problem{Class: o.Err.Class, Cause: o.Err.Cause, Hint: o.Err.Hint}}
			continue
		}
		list[i] = deliver.Source{Value: o.Document.Value, Binary: o.Document.Binary}
	}
	return list
}

func (s *start) writeFiles(files []secretfiles.File) *problem.Problem {
	if len(files) == 0 {
		return nil
	}
	if err := secretfiles.Publish(s.settings.Dir, files); err != nil {
		p := asProblem(err, problem.File)
		p.Variable, p.Hint = settings.Dir, "the directory must be this user's own, with room for the files; in Lambda only /tmp can be written"
		return p
	}
	return nil
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

// ready completes a launch.
func (s *start) ready(t *target) *launch {
	return &launch{path: t.path, argv: t.argv, env: s.environment.Entries(), failed: func(err error) int {
		return s.fail(problem.List{execProblem(t.path, err)})
	}}
}

// fail reports problems to the log and to the caller of the function, and
// returns the exit status.
func (s *start) fail(problems problem.List) int {
	s.reporter.Problems(problems)
	class := problems.Class()
	if s.inLambda {
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
	hint := "check that the program was built for this system and architecture"
	switch {
	case errors.Is(err, syscall.E2BIG):
		hint = "the arguments and variables together are too large; deliver large values with file"
	case errors.Is(err, syscall.ENOENT):
		class, hint = problem.NoProgram, "the program, or the interpreter in its first line, does not exist"
	}
	return &problem.Problem{Class: class, Variable: path, Cause: err.Error(), Hint: hint}
}
