package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"secretwrap/internal/deliver"
	"secretwrap/internal/manifest"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/settings"
)

// maxVisits is how many starts may follow one another. Two do where a bootstrap of
// the user's own starts the layer's.
const maxVisits = 10

// visit is what a start leaves in the environment for the next one, in case the
// program that it starts leads back here: what is done is not done again, and a
// chain that goes round comes to an end.
type visit struct {
	// Number counts the visits, from 1.
	Number int `json:"number"`
	// PID is the process that was here, Began when it started, as the system counts
	// it.
	PID   int    `json:"pid"`
	Began string `json:"began"`
	// Manifest is the path of the one that was read, Declared the SHA-256 of the files
	// in it. They mean nothing when the process has ended.
	Manifest string `json:"manifest,omitempty"`
	Declared string `json:"declared,omitempty"`
	// Next is the wrapper that was started.
	Next string `json:"next,omitempty"`
	// Dirs are where files were delivered.
	Dirs []string `json:"dirs,omitempty"`
	// Settings are those that hold for all visits.
	Settings map[string]string `json:"settings,omitempty"`
	// Literal are variables that look like references and are none, Kept those whose
	// secret looks so; each with the SHA-256 of its value.
	Literal map[string]string `json:"literal,omitempty"`
	Kept    map[string]string `json:"kept,omitempty"`
}

// lastingSettings hold for all visits, though the program does not see them.
var lastingSettings = []string{"TIMEOUT", "REFRESH", "MAX_ENV_VALUE", "SNAPSTART", "HANDOVER", "LOG_LEVEL"}

// readVisit returns the visit before this one, none if this is the first.
func readVisit(variables map[string]string) (visit, problem.List) {
	text := variables[settings.Visit]
	if text == "" {
		return visit{}, nil
	}
	var former visit
	if json.Unmarshal([]byte(text), &former) != nil || former.Number < 1 || former.PID < 1 {
		return visit{}, problem.List{{Class: problem.Config, Variable: settings.Visit, Cause: "the variable is this program's own", Hint: "remove it"}}
	}
	if !former.lives() {
		former.PID, former.Manifest = 0, ""
	}
	if former.Number >= maxVisits {
		return former, problem.List{{
			Class: problem.Config, Cause: "the program that this one starts leads back to it",
			Hint: "whatever starts /opt/secretwrap, such as a bootstrap, an entry point or another wrapper, must give it another program than itself",
		}}
	}
	return former, nil
}

// lives reports whether the process that was here is the one of that id now.
func (v visit) lives() bool {
	began := processStart(v.PID)
	return began == v.Began && (began != "" || processStart(os.Getpid()) == "")
}

// isOwn reports whether it was this very process that was here: execve keeps it.
// Then the program has not started yet.
func (v visit) isOwn() bool { return v.PID == os.Getpid() }

// settle completes the settings with those of the visit before, and returns what
// this visit leaves.
func (v visit) settle(variables map[string]string) visit {
	own := v
	own.Number, own.PID, own.Began = v.Number+1, os.Getpid(), ""
	own.Settings, own.Literal, own.Kept = make(map[string]string), make(map[string]string), make(map[string]string)
	maps.Copy(own.Literal, v.Literal)
	maps.Copy(own.Kept, v.Kept)
	for _, name := range lastingSettings {
		name = settings.Prefix + name
		if variables[name] == "" && v.Settings[name] != "" {
			variables[name] = v.Settings[name]
		}
		if value := variables[name]; value != "" {
			own.Settings[name] = value
		}
	}
	return own
}

// resume goes on where the visit before ended: what looks like a reference and is
// none passes on unexamined, under the name that it had.
func (s *start) resume() problem.List {
	if filepath.IsAbs(s.settings.ExecWrapper) {
		s.visit.Next = s.settings.ExecWrapper
	}
	if len(s.settings.Literal)+len(s.former.Literal)+len(s.former.Kept) == 0 {
		return nil // as in nearly every start: all that looks like a reference is one
	}
	var problems problem.List
	for _, name := range s.environment.Names() {
		text := s.variables[name]
		if !plan.Examines(text) {
			continue
		}
		switch sum := digest(text); {
		case slices.Contains(s.settings.Literal, name), s.former.Literal[name] == sum:
			s.visit.Literal[name] = sum
			s.settings.Literal = append(s.settings.Literal, name)
		case s.former.Kept[name] == sum:
			s.settings.Literal = append(s.settings.Literal, name)
		case slices.Contains(slices.Collect(maps.Values(s.former.Kept)), sum):
			problems = append(problems, &problem.Problem{
				Class: problem.Config, Variable: name, Cause: "the text is that of a secret, which is no reference",
				Hint: "name the variable in SECRETWRAP_LITERAL",
			})
		}
	}
	return problems
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// leave puts this visit into the environment of what is started, if there is
// something that another one must know.
func (s *start) leave(programs ...string) {
	v := &s.visit
	done := v.Number > 1 || !s.plan.Empty() || v.Manifest != "" || v.Next != "" || len(v.Literal) > 0
	if !done && !slices.ContainsFunc(programs, isScript) {
		return
	}
	if v.Began == "" {
		v.Began = processStart(v.PID)
	}
	if text, err := json.Marshal(v); err == nil {
		s.environment.Export(settings.Visit, string(text))
	}
}

// note adds what was delivered to what is left.
func (s *start) note(delivery deliver.Delivery) {
	if len(delivery.Copies) > 0 && !s.former.hasFilesIn(s.settings.Dir) {
		s.visit.Dirs = append(slices.Clone(s.former.Dirs), filepath.Clean(s.settings.Dir))
	}
	for _, v := range delivery.Variables {
		if text, _ := s.environment.Lookup(v.Name); plan.Examines(text) {
			s.visit.Kept[v.Name] = digest(text)
		}
	}
	s.leave()
}

// hasFilesIn reports whether files were delivered into a directory.
func (v visit) hasFilesIn(dir string) bool { return slices.Contains(v.Dirs, filepath.Clean(dir)) }

// delivered reports whether files that a manifest declares are there.
func (s *start) delivered(declared []manifest.Entry) bool {
	return s.former.hasFilesIn(s.settings.Dir) && s.visit.Declared == s.former.Declared &&
		!slices.ContainsFunc(declared, func(entry manifest.Entry) bool { return !exists(filepath.Join(s.settings.Dir, entry.Name)) })
}

// isInFile reports whether a visit has put the value of a variable into a file.
func (s *start) isInFile(entry manifest.Entry) bool {
	path := s.variables[entry.Name+"_FILE"]
	return path != "" && s.former.hasFilesIn(filepath.Dir(path)) && exists(path)
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

// processStart returns when a process started, see proc(5), empty where the system
// does not tell.
func processStart(pid int) string {
	const start = 19 // among the fields after the command's name, which is in parentheses
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if err != nil || len(fields) <= start {
		return ""
	}
	return fields[start]
}
