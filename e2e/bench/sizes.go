package main

import (
	"bytes"
	"compress/flate"
	"os"
)

// zip finds out the sizes of programs in a zip file, which takes a while.
func (l *lab) zip() error {
	l.zipped = make(map[string]float64)
	for _, path := range []string{l.wrapper, l.cacher, l.plain, l.sdk} {
		var err error
		if l.zipped[path], err = deflated(path); err != nil {
			return err
		}
	}
	return nil
}

// zippedMB returns what a way adds to what Lambda downloads, in MB of a zip file.
// Lambda's own runtimes bring the SDKs for Node.js and Python along.
func (l *lab) zippedMB(c *cell) float64 {
	switch {
	case c.way.ours():
		return l.zipped[l.wrapper]
	case c.way == cached:
		return l.zipped[l.cacher]
	case c.way.fetches() && c.Language == golang:
		return l.zipped[l.sdk] - l.zipped[l.plain]
	}
	return 0
}

// deflated returns the size of a file in a zip file, in MB.
func deflated(path string) (float64, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		return 0, err
	}
	if _, err := w.Write(content); err != nil {
		return 0, err
	}
	err = w.Close()
	return float64(out.Len()) / 1e6, err
}
