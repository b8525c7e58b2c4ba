package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"

	"secretwrap/internal/deliver"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/settings"
)

// maxVisits is how many wrappers of this kind may follow one another. Two do where
// a bootstrap of the user's own starts the layer's.
const maxVisits = 10

// visit is what a start leaves in the environment for the next one, in case the
// program that it starts leads back here: what is done is not done again, and a
// chain that goes round comes to an end.
type visit struct {
	// Number counts the visits, from 1.
	Number int `json:"number"`
	// Manifest is the path of the one that was read.
	Manifest string `json:"manifest,omitempty"`
	// Next is the wrapper that was started.
	Next string `json:"next,omitempty"`
	// Files is set if files were delivered.
	Files bool `json:"files,omitempty"`
	// Kept are variables that are passed on unexamined: literal ones, and those that
	// were delivered with a value that looks like a reference, as long as they have
	// it, by its SHA-256.
	Kept map[string]string `json:"kept,omitempty"`
}

// readVisit returns the visit before this one, none if this is the first.
func readVisit(variables map[string]string) (visit, problem.List) {
	text := variables[settings.Visit]
	if text == "" {
		return visit{}, nil
	}
	var former visit
	if json.Unmarshal([]byte(text), &former) != nil || former.Number < 1 {
		return visit{}, problem.List{{Class: problem.Config, Variable: settings.Visit, Cause: "the variable is this program's own", Hint: "remove it"}}
	}
	if former.Number >= maxVisits {
		return former, problem.List{{
			Class: problem.Config, Cause: "the program that this one starts leads back to it",
			Hint: "whatever starts /opt/secretwrap, such as a bootstrap, an entry point or another wrapper, must give it another program than itself",
		}}
	}
	return former, nil
}

// resume goes on where the visit before ended.
func (s *start) resume(former visit) {
	s.former, s.visit = former, former
	if filepath.IsAbs(s.settings.ExecWrapper) {
		s.visit.Next = s.settings.ExecWrapper
	}
	s.visit.Kept = make(map[string]string)
	for _, name := range s.settings.Literal {
		s.visit.Kept[name] = ""
	}
	for name, sum := range former.Kept {
		if sum == "" || sum == digest(s.variables[name]) {
			s.visit.Kept[name] = sum
			s.settings.Literal = append(s.settings.Literal, name)
		}
	}
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// leave puts this visit into the environment of the program at path, if there is
// something that another one must know.
func (s *start) leave(path string) {
	v := s.visit
	v.Number++
	done := v.Number > 1 || !s.plan.Empty() || v.Manifest != "" || v.Next != "" || len(v.Kept) > 0
	if !done && !isScript(path) {
		return
	}
	if text, err := json.Marshal(v); err == nil {
		s.environment.Export(settings.Visit, string(text))
	}
}

// note remembers what was delivered.
func (s *start) note(delivery deliver.Delivery) {
	s.visit.Files = s.visit.Files || len(delivery.Files) > 0
	for _, v := range delivery.Variables {
		if text, _ := s.environment.Lookup(v.Name); plan.Examines(text) {
			s.visit.Kept[v.Name] = digest(text)
		}
	}
}

// isScript reports whether a program is a text that an interpreter reads. Others
// lead back here by what they are given only.
func isScript(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	var first [2]byte
	_, err = io.ReadFull(file, first[:])
	return err == nil && string(first[:]) == "#!"
}
