//go:build lambda

package main

import (
	"os"
	"path/filepath"
	"slices"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/fetch"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/refresh"
	"secretwrap/internal/secretfiles"
)

const (
	layerBootstrap    = "/opt/bootstrap"
	functionBootstrap = "/var/task/bootstrap"
)

// wrapperExpected reports whether Lambda will start this program as the wrapper,
// as far as can be known: an entry point or a bootstrap of the user's own may do
// so too.
func (e *extension) wrapperExpected() bool {
	return e.wrapperIsSet() || e.bootstrapIsOurs() && !isProgramFile(functionBootstrap)
}

// wrapperIsSet reports whether the function's configuration names this program
// as the wrapper.
func (e *extension) wrapperIsSet() bool {
	return e.isProgram(e.variables["AWS_LAMBDA_EXEC_WRAPPER"]) || e.isProgram(e.variables["ORIGINAL_AWS_LAMBDA_EXEC_WRAPPER"])
}

// bootstrapIsOurs reports whether the layer brings this program as bootstrap.
func (e *extension) bootstrapIsOurs() bool { return e.isProgram(layerBootstrap) }

// isProgram reports whether path leads to this program, or to a copy of it that
// a packager made of a link.
func (e *extension) isProgram(path string) bool {
	there, err := os.Stat(path)
	if err != nil {
		return false
	}
	here, err := os.Stat(e.process.executable)
	return err == nil && (os.SameFile(here, there) || here.Size() == there.Size() && isOurName(path))
}

func isOurName(path string) bool {
	return slices.Contains([]string{"secretwrap", "bootstrap"}, filepath.Base(path))
}

// isProgramFile tells a program from a directory or a text of that name.
func isProgramFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// keepsDeclared reports whether files are declared that have to be kept fresh.
func (e *extension) keepsDeclared() bool {
	return e.settings.Refresh > 0 && len(e.declaredFiles().Copies) > 0
}

// declaredFiles returns the files in this view of the configuration.
func (e *extension) declaredFiles() refresh.Set {
	files := e.plan.Files()
	return refresh.Set{Dir: e.settings.Dir, Requests: requests(files), Copies: files.Targets}
}

// needsWrapper judges what was read, before anything else can go wrong.
func (e *extension) needsWrapper() bool {
	variable := func(t plan.Target) bool { return t.Name != "" }
	return e.badVariables || slices.ContainsFunc(e.plan.Targets, variable) || len(e.plan.Explosions) > 0
}

// prefetch starts to fetch what the wrapper will probably ask for.
func (e *extension) prefetch() {
	asked := requests(e.plan)
	if e.server == nil || len(asked) == 0 || e.isBraked() || len(e.connect(asked)) > 0 {
		return
	}
	go e.guard(func() { e.fetch(asked, time.Until(e.deadline)) })
}

// isBraked reports whether a start failed a moment ago, so that the wrapper will
// probably not ask.
func (e *extension) isBraked() bool {
	note, noted := e.readNote()
	return noted && note.Holds(note.Plan, time.Now())
}

// readMarks reports whether the environment starts again, and leaves the
// extension's own mark: it may take all the time there is, so that no wrapper
// leaves one. What wrappers left is of earlier starts yet.
func (e *extension) readMarks() (restarted bool) {
	own := e.mark() + ".extension"
	restarted = leaveMark(own)
	e.unmarked = !exists(own)
	if former, err := os.Lstat(e.mark()); err == nil {
		e.former, restarted = former, true
	}
	return restarted
}

// wrapperCame reports whether a wrapper was started: it has asked, or left its
// mark.
func (e *extension) wrapperCame() bool {
	if e.came.Load() {
		return true
	}
	if e.unmarked && e.server == nil {
		return e.expected // for all that can be known
	}
	latest, err := os.Lstat(e.mark())
	return err == nil && (e.former == nil || !os.SameFile(latest, e.former) || !latest.ModTime().Equal(e.former.ModTime()))
}

// startDeadline returns when the time for fetching at start ends.
func (e *extension) startDeadline(restarted bool) time.Time {
	return e.process.started.Add(e.settings.StartBudget(e.variables[initializationType], restarted))
}

// fetch returns what became of the requests. What is known is not asked for
// again.
func (e *extension) fetch(asked []awssecrets.Request, budget time.Duration) []fetch.Outcome {
	return e.store.Get(e.background, e.client, asked, fetch.Options{
		Budget:      max(0, budget),
		Connections: e.config.Connections,
		Waiting:     func(pending []awssecrets.Request) { e.reportWaiting(pending, len(asked)) },
	})
}

// connect makes the client, if there is none, for what is to be asked for.
func (e *extension) connect(asked []awssecrets.Request) problem.List {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client != nil {
		return nil
	}
	config, problems := awssecrets.Load(e.variables, asked)
	if len(problems) > 0 {
		return problems
	}
	e.client, e.config = awssecrets.New(config), config
	e.keeper.Client, e.keeper.Connections = e.client, config.Connections
	return nil
}

// completeFiles makes the files before the runtime starts, because nobody else
// may.
func (e *extension) completeFiles() {
	set := e.declaredFiles()
	if e.needed { // so that a wrapper that comes need not wait a second time
		e.prefetch()
	}
	if len(set.Copies) == 0 {
		return
	}
	if note, noted := e.readNote(); noted && note.Holds(e.plan.Hash(), time.Now()) {
		e.problems = note.Problems
		return
	}
	if e.needed && e.isBraked() {
		return // the wrapper, which failed, will do so again
	}
	if e.problems = e.connect(set.Requests); len(e.problems) > 0 {
		return
	}
	began := time.Now()
	outcomes := e.fetch(set.Requests, time.Until(e.deadline))
	e.mu.Lock()
	e.spent = time.Since(began)
	e.mu.Unlock()
	e.problems = e.keeper.Publish(set, outcomes)
	e.made = len(e.problems) == 0
	if !e.made && !e.needed {
		e.writeNote(e.problems)
	}
}

// dropOthers keeps nothing fresh that a wrapper wrote which works alone, unless
// the operator wants that.
func (e *extension) dropOthers() {
	keep := !e.wrapperCame()
	if e.settings.Handover == "off" {
		keep = secretfiles.Published(e.settings.Dir)
	}
	if !keep && !e.came.Load() {
		e.keeper.Drop()
	}
}

// adoptFiles keeps fresh what a wrapper writes that works alone.
func (e *extension) adoptFiles() {
	set := e.declaredFiles()
	if len(set.Copies) > 0 && len(e.connect(set.Requests)) == 0 {
		e.keeper.Adopt(set)
	}
}

// mustFail reports whether the function must not start, and nobody but this
// extension will keep it from that: files cannot be made, or a manifest, which may
// declare some, cannot be read.
func (e *extension) mustFail() bool {
	inManifest := func(p *problem.Problem) bool { return p.Source != "" }
	return !e.expected && !e.needed && len(e.problems) > 0 &&
		(len(e.declaredFiles().Copies) > 0 || slices.ContainsFunc(e.problems, inManifest))
}

// isDoubtful reports whether it takes an invocation to find out soon that nobody
// resolves the references: where no wrapper is expected, and on OS-only runtimes,
// which ignore AWS_LAMBDA_EXEC_WRAPPER.
func (e *extension) isDoubtful() bool {
	if e.expected && !isProgramFile(functionBootstrap) {
		return false
	}
	return len(e.unresolved()) > 0 || e.leavesProblems() && len(e.problems) > 0
}

// leavesProblems reports whether a wrapper says what is wrong, if one comes.
func (e *extension) leavesProblems() bool { return e.expected || e.needed }

// unresolved returns what a wrapper would have to resolve.
func (e *extension) unresolved() []string {
	var names []string
	add := func(name string) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, t := range e.plan.Targets {
		if t.Name != "" || !e.made {
			add(t.Label())
		}
	}
	if e.leavesProblems() {
		for _, p := range e.problems {
			add(p.Variable)
		}
	}
	for _, x := range e.plan.Explosions {
		add("env_from " + x.Ref.Secret)
	}
	slices.Sort(names) // Lambda gives the variables in no order
	return names
}
