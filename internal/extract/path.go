package extract

import (
	"fmt"
	"strings"

	"github.com/tidwall/gjson"
)

const (
	// maxPath is more than all variables of a function may take together.
	maxPath = 4096
	// maxBuilt is how many bytes a path may build. A secret has at most 64 KiB,
	// a function as little as 128 MiB of memory.
	maxBuilt = 16 << 20

	fromString = "@fromstr"
	toString   = "@tostr"
	group      = "@group"
)

// find returns what gjson finds at path, as valid JSON without blanks around it.
func (c *content) find(path string) (string, error) {
	if strings.Contains(path, fromString) {
		return c.findInside(path)
	}
	switch {
	case !c.isObject() && !c.isArray():
		// gjson would look for brackets inside a string.
		return "", ErrNotObject
	case len(path) > maxPath:
		return "", fmt.Errorf("%w: it is longer than %d bytes", ErrPath, maxPath)
	case c.built(path) > maxBuilt:
		return "", fmt.Errorf("%w: its modifiers and multipaths could build more than %d MiB", ErrPath, maxBuilt>>20)
	}
	raw, err := apply(c.text, path)
	if err != nil {
		return "", err
	}
	return raw, check(raw, path)
}

// findInside applies a path to the JSON that a string of the document holds.
// gjson would take values out of that text even if it is broken, so that it is
// parsed here as a document of its own.
func (c *content) findInside(path string) (string, error) {
	before, after, ok := cutFromString(path)
	if !ok {
		return "", fmt.Errorf("%w: @fromstr is possible only between dots or pipes, outside brackets", ErrPath)
	}
	quoted := c.text
	if before != "" {
		var err error
		if quoted, err = c.find(before); err != nil {
			return "", err
		}
	}
	if quoted == "null" {
		return "", ErrAbsent
	}
	if !strings.HasPrefix(quoted, `"`) {
		return "", fmt.Errorf("%w: @fromstr needs a string", ErrPath)
	}
	text, err := unquote(quoted)
	if err != nil {
		return "", err
	}
	inner, err := parse(text)
	if err != nil {
		return "", fmt.Errorf("the text for @fromstr: %w", err)
	}
	if after == "" {
		return inner.text, nil
	}
	return inner.find(after)
}

// cutFromString splits a path at its first @fromstr.
func cutFromString(path string) (before, after string, ok bool) {
	before, after, _ = strings.Cut(path, fromString)
	if before != "" {
		escaped := strings.HasSuffix(before, `\.`) || strings.HasSuffix(before, `\|`)
		if escaped || !endsStep(before[len(before)-1]) || !balanced(before) {
			return "", "", false
		}
		before = before[:len(before)-1]
	}
	if after != "" {
		if !endsStep(after[0]) {
			return "", "", false
		}
		after = after[1:]
	}
	return before, after, true
}

// endsStep reports whether c ends a step of a path.
func endsStep(c byte) bool { return c == '.' || c == '|' }

// balanced reports whether as many brackets are closed as are opened.
func balanced(path string) bool {
	depth := 0
	for _, c := range []byte(path) {
		switch c {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		}
	}
	return depth == 0
}

// built estimates from above how many bytes gjson builds for a path. A multipath
// repeats what is before it as often as it has parts; @pretty indents each value
// by its depth, and @dig lists each value with all that encloses it; @group
// writes a key beside each element of its array. Chained they multiply:
// [@this,@this]|[@this,@this]|…
func (c *content) built(path string) int {
	total, parts, depth := len(c.text), 1, c.depth
	for i, char := range []byte(path) {
		switch {
		case char == ',':
			parts++
			continue
		case strings.HasPrefix(path[i:], group):
			// At most, for a key of half the bytes and elements of two each.
			parts *= 1 + total/8
		case char == '@':
			parts *= 1 + depth
		case char == '[', char == '{':
			depth++
		case char != '|':
			continue
		}
		total *= parts
		parts = 1
		if total > maxBuilt {
			break
		}
	}
	return total * parts
}

// apply lets gjson apply a path to valid JSON. It returns ErrAbsent if gjson
// finds nothing.
func apply(text, path string) (raw string, err error) {
	defer func() {
		// What gjson panics with can quote the document.
		if recover() != nil {
			raw, err = "", fmt.Errorf("%w: gjson cannot evaluate it", ErrPath)
		}
	}()
	raw = strings.Trim(gjson.Get(text, path).Raw, blanks)
	if raw == "" {
		return "", ErrAbsent
	}
	return raw, nil
}

// check judges what gjson returned. It can build what is no JSON ([!nan]), the
// same key twice ({a.id,b.id}), and a text out of nothing (nope.@tostr).
func check(raw, path string) error {
	if _, err := scan(raw); err != nil {
		return fmt.Errorf("%w: what it builds is not JSON, or has the same key twice", ErrPath)
	}
	if strings.Contains(path, toString) && (raw == `""` || raw == `"null"`) {
		return ErrAbsent
	}
	return nil
}
