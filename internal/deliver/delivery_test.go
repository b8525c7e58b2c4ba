package deliver_test

import (
	"slices"
	"strings"
	"testing"

	"secretwrap/internal/deliver"
	"secretwrap/internal/environ"
	"secretwrap/internal/manifest"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/secret"
	"secretwrap/internal/settings"
)

// ample is room for everything.
const ample = 1 << 20

// configuration is a plan's origin, with what its secrets hold.
type configuration struct {
	environment []string
	envFrom     []string
	env, files  []manifest.Entry
	// noDir leaves it open where files live, maxValue 0 means 32 KiB.
	noDir    bool
	maxValue int
	// sources are by the secret's name. What is missing is absent.
	sources map[string]deliver.Source
	// room of 0 means ample.
	room int
}

func text(s string) deliver.Source { return deliver.Source{Value: secret.FromString(s)} }

func binary(s string) deliver.Source {
	return deliver.Source{Value: secret.FromString(s), Binary: true}
}

func failure(class problem.Class, cause string) deliver.Source {
	return deliver.Source{Err: &problem.Problem{Class: class, Cause: cause, Hint: "the hint"}, Absent: class == problem.NotFound}
}

// secrets makes sources out of pairs of name and text.
func secrets(pairs ...string) map[string]deliver.Source {
	sources := make(map[string]deliver.Source)
	for pair := range slices.Chunk(pairs, 2) {
		sources[pair[0]] = text(pair[1])
	}
	return sources
}

// declared makes declarations of NAME=text.
func declared(texts ...string) []manifest.Entry {
	var list []manifest.Entry
	for i, text := range texts {
		name, text, _ := strings.Cut(text, "=")
		list = append(list, manifest.Entry{Name: name, Text: text, Line: 1 + i})
	}
	return list
}

func (c configuration) plan(t testing.TB) *plan.Plan {
	t.Helper()
	s := settings.Settings{EnvFrom: c.envFrom, Dir: "/dir", MaxEnvValue: settings.Size(c.maxValue)}
	if c.noDir {
		s.Dir = ""
	}
	if c.maxValue == 0 {
		s.MaxEnvValue = 32 << 10
	}
	p, problems := plan.Make(environ.New(c.environment), s, manifest.Manifest{Source: "m.yaml", Env: c.env, Files: c.files})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return p
}

// inherited returns what the program has anyway: what is not to be delivered.
func (c configuration) inherited(p *plan.Plan) *environ.Block {
	block := environ.New(c.environment)
	for _, target := range p.Targets {
		block.Unset(target.Name)
	}
	return block
}

func (c configuration) run(t testing.TB) (deliver.Delivery, problem.List) {
	t.Helper()
	p := c.plan(t)
	sources := make([]deliver.Source, len(p.Secrets))
	for i, s := range p.Secrets {
		source, found := c.sources[s.ID]
		if !found {
			source = failure(problem.NotFound, "no such secret")
		}
		sources[i] = source
	}
	if c.room == 0 {
		c.room = ample
	}
	return deliver.Deliver(p, sources, c.inherited(p), c.room)
}

func (c configuration) deliver(t testing.TB) deliver.Delivery {
	t.Helper()
	d, problems := c.run(t)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return d
}

// fails returns the problems, and checks that nothing is delivered beside them.
func (c configuration) fails(t testing.TB) problem.List {
	t.Helper()
	d, problems := c.run(t)
	if len(problems) == 0 {
		t.Fatalf("no problem; delivered %q", variables(d))
	}
	return problems
}

// variables writes NAME=value of each variable.
func variables(d deliver.Delivery) []string {
	var list []string
	for _, v := range d.Variables {
		list = append(list, v.Name+"="+string(v.Value.Reveal()))
	}
	return list
}

// files writes path=content of each file.
func files(d deliver.Delivery) []string {
	var list []string
	for _, f := range d.Files {
		list = append(list, f.Path+"="+string(f.Content.Reveal()))
	}
	return list
}

func checkEqual(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s %q, want %q", what, got, want)
	}
}

// shown writes a problem with all that is said of it.
func shown(p *problem.Problem) string {
	return p.Error() + " (" + p.Class.ErrorType() + ") " + p.Hint
}
