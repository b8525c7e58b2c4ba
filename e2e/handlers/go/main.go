// Command go is a Lambda function that reads its secrets from its environment
// only, as a function does that knows of no secret store.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/aws/aws-lambda-go/lambda"
)

// event asks for what the function sees.
type event struct {
	// Names are variables to return, each from the file that NAME_FILE names if
	// that is set, else from NAME itself.
	Names []string `json:"names"`
	// Files are variables that hold the path of a file to return.
	Files []string `json:"files"`
	// Digests are variables whose SHA-256 to return, for bytes that JSON cannot
	// carry.
	Digests []string `json:"digests"`
	// Argv asks for the program's arguments.
	Argv bool `json:"argv"`
	// Environ asks for all variables, each as NAME=VALUE.
	Environ bool `json:"environ"`
	// Pairs asks for what files hold that belong together.
	Pairs *pairs `json:"pairs"`
	// Exit ends the program at once, with that status.
	Exit int `json:"exit"`
}

// pairs are files below a directory of file copies, to be read several times: by
// their paths, and pinned, which is to say in the directory that ..data led to
// before the first of them was opened.
type pairs struct {
	Dir   string   `json:"dir"`
	Files []string `json:"files"`
	Times int      `json:"times"`
}

// answer holds what was asked for; what is absent is null.
type answer map[string]any

func handle(e event) (answer, error) {
	seen := answer{}
	for _, name := range e.Names {
		value, ok, err := lookup(name)
		if err != nil {
			return nil, err
		}
		seen.set(name, value, ok)
	}
	for _, name := range e.Files {
		content, err := os.ReadFile(os.Getenv(name))
		if err != nil {
			return nil, err
		}
		seen.set(name, string(content), true)
	}
	for _, name := range e.Digests {
		value, ok, err := lookup(name)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256([]byte(value))
		seen.set(name, hex.EncodeToString(sum[:]), ok)
	}
	if e.Argv {
		seen["argv"] = os.Args
	}
	if e.Environ {
		seen["environ"] = os.Environ()
	}
	if e.Pairs != nil {
		if err := e.Pairs.read(seen); err != nil {
			return nil, err
		}
	}
	if e.Exit != 0 {
		os.Exit(e.Exit)
	}
	return seen, nil
}

// read stores which contents were seen together, each once.
func (p pairs) read(seen answer) error {
	var plain, pinned distinct
	for range p.Times {
		current, err := filepath.EvalSymlinks(filepath.Join(p.Dir, "..data"))
		if err != nil {
			return err
		}
		if err := errors.Join(plain.add(p.Dir, p.Files), pinned.add(current, p.Files)); err != nil {
			return err
		}
	}
	seen["plain"], seen["pinned"] = plain, pinned
	return nil
}

// distinct holds the contents of some files, each combination once.
type distinct [][]string

// add reads the files below dir.
func (d *distinct) add(dir string, files []string) error {
	contents := make([]string, len(files))
	for i, file := range files {
		content, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return err
		}
		contents[i] = string(content)
	}
	known := func(others []string) bool { return slices.Equal(others, contents) }
	if !slices.ContainsFunc(*d, known) {
		*d = append(*d, contents)
	}
	return nil
}

// lookup returns the variable name, or the content of the file that NAME_FILE
// names, and whether either is there.
func lookup(name string) (string, bool, error) {
	path, ok := os.LookupEnv(name + "_FILE")
	if !ok {
		value, ok := os.LookupEnv(name)
		return value, ok, nil
	}
	content, err := os.ReadFile(path)
	return string(content), err == nil, err
}

// set stores value under name, null unless it is there.
func (a answer) set(name, value string, there bool) {
	if !there {
		a[name] = nil
		return
	}
	a[name] = value
}

func main() { lambda.Start(handle) }
