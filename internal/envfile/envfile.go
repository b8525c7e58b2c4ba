// Package envfile reads .env files.
package envfile

import (
	"fmt"
	"strings"

	"secretwrap/internal/configfile"
	"secretwrap/internal/environ"
	"secretwrap/internal/problem"
)

// Kind returns what kind of file a .env file is.
func Kind() configfile.Kind { return configfile.Kind{Name: ".env file", MaxKiB: 256} }

// File is what a .env file sets.
type File struct {
	// Entries are NAME=value, in the order of the file.
	Entries []string
	// Warnings tell of references that other readers of the file, such as
	// node --env-file, a shell or docker --env-file, understand otherwise.
	Warnings []string
}

// Parse reads the content of the file called source: lines NAME=value, perhaps
// with export before them, empty ones, and comments that # begins. A value stands
// as it is between single quotes or backticks, over several lines if need be. In
// double quotes \n, \r, \t, \", \\ and \$ are escapes. Without quotes it ends with
// the line, or at a # after a blank. Nothing is expanded.
//
// It returns every problem, with its line and without any text of the file but
// the names of variables.
func Parse(source string, data []byte) (File, problem.List) {
	p := &parser{source: source, rest: strings.TrimPrefix(string(data), "\uFEFF"), firstLine: make(map[string]int)}
	for p.rest != "" {
		p.statement()
	}
	return p.file, p.problems
}

// parser reads one file.
type parser struct {
	source string
	// rest is what was not read yet; line is the number of its first line but one.
	rest      string
	line      int
	firstLine map[string]int
	file      File
	problems  problem.List
}

// report adds a problem with the line that is being read.
func (p *parser) report(name, cause, hint string) {
	p.problems = append(p.problems, &problem.Problem{
		Class: problem.Config, Source: p.source, Line: p.line, Variable: name, Cause: cause, Hint: hint,
	})
}

// blanks are what may stand around names and values.
const blanks = " \t"

// statement reads a line, or several if a quote spans them.
func (p *parser) statement() {
	text := strings.TrimLeft(p.nextLine(), blanks)
	if text == "" || text[0] == '#' {
		return
	}
	if after, exported := strings.CutPrefix(text, "export"); exported && strings.TrimLeft(after, blanks) != after {
		text = strings.TrimLeft(after, blanks)
	}
	name, value, found := strings.Cut(text, "=")
	name = strings.TrimSpace(name)
	if !found {
		p.report("", "the line sets nothing", "write NAME=value, or # before a comment")
		return
	}
	if !environ.ValidName(name) {
		p.report("", "what stands before = cannot be the name of a variable", "a name holds A-Z a-z 0-9 _ and begins with a letter or _; a value of several lines stands in quotes")
		return
	}
	began := p.line
	if value, ok := p.value(name, strings.TrimLeft(value, blanks)); ok {
		p.add(name, value, began)
	}
}

// nextLine takes the next line.
func (p *parser) nextLine() string {
	line, rest, _ := strings.Cut(p.rest, "\n")
	p.rest = rest
	p.line++
	return strings.TrimSuffix(line, "\r")
}

// add sets a variable that is not set yet.
func (p *parser) add(name, value string, line int) {
	if first, repeated := p.firstLine[name]; repeated {
		p.report(name, fmt.Sprintf("is given twice, first in line %d", first), "keep one of them: readers of .env files differ in which they take")
		return
	}
	if strings.ContainsRune(value, 0) {
		p.report(name, "the value holds a NUL byte", "remove it")
		return
	}
	p.firstLine[name] = line
	p.file.Entries = append(p.file.Entries, name+"="+value)
}

// value reads what stands after =, and whether it is well formed.
func (p *parser) value(name, text string) (string, bool) {
	if text == "" {
		return "", true
	}
	if quote := text[0]; strings.IndexByte("'\"`", quote) >= 0 {
		return p.quoted(name, quote, text[1:])
	}
	return p.bare(name, text)
}

// bare reads a value without quotes.
func (p *parser) bare(name, text string) (string, bool) {
	value, comment, found := cutComment(text)
	if found && strings.Contains(value, scheme) && comment != "" && comment[0] != ' ' && comment[0] != '\t' {
		p.report(name, "a # after a blank begins a comment and is lost", "remove the blank, or put a blank after the # of a comment")
		return "", false
	}
	p.warn(name, value, " \t#&;|<>()$`\\\"'", "a value without quotes")
	return value, true
}

// cutComment cuts a text without quotes at a # that begins a comment.
func cutComment(text string) (value, comment string, found bool) {
	for i := range len(text) {
		if text[i] == '#' && (i == 0 || text[i-1] == ' ' || text[i-1] == '\t') {
			return strings.TrimRight(text[:i], blanks), text[i+1:], true
		}
	}
	return strings.TrimRight(text, blanks), "", false
}

// quoted reads the rest of a value after its opening quote.
func (p *parser) quoted(name string, quote byte, text string) (string, bool) {
	began := p.line
	var value strings.Builder
	for {
		if end := closing(text, quote); end >= 0 {
			value.WriteString(text[:end])
			return p.closed(name, quote, value.String(), text[end+1:])
		}
		if p.rest == "" {
			p.line = began
			p.report(name, "a quote is not closed", "close it in the same line, or after the last line of the value")
			return "", false
		}
		value.WriteString(text + "\n")
		text = p.nextLine()
	}
}

// closing returns where the closing quote stands in a line, -1 if nowhere. In double
// quotes a backslash keeps the character behind it; one at the end of a line keeps
// nothing.
func closing(text string, quote byte) int {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == quote:
			return i
		case text[i] == '\\' && quote == '"':
			i++
		}
	}
	return -1
}

// closed takes a value out of its quotes, and judges what follows them.
func (p *parser) closed(name string, quote byte, value, after string) (string, bool) {
	if rest, _, _ := cutComment(after); rest != "" || strings.HasPrefix(after, "#") {
		p.report(name, "a text follows the closing quote", "put the whole value between quotes, and a blank before the # of a comment")
		return "", false
	}
	switch quote {
	case '"':
		p.warn(name, value, "$`", "double quotes")
		value = unescape(value)
	case '`':
		p.warn(name, value, "", "backticks")
	}
	return value, true
}

func unescape(text string) string {
	return strings.NewReplacer(`\n`, "\n", `\r`, "\r", `\t`, "\t", `\"`, `"`, `\\`, `\`, `\$`, "$").Replace(text)
}

// scheme is what every reference holds, however it is misspelt otherwise.
const scheme = "secretsmanager:"

// warn tells of a reference that other readers understand otherwise, because of
// how it is written, if it holds one of the characters, or whatever it holds.
func (p *parser) warn(name, value, characters, how string) {
	if !strings.Contains(value, scheme) {
		return
	}
	cause := how
	if characters != "" {
		at := strings.IndexAny(value, characters)
		if at < 0 {
			return
		}
		cause = fmt.Sprintf("%q in %s", value[at:at+1], how)
	}
	p.file.Warnings = append(p.file.Warnings, fmt.Sprintf(
		"%s:%d: %s: other readers of .env files take %s for something else; put the value between single quotes, or write ?path= for #", p.source, p.line, name, cause))
}
