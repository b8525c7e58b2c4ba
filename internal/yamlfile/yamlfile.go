// Package yamlfile reads YAML into nodes.
package yamlfile

import (
	"bytes"

	"go.yaml.in/yaml/v3"

	"secretwrap/internal/problem"
)

// What is said of a file with more than one document.
const (
	SecondDocument     = "a second document begins"
	SecondDocumentHint = "remove the line with --- or ... and what follows it"
)

// Decode returns the first two documents of a file, enough to see that there is
// one too many, or the first problem with its characters or its syntax. The
// problem has its line, in our words: the library's quote the file.
func Decode(data []byte) ([]*yaml.Node, *problem.Problem) {
	data = bytes.TrimPrefix(data, []byte(byteOrderMark))
	if line, cause := refusedCharacter(data); cause != "" {
		return nil, at(data, line, cause, "save the file as UTF-8 without control or invisible characters")
	}
	documents, message := decode(data)
	if message == "" {
		return documents, nil
	}
	line := lineOf(data, message)
	cause, hint := explain(message, lineAt(data, line))
	return nil, at(data, line, cause, hint)
}

// Lines returns how many lines a file has, at least one.
func Lines(data []byte) int { return len(lineEnds(data)) }

// at returns a problem, without a line if line is 0. The YAML library places what a
// file lacks behind its last line, which is no line that an editor could go to.
func at(data []byte, line int, cause, hint string) *problem.Problem {
	return &problem.Problem{Class: problem.Config, Line: min(line, Lines(data)), Cause: cause, Hint: hint}
}
