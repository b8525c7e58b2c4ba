// Package extract takes single values out of a JSON document.
package extract

import (
	"strings"

	"secretwrap/internal/secret"
	"secretwrap/internal/suggest"
)

// Document is a secret's text that Parse has checked, so that paths can be
// applied to it many times. The zero Document holds nothing.
//
// As in a secret.Value the text is captured by a function, so that printing a
// Document yields an address.
type Document struct {
	reveal func() *content
}

// content is what a Document holds.
type content struct {
	// text is the document without the blanks around it.
	text string
	// depth is how deep arrays and objects lie inside each other.
	depth int
	// members are those of a top-level object, in the order of the document.
	members []member
}

// member is one member of an object.
type member struct {
	name string
	raw  string // the JSON of its value, as written
}

// Field is a top-level member of a document.
type Field struct {
	Name  string
	Value secret.Value
	// Err tells why there is no Value: ErrAbsent for null, ErrLoneSurrogate.
	Err error
}

// Parse checks a secret's text: UTF-8 without a byte order mark, exactly one
// JSON value by the rules of RFC 8259, at most 10,000 deep, and in no object
// the same key twice, however it is escaped. A key with a lone surrogate is
// ErrLoneSurrogate: such keys cannot be told apart, nor be named. The text is
// copied once.
func Parse(text secret.Value) (Document, error) {
	c, err := parse(string(text.Reveal()))
	if err != nil {
		return Document{}, err
	}
	return Document{reveal: func() *content { return c }}, nil
}

func parse(text string) (*content, error) {
	text = strings.Trim(text, blanks)
	s, err := scan(text)
	if err != nil {
		return nil, err
	}
	return &content{text: text, depth: s.deepest, members: s.members}, nil
}

// Get returns the value at path: that of the top-level member that is named
// exactly as the path, otherwise what gjson finds there. A string is delivered
// unescaped, anything else as it is written in the document.
//
// It returns ErrAbsent if nothing or null is there, ErrLoneSurrogate, and
// ErrNotObject if the document is neither object nor array. ErrPath means that
// the path is longer than 4,096 bytes, could build more than 16 MiB, or does not
// lead to a JSON value. The text to which @fromstr is applied must be a document
// as Parse wants it.
func (d Document) Get(path string) (secret.Value, error) {
	c := d.content()
	raw, ok := c.member(path)
	if ok {
		return deliver(raw)
	}
	raw, err := c.find(path)
	if err != nil {
		return secret.Value{}, err
	}
	return deliver(raw)
}

// Member returns the value of the top-level member of that name. It returns
// ErrNotObject if the document is no object, otherwise the errors of Get.
func (d Document) Member(name string) (secret.Value, error) {
	c := d.content()
	if !c.isObject() {
		return secret.Value{}, ErrNotObject
	}
	raw, ok := c.member(name)
	if !ok {
		return secret.Value{}, ErrAbsent
	}
	return deliver(raw)
}

// Fields returns the top-level members in the order of the document, or
// ErrNotObject.
func (d Document) Fields() ([]Field, error) {
	c := d.content()
	if !c.isObject() {
		return nil, ErrNotObject
	}
	fields := make([]Field, len(c.members))
	for i, m := range c.members {
		value, err := deliver(m.raw)
		fields[i] = Field{Name: m.name, Value: value, Err: err}
	}
	return fields, nil
}

// Nearest returns the name of the top-level member that a mistyped path
// probably means, or "". It never returns the path itself.
func (d Document) Nearest(path string) string {
	var names []string
	for _, m := range d.content().members {
		if m.name != path {
			names = append(names, m.name)
		}
	}
	nearest, _ := suggest.Nearest(path, names)
	return nearest
}

func (d Document) content() *content {
	if d.reveal == nil {
		return &content{}
	}
	return d.reveal()
}

func (c *content) isObject() bool { return strings.HasPrefix(c.text, "{") }

func (c *content) isArray() bool { return strings.HasPrefix(c.text, "[") }

// member returns the JSON of the top-level member of that name.
func (c *content) member(name string) (raw string, ok bool) {
	for _, m := range c.members {
		if m.name == name {
			return m.raw, true
		}
	}
	return "", false
}

// deliver turns valid JSON without blanks around it into what a program gets.
func deliver(raw string) (secret.Value, error) {
	switch raw[0] {
	case 'n':
		return secret.Value{}, ErrAbsent
	case '"':
		text, err := unquote(raw)
		if err != nil {
			return secret.Value{}, err
		}
		return secret.FromString(text), nil
	}
	return secret.FromString(raw), nil
}
