// Package report formats the lines of the log.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"secretwrap/internal/problem"
	"secretwrap/internal/visible"
)

// Level is how important a line is.
type Level uint8

// The levels, least important first.
const (
	Debug Level = iota
	Info
	Warn
	Error
)

// ParseLevel reads a level of ours, or one of Lambda's from
// AWS_LAMBDA_LOG_LEVEL: TRACE to FATAL. Anything else is Info, Lambda's default.
func ParseLevel(name string) Level {
	switch strings.ToUpper(name) {
	case "TRACE", "DEBUG":
		return Debug
	case "WARN":
		return Warn
	case "ERROR", "FATAL":
		return Error
	default:
		return Info
	}
}

// String returns the name as Lambda's JSON logs have it.
func (l Level) String() string { return [...]string{"DEBUG", "INFO", "WARN", "ERROR"}[l] }

// The codes of events. They are stable, to be matched by alarms. The code of a
// problem is its error type.
const (
	// CodeStart tells how a function's secrets came to it.
	CodeStart = "SecretsDelivered"
	// CodeWaiting tells what a start waits for.
	CodeWaiting = "SecretsWaiting"
	// CodeMoved tells of a value that went to a file.
	CodeMoved = "SecretMovedToFile"
	// CodeFiles tells of files of an earlier start.
	CodeFiles = "SecretFiles"
	// CodeAbsent tells of optional references that nothing was found for.
	CodeAbsent = "SecretAbsent"
	// CodeSkipped tells of fields that became no variables.
	CodeSkipped = "SecretFieldSkipped"
	// CodeShadowed tells of declarations that lost to a variable.
	CodeShadowed = "SecretShadowed"
	// CodeSettings tells of settings that may not do what they look like.
	CodeSettings = "SecretSettings"
	// CodeBrake tells of a start that repeats an error without a call.
	CodeBrake = "SecretsBraked"
	// CodeRefresh tells of files that were written again.
	CodeRefresh = "SecretRefreshed"
	// CodeStale tells of files that are older than they should be.
	CodeStale = "SecretStale"
	// CodeExtension tells of the extension's life.
	CodeExtension = "SecretExtension"
)

// Reporter writes lines. What cannot be written is lost: a log that is closed
// must not keep a function from starting.
type Reporter struct {
	// Out is where the lines go.
	Out io.Writer
	// JSON is set for one JSON object a line, as Lambda's JSON log format has it.
	JSON bool
	// Least is the least important level that is written.
	Least Level
	// Lambda is set where the lines stand among a function's own.
	Lambda bool
	// Now is the clock, for JSON's timestamps.
	Now func() time.Time
}

// line is one line in JSON.
type line struct {
	Timestamp string `json:"timestamp"`
	Level     string `json:"level"`
	Code      string `json:"code"`
	Message   string `json:"message"`
	Hint      string `json:"hint,omitempty"`
	Variable  string `json:"variable,omitempty"`
	Secret    string `json:"secret,omitempty"`
	ErrorType string `json:"errorType,omitempty"`
}

// Problems writes every problem with its hint, at any level.
func (r *Reporter) Problems(list problem.List) {
	for _, p := range list {
		code := p.Class.ErrorType()
		if r.JSON {
			r.writeJSON(line{
				Level: Error.String(), Code: code, Message: p.Error(), Hint: p.Hint, Variable: p.Variable, Secret: p.Secret, ErrorType: code,
			})
			continue
		}
		r.writeText("error", p.Error()+" ["+code+"]")
		r.writeHint(p.Hint)
	}
}

// Event writes one line if its level is important enough.
func (r *Reporter) Event(level Level, code, format string, arguments ...any) {
	if level < r.Least {
		return
	}
	message := fmt.Sprintf(format, arguments...)
	if r.JSON {
		r.writeJSON(line{Level: level.String(), Code: code, Message: message})
		return
	}
	label := strings.ToLower(level.String())
	if level == Warn {
		label = "warning"
	}
	r.writeText(label, message+" ["+code+"]")
}

func (r *Reporter) writeJSON(l line) {
	l.Timestamp = r.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	encoded, err := json.Marshal(l)
	if err != nil {
		return
	}
	_, _ = r.Out.Write(visible.JSON(append(encoded, '\n')))
}

func (r *Reporter) writeText(label, text string) {
	prefix := "secretwrap: "
	if r.Lambda {
		prefix = "[secretwrap] "
	}
	_, _ = io.WriteString(r.Out, prefix+label+": "+visible.Line(text)+"\n")
}

// writeHint writes a hint, which may be an example of several lines.
func (r *Reporter) writeHint(hint string) {
	if hint == "" {
		return
	}
	for text := range strings.SplitSeq(hint, "\n") {
		r.writeText("hint", text)
	}
}
