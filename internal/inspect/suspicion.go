package inspect

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"secretwrap/internal/deliver"
	"secretwrap/internal/environ"
	"secretwrap/internal/plan"
	"secretwrap/internal/reference"
	"secretwrap/internal/secret"
)

// warnOfTarget tells what is suspicious of one variable or file. Without a delivery
// only the configuration is judged.
func (i *inspector) warnOfTarget(target plan.Target, delivery *deliver.Delivery) {
	for index, part := range target.Parts {
		if part.Ref == nil {
			continue
		}
		if part.Ref.Stage == "AWSPENDING" {
			i.warn(target.Label(), "the stage AWSPENDING is there during a rotation only")
		}
		if part.Ref.Encode == reference.Plain && target.Template && i.needsEncoding(target, index) {
			i.warn(target.Label(), fmt.Sprintf("in an address, %s needs ?encode=url: a value with / @ : or %% would change it", described(part.Ref)))
		}
	}
	if delivery == nil || target.File != "" || len(delivery.Variables) == 0 || len(delivery.Moved) > 0 {
		return
	}
	switch value := delivery.Variables[0].Value; {
	case value.Len() == 0:
		i.warn(target.Label(), "the value is empty")
	case bytes.HasSuffix(value.Reveal(), []byte("\n")):
		i.warn(target.Label(), "the value ends with a newline, which programs rarely expect; store it without")
	}
	if ref := target.Parts[0].Ref; !target.Template && strings.ContainsAny(ref.Path, "[{#") && isEmptyJSON(delivery.Variables[0].Value) {
		i.warn(target.Label(), "the path finds nothing, and gives an empty list or object")
	}
	if i.isWholeObject(target) {
		i.warn(target.Label(), "the variable holds a whole JSON document; for one field write #FIELD behind the secret's name")
	}
}

func isEmptyJSON(value secret.Value) bool {
	return bytes.Equal(value.Reveal(), []byte("[]")) || bytes.Equal(value.Reveal(), []byte("{}"))
}

// described names what a reference is about.
func described(ref *reference.Ref) string {
	if ref.Where() == "" {
		return fmt.Sprintf("secret %q", ref.Secret)
	}
	return fmt.Sprintf("path %q of secret %q", ref.Where(), ref.Secret)
}

// isWholeObject reports whether a variable is all of a secret that is JSON.
func (i *inspector) isWholeObject(target plan.Target) bool {
	ref := target.Parts[0].Ref
	if target.Template || ref.Where() != "" || ref.Encode != reference.Plain {
		return false
	}
	kind := wholeKind(i.sources[target.Parts[0].Secret])
	return kind == "object" || kind == "array"
}

// needsEncoding reports whether a reference without an encoding stands in an address
// where a value can break it: where the password does, which the next rotation
// changes, or with a value at hand that does.
func (i *inspector) needsEncoding(target plan.Target, index int) bool {
	before, after := around(target, index)
	if !isDelimited(before, after) {
		return false
	}
	if i.sources == nil || strings.HasPrefix(after, "@") {
		return strings.HasPrefix(after, "@")
	}
	part := target.Parts[index]
	single := plan.Plan{Targets: []plan.Target{{Name: "V", Parts: []plan.Part{part}}}}
	delivery, _ := i.deliverOnly(single)
	return len(delivery.Variables) > 0 && !isUnreserved(delivery.Variables[0].Value)
}

// isUnreserved reports whether encode=url would leave a value as it is.
func isUnreserved(value secret.Value) bool {
	return !slices.ContainsFunc(value.Reveal(), func(c byte) bool {
		letterOrDigit := c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		return !letterOrDigit && !strings.ContainsRune("-._~", rune(c))
	})
}

// around returns the literal texts before and after a part, with every reference
// left out.
func around(target plan.Target, index int) (before, after string) {
	for at, part := range target.Parts {
		if at < index {
			before += part.Literal
		} else {
			after += part.Literal
		}
	}
	return before, after
}

// isDelimited reports whether a value between two texts is a part of an address
// that certain characters end: user, password, path or query, but not the host,
// which may have a port.
func isDelimited(before, after string) bool {
	start := strings.LastIndex(before, "://")
	if start < 0 {
		return false
	}
	before = before[start+len("://"):]
	switch {
	case strings.ContainsAny(before, "/?#"):
		return true
	case strings.Contains(before, "@"):
		return false
	}
	authority, _, _ := strings.Cut(after, "/")
	return strings.Contains(authority, "@")
}

var (
	// bareForm is a name with a slash, and a path that is no number: a reference as the
	// manifest has it. A part of a page has a file before it.
	bareForm = regexp.MustCompile(`^[A-Za-z0-9_+=.@!-]+(/[A-Za-z0-9_+=.@!-]+)+(\?[a-z]+(=[^#]*)?)?#[A-Za-z_][A-Za-z0-9_.]*$`)
	pageForm = regexp.MustCompile(`\.[a-z0-9]{2,5}#`)
	// otherScheme is that of another tool's reference to a secret.
	otherScheme = regexp.MustCompile(`^(secret|sm|aws-?sm|aws-?secretsmanager|asm)://`)
)

// Literals warns of variables that are passed on as they are, and look as if that is
// not meant, but for those that are to be.
func Literals(environment *environ.Block, p *plan.Plan, meant []string) (warnings []Warning) {
	for _, name := range environment.Names() {
		value, _ := environment.Lookup(name)
		isTarget := slices.ContainsFunc(p.Targets, func(t plan.Target) bool { return t.Name == name })
		isBare := bareForm.MatchString(value) && !pageForm.MatchString(value)
		if !isTarget && !slices.Contains(meant, name) && (isBare || otherScheme.MatchString(value)) {
			warnings = append(warnings, Warning{name, "it looks like a reference, and is none: the program gets it as it stands; a reference begins with " + reference.Scheme})
		}
	}
	return warnings
}

// warnOfAbsence tells of something optional that is not there.
func (i *inspector) warnOfAbsence(absent deliver.Absent) {
	text := "optional, and does not exist: it is left out"
	if absent.Default {
		text = "does not exist: the default is delivered"
	}
	if absent.Near != "" {
		text += fmt.Sprintf("; did you mean %q?", absent.Near)
	}
	i.warn(absent.Name, text)
}

// shownNames is how many fields a warning names before it counts the rest.
const shownNames = 10

// warnOfExplosion tells which fields of a secret become no variables, or suspicious
// ones.
func (i *inspector) warnOfExplosion(explosion plan.Explosion, delivery deliver.Delivery) {
	for _, skipped := range delivery.Skipped {
		i.warn("env_from", fmt.Sprintf("secret %q has fields that may not become variables: %s", explosion.Ref.Secret, quoted(skipped.Names)))
	}
	if len(delivery.Shadowed) > 0 {
		i.warn("env_from", fmt.Sprintf("secret %q has fields that give way to what has precedence: %s", explosion.Ref.Secret, quoted(delivery.Shadowed)))
	}
	var empty, ended []string
	for _, variable := range delivery.Variables {
		switch value := variable.Value; {
		case value.Len() == 0:
			empty = append(empty, variable.Field)
		case bytes.HasSuffix(value.Reveal(), []byte("\n")):
			ended = append(ended, variable.Field)
		}
	}
	if len(empty) > 0 {
		i.warn("env_from", fmt.Sprintf("secret %q has fields that are empty: %s", explosion.Ref.Secret, quoted(empty)))
	}
	if len(ended) > 0 {
		i.warn("env_from", fmt.Sprintf("secret %q has fields that end with a newline, which programs rarely expect: %s", explosion.Ref.Secret, quoted(ended)))
	}
}

// quoted names the first few and counts the rest. Who may write a secret picks the
// names of its fields.
func quoted(names []string) string {
	rest := ""
	if len(names) > shownNames {
		rest = fmt.Sprintf(" and %d more", len(names)-shownNames)
		names = names[:shownNames]
	}
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = strconv.Quote(name[:min(len(name), 80)])
	}
	return strings.Join(list, ", ") + rest
}

// warnOfPlan tells what is suspicious of everything together.
func (i *inspector) warnOfPlan() {
	for _, name := range i.plan.Shadowed {
		i.warn(name, "the manifest's declaration gives way to the variable that is set")
	}
	inVariable, inFile := make(map[int]string), make(map[int]string)
	for _, target := range i.plan.Targets {
		for _, part := range target.Parts {
			switch {
			case part.Ref == nil:
			case target.File != "":
				inFile[part.Secret] = cmp.Or(inFile[part.Secret], target.Label())
			default:
				inVariable[part.Secret] = cmp.Or(inVariable[part.Secret], target.Label())
			}
		}
	}
	for index, asked := range i.plan.Secrets {
		if inVariable[index] != "" && inFile[index] != "" {
			i.warn(inVariable[index], fmt.Sprintf("secret %q is in the file of %s too: after a rotation the file changes, the variable does not", asked.ID, inFile[index]))
		}
	}
}
