package deliver

import (
	"secretwrap/internal/environ"
	"secretwrap/internal/extract"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/reference"
)

// explode makes a variable of every field of a secret. A name that something of
// higher precedence gave already stays as it is.
func (d *delivery) explode(explosion plan.Explosion) {
	fields, missed := d.fields(explosion)
	if missed != nil {
		if !missed.absent || !explosion.Ref.Optional {
			d.faults.add(explosionLabel, explosion.Origin, explosion.Secret, &explosion.Ref, missed)
		}
		return
	}
	own := make(map[string]bool)
	for _, field := range fields {
		if field.Err == extract.ErrAbsent {
			continue
		}
		name := fieldName(field.Name, explosion)
		switch {
		case !mayExplode(name), own[name]:
			d.skip(explosion.Ref.Secret, name)
		case d.taken(name):
			d.result.Shadowed = append(d.result.Shadowed, name)
		case field.Err != nil:
			missed := noExplodedField(&explosion.Ref, field.Name, field.Err)
			missed.problem.Secret = explosion.Ref.Secret
			d.faults.addField(name, explosion.Origin, explosion.Secret, missed.problem)
		default:
			own[name] = true
			part := plan.Part{Ref: &explosion.Ref, Secret: explosion.Secret, Exploded: true, Field: field.Name}
			d.candidates = append(d.candidates, candidate{
				Variable: Variable{name, field.Value, field.Name}, secret: explosion.Ref.Secret, exploded: true,
				target: plan.Target{Name: name, Parts: []plan.Part{part}, Origin: explosion.Origin},
			})
		}
	}
	for name := range own {
		d.names[name] = true
	}
}

// skip records a field that becomes no variable.
func (d *delivery) skip(secret, name string) {
	for i := range d.result.Skipped {
		if d.result.Skipped[i].Secret == secret {
			d.result.Skipped[i].Names = append(d.result.Skipped[i].Names, name)
			return
		}
	}
	d.result.Skipped = append(d.result.Skipped, Skipped{Secret: secret, Names: []string{name}})
}

// explosionLabel stands in messages for the variables that an exploded secret
// would have given.
const explosionLabel = "env_from"

// fields returns the fields of the object that an explosion refers to.
func (d *delivery) fields(explosion plan.Explosion) ([]extract.Field, *miss) {
	document, missed := d.documents.object(explosion.Secret, &explosion.Ref)
	if missed != nil {
		return nil, missed
	}
	fields, err := document.Fields()
	if err != nil {
		return nil, notObject(&explosion.Ref, err)
	}
	return fields, nil
}

// explodedField returns one field of the object that an exploded part refers to.
func (d *documents) explodedField(part plan.Part) (value, *miss) {
	document, missed := d.object(part.Secret, part.Ref)
	if missed != nil {
		return value{}, missed
	}
	text, err := document.Member(part.Field)
	if err != nil {
		return value{}, noExplodedField(part.Ref, part.Field, err)
	}
	return value{content: text}, nil
}

// object returns the object that a reference, to the secret of that index, explodes.
func (d *documents) object(index int, ref *reference.Ref) (extract.Document, *miss) {
	key := objectKey{index, ref.Member, ref.Path}
	known, done := d.objects[key]
	if !done {
		known.document, known.missed = d.parse(index, ref)
		d.objects[key] = known
	}
	return known.document, known.missed
}

func (d *documents) parse(index int, ref *reference.Ref) (extract.Document, *miss) {
	found, missed := d.lookup(index, ref)
	if missed != nil {
		return extract.Document{}, missed
	}
	document, err := extract.Parse(found.content)
	if err != nil {
		return extract.Document{}, notObject(ref, err)
	}
	return document, nil
}

// noExplodedField says why a field has no value. Nobody mistyped its name, so that no
// other one is looked for.
func noExplodedField(exploded *reference.Ref, name string, err error) *miss {
	ref := *exploded
	ref.Path, ref.Member = shorten(name), ""
	return noField(extract.Document{}, &ref, err)
}

func notObject(ref *reference.Ref, err error) *miss {
	return &miss{problem: problem.Problem{
		Class: problem.Invalid, Path: ref.Where(), Cause: "env_from needs a JSON object: " + err.Error(),
		Hint: "store an object in the secret, or name the variable: NAME=secretsmanager://…",
	}}
}

// fieldName returns the name of the variable that a field becomes.
func fieldName(field string, explosion plan.Explosion) string {
	if explosion.Ref.Upper {
		field = environ.Upper(field)
	}
	return explosion.Ref.Prefix + field
}

// mayExplode judges a name that the secret's author picked: who may write a
// secret must not be able to run code in every function that reads it.
func mayExplode(name string) bool {
	return environ.ValidName(name) && !environ.Reserved(name) && !environ.RunsCode(name)
}

// taken reports whether a name belongs to something already.
func (d *delivery) taken(name string) bool {
	_, inherited := d.inherited.Lookup(name)
	return inherited || d.names[name]
}
