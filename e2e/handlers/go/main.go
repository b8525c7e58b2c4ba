// Command go is a Lambda function that reads its secrets from its environment
// only, as a function does that knows of no secret store.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"

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
	return seen, nil
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
