package reference

import (
	"regexp"
	"strings"

	"secretwrap/internal/problem"
)

// Part is a piece of a value: a literal text, or a reference.
type Part struct {
	Literal string
	// Ref is nil for a literal.
	Ref *Ref
}

// Value is what a variable or a file is made of.
type Value struct {
	// Parts has one element, a reference, unless Template is set.
	Parts []Part
	// Template is set for a text with references between braces.
	Template bool
}

// ParseEnvironment reads the value of an environment variable. It returns nil
// for a literal, which is passed on as it is.
func ParseEnvironment(text string) (*Value, *problem.Problem) {
	trimmed := strings.TrimSpace(text)
	if strings.HasPrefix(trimmed, Scheme) {
		return whole(trimmed, Variable)
	}
	if strings.Contains(text, "{{") && templateStart().MatchString(text) {
		return template(text, templateStart())
	}
	p := nearMiss(trimmed)
	if p != nil {
		p.Hint += ", or name the variable in SECRETWRAP_LITERAL"
	}
	return nil, p
}

// ParseDeclaration reads a text of the manifest, where the scheme may be left
// out and nothing is a literal.
func ParseDeclaration(text string, context Context) (*Value, *problem.Problem) {
	trimmed := strings.TrimSpace(text)
	if context != EnvFrom && strings.Contains(trimmed, "{{") && !strings.HasPrefix(trimmed, Scheme) {
		return template(text, declarationStart())
	}
	if context == EnvFrom && strings.HasPrefix(trimmed, "{{") {
		return nil, bad("env_from takes references without braces", "remove the braces: every field becomes a variable of its own")
	}
	if !strings.HasPrefix(trimmed, Scheme) {
		if p := misplacedOrMisspelt(trimmed); p != nil {
			return nil, p
		}
	}
	return whole(trimmed, context)
}

func whole(text string, context Context) (*Value, *problem.Problem) {
	ref, p := Parse(text, context)
	if p != nil {
		return nil, p
	}
	return &Value{Parts: []Part{{Ref: &ref}}}, nil
}

var (
	templateStart = pattern(`\{\{\s*` + Scheme)
	// declarationStart is the opening of a reference where the scheme may be left out.
	declarationStart = pattern(`\{\{\s*(?:` + Scheme + `)?`)
)

// template splits text at the references that begin as opening says.
func template(text string, opening *regexp.Regexp) (*Value, *problem.Problem) {
	value := &Value{Template: true}
	for text != "" {
		at := opening.FindStringIndex(text)
		if at == nil {
			break
		}
		inside, rest, closed := cutReference(text[at[1]:])
		if !closed {
			return nil, bad("{{ has no }} after its reference",
				"write {{"+Scheme+"NAME#PATH}}, with brackets and quotes of the path closed; where # begins a comment, use ?path=")
		}
		ref, p := parseBetweenBraces(inside)
		if p != nil {
			return nil, p
		}
		value.addLiteral(text[:at[0]])
		value.Parts = append(value.Parts, Part{Ref: &ref})
		text = rest
	}
	value.addLiteral(text)
	for _, part := range value.Parts {
		if p := checkLiteral(part.Literal); p != nil {
			return nil, p
		}
	}
	return value, nil
}

// checkLiteral judges a text between references.
func checkLiteral(text string) *problem.Problem {
	if p := nearMiss(text); p != nil {
		return p
	}
	if strings.Contains(text, "{") && singleBraces().MatchString(text) {
		return bad("a reference stands between single braces", "write {{"+Scheme+"NAME#PATH}}")
	}
	for rest := text; ; {
		_, after, more := strings.Cut(rest, "{")
		if !more {
			return nil
		}
		if p := misspelt(strings.TrimSpace(beginning(after))); p != nil {
			return p
		}
		rest = after
	}
}

func (v *Value) addLiteral(text string) {
	if text != "" {
		v.Parts = append(v.Parts, Part{Literal: text})
	}
}

func parseBetweenBraces(inside string) (Ref, *problem.Problem) {
	trimmed := strings.TrimSpace(inside)
	if p := misplacedOrMisspelt(trimmed); p != nil {
		return Ref{}, p
	}
	return Parse(trimmed, Template)
}

// cutReference cuts text at the first }} outside the brackets, parentheses,
// braces and double quotes of the reference's path.
func cutReference(text string) (inside, rest string, closed bool) {
	depth, quoted, inPath := 0, false, false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case depth == 0 && !quoted && strings.HasPrefix(text[i:], "}}"):
			return text[:i], text[i+2:], true
		case !inPath:
			inPath = c == '#'
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case strings.IndexByte("([{", c) >= 0:
			depth++
		case strings.IndexByte(")]}", c) >= 0:
			depth = max(0, depth-1)
		}
	}
	return "", "", false
}
