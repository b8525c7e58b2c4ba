package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// release is a program, with the archives that hold it.
type release struct {
	program  []byte
	licence  string
	licences string
	archives []archive
}

type archive struct{ name, sum string }

// name returns that of the plainest archive, without what it ends with.
func (r release) name() string {
	shortest := slices.MinFunc(r.archives, func(a, b archive) int { return len(a.name) - len(b.name) })
	return strings.TrimSuffix(strings.TrimSuffix(shortest.name, ".zip"), ".tar.gz")
}

// readReleases returns each program once, in the order of the archives' names.
func readReleases(dir string, sums map[string]string) ([]release, error) {
	var releases []release
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		if sum := fmt.Sprintf("%x", sha256.Sum256(content)); sum != sums[name] {
			return nil, fmt.Errorf("%s has the checksum %s, in SHA256SUMS it is %s", name, sum, sums[name])
		}
		r, err := readRelease(name, content)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		r.archives = []archive{{name, sums[name]}}
		known := slices.IndexFunc(releases, func(k release) bool { return bytes.Equal(k.program, r.program) })
		if known < 0 {
			releases = append(releases, r)
			continue
		}
		if releases[known].licences != r.licences {
			return nil, fmt.Errorf("%s holds the program of %s, but other licences", name, releases[known].name())
		}
		releases[known].archives = append(releases[known].archives, r.archives...)
	}
	if len(releases) == 0 {
		return nil, errors.New("SHA256SUMS lists no archive")
	}
	return releases, nil
}

// readRelease takes the program and the licences out of an archive.
func readRelease(name string, content []byte) (release, error) {
	read := readTar
	if strings.HasSuffix(name, ".zip") {
		read = readZip
	}
	files, err := read(content)
	if err != nil {
		return release{}, err
	}
	r := release{files["secretwrap"], string(files["LICENSE"]), string(files["THIRD-PARTY-LICENSES"]), nil}
	if len(r.program) == 0 || r.licence == "" || r.licences == "" {
		return release{}, errors.New("the program, LICENSE or THIRD-PARTY-LICENSES is missing")
	}
	return r, nil
}

// readZip returns the files of a zip file by the last part of their names; links are
// left out.
func readZip(content []byte) (map[string][]byte, error) {
	reader, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	for _, f := range reader.File {
		if !f.Mode().IsRegular() {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		files[path.Base(f.Name)], err = io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func readTar(content []byte) (map[string][]byte, error) {
	compressed, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	for reader := tar.NewReader(compressed); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		if files[path.Base(header.Name)], err = io.ReadAll(reader); err != nil {
			return nil, err
		}
	}
}
