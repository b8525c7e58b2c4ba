// Package reference is the grammar of references to secrets.
//
//	reference = "secretsmanager://" ref                    the whole value, blanks around it trimmed
//	template  = text with one or more "{{" blanks "secretsmanager://" ref blanks "}}"
//	ref       = id [ "?" option *( "&" option ) ] [ "#" path ]
//	id        = name | arn | arn ":" json-key [ ":" [ stage ] [ ":" [ version ] ] ]
//
// What was meant as a reference and is none is a problem, never a literal: it
// would reach the program as a password.
package reference

import (
	"io/fs"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"secretwrap/internal/problem"
)

// Scheme begins every reference. In a manifest it may be left out.
const Scheme = "secretsmanager://"

// Encoding is how a value is written before it is delivered.
type Encoding string

// The encodings.
const (
	// Plain delivers the value as it is.
	Plain Encoding = ""
	// URL writes every byte but A-Z a-z 0-9 - . _ ~ as %XX.
	URL Encoding = "url"
	// Base64 is standard base64 with padding.
	Base64 Encoding = "base64"
	// JSON writes the inside of a JSON string.
	JSON Encoding = "json"
)

// Ref is one reference to a secret, or to something inside it.
type Ref struct {
	// Secret is the name or the ARN, without ECS's extra fields.
	Secret string
	// Region is the one in the ARN, empty for a name.
	Region string
	// Stage and Version select one; both empty means AWSCURRENT.
	Stage, Version string
	// Member is the literal member that an ECS json-key names.
	Member string
	// Path is a gjson path, or a member of exactly that name. Empty means the
	// whole secret.
	Path string
	// Optional tolerates an absent secret or field. Default implies it.
	Optional bool
	// Default is delivered, when HasDefault is set, instead of what is absent.
	HasDefault bool
	Default    string
	// Encode is applied to the value.
	Encode Encoding
	// ToFile delivers into a file, at File in the directory of file copies;
	// without File the name of the variable is used.
	ToFile bool
	File   string
	// Mode is the file's mode, 0 for the default.
	Mode fs.FileMode
	// Prefix and Upper shape the names of exploded fields.
	Prefix string
	Upper  bool
}

// Context is where a reference stands. It decides which options it may have.
type Context uint8

// The contexts.
const (
	// Variable is the whole value of a variable.
	Variable Context = iota
	// Template is a reference between braces.
	Template
	// EnvFrom is a secret whose fields become variables.
	EnvFrom
	// File is the content of a file in the manifest.
	File
)

// Parse reads one ref, with or without its scheme. The problem it returns
// names no variable: the caller knows it.
func Parse(text string, context Context) (Ref, *problem.Problem) {
	text = strings.TrimPrefix(text, Scheme)
	head, path, hasPath := strings.Cut(text, "#")
	id, options, hasOptions := strings.Cut(head, "?")

	var ref Ref
	if p := ref.parseID(id); p != nil {
		return Ref{}, p
	}
	if hasOptions {
		if p := ref.parseOptions(options, context, hasPath); p != nil {
			return Ref{}, ref.located(p)
		}
	}
	if hasPath {
		if path != strings.TrimSpace(path) || strings.Contains(path, " #") {
			return Ref{}, ref.located(bad("a space stands before or after the path, or a comment behind it", "remove them; where a field is really named so, write ?path= with %20 for a space"))
		}
		if p := ref.setPath(path); p != nil {
			return Ref{}, ref.located(p)
		}
	}
	if ref.Mode != 0 && !ref.ToFile && context != File {
		return Ref{}, ref.located(bad("mode needs file", "add file, or remove mode"))
	}
	return ref, nil
}

// betweenBraces is the hint for several references in one text.
const betweenBraces = "put each reference of a text between braces: {{" + Scheme + "…}}"

// located adds to p which secret it is about.
func (r *Ref) located(p *problem.Problem) *problem.Problem {
	p.Secret = r.Secret
	return p
}

// setPath checks a path that is complete.
func (r *Ref) setPath(path string) *problem.Problem {
	if path == "" {
		return bad("the path is empty", "write the path of a field after #, or remove # for the whole secret; in a file where # begins a comment, use ?path=")
	}
	if r.Path != "" {
		return bad("both ?path= and # give a path", "keep one of them")
	}
	if r.Member != "" {
		return bad("both the ARN's json-key and a path name a field", "keep one of them")
	}
	if strings.HasPrefix(path, `["`) || strings.HasPrefix(path, "['") {
		return bad("the path names a field in brackets, which gjson reads as a list of what it finds", "write the field's name alone, with a backslash before what is special in it")
	}
	if !printable(path) {
		return bad("the path holds a control character or is not UTF-8", "remove that character")
	}
	if before, late, found := cutLateOptions(path); found {
		return bad("options belong before the path; after it gjson reads ? as a wildcard",
			"write "+Scheme+r.Secret+"?"+late+"#"+before)
	}
	if schemeStart(path) >= 0 {
		return bad("a second reference stands inside the path", betweenBraces)
	}
	r.Path = path
	return nil
}

// String returns the reference in one canonical form, which parses to the same Ref.
func (r Ref) String() string {
	var out strings.Builder
	out.WriteString(Scheme + r.Secret)
	if r.Member != "" {
		out.WriteString(":" + r.Member)
	}
	separator := byte('?')
	add := func(option string) {
		out.WriteByte(separator)
		out.WriteString(option)
		separator = '&'
	}
	for _, o := range []struct{ key, value string }{
		{"stage", r.Stage}, {"version", r.Version}, {"encode", string(r.Encode)}, {"prefix", r.Prefix},
	} {
		if o.value != "" {
			add(o.key + "=" + escapeOption(o.value))
		}
	}
	switch {
	case r.HasDefault:
		add("default=" + escapeOption(r.Default))
	case r.Optional:
		add("optional")
	}
	switch {
	case r.File != "":
		add("file=" + escapeOption(r.File))
	case r.ToFile:
		add("file")
	}
	if r.Mode != 0 {
		add("mode=0" + strconv.FormatUint(uint64(r.Mode), 8))
	}
	if r.Upper {
		add("upper")
	}
	switch {
	case r.Path != strings.TrimSpace(r.Path), strings.Contains(r.Path, " #"):
		add("path=" + escapeOption(r.Path))
	case r.Path != "":
		out.WriteString("#" + r.Path)
	}
	return out.String()
}

// Where returns the path or member for a message, empty for the whole secret.
func (r Ref) Where() string {
	if r.Member != "" {
		return r.Member
	}
	return r.Path
}

// bad returns a configuration problem.
func bad(cause, hint string) *problem.Problem {
	return &problem.Problem{Class: problem.Config, Cause: cause, Hint: hint}
}

// printable reports whether text is UTF-8 without control characters.
func printable(text string) bool {
	return utf8.ValidString(text) && strings.IndexFunc(text, unicode.IsControl) < 0
}
