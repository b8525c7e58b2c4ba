package deliver

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"secretwrap/internal/environ"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/secret"
	"secretwrap/internal/secretfiles"
)

// moveWhatDoesNotFit decides which variables hold their values and which name a
// file, then adds all of them to the result in their order.
func (d *delivery) moveWhatDoesNotFit(room int) {
	for _, v := range d.result.Variables {
		room -= environ.EntrySize(v.Name, v.Value.Len())
	}
	reasons := make([]string, len(d.candidates))
	for i, c := range d.candidates {
		if reasons[i] = d.reasonToMove(c); reasons[i] != "" {
			room -= d.fileEntrySize(c)
			continue
		}
		room -= environ.EntrySize(c.Name, c.Value.Len())
	}
	for _, i := range d.largestFirst() {
		if room >= 0 {
			break
		}
		c := d.candidates[i]
		if saved := environ.EntrySize(c.Name, c.Value.Len()) - d.fileEntrySize(c); reasons[i] == "" && saved > 0 {
			reasons[i] = "too much beside the others"
			room += saved
		}
	}
	if room < 0 {
		d.faults.addProblem("", plan.Origin{}, problem.Problem{
			Class: problem.Invalid, Cause: fmt.Sprintf("all variables together are %d bytes larger than a program can be given", -room),
			Hint: "deliver the largest values with file, or set a lower SECRETWRAP_MAX_ENV_VALUE",
		})
		return
	}
	for i, c := range d.candidates {
		if reasons[i] == "" {
			d.result.Variables = append(d.result.Variables, c.Variable)
			continue
		}
		d.moveToFile(c, reasons[i])
	}
}

// reasonToMove says why a variable cannot hold a value, "" if it can.
func (d *delivery) reasonToMove(c candidate) string {
	switch {
	case c.binary:
		return "binary"
	case bytes.IndexByte(c.Value.Reveal(), 0) >= 0:
		return "with a NUL byte"
	case c.Value.Len() > d.plan.MaxEnvValue, len(c.Name)+1+c.Value.Len() > environ.MaxEntry:
		return "large"
	default:
		return ""
	}
}

// largestFirst returns the indexes of the candidates, the largest value first.
func (d *delivery) largestFirst() []int {
	indexes := make([]int, len(d.candidates))
	for i := range indexes {
		indexes[i] = i
	}
	slices.SortStableFunc(indexes, func(a, b int) int {
		return cmp.Compare(d.candidates[b].Value.Len(), d.candidates[a].Value.Len())
	})
	return indexes
}

// fileSuffix makes the name of the variable that holds a file's path, as
// programs in containers know it.
const fileSuffix = "_FILE"

func (d *delivery) fileEntrySize(c candidate) int {
	return environ.EntrySize(c.Name+fileSuffix, len(d.fullPath(c.Name)))
}

// moveToFile delivers a value in the file NAME, whose path is in NAME_FILE. The
// variable with the path obeys the same rules as its own: else a field
// AWS_CONFIG of an exploded secret could set AWS_CONFIG_FILE.
func (d *delivery) moveToFile(c candidate, reason string) {
	variable := c.Name + fileSuffix
	if c.exploded && !mayExplode(variable) {
		d.skip(c.secret, c.Name)
		return
	}
	if p := d.mayMove(c, variable); p != nil {
		p.Secret = c.secret
		p.Cause = fmt.Sprintf("no variable can hold the value (%d bytes, %s), and %s", c.Value.Len(), reason, p.Cause)
		if c.exploded {
			d.faults.addField(c.Name, c.target.Origin, c.target.Parts[0].Secret, *p)
			return
		}
		d.faults.addProblem(c.Name, c.target.Origin, *p)
		return
	}
	d.names[variable], d.paths[c.Name] = true, true
	d.addFile(c.Name, c.Value, 0)
	d.addCopy(c.target, c.Name)
	d.result.Variables = append(d.result.Variables, Variable{variable, secret.FromString(d.fullPath(c.Name)), c.Field})
	d.result.Moved = append(d.result.Moved, Moved{c.Name, c.Value.Len(), reason})
}

// mayMove says what is in the way of a file that nobody declared, nil if
// nothing.
func (d *delivery) mayMove(c candidate, variable string) *problem.Problem {
	problemOf := func(cause, hint string) *problem.Problem {
		return &problem.Problem{Class: problem.Invalid, Cause: cause, Hint: hint}
	}
	const declare = "deliver it with ?file=PATH, or under files in the manifest"
	switch {
	case d.plan.Dir == "":
		return problemOf("no directory is known for a file", "set SECRETWRAP_DIR to an absolute path")
	case environ.Reserved(variable):
		return problemOf(variable+" is never set from a secret", declare)
	case environ.RunsCode(variable): // the operator did not ask for it, and the author can bring it about
		return problemOf(variable+" is set only where it is named", declare)
	case d.taken(variable):
		return problemOf(variable+" is taken", declare)
	case secretfiles.CheckPath(c.Name) != nil:
		return problemOf("the name cannot be that of a file", declare)
	case d.paths[c.Name]:
		return problemOf(fmt.Sprintf("the file %q is taken", c.Name), declare)
	default:
		return nil
	}
}
