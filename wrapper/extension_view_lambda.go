//go:build lambda

package main

import (
	"slices"

	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/refresh"
)

// On OS-only runtimes Lambda starts the function's own bootstrap if there is one,
// else the layer's. Managed runtimes have one of their own.
const (
	functionBootstrap = defaultRoot + "/" + bootstrapName
	layerBootstrap    = "/opt/" + bootstrapName
	runtimeBootstrap  = "/var/runtime/" + bootstrapName
)

// wrapperExpected reports whether Lambda will start this program as the wrapper,
// as far as can be known: an entry point or a bootstrap of the user's own may do
// so too.
func (e *extension) wrapperExpected() bool {
	return e.wrapperIsSet() || e.isOwn(firstBootstrap())
}

// firstBootstrap returns the bootstrap that Lambda starts.
func firstBootstrap() string {
	for _, path := range []string{runtimeBootstrap, functionBootstrap} {
		if isExecutable(path) {
			return path
		}
	}
	return layerBootstrap
}

// wrapperIsSet reports whether the function's configuration names this program
// as the wrapper.
func (e *extension) wrapperIsSet() bool {
	return e.isOwn(e.variables[lambdasWrapper]) || e.isOwn(e.variables["ORIGINAL_"+lambdasWrapper])
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
	if e.expected && (!isExecutable(functionBootstrap) || e.isOwn(functionBootstrap)) {
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
