// Command packlayer builds the Lambda layers from the module in the working
// directory. Each folder of layer/ becomes one zip file per architecture. With
// -laptop it also builds the program for laptops, one tar file per platform.
//
// The files are reproducible: the same source, version and Go release give
// the same bytes, whatever the directory, time zone, umask and Go settings.
package main

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// program is the name of the program, extensionPlace where it lies if Lambda is to
// start it as an extension too, alonePlace where it lies if not.
const (
	program        = "secretwrap"
	extensionPlace = "extensions/" + program
	alonePlace     = "bin/" + program
)

// The variants that are known by name: that for managed runtimes, and that without
// the extension.
const (
	managed = "managed"
	alone   = "wrapper"
)

// What a layer may take at most, in bytes. An environment downloads the archive
// and reads the program before a function starts.
const (
	programBudget = 8_500_000
	archiveBudget = 3_500_000
)

// architecture is a kind of processor under the names that Go and Lambda use.
type architecture struct{ goarch, lambda string }

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "packlayer:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("packlayer", flag.ContinueOnError)
	version := flags.String("version", "0.1.0-dev", "what `secretwrap version` prints")
	out := flags.String("o", "dist", "the directory to write to")
	laptop := flags.Bool("laptop", false, "build for laptops too")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return err
	}
	toolchain, err := newToolchain(os.Environ())
	if err != nil {
		return err
	}
	d := delivery{dir: *out, progress: stdout}
	if err := d.layers(toolchain, *version); err != nil {
		return err
	}
	if *laptop {
		if err := d.laptops(toolchain, *version); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(*out, "SHA256SUMS"), d.sums.Bytes(), 0o644)
}

// delivery is what is written, with its checksums.
type delivery struct {
	dir      string
	progress io.Writer
	sums     bytes.Buffer
}

func (d *delivery) write(name string, archive []byte, s shipment) error {
	if err := os.WriteFile(filepath.Join(d.dir, name), archive, 0o644); err != nil {
		return err
	}
	fmt.Fprintf(&d.sums, "%x  %s\n", sha256.Sum256(archive), name)
	fmt.Fprintf(d.progress, "%s: %d bytes, the program in it %d\n", name, len(archive), len(s.program))
	return nil
}

func (d *delivery) layers(t toolchain, version string) error {
	for _, arch := range []architecture{{"amd64", "x86_64"}, {"arm64", "arm64"}} {
		shipped, err := t.build(layerEdition(arch.goarch, version))
		if err != nil {
			return err
		}
		if err := checkBudget("the program for "+arch.lambda, shipped.program, programBudget); err != nil {
			return err
		}
		archives, err := packVariants(shipped)
		if err != nil {
			return err
		}
		for _, variant := range slices.Sorted(maps.Keys(archives)) {
			name, archive := zipName(variant, arch), archives[variant]
			if err := checkBudget(name, archive, archiveBudget); err != nil {
				return err
			}
			if err := d.write(name, archive, shipped); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkBudget(name string, content []byte, budget int) error {
	if over := len(content) - budget; over > 0 {
		return fmt.Errorf("%s: %d bytes, %d more than its budget", name, len(content), over)
	}
	return nil
}

// packVariants returns the zip file of each folder of layer/ by its name.
func packVariants(s shipment) (map[string][]byte, error) {
	folders, err := os.ReadDir("layer")
	if err != nil {
		return nil, err
	}
	archives := make(map[string][]byte, len(folders))
	for _, folder := range folders {
		place := extensionPlace
		if folder.Name() == alone {
			place = alonePlace
		}
		archives[folder.Name()], err = pack(filepath.Join("layer", folder.Name()), place, s)
		if err != nil {
			return nil, err
		}
	}
	return archives, nil
}

// zipName leaves out the name of the variant that nearly everybody needs.
func zipName(variant string, arch architecture) string {
	if variant == managed {
		return program + "-layer-" + arch.lambda + ".zip"
	}
	return program + "-layer-" + variant + "-" + arch.lambda + ".zip"
}
