package main

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"secretwrap/e2e/forms"
)

// beginnings are those of the values that tests use as secrets.
var beginnings = []string{"canary7Q", "s3cr3t-C", "CANARY-7", "CANARY-5", "CANARY-4", "CANARY-c"}

// search looks for secrets in what tests have printed.
type search struct {
	forms []string
	// inOutput tells of each script whether what comes now is what the program printed
	// that it started, which may be its secrets.
	inOutput map[string]bool
}

func newSearch() search {
	s := search{inOutput: make(map[string]bool)}
	for _, beginning := range beginnings {
		s.forms = slices.AppendSeq(s.forms, maps.Values(forms.Of(beginning)))
	}
	return s
}

// logged is what precedes the first of the lines that a script logs.
var logged = regexp.MustCompile(`^testscript\.go:[0-9]+: `)

// finds reports whether a line that a test has printed shows a secret. A script shows
// its own lines, and what a program printed that was started in order to.
func (s search) finds(test, line string) bool {
	line = logged.ReplaceAllString(strings.TrimSpace(line), "")
	if strings.HasPrefix(test, "TestScript/") {
		switch isCommand := strings.HasPrefix(line, "> "); {
		case isCommand, line == "[stderr]":
			s.inOutput[test] = false
		case line == "[stdout]":
			s.inOutput[test] = true
		}
		if s.inOutput[test] || strings.HasPrefix(line, "> ") {
			return false
		}
	}
	for _, form := range s.forms {
		if strings.Contains(line, form) {
			return true
		}
	}
	return false
}
