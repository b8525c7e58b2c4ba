package deliver

import (
	"fmt"
	"strings"

	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/reference"
)

const (
	// shownNames is how many variables a message names before it counts the rest,
	// and how many fields of a secret have problems of their own.
	shownNames = 5
	// shownLength is how many bytes are shown of a name that a secret's author picked.
	shownLength = 120
)

// faults collects problems in the order of declaration. What is wrong with a
// whole secret is one problem that names every variable it concerns.
type faults struct {
	all      []*fault
	bySecret map[int]*fault
	// fields counts the problems of the fields of exploded secrets, further holds
	// what is said of all but the first.
	fields  map[int]int
	further map[int]*fault
}

func newFaults() *faults {
	return &faults{bySecret: make(map[int]*fault), fields: make(map[int]int), further: make(map[int]*fault)}
}

type fault struct {
	problem problem.Problem
	labels  []string
}

// add records why a reference, to the secret of that index, has no value.
func (f *faults) add(label string, origin plan.Origin, index int, ref *reference.Ref, why *miss) {
	if known := f.bySecret[index]; why.whole && known != nil {
		known.label(label)
		return
	}
	added := f.addProblem(label, origin, why.problem)
	added.problem.Secret = ref.Secret
	if why.whole {
		f.bySecret[index] = added
	}
}

// addProblem records a problem that is not that of one reference.
func (f *faults) addProblem(label string, origin plan.Origin, p problem.Problem) *fault {
	p.Source, p.Line = origin.Source, origin.Line
	added := &fault{problem: p, labels: []string{label}}
	f.all = append(f.all, added)
	return added
}

// addField records a problem of one field of an exploded secret. There can be as many
// as its author likes.
func (f *faults) addField(name string, origin plan.Origin, index int, p problem.Problem) {
	name = shorten(name)
	f.fields[index]++
	switch {
	case f.fields[index] <= shownNames:
		f.addProblem(name, origin, p)
	case f.further[index] == nil:
		f.further[index] = f.addProblem(name, origin, problem.Problem{
			Class: p.Class, Secret: p.Secret, Cause: "further fields cannot be used either", Hint: "fix the secret's content, or name the variables that are needed",
		})
	default:
		f.further[index].label(name)
	}
}

// shorten cuts a name that may be as long as a secret.
func shorten(name string) string {
	if len(name) <= shownLength {
		return name
	}
	return strings.ToValidUTF8(name[:shownLength], "") + "…"
}

// label adds a variable, once: a template may refer to a secret several times.
func (f *fault) label(label string) {
	if f.labels[len(f.labels)-1] != label {
		f.labels = append(f.labels, label)
	}
}

// list returns the problems.
func (f *faults) list() problem.List {
	var list problem.List
	for _, one := range f.all {
		p := one.problem
		p.Variable = joinNames(one.labels)
		list = append(list, &p)
	}
	return list
}

// joinNames names the first few and counts the rest.
func joinNames(names []string) string {
	if len(names) <= shownNames {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shownNames], ", "), len(names)-shownNames)
}
