//go:build !lambda

package main

import (
	"fmt"
	"strings"

	"secretwrap/internal/problem"
	"secretwrap/internal/suggest"
)

const (
	// layersWrapper is where the layer brings this program.
	layersWrapper = "/opt/secretwrap"
	// mostConfigured is how many bytes the names and values of a function's variables
	// may have. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	mostConfigured = 4096
)

// checkFunction judges what a function needs beside its references.
func (t *templated) checkFunction() {
	t.checkWrapper()
	if t.function.NoLayer && !t.function.Image && !t.plan.Empty() {
		t.warn("", "the function has no layer, which brings "+layersWrapper+": make publish makes one")
	}
	if t.function.SnapStart && t.start.settings.SnapStart != "allow" {
		t.problems = append(t.problems, t.placed(problem.List{snapshotProblem()})...)
	}
	size := 0
	for _, entry := range t.entries {
		size += len(entry) - len("=")
	}
	if size > mostConfigured {
		t.fail("", fmt.Sprintf("the variables take %d bytes, and Lambda allows %d", size, mostConfigured), "move references into a manifest, or use names in place of ARNs")
	}
}

// checkWrapper judges what starts this program: on managed runtimes a variable, on
// OS-only ones the layer's bootstrap, in an image what the image has.
func (t *templated) checkWrapper() {
	switch {
	case t.function.Image || !t.needsWrapper():
	case t.function.Runtime == "":
		t.note("whether anything resolves the references depends on the runtime, which is not known here")
	case !strings.HasPrefix(t.function.Runtime, "provided"):
		t.checkVariable()
	case t.function.Handler == bootstrapName:
		t.warn("", "a program called bootstrap hides the layer's /opt/bootstrap, unless it starts "+layersWrapper+" itself: call it app, and set the handler to that")
	}
}

// checkVariable judges the variable that names the wrapper.
func (t *templated) checkVariable() {
	wrapper := t.variables[lambdasWrapper]
	unresolved, depends := t.unresolved[lambdasWrapper]
	_, near := suggest.Nearest(wrapper, []string{layersWrapper})
	switch {
	case wrapper == layersWrapper:
	case depends:
		t.note("whether anything resolves the references depends on " + lambdasWrapper + ", and that on " + unresolved.Unresolved)
	case wrapper == "":
		t.fail(lambdasWrapper, "the variable is not set: nothing would resolve the references", "set it to "+layersWrapper+", and add the layer")
	case near:
		t.fail(lambdasWrapper, "the variable names no program of the layer", "did you mean "+layersWrapper+"?")
	default:
		t.warn(lambdasWrapper, "it names another program than "+layersWrapper+"; SECRETWRAP_EXEC_WRAPPER names the next one")
	}
}

// needsWrapper reports whether the plan has anything that only the wrapper delivers.
func (t *templated) needsWrapper() bool {
	for _, target := range t.plan.Targets {
		if target.Name != "" {
			return true
		}
	}
	return len(t.plan.Explosions) > 0
}
