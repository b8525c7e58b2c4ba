package yamlfile

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"sort"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decode returns the first two documents of data, enough to see that there is
// one too many, or the YAML library's message. The message quotes its input:
// it serves to find an explanation and is never shown.
func decode(data []byte) (documents []*yaml.Node, message string) {
	// The library panics where it finds itself at fault; a manifest must not
	// be able to end the program that way.
	defer func() {
		if recover() != nil {
			documents, message = nil, "panic"
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for len(documents) < 2 {
		document := new(yaml.Node)
		err := decoder.Decode(document)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err.Error()
		}
		documents = append(documents, document)
	}
	return documents, ""
}

// longest is how many bytes a file may have to be read again and again for a line.
const longest = 256 << 10

// lineOf returns the line that makes the library fail with message: in a long file
// the one in the message, which may be another one nearby, or 0 for none.
func lineOf(data []byte, message string) int {
	if len(data) <= longest {
		return locate(data, message)
	}
	_, after, _ := strings.Cut(message, "line ")
	digits, _, _ := strings.Cut(after, ":")
	line, _ := strconv.Atoi(digits)
	return line
}

// locate returns the line that makes the library fail with message: the last
// one of the shortest beginning of the file that fails so. The line inside the
// message is that of the enclosing map or list, or one less, or missing.
func locate(data []byte, message string) int {
	ends := lineEnds(data)
	return 1 + sort.Search(len(ends), func(i int) bool {
		_, got := decode(data[:ends[i]])
		return got == message
	})
}

// syntaxErrors holds what we say about the messages of the YAML library, found
// by parts of theirs that quote no input.
var syntaxErrors = []struct {
	parts       []string
	cause, hint string
}{
	{
		[]string{"mapping values are not allowed"},
		"a colon stands where none may",
		"quote a text that holds a colon before a blank or at its end, and begin all keys of a map in the same column",
	},
	{
		[]string{"did not find expected key"},
		"does not fit what stands above",
		`quote a text that begins with a brace ("{{prod/db#password}}"), close every quote, and begin all keys of a map in the same column`,
	},
	{
		[]string{"did not find expected '-' indicator"},
		"does not fit the list above",
		`quote a text that begins with a brace ("{{prod/db#password}}"), and begin all dashes of a list in the same column`,
	},
	{
		[]string{"did not find expected ',' or"},
		"a bracket or brace is not closed",
		"quote a text that begins with a bracket or a brace, or that stands between them",
	},
	{
		[]string{"could not find expected ':'"},
		"a colon is missing after a key",
		`write NAME: "prod/db#password"`,
	},
	{
		[]string{"found a tab character"},
		"a tab stands where only blanks may",
		"indent with blanks",
	},
	{
		[]string{"cannot start any token", "did not find expected node content"},
		"a text begins with a character that YAML keeps for itself",
		"quote the text",
	},
	{
		[]string{"escape character", "escape code", "hexdecimal number"},
		"a backslash in double quotes begins an escape that YAML does not know",
		"use single quotes, in which a backslash stands for itself",
	},
	{
		[]string{"found unexpected end of stream"},
		"a quote is not closed",
		"close it, and double a single quote inside single quotes",
	},
	{
		[]string{"block sequence entries are not allowed"},
		"a dash begins a list where none may stand",
		"quote a text that begins with a dash",
	},
	{
		[]string{"unknown anchor"},
		"holds an alias",
		"quote a text that begins with *",
	},
	{
		[]string{"did not find expected alphabetic or numeric character"},
		"holds an anchor or alias without a name",
		"quote a text that begins with & or *",
	},
	{
		[]string{"<document start>"},
		SecondDocument,
		SecondDocumentHint,
	},
	{
		[]string{"exceeded max depth"},
		"is nested too deeply",
		"check that this is the file that was meant",
	},
}

// explain returns what we say about the library's message on a line.
func explain(message string, line []byte) (cause, hint string) {
	if bytes.HasPrefix(bytes.TrimLeft(line, " "), []byte("\t")) {
		// The library has several messages for it, some about another line.
		message = "found a tab character"
	}
	for _, known := range syntaxErrors {
		if slices.ContainsFunc(known.parts, func(part string) bool { return strings.Contains(message, part) }) {
			return known.cause, known.hint
		}
	}
	return "is not valid YAML", "put quotes around the text of this line, or of the line above"
}
