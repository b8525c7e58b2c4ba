package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"secretwrap/internal/layerbuild"
)

// shipment is the program with what must go along with it.
type shipment struct {
	program  []byte
	licence  []byte
	licences []byte
}

// edition is one way to build the program.
type edition struct {
	goos, goarch string
	tags         string
	arguments    []string // of go build, beside what it builds and where that goes
}

func layerEdition(goarch, version string) edition {
	return edition{"linux", goarch, layerbuild.Tags, layerbuild.Arguments(version)}
}

// toolchain is the go command of this machine, in an environment in which what the
// user has set changes nothing in what it builds.
type toolchain struct{ environ []string }

// newToolchain keeps of the settings that go env -w has stored only where modules come
// from and where they are kept: an empty variable would not stop the others.
func newToolchain(environ []string) (toolchain, error) {
	names := []string{
		"GOPROXY", "GOPRIVATE", "GONOPROXY", "GOSUMDB", "GONOSUMDB", "GOINSECURE", "GOAUTH", "GOVCS",
		"GOPATH", "GOMODCACHE", "GOCACHE", "GOCACHEPROG", "GOTMPDIR", "GOTOOLCHAIN",
	}
	out, err := toolchain{environ}.run(append([]string{"env", "-json"}, names...)...)
	if err != nil {
		return toolchain{}, err
	}
	var stored map[string]string
	if err := json.Unmarshal(out, &stored); err != nil {
		return toolchain{}, err
	}
	environ = slices.Clone(environ)
	for _, name := range names {
		environ = append(environ, name+"="+stored[name])
	}
	return toolchain{append(environ, "GOENV=off",
		"GOAMD64=v1", "GOARM64=v8.0", "CGO_ENABLED=0",
		"GOFLAGS=", "GOEXPERIMENT=", "GOFIPS140=off", "GOWORK=off", "GO111MODULE=", "GODEBUG=")}, nil
}

// target returns the toolchain that builds for a platform.
func (t toolchain) target(e edition) toolchain {
	return toolchain{append(slices.Clone(t.environ), "GOOS="+e.goos, "GOARCH="+e.goarch)}
}

// build returns the program, and the licences of what is in it.
func (t toolchain) build(e edition) (shipment, error) {
	dir, err := os.MkdirTemp("", "packlayer-")
	if err != nil {
		return shipment{}, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, program)
	args := slices.Concat([]string{"build", "-o", path}, e.arguments, []string{layerbuild.Source})
	t = t.target(e)
	if _, err := t.run(args...); err != nil {
		return shipment{}, err
	}

	var s shipment
	if s.program, err = os.ReadFile(path); err != nil {
		return shipment{}, err
	}
	if s.licence, err = os.ReadFile("LICENSE"); err != nil {
		return shipment{}, err
	}
	s.licences, err = t.thirdPartyLicences(e.tags)
	return s, err
}

// run runs the go command and returns what it printed on stdout.
func (t toolchain) run(args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Env = t.environ
	out, err := cmd.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("go %s: %w\n%s", args[0], err, bytes.TrimSpace(failed.Stderr))
	}
	return out, err
}
