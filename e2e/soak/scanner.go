package main

import (
	"bytes"
	"fmt"
	"slices"
	"sync"

	"secretwrap/e2e/forms"
)

// sighting is where the canary was found, without what stands there.
type sighting struct {
	// Source says whose text it is, Form how the canary was written.
	Source, Form string
	// Line is the number of the line, counted from 1.
	Line int
}

func (s sighting) String() string {
	return fmt.Sprintf("the canary (%s) in line %d of %s", s.Form, s.Line, s.Source)
}

// keptSightings are enough to find the cause; the rest are counted.
const keptSightings = 20

// keptText is how much of the end of a text is kept, in bytes.
const keptText = 64 << 10

// scanner is a writer that looks for the canary in what it is given, and keeps only
// the end of it.
type scanner struct {
	source string
	forms  map[string][]byte
	// longest is the length of the longest form.
	longest int

	mu sync.Mutex
	// window is the end of what came, which a form may have begun in.
	window []byte
	text   []byte
	lines  int
	size   int64
	found  []sighting
	count  int
}

// newScanner returns a scanner for the beginning of the canary, by which the whole of it
// is found too.
func newScanner(source, canary string) *scanner {
	s := &scanner{source: source, forms: make(map[string][]byte)}
	for name, form := range forms.Of(forms.Beginning(canary)) {
		s.forms[name] = []byte(form)
	}
	for _, form := range s.forms {
		s.longest = max(s.longest, len(form))
	}
	return s
}

// Write implements io.Writer.
func (s *scanner) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.window)
	s.window = append(s.window, p...)
	for _, name := range s.sortedForms() {
		s.search(name, before)
	}
	s.lines += bytes.Count(p, []byte("\n"))
	s.size += int64(len(p))
	s.window = slices.Clone(s.window[max(0, len(s.window)-s.longest+1):])
	s.text = append(s.text, p...)
	if len(s.text) > 2*keptText {
		s.text = slices.Clone(s.text[len(s.text)-keptText:])
	}
	return len(p), nil
}

func (s *scanner) sortedForms() []string {
	var names []string
	for name := range s.forms {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// search looks for a form that ends in what has come after the first bytes of the
// window.
func (s *scanner) search(name string, before int) {
	form := s.forms[name]
	from := max(0, before-len(form)+1)
	for {
		at := bytes.Index(s.window[from:], form)
		if at < 0 {
			return
		}
		from += at
		s.note(name, s.lineAt(from, before))
		from += len(form)
	}
}

// lineAt returns the number of the line in which a place of the window is. Lines
// were counted up to what had come before.
func (s *scanner) lineAt(place, before int) int {
	if place < before {
		return s.lines + 1 - bytes.Count(s.window[place:before], []byte("\n"))
	}
	return s.lines + 1 + bytes.Count(s.window[before:place], []byte("\n"))
}

func (s *scanner) note(form string, line int) {
	s.count++
	if len(s.found) < keptSightings {
		s.found = append(s.found, sighting{Source: s.source, Form: form, Line: line})
	}
}

// sightings returns where the canary was found, and how often.
func (s *scanner) sightings() ([]sighting, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.found), s.count
}

// bytes returns how much was looked at.
func (s *scanner) bytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size
}

// end returns the end of the text.
func (s *scanner) end() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.text)
}
