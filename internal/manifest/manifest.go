// Package manifest reads secretwrap.yaml into declarations with their lines.
package manifest

import (
	"secretwrap/internal/configfile"
	"secretwrap/internal/problem"
	"secretwrap/internal/yamlfile"
)

// File returns what kind of file a manifest is.
func File() configfile.Kind { return configfile.Kind{Name: "manifest", MaxKiB: 256} }

// Manifest is what a manifest declares, each part in the order of the file.
type Manifest struct {
	// Source is the name of the file, for messages.
	Source string
	// Env declares variables, EnvFrom secrets of which every field becomes a
	// variable, Files the files to write.
	Env, EnvFrom, Files []Entry
	// BadVariables is set if something below env or env_from has a problem.
	BadVariables bool
}

// Entry is one declaration.
type Entry struct {
	// Name is the variable or the path of the file, as written and not
	// judged. It is empty in EnvFrom.
	Name string
	// Text is the reference or template, not judged either, after every
	// ${NAME} was replaced.
	Text string
	// Line is where the entry begins, counted from 1.
	Line int
}

const (
	emptyHint = "declare something, for example:\nenv:\n  DB_PASSWORD: \"prod/db#password\""
	// shapeHint is for a file that is no map at all.
	shapeHint = "begin the file with one of the keys env, env_from and files"
)

// Parse reads the content of the manifest called source. It returns all
// problems at once, each with its line, in the order of the file; a file that
// is no YAML has one. If there are problems, the manifest holds the entries
// that have none, so that these can be checked further.
//
// Every ${NAME} in a text, though not in a key, is replaced by what lookup
// returns for NAME. The value may hold only what a secret's name may hold,
// A-Z a-z 0-9 / _ + = . @ - and !, so that it can never change what a
// reference means. It is not searched for another ${NAME} and appears in no
// problem. A $ without { stands for itself. There is no way to write a literal
// ${ and names need none; in a path $\{ selects the same.
//
// Quotes keep the blanks that they enclose. The line breaks that end a block
// text (| and >) are cut off.
func Parse(source string, data []byte, lookup func(name string) (string, bool)) (Manifest, problem.List) {
	p := &parser{source: source, lines: yamlfile.Lines(data), lookup: lookup}
	documents, fault := yamlfile.Decode(data)
	if fault != nil {
		p.report(fault.Line, "", fault.Cause, fault.Hint)
		return Manifest{Source: source}, p.problems
	}
	return p.manifest(documents), p.problems
}

// parser collects the problems of one manifest.
type parser struct {
	source   string
	lines    int
	lookup   func(name string) (string, bool)
	problems problem.List
}

// report adds a problem. The YAML library places what a file lacks behind its
// last line, which is no line that an editor could go to.
func (p *parser) report(line int, name, cause, hint string) {
	p.problems = append(p.problems, &problem.Problem{
		Class:    problem.Config,
		Source:   p.source,
		Line:     min(max(line, 1), p.lines),
		Variable: name,
		Cause:    cause,
		Hint:     hint,
	})
}
