package main

import (
	"regexp"
	"strings"
)

// What stands in printed commands for the version that an earlier one publishes.
const (
	publishedARN    = "$arn"
	publishedNumber = "${arn##*:}"
)

// plain are words that mean themselves in every shell, whichever it is pasted into.
var plain = regexp.MustCompile(`^[a-zA-Z0-9_./:@%+,-]+$`)

// script returns the plan as commands for a shell, which are those that are run.
func script(plan []publication) []string {
	var commands []string
	for _, p := range plan {
		arn, number := p.arn, numberOf(p.arn)
		if p.arn == "" {
			commands = append(commands, "arn=$("+line(p.publishCommand())+")", "echo "+quoted(publishedARN),
				"sum=$("+line(p.sumCommand(publishedNumber))+")",
				`[ "$sum" = `+quoted(p.sum)+` ] || { echo "another checksum than `+p.path+`: $sum" >&2; exit 1; }`)
			arn, number = publishedARN, publishedNumber
		}
		for _, s := range p.shares {
			commands = append(commands, line(p.shareCommand(s, number)))
		}
		if p.parameter != "" {
			commands = append(commands, line(p.parameterCommand(arn)))
		}
	}
	return commands
}

// inSubshell returns commands in parentheses, where they can change the directory
// and stop at the first failure without ending the shell they are pasted into.
func inSubshell(dir, profile string, commands []string) string {
	lines := []string{"(", "set -eu", "cd " + quoted(dir), "export AWS_PAGER="}
	if profile != "" {
		lines = append(lines, "export AWS_PROFILE="+quoted(profile))
	}
	lines = append(lines, commands...)
	return strings.Join(lines, "\n") + "\n)\n"
}

// line returns a command line as a shell reads it.
func line(argv []string) string {
	words := make([]string, len(argv))
	for i, word := range argv {
		words[i] = quoted(word)
	}
	return strings.Join(words, " ")
}

func quoted(word string) string {
	switch {
	case word == publishedARN || word == publishedNumber:
		return `"` + word + `"`
	case plain.MatchString(word):
		return word
	default:
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
}
