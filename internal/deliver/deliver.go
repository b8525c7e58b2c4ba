// Package deliver evaluates a plan with the documents it asked for.
package deliver

import (
	"io/fs"
	"path/filepath"

	"secretwrap/internal/environ"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/secret"
	"secretwrap/internal/secretfiles"
)

// Source is what became of one secret of the plan.
type Source struct {
	Value secret.Value
	// Binary is set when the value is bytes rather than text.
	Binary bool
	// Err says why there is no value. Its variable is filled in here.
	Err *problem.Problem
	// Absent is set with Err when the secret does not exist, which an optional
	// reference tolerates.
	Absent bool
}

// Variable is one variable for the program.
type Variable struct {
	Name  string
	Value secret.Value
	// Field is the field of an exploded secret that gave it.
	Field string
}

// Moved is a value that went to a file because no variable can hold it.
type Moved struct {
	Name string
	// Size is in bytes.
	Size int
	// Why is a reason in words, such as "with a NUL byte".
	Why string
}

// Absent is a variable or file that is left out, or holds its default, because
// the secret or field does not exist.
type Absent struct {
	Name    string
	Default bool
	// Near is a field that looks like the path mistyped, "" if there is none.
	Near string
	// Part is the index of what was not found among the parts of the target.
	Part int
}

// Skipped are fields of an exploded secret that cannot become variables.
type Skipped struct {
	Secret string
	// Names are those that the variables would have had.
	Names []string
}

// Delivery is everything the program is to be given.
type Delivery struct {
	Variables []Variable
	Files     []secretfiles.File
	// Copies say how to make each of the Files again, and those that are
	// optional and absent now: targets of the plan, and one for every value that
	// moved to a file. None has a Name.
	Copies []plan.Target
	// Absent are the optional references that nothing was found for.
	Absent  []Absent
	Moved   []Moved
	Skipped []Skipped
	// Shadowed are names of fields that something of higher precedence gave.
	Shadowed []string
}

// Deliver evaluates the plan. The sources are in the order of plan.Secrets.
// Room is how many bytes of execve's limit the new variables may take, counted
// as environ.Size does. With any problem the Delivery is of no use: nothing
// partial is given to a program.
func Deliver(p *plan.Plan, sources []Source, inherited *environ.Block, room int) (Delivery, problem.List) {
	d := &delivery{
		plan:      p,
		documents: newDocuments(sources),
		inherited: inherited,
		faults:    newFaults(),
		names:     make(map[string]bool),
		paths:     make(map[string]bool),
	}
	d.reserve()
	for _, target := range p.Targets {
		d.target(target)
	}
	for _, explosion := range p.Explosions {
		d.explode(explosion)
	}
	if problems := d.faults.list(); len(problems) > 0 {
		return Delivery{}, problems
	}
	d.moveWhatDoesNotFit(room)
	return d.result, d.faults.list()
}

// Files evaluates the Copies of an earlier Delivery with newer sources. The
// result holds nothing but files, and which of them are absent.
func Files(copies []plan.Target, sources []Source) (Delivery, problem.List) {
	return Deliver(&plan.Plan{Targets: copies}, sources, environ.New(nil), 0)
}

// delivery is a Delivery under way.
type delivery struct {
	plan      *plan.Plan
	documents *documents
	inherited *environ.Block
	faults    *faults
	result    Delivery
	// candidates are the variables that may yet move to a file.
	candidates []candidate
	// names are those of variables that are taken by a declaration, paths those
	// of files, with the directories they lie in.
	names, paths map[string]bool
}

// candidate is a variable with what is needed to move it to a file.
type candidate struct {
	Variable
	// target says how to make the value again.
	target plan.Target
	// secret is for messages; a template has several, and none here.
	secret string
	// exploded is set when the secret's author picked the name.
	exploded bool
	// binary is set for bytes, which only a file can hold.
	binary bool
}

// reserve takes the names and paths of all declarations, before any value is
// given a name that follows from another one.
func (d *delivery) reserve() {
	for _, target := range d.plan.Targets {
		if target.Name != "" {
			d.names[target.Name] = true
		}
		d.take(target.File)
	}
}

// target evaluates one declared variable or file.
func (d *delivery) target(target plan.Target) {
	found, got := d.evaluate(target)
	if target.File != "" {
		d.addCopy(target, target.File)
	}
	switch {
	case got != delivered:
	case target.File == "":
		d.candidates = append(d.candidates, candidate{
			Variable: Variable{Name: target.Name, Value: found.content}, target: target, secret: secretOf(target), binary: found.binary,
		})
	default:
		d.addFile(target.File, found.content, target.Mode)
		if target.Name != "" {
			d.result.Variables = append(d.result.Variables, Variable{Name: target.Name, Value: secret.FromString(d.fullPath(target.File))})
		}
	}
}

func (d *delivery) addFile(path string, content secret.Value, mode fs.FileMode) {
	d.result.Files = append(d.result.Files, secretfiles.File{Path: path, Content: content, Mode: mode})
}

// addCopy records how to make the content of the file at path again.
func (d *delivery) addCopy(target plan.Target, path string) {
	target.Name, target.File = "", path
	d.result.Copies = append(d.result.Copies, target)
}

// take takes the path of a file, and those of the directories that it lies in.
func (d *delivery) take(path string) {
	for i := range len(path) {
		if path[i] == '/' {
			d.paths[path[:i]] = true
		}
	}
	d.paths[path] = true
}

func (d *delivery) fullPath(path string) string {
	return filepath.Join(d.plan.Dir, filepath.FromSlash(path))
}

// secretOf returns the secret of a target for messages, "" for a template.
func secretOf(target plan.Target) string {
	if target.Template {
		return ""
	}
	return target.Parts[0].Ref.Secret
}
