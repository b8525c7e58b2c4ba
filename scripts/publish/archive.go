package main

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// managed is the variant whose zip files do not bear its name.
const managed = "managed"

func knownVariants() []string      { return []string{managed, "os-only", "wrapper"} }
func knownArchitectures() []string { return []string{"x86_64", "arm64"} }

// archive is a zip file that becomes a version of a layer.
type archive struct {
	variant      string
	architecture string
	path         string
	sum          string // as Lambda writes it: SHA-256 in base64
}

// readArchives returns the zip files that are asked for.
func readArchives(r request) ([]archive, error) {
	var archives []archive
	var problems []error
	for _, variant := range r.variants {
		for _, architecture := range r.architectures {
			path := filepath.Join(r.dist, zipName(variant, architecture))
			content, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) {
				err = fmt.Errorf("%s is not there: run make layer", path)
			}
			if err != nil {
				problems = append(problems, err)
				continue
			}
			sum := sha256.Sum256(content)
			archives = append(archives, archive{variant, architecture, path, base64.StdEncoding.EncodeToString(sum[:])})
		}
	}
	return archives, errors.Join(problems...)
}

// zipName returns the name that packlayer gives the zip file.
func zipName(variant, architecture string) string {
	if variant == managed {
		return "secretwrap-layer-" + architecture + ".zip"
	}
	return "secretwrap-layer-" + variant + "-" + architecture + ".zip"
}
