package extract

// Kind is what JSON calls a value.
type Kind string

// The kinds of JSON.
const (
	String  Kind = "string"
	Number  Kind = "number"
	Boolean Kind = "boolean"
	Object  Kind = "object"
	Array   Kind = "array"
	Null    Kind = "null"
)

// Kind returns what Get finds at path, or what the whole document is if path is
// empty. Where nothing is found it is empty.
func (d Document) Kind(path string) Kind {
	c := d.content()
	if path == "" {
		return kindOf(c.text)
	}
	raw, ok := c.member(path)
	if !ok {
		raw, _ = c.find(path)
	}
	return kindOf(raw)
}

// MemberKind returns what Member finds.
func (d Document) MemberKind(name string) Kind {
	raw, _ := d.content().member(name)
	return kindOf(raw)
}

// kindOf tells a JSON value by its first character.
func kindOf(raw string) Kind {
	if raw == "" {
		return ""
	}
	switch raw[0] {
	case '"':
		return String
	case '{':
		return Object
	case '[':
		return Array
	case 't', 'f':
		return Boolean
	case 'n':
		return Null
	}
	return Number
}
