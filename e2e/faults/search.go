package main

import (
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"strings"
)

// canaries are what the values begin with that tests use as secrets.
var canaries = []string{"canary7Q", "s3cr3t-C", "CANARY-7", "CANARY-5", "CANARY-4", "CANARY-c"}

// search looks for secrets in what tests have printed.
type search struct {
	forms []string
	// inOutput tells of each script whether what comes now is what the program printed
	// that it started, which may be its secrets.
	inOutput map[string]bool
}

func newSearch() search {
	s := search{inOutput: make(map[string]bool)}
	for _, canary := range canaries {
		s.forms = append(s.forms, canary, hex.EncodeToString([]byte(canary)))
		for shift := range 3 {
			encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), canary...))
			s.forms = append(s.forms, encoded[(shift*8+5)/6:(shift+len(canary))*8/6])
		}
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
