//go:build !lambda

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/environ"
	"secretwrap/internal/manifest"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/settings"
	"secretwrap/internal/template"
)

// mostConfigured is how many bytes the names and values of a function's variables
// may have. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const mostConfigured = 4096

// readTemplate reads a function of a template.
func (s *source) readTemplate(c *configuration) {
	content, err := template.Kind().Read(s.template)
	if err != nil {
		c.problems = problem.List{asProblem(err, problem.Config)}
		return
	}
	parsed, problems := template.Parse(s.template, content, s.templateOptions(c))
	if len(problems) > 0 {
		c.problems = problems
		return
	}
	function, problems := parsed.Function(s.function)
	for _, used := range parsed.Defaults() {
		c.notes = append(c.notes, used+" is the parameter's default; --parameter gives another value")
	}
	if len(problems) > 0 {
		c.problems = problems
		return
	}
	t := &templated{source: s, configuration: c, function: function, variables: make(map[string]string), unresolved: make(map[string]string), needed: make(map[string]bool)}
	t.read()
}

// templateOptions returns what a deployment from here would know.
func (s *source) templateOptions(c *configuration) template.Options {
	access, _ := awssecrets.Load(c.start.variables, nil) // nothing depends on the rest of it yet
	options := template.Options{Region: access.Region, Values: make(map[string]string)}
	for _, value := range s.values {
		name, value, _ := strings.Cut(value, "=")
		options.Values[name] = value
	}
	return options
}

// templated is the configuration of a function in a template.
type templated struct {
	*source
	*configuration
	function template.Function
	// entries are the variables that can be judged, as NAME=value; variables has
	// the same by their names. unresolved says what the others depend on.
	entries    []string
	variables  map[string]string
	unresolved map[string]string
	// needed are those of the unresolved that the manifest names.
	needed map[string]bool
}

// read makes the plan.
func (t *templated) read() {
	for _, variable := range t.function.Variables {
		t.variable(variable)
	}
	t.noteUnresolved()
	chosen, unknown, problems := settings.Parse(t.variables)
	chosen.Dir = cmp.Or(chosen.Dir, defaultDir)
	for _, name := range unknown {
		t.warn(name, "this version knows no such setting, and ignores it")
	}
	declared, more := t.readManifest(chosen)
	problems = append(problems, more...)
	t.inherited = environ.New(t.entries)
	t.plan, more = plan.Make(t.inherited, chosen, declared)
	t.problems = append(t.problems, t.placed(append(problems, more...))...)
	if p := plan.CheckChain(chosen.ExecWrapper, t.variables); p != nil {
		t.problems = append(t.problems, t.placed(problem.List{p})...)
	}
	t.start.settings = chosen
	t.checkFunction()
}

// placed gives problems with variables their place in the template.
func (t *templated) placed(problems problem.List) problem.List {
	for _, p := range problems {
		for _, variable := range t.function.Variables {
			if p.Source == "" && p.Variable == variable.Name {
				p.Source, p.Line = t.template, variable.Line
			}
		}
	}
	return problems
}

// fail adds a problem with a variable of the function.
func (t *templated) fail(variable, cause, hint string) {
	p := &problem.Problem{Class: problem.Config, Source: t.template, Line: t.function.Line, Variable: variable, Cause: cause, Hint: hint}
	for _, known := range t.function.Variables {
		if known.Name == variable {
			p.Line = known.Line
		}
	}
	t.problems = append(t.problems, p)
}

// variable takes one variable of the function.
func (t *templated) variable(v template.Variable) {
	if instead, found := v.DynamicSecret(); found {
		t.warn(v.Name, "{{resolve:secretsmanager:…}} puts the value itself into the function's configuration, in plain text for everybody who may read that; write "+instead)
		return
	}
	switch {
	case v.Unresolved == "":
		t.entries = append(t.entries, v.Name+"="+v.Value)
		t.variables[v.Name] = v.Value
	case plan.Examines(v.Value), strings.Contains(v.Value, "secretsmanager:"), strings.HasPrefix(v.Name, settings.Prefix):
		t.fail(v.Name, "the value depends on "+v.Unresolved, template.ValueHint)
	default:
		t.unresolved[v.Name] = v.Unresolved
	}
}

// noteUnresolved names the variables that were left out.
func (t *templated) noteUnresolved() {
	var names []string
	for _, variable := range t.function.Variables {
		if reason, found := t.unresolved[variable.Name]; found {
			names = append(names, variable.Name+" ("+reason+")")
		}
	}
	if len(names) > 0 {
		t.notes = append(t.notes, "not looked at, because a deployment alone knows what they depend on: "+strings.Join(names, ", "))
	}
}

// readManifest reads the manifest beside the function's code, as far as the code is
// a directory here.
func (t *templated) readManifest(chosen settings.Settings) (manifest.Manifest, problem.List) {
	path, mustExist := t.manifestPath(chosen)
	if path == "" {
		return manifest.Manifest{}, nil
	}
	content, err := manifest.File().Read(path)
	if errors.Is(err, fs.ErrNotExist) && !mustExist {
		return manifest.Manifest{}, checkOtherName([]string{filepath.Dir(path)})
	}
	if err != nil {
		return manifest.Manifest{}, problem.List{asProblem(err, problem.Config)}
	}
	return manifest.Parse(path, content, t.lookup)
}

// lookup returns the value of a variable for the manifest.
func (t *templated) lookup(name string) (string, bool) {
	reason, found := t.unresolved[name]
	if !found {
		value, set := t.variables[name]
		return value, set
	}
	if !t.needed[name] {
		t.needed[name] = true
		t.fail(name, "the manifest needs it, and it depends on "+reason, template.ValueHint)
	}
	return "unresolved", true // the plan is of no use any more
}

// manifestPath returns where the function's manifest is, and whether it must exist.
func (t *templated) manifestPath(chosen settings.Settings) (string, bool) {
	if t.manifest != "" {
		return t.manifest, true
	}
	code := filepath.Join(filepath.Dir(t.template), t.function.Code)
	info, err := os.Stat(code)
	isDirectory := t.function.Code != "" && err == nil && info.IsDir()
	name := strings.TrimPrefix(chosen.Manifest, defaultRoot+"/")
	switch {
	case chosen.Manifest == "" && isDirectory:
		return filepath.Join(code, defaultManifest), false
	case chosen.Manifest == "":
		return "", false
	case isDirectory && !filepath.IsAbs(name):
		return filepath.Join(code, name), true
	}
	t.notes = append(t.notes, "the manifest that SECRETWRAP_MANIFEST names is not here, and was not read; --manifest names it")
	return "", false
}

// checkFunction judges what a function needs for its references to be resolved.
func (t *templated) checkFunction() {
	wrapper := t.variables[lambdasWrapper]
	_, depends := t.unresolved[lambdasWrapper]
	osOnly := strings.HasPrefix(t.function.Runtime, "provided")
	managed := !osOnly && !t.function.Image && t.function.Runtime != ""
	switch {
	case managed && t.needsWrapper() && wrapper == "" && !depends:
		t.fail(lambdasWrapper, "the variable is not set: nothing would resolve the references", "set it to /opt/secretwrap, and add the layer")
	case managed && wrapper != "" && wrapper != "/opt/secretwrap":
		t.warn(lambdasWrapper, "it names another program than /opt/secretwrap; SECRETWRAP_EXEC_WRAPPER names the next one")
	case osOnly && t.function.Handler == bootstrapName:
		t.warn("", "a program called bootstrap hides the layer's /opt/bootstrap, unless it starts /opt/secretwrap itself: call it app, and set the handler to that")
	}
	if t.function.NoLayer && !t.function.Image && !t.plan.Empty() {
		t.warn("", "the function has no layer: /opt/secretwrap comes with one")
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

// needsWrapper reports whether the plan has anything that only the wrapper delivers.
func (t *templated) needsWrapper() bool {
	for _, target := range t.plan.Targets {
		if target.Name != "" {
			return true
		}
	}
	return len(t.plan.Explosions) > 0
}
