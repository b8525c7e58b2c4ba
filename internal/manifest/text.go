package manifest

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxQuoted is the number of bytes up to which a message repeats a text.
const maxQuoted = 200

// text returns the text of an entry after every ${NAME} was replaced, and
// whether it has one without a problem.
func (p *parser) text(entry pair) (string, bool) {
	if cause, hint := textProblem(entry.value); cause != "" {
		p.reportPair(entry, cause, hint)
		return "", false
	}
	text := entry.value.Value
	if comment := attachedComment(entry); comment != "" {
		p.reportPair(entry, "a # after a blank begins a comment and is lost", commentHint(text, comment))
		return "", false
	}
	if entry.value.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		text = strings.TrimRight(text, "\n")
	}
	return p.replaceVariables(entry, text)
}

// textProblem returns why a node is no text, or an empty cause.
func textProblem(node *yaml.Node) (cause, hint string) {
	if cause, hint = decoration(node); cause != "" {
		return cause, hint
	}
	switch {
	case node.Kind != yaml.ScalarNode && node.Style&yaml.FlowStyle != 0:
		return "is " + kind(node) + ", want a text", `quote a text that begins with a bracket or a brace: "{{prod/db#password}}"`
	case node.Kind != yaml.ScalarNode:
		return "is " + kind(node) + ", want a text", "write one reference, or one template, for each entry"
	case strings.TrimSpace(node.Value) == "":
		return "has no text", "write a reference; quote one that begins with #"
	case kind(node) != "a text":
		return "is " + kind(node) + ", want a text", "quote the text"
	}
	return "", ""
}

// decoration returns why a node is refused for what stands before it, whatever
// it holds, or an empty cause. An alias is never followed: no file can make
// the program expand one into more than it can hold.
func decoration(node *yaml.Node) (cause, hint string) {
	switch {
	case node.Kind == yaml.AliasNode:
		return "is an alias", "write the text out; quote one that begins with *"
	case node.Anchor != "":
		return "has an anchor", "remove it; quote a text that begins with &"
	case node.Style&yaml.TaggedStyle != 0:
		return "has a tag", "remove it; quote a text that begins with !"
	}
	return "", ""
}

// kind returns what a node is, with its article.
func kind(node *yaml.Node) string {
	switch {
	case node.Kind == yaml.SequenceNode:
		return "a list"
	case node.Kind == yaml.MappingNode:
		return "a map"
	case node.Tag == "!!int", node.Tag == "!!float":
		return "a number"
	case node.Tag == "!!bool":
		return "true or false"
	case node.Tag == "!!null":
		return "null"
	}
	return "a text"
}

func isNull(node *yaml.Node) bool { return kind(node) == "null" }

// attachedComment returns the comment after an entry's text, or before it in
// the line of its key, that has no blank after its #. Such a comment was meant
// as a path: YAML reads "prod/db #password" as the name of a secret, whose
// whole content would be delivered.
func attachedComment(entry pair) string {
	comments := []string{entry.value.LineComment}
	if entry.key != nil {
		comments = append(comments, entry.key.LineComment)
	}
	for _, comment := range comments {
		first, _, _ := strings.Cut(comment, "\n")
		first = strings.TrimRight(first, " \t\r")
		if len(first) > 1 && first[1] != ' ' && first[1] != '\t' {
			return first
		}
	}
	return ""
}

// commentHint returns the advice for a text that YAML cut before comment.
func commentHint(text, comment string) string {
	const otherwise = "put a blank after the # of a comment"
	if strings.Contains(text, "#") {
		// The path began further up, and the blank is a part of it.
		text += " "
	}
	text += comment
	if len(text) > maxQuoted {
		return "quote the text, or " + otherwise
	}
	return fmt.Sprintf("write %s, or %s", quotedYAML(text), otherwise)
}

// quotedYAML returns text in the quotes that leave it readable.
func quotedYAML(text string) string {
	if strings.ContainsAny(text, `"\`) && !strings.ContainsFunc(text, isUnprintable) {
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	return strconv.Quote(text)
}

// quoted returns text for a message, in quotes and not too long.
func quoted(text string) string {
	if len(text) > maxQuoted {
		text = strings.ToValidUTF8(text[:maxQuoted], "") + "…"
	}
	return strconv.Quote(text)
}
