package deliver

import (
	"bytes"

	"secretwrap/internal/plan"
	"secretwrap/internal/secret"
)

// outcome is what became of a reference or a target.
type outcome uint8

const (
	delivered outcome = iota
	// absent is nothing where nothing may be.
	absent
	// failed is a fault that was recorded.
	failed
)

// evaluate returns the value of a target.
func (d *delivery) evaluate(target plan.Target) (value, outcome) {
	if !target.Template {
		return d.evaluatePart(target, 0)
	}
	var text bytes.Buffer
	result := delivered
	for i, part := range target.Parts {
		if part.Ref == nil {
			text.WriteString(part.Literal)
			continue
		}
		piece, got := d.evaluatePart(target, i)
		switch {
		case got == failed:
			result = failed
		case piece.binary:
			d.faults.add(target.Label(), target.Origin, part.Secret, part.Ref, binaryInText())
			result = failed
		default:
			text.Write(piece.content.Reveal())
		}
	}
	return value{content: secret.New(text.Bytes())}, result
}

// evaluatePart returns what one reference stands for.
func (d *delivery) evaluatePart(target plan.Target, index int) (value, outcome) {
	part := target.Parts[index]
	ref := part.Ref
	found, missed := d.documents.part(part)
	if missed != nil {
		switch {
		case missed.absent && ref.HasDefault:
			d.result.Absent = append(d.result.Absent, Absent{target.Label(), true, missed.near, index})
			found = value{content: secret.FromString(ref.Default)}
		case missed.absent && ref.Optional:
			d.result.Absent = append(d.result.Absent, Absent{target.Label(), false, missed.near, index})
			return value{}, absent
		case part.Exploded && !missed.whole:
			missed.problem.Secret = ref.Secret
			d.faults.addField(target.Label(), target.Origin, part.Secret, missed.problem)
			return value{}, failed
		default:
			d.faults.add(target.Label(), target.Origin, part.Secret, ref, missed)
			return value{}, failed
		}
	}
	encoded, missed := encode(found, ref.Encode)
	if missed != nil {
		d.faults.add(target.Label(), target.Origin, part.Secret, ref, missed)
		return value{}, failed
	}
	return encoded, delivered
}
