// Package plan turns a function's configuration into what to fetch and what to
// deliver.
package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"secretwrap/internal/environ"
	"secretwrap/internal/manifest"
	"secretwrap/internal/problem"
	"secretwrap/internal/reference"
	"secretwrap/internal/settings"
)

// Secret is one version of one secret. Two references to the same one share it.
type Secret struct {
	// ID is the name or ARN as the configuration gives it.
	ID string
	// Region is the one in the ARN, empty for the function's own.
	Region         string
	Stage, Version string
}

// Part is a piece of a value: a literal text, or something in a secret.
type Part struct {
	Literal string
	// Ref is nil for a literal; Secret is then without meaning.
	Ref *reference.Ref
	// Secret is an index into Plan.Secrets.
	Secret int
	// Exploded is set for what an exploded secret gave: the member Field of the
	// object that Ref leads to.
	Exploded bool
	Field    string
}

// Origin is where something was declared, for messages.
type Origin struct {
	// Source is the manifest's name, empty for the environment.
	Source string
	Line   int
}

// Target is one variable or file to deliver.
type Target struct {
	// Name is the variable to set, empty for a file of the manifest.
	Name string
	// File is the path in the directory of file copies, empty for a variable
	// that holds the value itself.
	File string
	Mode fs.FileMode
	// Parts has one element, a reference, unless Template is set.
	Parts    []Part
	Template bool
	Origin   Origin
}

// Label returns what messages call the target.
func (t Target) Label() string {
	if t.Name != "" {
		return t.Name
	}
	return t.File
}

// Explosion is a secret whose fields all become variables.
type Explosion struct {
	Ref    reference.Ref
	Secret int
	Origin Origin
}

// Plan is what a configuration promises to the program.
type Plan struct {
	// Secrets are distinct, in the order of first use.
	Secrets []Secret
	// Targets are in the order of declaration.
	Targets []Target
	// Explosions are in the order of precedence: of two that give the same
	// variable, the first wins.
	Explosions []Explosion
	// Dir is the directory of file copies, empty if there is none.
	Dir string
	// MaxEnvValue is the largest value, in bytes, that a variable is given.
	MaxEnvValue int
	// Shadowed are variables of the manifest that lost to the environment.
	Shadowed []string
}

// Empty reports whether there is nothing to deliver.
func (p *Plan) Empty() bool { return len(p.Secrets) == 0 }

// Hash identifies the plan, so that what was noted about it is not taken for
// another one's.
func (p *Plan) Hash() string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %d\n", p.Dir, p.MaxEnvValue)
	for _, t := range p.Targets {
		fmt.Fprintf(sum, "target %q %q\n", t.Name, t.File)
		for _, part := range t.Parts {
			if part.Ref != nil {
				fmt.Fprintf(sum, "reference %q\n", part.Ref.String())
				continue
			}
			// Only how long a text is matters to whether a value fits.
			fmt.Fprintf(sum, "text %d\n", len(part.Literal))
		}
	}
	for _, e := range p.Explosions {
		fmt.Fprintf(sum, "explosion %q\n", e.Ref.String())
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Make reads the references in the environment, the settings and the manifest.
// It returns every problem; the plan is of use only if there is none.
func Make(environment *environ.Block, s settings.Settings, m manifest.Manifest) (*Plan, problem.List) {
	b := &builder{
		plan:        &Plan{Dir: s.Dir, MaxEnvValue: int(s.MaxEnvValue)},
		environment: environment,
		secrets:     make(map[Secret]int),
	}
	b.environmentTargets(s.Literal)
	b.manifestTargets(m)
	b.settingExplosions(s.EnvFrom)
	b.manifestExplosions(m)
	return b.plan, b.problems
}

// Examines reports whether Make takes a variable's value for a reference, or for
// one that went wrong.
func Examines(value string) bool {
	read, p := reference.ParseEnvironment(value)
	return read != nil || p != nil
}

type builder struct {
	plan        *Plan
	environment *environ.Block
	secrets     map[Secret]int
	problems    problem.List
}

// fail records a problem with something that was declared.
func (b *builder) fail(p *problem.Problem, label string, origin Origin) {
	p.Variable, p.Source, p.Line = label, origin.Source, origin.Line
	b.problems = append(b.problems, p)
}

// environmentTargets reads the references in the variables themselves.
func (b *builder) environmentTargets(literal []string) {
	for _, name := range b.environment.Names() {
		if strings.HasPrefix(name, settings.Prefix) || slices.Contains(literal, name) {
			continue
		}
		text, _ := b.environment.Lookup(name)
		value, p := reference.ParseEnvironment(text)
		if value != nil {
			p = checkConfigured(name)
		}
		switch {
		case p != nil:
			b.fail(p, name, Origin{})
		case value != nil:
			b.addVariable(name, value, Origin{})
		}
	}
}

// manifestTargets reads the manifest's variables and files.
func (b *builder) manifestTargets(m manifest.Manifest) {
	for _, entry := range m.Env {
		origin := Origin{m.Source, entry.Line}
		value, p := reference.ParseDeclaration(entry.Text, reference.Variable)
		if p == nil {
			p = checkName(entry.Name)
		}
		if p != nil {
			b.fail(p, entry.Name, origin)
			continue
		}
		if _, set := b.environment.Lookup(entry.Name); set {
			b.plan.Shadowed = append(b.plan.Shadowed, entry.Name)
			continue
		}
		b.addVariable(entry.Name, value, origin)
	}
	for _, entry := range m.Files {
		origin := Origin{m.Source, entry.Line}
		value, p := reference.ParseDeclaration(entry.Text, reference.File)
		if p != nil {
			b.fail(p, entry.Name, origin)
			continue
		}
		b.addTarget(Target{File: entry.Name, Origin: origin}, value)
	}
}

// addVariable plans a variable.
func (b *builder) addVariable(name string, value *reference.Value, origin Origin) {
	target := Target{Name: name, Origin: origin}
	if ref := value.Parts[0].Ref; !value.Template && ref.ToFile {
		target.File = ref.File
		if target.File == "" {
			target.File = name
		}
	}
	b.addTarget(target, value)
}

// checkConfigured judges a variable that holds a reference when this program
// starts. It must not be one that this program obeys before it has the value.
func checkConfigured(name string) *problem.Problem {
	switch strings.ToUpper(name) {
	case "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR":
		return &problem.Problem{
			Class: problem.Config, Cause: "secretwrap itself obeys the variable when it asks for the secret", Hint: "write its value, or declare the variable in the manifest",
		}
	}
	return checkName(name)
}

// checkName judges a variable that somebody declared by name.
func checkName(name string) *problem.Problem {
	switch {
	case !environ.ValidName(name):
		return &problem.Problem{Class: problem.Config, Cause: "the name cannot be that of a variable", Hint: "a name holds A-Z a-z 0-9 _ and begins with a letter or _"}
	case environ.Reserved(name):
		return &problem.Problem{
			Class: problem.Config, Cause: "the variable is never set from a secret",
			Hint: "it steers Lambda, AWS's SDKs or the dynamic loader; choose another name",
		}
	}
	return nil
}

// addTarget plans the parts of a value, after judging the path of its file.
func (b *builder) addTarget(target Target, value *reference.Value) {
	if p := b.checkFile(target); p != nil {
		b.fail(p, target.Label(), target.Origin)
		return
	}
	target.Template = value.Template
	for _, part := range value.Parts {
		planned := Part{Literal: part.Literal, Ref: part.Ref}
		if part.Ref != nil {
			planned.Secret = b.secret(*part.Ref)
			target.Mode = part.Ref.Mode
		}
		target.Parts = append(target.Parts, planned)
	}
	b.plan.Targets = append(b.plan.Targets, target)
}

// secret returns the index of the secret that ref is about.
func (b *builder) secret(ref reference.Ref) int {
	key := Secret{ref.Secret, ref.Region, ref.Stage, ref.Version}
	if key.Stage == "AWSCURRENT" && key.Version == "" {
		key.Stage = "" // which means the same
	}
	index, known := b.secrets[key]
	if !known {
		index = len(b.plan.Secrets)
		b.secrets[key] = index
		b.plan.Secrets = append(b.plan.Secrets, key)
	}
	return index
}
