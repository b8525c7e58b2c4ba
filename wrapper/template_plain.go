//go:build !lambda

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/environ"
	"secretwrap/internal/manifest"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/settings"
	"secretwrap/internal/template"
)

// readTemplate reads a function of a template.
func (s *source) readTemplate(c *configuration) {
	content, err := template.Kind().Read(s.template.path)
	if err != nil {
		c.problems = problem.List{asProblem(err, problem.Config)}
		return
	}
	options := s.templateOptions(c)
	parsed, problems := template.Parse(s.template.path, content, options)
	if len(problems) > 0 {
		c.problems = problems
		return
	}
	function, problems := parsed.Function(s.function)
	if len(problems) > 0 {
		c.problems = append(problems, parsed.Misnamed()...)
		return
	}
	t := &templated{
		source: s, configuration: c, function: function, region: options.Region,
		variables: make(map[string]string), unresolved: make(map[string]template.Variable), needed: make(map[string]bool),
	}
	t.read()
	c.refine = func(problems problem.List) problem.List { return t.placed(t.explained(problems, parsed)) }
	c.problems = append(c.problems, parsed.Misnamed()...)
	if len(c.problems) == 0 && c.plan.Empty() {
		c.problems = problem.List{{Class: problem.Config, Source: s.template.path, Line: function.Line, Cause: "nothing in " + function.ID + " refers to a secret",
			Hint: "references stand in Environment.Variables, or in a secretwrap.yaml in the function's code"}}
	}
	if used := parsed.Defaults(); len(used) > 0 {
		c.notes = append(c.notes, "the defaults of these parameters are used, --parameter NAME=VALUE gives another value: "+strings.Join(used, ", "))
	}
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
	region   string
	// entries are the function's variables as NAME=value, without a value where that
	// is not known; variables has those that are known. unresolved says what the others
	// depend on.
	entries    []string
	variables  map[string]string
	unresolved map[string]template.Variable
	// unseen are those of them that are not told otherwise, needed those that the
	// manifest names.
	unseen []string
	needed map[string]bool
}

// read makes the plan.
func (t *templated) read() {
	literal := t.literal()
	for _, variable := range t.function.Variables {
		t.variable(variable, literal)
	}
	if len(t.unseen) > 0 {
		t.note("not looked at, because a deployment alone knows what they depend on: " + strings.Join(t.unseen, ", "))
	}
	chosen, unknown, problems := settings.Parse(t.variables)
	chosen.Dir = cmp.Or(chosen.Dir, defaultDir)
	t.start.settings = chosen
	for _, name := range unknown {
		t.warn(name, "this version knows no such setting, and ignores it")
	}
	declared, more := t.readManifest(chosen)
	problems = append(problems, more...)
	t.inherited = environ.New(append(slices.Clone(t.entries), lambdasOwn()...))
	t.plan, more = plan.Make(t.inherited, chosen, declared)
	problems = append(problems, more...)
	problems = append(problems, awssecrets.Check(t.variables, requests(t.plan))...)
	if p := plan.CheckChain(chosen.ExecWrapper, t.variables); p != nil {
		problems = append(problems, p)
	}
	t.problems = append(t.problems, t.placed(problems)...)
	t.checkFunction()
}

// lambdasOwn returns variables that a runtime sets, so that nothing else is set from
// a manifest. https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func lambdasOwn() []string {
	return []string{"PATH=", "LANG=", "TZ=", "LD_LIBRARY_PATH=", "NODE_PATH=", "PYTHONPATH=", "GEM_PATH="}
}

// placed gives problems with variables their place in the template.
func (t *templated) placed(problems problem.List) problem.List {
	for _, p := range problems {
		first, _, _ := strings.Cut(p.Variable, ", ") // of several with one cause
		if line := t.lineOf(first); p.Source == "" && line > 0 {
			p.Source, p.Line = t.template.path, line
		}
		if strings.Contains(t.variables[first], "${") {
			p.Hint += "; Fn::Sub alone replaces ${…}"
		}
	}
	return problems
}

// explained tells of secrets that are not there yet because the template makes them.
func (t *templated) explained(problems problem.List, parsed *template.Template) problem.List {
	for _, p := range problems {
		if p.Class == problem.NotFound && parsed.Makes(p.Secret) {
			p.Hint = "this template makes the secret: it is there after the deployment; until then check with --offline"
		}
	}
	return problems
}

// lineOf returns where a variable of the function stands, 0 if it has none of that
// name.
func (t *templated) lineOf(name string) int {
	for _, variable := range t.function.Variables {
		if variable.Name == name {
			return variable.Line
		}
	}
	return 0
}

// fail adds a problem with a variable of the function, or with the function.
func (t *templated) fail(variable, cause, hint string) {
	t.problems = append(t.problems, &problem.Problem{
		Class: problem.Config, Source: t.template.path, Line: cmp.Or(t.lineOf(variable), t.function.Line), Variable: variable, Cause: cause, Hint: hint,
	})
}

func (t *templated) note(text string) { t.notes = append(t.notes, text) }

// literal returns the variables that are not examined.
func (t *templated) literal() (names settings.Names) {
	for _, variable := range t.function.Variables {
		if variable.Name == settings.Prefix+"LITERAL" && variable.Unresolved == "" {
			_ = names.UnmarshalText([]byte(variable.Value)) // which never fails
		}
	}
	return names
}

// variable takes one variable of the function.
func (t *templated) variable(v template.Variable, literal []string) {
	if v.Instead != "" {
		t.warn(v.Name, "{{resolve:secretsmanager:…}} puts the value itself into the function's configuration, in plain text for everybody who may read that; write "+v.Instead)
	}
	matters := plan.Examines(v.Value) || holdsScheme(v.Value) || strings.HasPrefix(v.Name, settings.Prefix)
	switch {
	case v.Unresolved == "":
		t.entries = append(t.entries, v.Name+"="+v.Value)
		t.variables[v.Name] = v.Value
		return
	case matters && !slices.Contains(literal, v.Name):
		t.fail(v.Name, "the value depends on "+v.Unresolved, v.Hint())
	case v.Unresolved != template.Unquoted && v.Instead == "":
		t.unseen = append(t.unseen, v.Name+" ("+v.Unresolved+")")
	}
	t.entries = append(t.entries, v.Name+"=")
	t.unresolved[v.Name] = v
}

// holdsScheme reports whether a text holds what begins references, and not only what an
// ARN has: arn:aws:secretsmanager:….
func holdsScheme(text string) bool {
	for before, rest, found := strings.Cut(text, "secretsmanager:"); found; before, rest, found = strings.Cut(rest, "secretsmanager:") {
		if !strings.HasSuffix(before, ":") {
			return true
		}
	}
	return false
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
	if builder := t.function.Builder; builder != "" && t.manifest.path == "" {
		t.warn("", fmt.Sprintf("the manifest lies beside the code, of which the builder %q may take a part only: check the template that sam build writes too", builder))
	}
	return manifest.Parse(path, content, t.lookup)
}

// lookup returns the value of a variable for the manifest.
func (t *templated) lookup(name string) (string, bool) {
	unresolved, found := t.unresolved[name]
	value, set := t.variables[name]
	switch {
	case !found && !set && (name == "AWS_REGION" || name == "AWS_DEFAULT_REGION"):
		return t.region, t.region != ""
	case !found && !set && strings.HasPrefix(name, "AWS_LAMBDA_"):
		unresolved, found = template.Variable{Unresolved: "what Lambda sets"}, true
	}
	if !found {
		return value, set
	}
	if !t.needed[name] {
		t.needed[name] = true
		t.fail(name, "the manifest needs it, and it depends on "+unresolved.Unresolved, unresolved.Hint())
	}
	return "unresolved", true // the plan is of no use any more
}

// manifestPath returns where the function's manifest is, and whether it must exist.
func (t *templated) manifestPath(chosen settings.Settings) (string, bool) {
	if t.manifest.path != "" {
		return t.manifest.path, true
	}
	code := t.function.Code
	if !filepath.IsAbs(code) {
		code = filepath.Join(filepath.Dir(t.template.path), code)
	}
	info, err := os.Stat(code)
	isDirectory := t.function.Code != "" && err == nil && info.IsDir()
	name := strings.TrimPrefix(cmp.Or(chosen.Manifest, defaultManifest), defaultRoot+"/")
	switch {
	case t.function.Code != "" && errors.Is(err, fs.ErrNotExist) && !strings.Contains(t.function.Code, "://"):
		t.warn("", fmt.Sprintf("the function's code is to be in %q, which is not there: no manifest was looked for", t.function.Code))
	case isDirectory && !filepath.IsAbs(name):
		return filepath.Join(code, name), chosen.Manifest != ""
	case chosen.Manifest != "":
		t.note("the manifest that SECRETWRAP_MANIFEST names is not here, and was not read; --manifest names it")
	case !t.function.Inline:
		t.note("the function's code is no directory here, so that no manifest was looked for; --manifest names one")
	}
	return "", false
}
