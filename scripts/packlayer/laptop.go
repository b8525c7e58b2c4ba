package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"time"
)

// laptopEditions are the builds for laptops: with the credentials that people have
// there, and no budget of size or speed.
func laptopEditions(version string) []edition {
	arguments := []string{"-trimpath", "-buildvcs=false", "-ldflags=-s -w -X main.version=" + version}
	var editions []edition
	for _, goos := range []string{"linux", "darwin"} {
		for _, goarch := range []string{"amd64", "arm64"} {
			editions = append(editions, edition{goos, goarch, "", arguments})
		}
	}
	return editions
}

func (d *delivery) laptops(t toolchain, version string) error {
	for _, e := range laptopEditions(version) {
		shipped, err := t.build(e)
		if err != nil {
			return err
		}
		archive, err := packTar(shipped)
		if err != nil {
			return err
		}
		if err := d.write(program+"-"+e.goos+"-"+e.goarch+".tar.gz", archive, shipped); err != nil {
			return err
		}
	}
	return nil
}

// packTar returns a compressed tar file of the program and its licences.
func packTar(s shipment) ([]byte, error) {
	var out bytes.Buffer
	compressed, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	archive := tar.NewWriter(compressed)
	for _, e := range []entry{
		{"LICENSE", 0o644, s.licence},
		{"THIRD-PARTY-LICENSES", 0o644, s.licences},
		{program, 0o755, s.program},
	} {
		header := &tar.Header{
			Format:  tar.FormatUSTAR,
			Name:    e.name,
			Mode:    int64(e.mode),
			Size:    int64(len(e.content)),
			ModTime: time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC),
		}
		if err := archive.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := archive.Write(e.content); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	err = compressed.Close()
	return out.Bytes(), err
}
