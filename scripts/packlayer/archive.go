package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// entry is one file or link of a layer; the content of a link is its target.
type entry struct {
	name    string
	mode    fs.FileMode
	content []byte
}

// pack returns the zip file of the layer whose files are in dir, with the program
// at place.
func pack(dir, place string, s shipment) ([]byte, error) {
	entries, err := readTree(dir)
	if err != nil {
		return nil, err
	}
	entries = append(entries,
		entry{place, 0o755, s.program},
		entry{"share/doc/" + program + "/LICENSE", 0o644, s.licence},
		entry{"share/doc/" + program + "/THIRD-PARTY-LICENSES", 0o644, s.licences},
	)
	if err := check(entries, place); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return write(entries)
}

// target returns the path in the layer that a link leads to, and nothing for a
// file.
func (e entry) target() string {
	if e.mode&fs.ModeSymlink == 0 {
		return ""
	}
	return path.Join(path.Dir(e.name), string(e.content))
}

// readTree returns the files and links below dir. Of a file's mode only what
// git keeps of it matters: whether its owner may execute it.
func readTree(dir string) ([]entry, error) {
	var entries []entry
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		e, err := readEntry(name)
		if err != nil {
			return err
		}
		e.name, err = filepath.Rel(dir, name)
		e.name = filepath.ToSlash(e.name)
		entries = append(entries, e)
		return err
	})
	return entries, err
}

func readEntry(name string) (entry, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return entry{}, err
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(name)
		return entry{mode: fs.ModeSymlink | 0o777, content: []byte(target)}, err
	case !info.Mode().IsRegular():
		return entry{}, fmt.Errorf("%s: neither a file nor a link", name)
	case info.Mode()&0o100 != 0:
		content, err := os.ReadFile(name)
		return entry{mode: 0o755, content: content}, err
	default:
		content, err := os.ReadFile(name)
		return entry{mode: 0o644, content: content}, err
	}
}

// check refuses what would break a function: Lambda starts every file in
// /opt/extensions, and a link that leads nowhere is no wrapper.
func check(entries []entry, place string) error {
	known := make(map[string]bool, len(entries))
	for _, e := range entries {
		if known[e.name] {
			return fmt.Errorf("%s: twice", e.name)
		}
		known[e.name] = true
		if strings.HasPrefix(e.name, "extensions/") && e.name != place {
			return fmt.Errorf("%s: Lambda would start it as an extension", e.name)
		}
	}
	for _, e := range entries {
		if target := e.target(); target != "" && !known[target] {
			return fmt.Errorf("%s: leads to %s, which is not in the layer", e.name, e.content)
		}
	}
	return nil
}

// write returns a zip file of the entries, in the order of their names and all
// of one time.
func write(entries []entry) ([]byte, error) {
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	for _, e := range entries {
		header := &zip.FileHeader{
			Name:     e.name,
			Method:   zip.Deflate,
			Modified: time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC),
		}
		if e.mode&fs.ModeSymlink != 0 {
			header.Method = zip.Store
		}
		header.SetMode(e.mode)
		w, err := archive.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(e.content); err != nil {
			return nil, err
		}
	}
	err := archive.Close()
	return out.Bytes(), err
}
