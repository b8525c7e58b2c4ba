package deliver

import (
	"errors"
	"fmt"

	"secretwrap/internal/extract"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/reference"
	"secretwrap/internal/secret"
)

// value is something to deliver.
type value struct {
	content secret.Value
	// binary is set for bytes, which are no text.
	binary bool
}

// miss is why a reference has no value.
type miss struct {
	problem problem.Problem
	// absent is set when nothing is there, which an optional reference tolerates.
	absent bool
	// near is a field that looks like the path mistyped.
	near string
	// whole is set when the problem is that of the secret, not of one field.
	whole bool
}

// documents are the sources, and the objects in them that are exploded, each parsed
// at most once: thousands of fields of one object may have moved to files.
type documents struct {
	sources []Source
	parsed  map[int]parsed
	objects map[objectKey]object
}

// objectKey names the object that an exploded reference leads to.
type objectKey struct {
	secret       int
	member, path string
}

// object is an exploded object, or why there is none.
type object struct {
	document extract.Document
	missed   *miss
}

type parsed struct {
	document extract.Document
	err      error
}

func newDocuments(sources []Source) *documents {
	return &documents{sources: sources, parsed: make(map[int]parsed), objects: make(map[objectKey]object)}
}

// lookup returns what ref, a reference to the secret of that index, stands for.
func (d *documents) lookup(index int, ref *reference.Ref) (value, *miss) {
	source := d.sources[index]
	if source.Err != nil {
		return value{}, &miss{problem: *source.Err, absent: source.Absent, whole: true}
	}
	if ref.Path == "" && ref.Member == "" {
		return value{source.Value, source.Binary}, nil
	}
	document, err := d.document(index)
	if err != nil {
		return value{}, notJSON(err)
	}
	text, err := field(document, ref)
	if err != nil {
		return value{}, noField(document, ref, err)
	}
	return value{content: text}, nil
}

// part returns what one reference of a target stands for.
func (d *documents) part(part plan.Part) (value, *miss) {
	if part.Exploded {
		return d.explodedField(part)
	}
	return d.lookup(part.Secret, part.Ref)
}

// document returns a source parsed as JSON.
func (d *documents) document(index int) (extract.Document, error) {
	known, done := d.parsed[index]
	if !done {
		known.document, known.err = extract.Parse(d.sources[index].Value)
		d.parsed[index] = known
	}
	return known.document, known.err
}

// field applies a reference's path, or its json-key, which is a member's name.
func field(document extract.Document, ref *reference.Ref) (secret.Value, error) {
	if ref.Member != "" {
		return document.Member(ref.Member)
	}
	return document.Get(ref.Path)
}

func notJSON(err error) *miss {
	hint := "store a JSON document in the secret, or remove the path to use the secret as it is"
	if _, ok := errors.AsType[*extract.DuplicateKeyError](err); ok {
		hint = "keep one of the two in the secret: programs differ in which they take"
	}
	return &miss{whole: true, problem: problem.Problem{
		Class: problem.Invalid, Cause: "a path is given, but the secret's content cannot be read as JSON: " + err.Error(), Hint: hint,
	}}
}

// noField says why a path has no value. Of the other fields it names only one
// that looks like the path mistyped.
func noField(document extract.Document, ref *reference.Ref, err error) *miss {
	missed := &miss{problem: problem.Problem{Class: problem.Invalid, Path: ref.Where(), Cause: "the field cannot be used: " + err.Error(), Hint: "fix the secret's content, or the path"}}
	switch {
	case errors.Is(err, extract.ErrPath):
		missed.problem.Class, missed.problem.Hint = problem.Config, "fix the path; see gjson's syntax"
	case errors.Is(err, extract.ErrAbsent):
		missed.absent = true
		missed.problem.Class, missed.problem.Cause = problem.FieldNotFound, "no such field"
		missed.problem.Hint = "check the path against the secret's fields; a null counts as absent"
		if missed.near = document.Nearest(ref.Where()); missed.near != "" {
			missed.problem.Hint = fmt.Sprintf("did you mean %q?", missed.near)
		}
	}
	return missed
}
