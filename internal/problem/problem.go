// Package problem describes what goes wrong between a function's configuration
// and its start.
package problem

import (
	"fmt"
	"strconv"
	"strings"
)

// Class is what kind of thing went wrong. It decides the error type that the
// caller of the function reads, and the exit status. A lower Class is the more
// important one when several problems are reported together.
type Class uint8

// The classes, the most important first.
const (
	// Config is a mistake in the function's configuration.
	Config Class = iota + 1
	// Denied is a refusal by Secrets Manager or by KMS.
	Denied
	// NotFound is a secret, version or stage that does not exist.
	NotFound
	// FieldNotFound is a path at which the secret holds nothing.
	FieldNotFound
	// Invalid is a secret that is not what its reference needs.
	Invalid
	// Timeout is a budget that ended before the answer came.
	Timeout
	// Throttled is a call that Secrets Manager turned away as one too many.
	Throttled
	// Unavailable is an answer that did not come, or made no sense.
	Unavailable
	// File is a file that could not be written.
	File
	// NotExecutable is a program that exists and cannot be executed.
	NotExecutable
	// NoProgram is a program that does not exist.
	NoProgram
	// Internal is a fault of this program's own.
	Internal
)

// kinds holds what follows from each Class. The statuses are those of
// sysexits.h, and for exec those of the shell.
var kinds = map[Class]struct {
	errorType string
	status    int
	public    string
}{
	Config:        {"Runtime.SecretConfigInvalid", 64, "configuration is not valid"},
	Denied:        {"Runtime.SecretAccessDenied", 77, "access denied"},
	NotFound:      {"Runtime.SecretNotFound", 66, "not found"},
	FieldNotFound: {"Runtime.SecretFieldNotFound", 66, "field not found"},
	Invalid:       {"Runtime.SecretInvalid", 65, "content is not valid"},
	Timeout:       {"Runtime.SecretTimeout", 75, "no answer in time"},
	Throttled:     {"Runtime.SecretUnavailable", 75, "throttled"},
	Unavailable:   {"Runtime.SecretUnavailable", 69, "unavailable"},
	File:          {"Runtime.SecretFileFailed", 73, "file cannot be written"},
	NotExecutable: {"Runtime.ExecFailed", 126, "program cannot be executed"},
	NoProgram:     {"Runtime.ExecFailed", 127, "program not found"},
	Internal:      {"Runtime.SecretFault", 70, "internal fault"},
}

// ErrorType returns the type that the caller of the function reads, in the
// form that Lambda accepts in Lambda-Runtime-Function-Error-Type.
func (c Class) ErrorType() string { return kinds[c].errorType }

// Status returns the exit status, see sysexits.h.
func (c Class) Status() int { return kinds[c].status }

// Words returns what kind of thing it is in a few words, such as "access denied".
func (c Class) Words() string { return kinds[c].public }

// Problem is one thing that went wrong. It never holds a value, nor text that
// somebody else wrote about one: a parser's message quotes its input.
type Problem struct {
	Class Class
	// Source and Line tell where in a file the problem is; Line counts from 1.
	Source string
	Line   int
	// Variable is what would have been set: a variable, or a file.
	Variable string
	// Secret is the name or ARN as the configuration gives it.
	Secret string
	// Path is the path inside the secret.
	Path string
	// Cause says what is wrong, in lower case and without a period.
	Cause string
	// Hint says what to do about it.
	Hint string
}

// Error returns the problem as one line: variable, secret, path, cause.
func (p *Problem) Error() string {
	var parts []string
	if p.Source != "" {
		where := p.Source
		if p.Line > 0 {
			where += ":" + strconv.Itoa(p.Line)
		}
		parts = append(parts, where)
	}
	if p.Variable != "" {
		parts = append(parts, p.Variable)
	}
	if p.Secret != "" {
		parts = append(parts, fmt.Sprintf("secret %q", p.Secret))
	}
	if p.Path != "" {
		parts = append(parts, fmt.Sprintf("path %q", p.Path))
	}
	return strings.Join(append(parts, p.Cause), ": ")
}

// Public returns what the caller of the function may read: variable, name of
// the secret, class. No ARN, account, region or path, because API Gateway,
// AppSync and Cognito can show this text to end users.
func (p *Problem) Public() string {
	var parts []string
	if p.Variable != "" {
		parts = append(parts, p.Variable)
	}
	if p.Secret != "" {
		parts = append(parts, fmt.Sprintf("secret %q", nameOf(p.Secret)))
	}
	return strings.Join(append(parts, p.Class.Words()), ": ")
}

// nameOf returns the name in a secret's ARN, without the six characters that
// Secrets Manager adds, and anything else as it is.
func nameOf(secret string) string {
	if !strings.HasPrefix(secret, "arn:") {
		return secret
	}
	fields := strings.SplitN(secret, ":", 7)
	if len(fields) < 7 {
		return "?"
	}
	name := fields[6]
	if cut := len(name) - 7; cut > 0 && name[cut] == '-' {
		name = name[:cut]
	}
	return name
}

// List is several problems in the order of declaration.
type List []*Problem

// Error returns all problems, one a line.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, p := range l {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Class returns the most important class in the list, 0 if it is empty.
func (l List) Class() Class {
	var most Class
	for _, p := range l {
		if most == 0 || p.Class < most {
			most = p.Class
		}
	}
	return most
}

// Public returns what the caller of the function may read, at most limit bytes;
// what does not fit is counted.
func (l List) Public(limit int) string {
	const (
		where    = " (the function's log says what to do)"
		reserved = len(where) + len("; and 1000000 more")
	)
	var out strings.Builder
	seen := make(map[string]bool, len(l))
	for i, p := range l {
		text := p.Public()
		if seen[text] {
			continue
		}
		seen[text] = true
		if out.Len() > 0 {
			text = "; " + text
		}
		if room := limit - reserved - out.Len(); len(text) > room && out.Len() > 0 {
			fmt.Fprintf(&out, "; and %d more", len(l)-i)
			break
		} else if len(text) > room {
			text = strings.ToValidUTF8(text[:max(0, room)], "") + "…"
		}
		out.WriteString(text)
	}
	return out.String() + where
}
