package reference

import (
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"secretwrap/internal/problem"
	"secretwrap/internal/suggest"
)

// option is one key of the part after the question mark.
type option struct {
	key string
	// form is what may follow the key, for messages.
	form string
	// contexts are where it may stand.
	contexts []Context
	set      func(r *Ref, value string, given bool) *problem.Problem
}

// options returns the table of all options.
func options() []option {
	everywhere := []Context{Variable, Template, EnvFrom, File}
	return []option{
		{"stage", "stage=LABEL", everywhere, func(r *Ref, v string, _ bool) *problem.Problem { return r.setStage(v) }},
		{"version", "version=ID", everywhere, func(r *Ref, v string, _ bool) *problem.Problem { return r.setVersion(v) }},
		{"path", "path=PATH", everywhere, func(r *Ref, v string, _ bool) *problem.Problem { return r.setPath(v) }},
		{"optional", "optional", []Context{Variable, EnvFrom, File}, setOptional},
		{"default", "default=TEXT", []Context{Variable, Template, File}, setDefault},
		{"encode", "encode=url|base64|json", []Context{Variable, Template, File}, setEncode},
		{"file", "file or file=RELATIVE/PATH", []Context{Variable}, setFile},
		{"mode", "mode=0400|0440|0444|0600|0640|0644", []Context{Variable, File}, setMode},
		{"prefix", "prefix=TEXT", []Context{EnvFrom}, setPrefix},
		{"upper", "upper", []Context{EnvFrom}, setUpper},
	}
}

// defaultStart finds the option default among others.
var defaultStart = pattern(`(?:^|&)default=`)

// lateOptions finds options that were written after the path.
var lateOptions = pattern(`(?i)[?&]((?:stage|version|path|default|encode|mode|prefix|file|optional|upper)=|(?:optional|file|upper)(?:&|$))`)

// cutLateOptions splits a path from the options that were written after it. It
// leaves out what a default says, and all that follows it: a password with an
// ampersand would look like another option.
func cutLateOptions(path string) (before, late string, found bool) {
	if !strings.ContainsAny(path, "?&") {
		return path, "", false
	}
	at := lateOptions().FindStringIndex(path)
	if at == nil {
		return path, "", false
	}
	before, late = path[:at[0]], path[at[0]+1:]
	if start := defaultStart().FindStringIndex(late); start != nil {
		late = late[:start[1]] + "…"
	}
	return before, late, true
}

// parseOptions reads what stands between the question mark and the path.
func (r *Ref) parseOptions(text string, context Context, hasPath bool) *problem.Problem {
	seen := make(map[string]bool)
	for part := range strings.SplitSeq(text, "&") {
		key, value, given := strings.Cut(part, "=")
		o, p := findOption(key, context)
		if p != nil && o.key == "" && seen["default"] {
			return bad("an option after default is not known", "write an ampersand inside a default as %26; "+allowedHint(context))
		}
		if p != nil {
			return p
		}
		if seen[key] {
			return bad("option "+key+" is given twice", "keep one of them")
		}
		seen[key] = true
		if key == "path" && hasPath {
			return bad("both ?path= and # give a path", "keep one of them")
		}
		decoded, err := url.PathUnescape(value)
		if err != nil {
			return bad("option "+key+" holds a % that two hexadecimal digits do not follow", "write a percent sign as %25")
		}
		if given != strings.Contains(o.form, "=") && key != "file" {
			return bad("option "+key+" is malformed", "write "+o.form)
		}
		if strings.ContainsRune(decoded, 0) || !utf8.ValidString(decoded) {
			return bad("option "+key+" holds a NUL or is not UTF-8", "remove that character")
		}
		if context == Template && strings.ContainsAny(value, "{}") {
			return bad("option "+key+" holds a brace, which may end the reference", "write %7B for { and %7D for }")
		}
		if p := o.set(r, decoded, given); p != nil {
			return p
		}
	}
	return nil
}

// findOption returns the option of that name, the zero option if there is none,
// and what is wrong with it in that context.
func findOption(key string, context Context) (option, *problem.Problem) {
	var known []string
	for _, o := range options() {
		here := slices.Contains(o.contexts, context)
		if o.key == key && here {
			return o, nil
		}
		if o.key == key {
			return o, bad("option "+key+" is not allowed "+whereName(context), allowedHint(context))
		}
		if here {
			known = append(known, o.key)
		}
	}
	hint := allowedHint(context)
	near, found := otherName(key)
	if !found {
		near, found = suggest.Nearest(key, known)
	}
	if found {
		hint = "did you mean " + near + "?"
	}
	if len(key) > 32 || strings.ContainsFunc(key, func(c rune) bool { return (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') }) {
		// No slip makes this of an option: it may be a part of a password.
		return option{}, bad("an option is not known", hint)
	}
	return option{}, bad("option \""+key+"\" is not known", hint)
}

// otherName returns the option that goes by another name elsewhere, in ECS or in
// Secrets Manager's API. A field would otherwise be near to file.
func otherName(key string) (option string, found bool) {
	switch strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(key, "-", ""), "_", "")) {
	case "field", "key", "jsonkey", "property":
		return "path", true
	case "label", "versionstage":
		return "stage", true
	case "versionid":
		return "version", true
	}
	return "", false
}

// whereName names a context in a message.
func whereName(context Context) string {
	switch context {
	case Template:
		return "between braces"
	case EnvFrom:
		return "in env_from"
	case File:
		return "under files"
	default:
		return "in a variable"
	}
}

// allowedHint lists what may stand in a context.
func allowedHint(context Context) string {
	var forms []string
	for _, o := range options() {
		if slices.Contains(o.contexts, context) {
			forms = append(forms, o.form)
		}
	}
	return "allowed " + whereName(context) + ": " + strings.Join(forms, ", ")
}

func setOptional(r *Ref, _ string, _ bool) *problem.Problem {
	r.Optional = true
	return nil
}

func setDefault(r *Ref, value string, _ bool) *problem.Problem {
	if schemeStart(value) >= 0 {
		return bad("the default holds a reference, and would be delivered as it stands", "write a text after default=, or remove the option")
	}
	r.HasDefault, r.Default, r.Optional = true, value, true
	return nil
}

func setEncode(r *Ref, value string, _ bool) *problem.Problem {
	r.Encode = Encoding(value)
	if !slices.Contains([]Encoding{URL, Base64, JSON}, r.Encode) {
		return bad("the encoding is not known", "write encode=url, encode=base64 or encode=json")
	}
	return nil
}

func setFile(r *Ref, value string, given bool) *problem.Problem {
	if given && value == "" {
		return bad("option file names no path", "write file=RELATIVE/PATH, or file alone to use the variable's name")
	}
	r.ToFile, r.File = true, value
	return nil
}

func setMode(r *Ref, value string, _ bool) *problem.Problem {
	modes := map[string]fs.FileMode{"0400": 0o400, "0440": 0o440, "0444": 0o444, "0600": 0o600, "0640": 0o640, "0644": 0o644}
	mode, known := modes[value]
	if !known {
		return bad("the mode is not one of those allowed", "write mode=0400, 0440, 0444, 0600, 0640 or 0644")
	}
	r.Mode = mode
	return nil
}

func setPrefix(r *Ref, value string, _ bool) *problem.Problem {
	wrong := func(c rune) bool {
		return c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
	}
	if value == "" || strings.IndexFunc(value, wrong) >= 0 || (value[0] >= '0' && value[0] <= '9') {
		return bad("the prefix cannot begin a variable's name", "a name holds A-Z a-z 0-9 _ and begins with a letter or _")
	}
	r.Prefix = value
	return nil
}

func setUpper(r *Ref, _ string, _ bool) *problem.Problem {
	r.Upper = true
	return nil
}

// escapeOption writes value so that it survives as an option: what would end
// it, and what a percent sign would decode, as %XX.
func escapeOption(value string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for _, c := range []byte(value) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("%&#?{}\"", c) >= 0 {
			out.Write([]byte{'%', hex[c>>4], hex[c&15]})
			continue
		}
		out.WriteByte(c)
	}
	return out.String()
}
