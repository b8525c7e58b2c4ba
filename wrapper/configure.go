package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"syscall"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/manifest"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/report"
	"secretwrap/internal/settings"
)

// configure reads everything that the operator wrote, and finds the program. It
// returns all problems at once.
func (s *start) configure(path string, argv []string) (*program, awssecrets.Config, problem.List) {
	unknown, problems := s.read()
	next, more := s.findProgram(path, argv)
	problems = append(problems, more...)
	var config awssecrets.Config
	if !s.plan.Empty() {
		config, more = awssecrets.Load(s.variables, requests(s.plan))
		problems = append(append(problems, more...), s.refuseSnapshot()...)
	}
	for _, name := range unknown {
		s.reporter.Event(report.Warn, report.CodeSettings, "%s: this version knows no such setting, and ignores it", name)
	}
	return next, config, inOrder(problems)
}

// read makes the plan of settings, manifest and variables. It returns the
// settings that it does not know, and all problems.
func (s *start) read() (unknown []string, problems problem.List) {
	s.settings, unknown, problems = settings.Parse(s.variables)
	problems = append(append(problems, s.visitProblems...), s.resume()...)
	s.settings.Dir = cmp.Or(s.settings.Dir, s.usualDir)
	declared, more := s.readManifest()
	problems = append(problems, more...)
	s.plan, more = plan.Make(s.environment, s.settings, declared)
	s.badVariables = declared.BadVariables || slices.ContainsFunc(more, func(p *problem.Problem) bool {
		return p.Source == "" || !isOfFile(p, declared)
	})
	return unknown, append(problems, more...)
}

// isOfFile reports whether a problem is one of a file that the manifest declares.
func isOfFile(p *problem.Problem, declared manifest.Manifest) bool {
	return slices.ContainsFunc(declared.Files, func(entry manifest.Entry) bool { return entry.Line == p.Line && entry.Name == p.Variable })
}

// inOrder puts what the parser of the manifest finds before what its texts mean.
func inOrder(problems problem.List) problem.List {
	slices.SortStableFunc(problems, func(a, b *problem.Problem) int { return cmp.Compare(a.Line, b.Line) })
	return problems
}

// root returns the directory of the function's code, "" outside Lambda.
func (s *start) root() string {
	root := s.variables["LAMBDA_TASK_ROOT"]
	if root == "" && s.inLambda {
		root = defaultRoot
	}
	return root
}

// readManifest reads the manifest that is set, else the one of the visit before,
// else one beside the handler if there is one. In one process it does so once, and
// what the visit before has delivered of it is there.
func (s *start) readManifest() (manifest.Manifest, problem.List) {
	name, path := s.settings.Manifest, s.manifestPath()
	if name == "" && s.former.Manifest != "" && s.former.isOwn() {
		return manifest.Manifest{}, nil
	}
	content, err := manifest.File().Read(path)
	if errors.Is(err, fs.ErrNotExist) && name == "" && s.former.Manifest == "" {
		return manifest.Manifest{}, checkOtherName(s.manifestPlaces())
	}
	if err != nil {
		return manifest.Manifest{}, problem.List{asProblem(err, problem.Config)}
	}
	declared, problems := manifest.Parse(cmp.Or(name, defaultManifest), content, func(name string) (string, bool) {
		value, set := s.variables[name]
		return value, set
	})
	s.visit.Manifest, s.visit.Declared = path, digest(fmt.Sprint(declared.Files))
	if s.delivered(declared.Files) {
		declared.Files = nil
	}
	declared.Env = slices.DeleteFunc(declared.Env, s.isInFile)
	return declared, problems
}

// manifestPath returns the path of the manifest that is set, else of the one that
// the visit before has read, else where one may lie.
func (s *start) manifestPath() string {
	name := s.settings.Manifest
	if name == "" && s.former.Manifest != "" {
		return s.former.Manifest
	}
	name = cmp.Or(name, defaultManifest)
	if filepath.IsAbs(name) {
		return name
	}
	places := s.manifestPlaces()
	for _, place := range places {
		if path := filepath.Join(place, name); exists(path) {
			return path
		}
	}
	return filepath.Join(places[0], name)
}

// manifestPlaces returns the directories in which a manifest may lie: the
// function's root, and where Lambda starts the function the working directory too,
// since an image may keep its code there.
func (s *start) manifestPlaces() []string {
	places := []string{s.root()}
	here, err := syscall.Getwd()
	if err == nil && s.inLambda && s.former.Number == 0 && here != places[0] {
		places = append(places, here)
	}
	return places
}

// checkOtherName finds a manifest that would be passed over for its name.
func checkOtherName(places []string) problem.List {
	const name = "secretwrap.yml"
	for _, place := range places {
		if exists(filepath.Join(place, name)) {
			return problem.List{{Class: problem.Config, Source: name, Cause: "the manifest is not called " + defaultManifest, Hint: "rename it, or name it in SECRETWRAP_MANIFEST"}}
		}
	}
	return nil
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

// isSnapStart reports whether this environment will be kept as a snapshot.
func (s *start) isSnapStart() bool {
	return s.variables[initializationType] == "snap-start"
}

// refuseSnapshot keeps secrets out of a SnapStart snapshot, where they would
// stay until the next version is published, rotated or not.
func (s *start) refuseSnapshot() problem.List {
	if !s.isSnapStart() || s.settings.SnapStart == "allow" {
		return nil
	}
	return problem.List{snapshotProblem()}
}

func snapshotProblem() *problem.Problem {
	return &problem.Problem{
		Class: problem.Config, Variable: "SECRETWRAP_SNAPSTART", Cause: "SnapStart would keep the secrets in its snapshot, and every restored function would read old ones after a rotation",
		Hint: "turn SnapStart off, or set SECRETWRAP_SNAPSTART=allow",
	}
}
