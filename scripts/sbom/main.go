// Command sbom says what the programs of a release are made of. For each program in
// the archives that SHA256SUMS lists it writes a software bill of materials, in
// CycloneDX, made from what the Go linker left in the program and from the licences
// that lie beside it, and adds it to SHA256SUMS. It refuses a licence that is not
// allowed, and one that it does not know.
package main

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// extension is what the names of bills end with; readers know the format by it.
const extension = ".cdx.json"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("sbom", flag.ContinueOnError)
	dir := flags.String("dist", "dist", "the directory with the archives")
	version := flags.String("version", "0.1.0-dev", "the version of the programs")
	if err := flags.Parse(args); err != nil {
		return err
	}
	sums, err := readSums(*dir)
	if err != nil {
		return err
	}
	releases, err := readReleases(*dir, sums)
	if err != nil {
		return err
	}
	for _, r := range releases {
		bill, err := r.bill(*version)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name(), err)
		}
		name := r.name() + extension
		if err := os.WriteFile(filepath.Join(*dir, name), bill, 0o644); err != nil {
			return err
		}
		sums[name] = fmt.Sprintf("%x", sha256.Sum256(bill))
	}
	return os.WriteFile(filepath.Join(*dir, "SHA256SUMS"), formatSums(sums), 0o644)
}

// readSums returns the checksums of SHA256SUMS by the names of files, without those
// of bills that an earlier run wrote.
func readSums(dir string) (map[string]string, error) {
	content, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	if err != nil {
		return nil, err
	}
	sums := make(map[string]string)
	for line := range strings.Lines(string(content)) {
		sum, name, found := strings.Cut(strings.TrimSpace(line), "  ")
		if !found || name != filepath.Base(name) {
			return nil, fmt.Errorf("SHA256SUMS: %q is no checksum with the name of a file", line)
		}
		if !strings.HasSuffix(name, extension) {
			sums[name] = sum
		}
	}
	return sums, nil
}

func formatSums(sums map[string]string) []byte {
	var out bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		fmt.Fprintf(&out, "%s  %s\n", sums[name], name)
	}
	return out.Bytes()
}
