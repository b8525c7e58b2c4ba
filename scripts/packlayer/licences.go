package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"secretwrap/internal/layerbuild"
)

// goLicence is the licence of Go's runtime and standard library. Not every
// packager of Go installs it.
//
//go:embed go-license.txt
var goLicence string

// linked is a package of the program, as `go list` describes it.
type linked struct {
	Dir    string
	Module *struct {
		Path, Version, Dir string
		Main               bool
	}
}

// thirdPartyLicences returns the licences and notices of everything that is
// linked into the program, each distinct text once, below lines that say which
// file of which module it is. scripts/sbom reads them again.
func (t toolchain) thirdPartyLicences(tags string) ([]byte, error) {
	packages, err := t.dependencies(tags)
	if err != nil {
		return nil, err
	}
	texts := []string{goLicence}
	owners := map[string][]string{goLicence: {"Go LICENSE"}}
	for _, p := range packages {
		paths, err := licencePaths(p.Dir, p.Module.Dir)
		if err != nil {
			return nil, err
		}
		if len(paths) == 0 {
			return nil, fmt.Errorf("module %s has no licence", p.Module.Path)
		}
		for _, path := range paths {
			content, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			name, err := filepath.Rel(p.Module.Dir, path)
			if err != nil {
				return nil, err
			}
			text, owner := string(content), p.Module.Path+" "+p.Module.Version+" "+filepath.ToSlash(name)
			if owners[text] == nil {
				texts = append(texts, text)
			}
			if !slices.Contains(owners[text], owner) {
				owners[text] = append(owners[text], owner)
			}
		}
	}

	var out bytes.Buffer
	for _, text := range texts {
		fmt.Fprintf(&out, "%s\n\n%s\n\n%s\n\n",
			strings.Join(owners[text], "\n"), strings.Trim(text, "\n"), strings.Repeat("=", 78))
	}
	return out.Bytes(), nil
}

// dependencies returns the packages of other modules in the program, sorted by
// import path within their module.
func (t toolchain) dependencies(tags string) ([]linked, error) {
	out, err := t.run("list", "-deps", "-json=Dir,Module", "-tags="+tags, layerbuild.Source)
	if err != nil {
		return nil, err
	}
	var packages []linked
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p linked
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if p.Module != nil && !p.Module.Main {
			packages = append(packages, p)
		}
	}
	slices.SortFunc(packages, func(a, b linked) int {
		return strings.Compare(a.Module.Path+"\x00"+a.Dir, b.Module.Path+"\x00"+b.Dir)
	})
	return packages, nil
}

// licencePaths returns the licences and notices in dir and in the directories
// above it up to root: a module can hold packages with terms of their own.
func licencePaths(dir, root string) ([]string, error) {
	var paths []string
	for {
		for _, pattern := range []string{"LICEN[CS]E*", "COPYING*", "NOTICE*"} {
			found, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil {
				return nil, err
			}
			paths = append(paths, found...)
		}
		if dir == root || len(dir) < len(root) {
			return paths, nil
		}
		dir = filepath.Dir(dir)
	}
}
