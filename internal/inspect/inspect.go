// Package inspect judges what a plan would deliver, and keeps no value.
package inspect

import (
	"io/fs"

	"secretwrap/internal/deliver"
	"secretwrap/internal/environ"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
)

// Outcome is what becomes of a variable or file.
type Outcome string

// The outcomes.
const (
	// Unchecked is what nobody asked Secrets Manager about.
	Unchecked Outcome = "unchecked"
	Delivered Outcome = "delivered"
	// Default is a default in place of what does not exist.
	Default Outcome = "default"
	// Absent is something optional that does not exist.
	Absent Outcome = "absent"
	// Nothing is a secret whose fields become no variable.
	Nothing Outcome = "nothing"
	Failed  Outcome = "failed"
)

// Unknown is a number of bytes that is not known.
const Unknown = -1

// Item is one variable or file that a program would be given.
type Item struct {
	// Variable is empty for a file of the manifest, and for a secret whose fields
	// would become variables nobody knows yet.
	Variable string
	// File is the path in the directory of file copies, empty if the variable holds
	// the value itself. Moved is set if nobody asked for the file, which holds what
	// no variable can hold.
	File  string
	Moved bool
	Mode  fs.FileMode
	// Optional is set if the item may be missing.
	Optional bool
	// Explodes is set for a secret whose fields become variables.
	Explodes   bool
	References []Reference
	// Size is in bytes.
	Size    int
	Outcome Outcome
	// Reason is why an item failed, in a few words.
	Reason string
}

// Label returns what messages call the item.
func (i Item) Label() string {
	switch {
	case i.Variable != "":
		return i.Variable
	case i.Explodes:
		return "env_from"
	}
	return i.File
}

// Reference is one reference of an item, with what it leads to.
type Reference struct {
	// Secret is the name or ARN as the configuration has it.
	Secret, Region, Stage string
	// Version is the one that is asked for, or that was answered.
	Version string
	Path    string
	// Kind is what JSON calls the value; "text" or "binary" for a secret that is no
	// JSON object or array. Size is in bytes, before any encoding.
	Kind string
	Size int
}

// Warning tells of something that works and may not be meant.
type Warning struct {
	// Label is the variable or file, or empty.
	Label, Text string
}

// Inspection is what is known of a plan.
type Inspection struct {
	Items    []Item
	Problems problem.List
	Warnings []Warning
	// Notes say on what the rest depends.
	Notes []string
}

// Source is what became of one secret of the plan.
type Source struct {
	deliver.Source
	VersionID string
}

// Configuration judges a plan by itself.
func Configuration(p *plan.Plan) Inspection {
	i := &inspector{plan: p}
	for _, target := range p.Targets {
		i.add(Item{Variable: target.Name, File: target.File, Mode: target.Mode, References: i.references(target), Size: Unknown, Outcome: Unchecked, Optional: isOptional(target)})
		i.warnOfTarget(target, nil)
	}
	for _, explosion := range p.Explosions {
		reference := i.reference(plan.Part{Ref: &explosion.Ref, Secret: explosion.Secret})
		i.add(Item{Explodes: true, Optional: explosion.Ref.Optional, References: []Reference{reference}, Size: Unknown, Outcome: Unchecked})
	}
	i.warnOfPlan()
	return i.result
}

// Documents judges a plan with what Secrets Manager answered, in the order of its
// secrets, for a program that would inherit an environment. Room is as in
// deliver.Deliver.
func Documents(p *plan.Plan, sources []Source, inherited *environ.Block, room int) Inspection {
	i := &inspector{plan: p, sources: sources, inherited: inherited}
	var delivery deliver.Delivery
	delivery, i.result.Problems = deliver.Deliver(p, i.deliverable(), inherited, room)
	for _, target := range p.Targets {
		i.target(target)
	}
	for _, explosion := range p.Explosions {
		i.explosion(explosion)
	}
	i.markMoved(delivery.Moved)
	i.warnOfPlan()
	return i.result
}

// inspector is an inspection under way.
type inspector struct {
	plan *plan.Plan
	// sources are nil if nobody asked for them.
	sources   []Source
	inherited *environ.Block
	// given are names of variables that an explosion cannot give any more.
	given  []string
	result Inspection
}

func (i *inspector) add(item Item) { i.result.Items = append(i.result.Items, item) }

func (i *inspector) warn(label, text string) {
	i.result.Warnings = append(i.result.Warnings, Warning{label, text})
}

// deliverable returns the sources as package deliver takes them.
func (i *inspector) deliverable() []deliver.Source {
	list := make([]deliver.Source, len(i.sources))
	for index, source := range i.sources {
		list[index] = source.Source
	}
	return list
}

// unlimited is more room than any value needs: what does not fit is judged with
// all others.
const unlimited = 1 << 30

// deliverOnly delivers a part of the plan, so that what is wrong with another part
// does not hide it.
func (i *inspector) deliverOnly(part plan.Plan) (deliver.Delivery, problem.List) {
	part.Secrets, part.Dir, part.MaxEnvValue = i.plan.Secrets, i.plan.Dir, i.plan.MaxEnvValue
	taken := append(i.inherited.Entries(), i.given...)
	return deliver.Deliver(&part, i.deliverable(), environ.New(taken), unlimited)
}

// target judges one declared variable or file.
func (i *inspector) target(target plan.Target) {
	item := Item{Variable: target.Name, File: target.File, Mode: target.Mode, References: i.references(target), Size: Unknown, Optional: isOptional(target)}
	delivery, problems := i.deliverOnly(plan.Plan{Targets: []plan.Target{target}})
	if target.Name != "" {
		i.given = append(i.given, target.Name+"=")
	}
	switch {
	case len(problems) > 0:
		item.Outcome, item.Reason = Failed, problems[0].Class.Words()
	case len(delivery.Absent) > 0 && len(delivery.Files)+len(delivery.Variables) == 0:
		item.Outcome = Absent
	default:
		item.Outcome, item.Size = Delivered, sizeOf(delivery)
	}
	for _, absent := range delivery.Absent {
		i.warnOfAbsence(absent)
		if absent.Default && !target.Template {
			item.Outcome = Default
		}
	}
	i.add(item)
	i.warnOfTarget(target, &delivery)
}

// isOptional reports whether a target may be missing: a text never is.
func isOptional(target plan.Target) bool { return !target.Template && target.Parts[0].Ref.Optional }

// sizeOf returns the size of the one value of a delivery: a variable may hold the
// path of the file that has it.
func sizeOf(delivery deliver.Delivery) int {
	if len(delivery.Files) > 0 {
		return delivery.Files[0].Content.Len()
	}
	return delivery.Variables[0].Value.Len()
}

// explosion judges a secret whose fields become variables.
func (i *inspector) explosion(explosion plan.Explosion) {
	reference := i.reference(plan.Part{Ref: &explosion.Ref, Secret: explosion.Secret})
	delivery, problems := i.deliverOnly(plan.Plan{Explosions: []plan.Explosion{explosion}})
	whole := Item{Explodes: true, Optional: explosion.Ref.Optional, References: []Reference{reference}, Size: Unknown, Outcome: Delivered}
	switch {
	case len(problems) > 0:
		whole.Outcome, whole.Reason = Failed, problems[0].Class.Words()
		i.add(whole)
	case len(delivery.Variables) == 0 && i.sources[explosion.Secret].Err != nil:
		whole.Outcome = Absent
		i.add(whole)
	case len(delivery.Variables) == 0:
		whole.Outcome = Nothing
		i.add(whole)
	}
	document := i.exploded(explosion)
	for _, variable := range delivery.Variables {
		i.given = append(i.given, variable.Name+"=")
		field := fieldOf(reference, document, variable.Field)
		i.add(Item{Variable: variable.Name, Explodes: true, References: []Reference{field}, Size: field.Size, Outcome: Delivered})
	}
	i.warnOfExplosion(explosion, delivery)
}

// markMoved marks the variables whose values go to files.
func (i *inspector) markMoved(moved []deliver.Moved) {
	for _, m := range moved {
		for index := range i.result.Items {
			if item := &i.result.Items[index]; item.Variable == m.Name && item.File == "" {
				item.File, item.Moved = m.Name, true
			}
		}
		i.warn(m.Name, "no variable can hold it ("+m.Why+"): it goes to a file, whose path "+m.Name+"_FILE holds; say so with ?file")
	}
}
