package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"secretwrap/internal/layerbuild"
)

// shipment is what goes into a layer beside the files of its folder.
type shipment struct {
	program  []byte
	licence  []byte
	licences []byte
}

// toolchain returns the environment in which the go command builds for Linux
// on goarch, with every setting fixed that would change the program.
func toolchain(environ []string, goarch string) []string {
	return append(environ, "GOOS=linux", "GOARCH="+goarch,
		"GOAMD64=v1", "GOARM64=v8.0", "CGO_ENABLED=0",
		"GOFLAGS=", "GOEXPERIMENT=", "GOFIPS140=off", "GOWORK=off")
}

func build(env []string, version string) (shipment, error) {
	dir, err := os.MkdirTemp("", "packlayer-")
	if err != nil {
		return shipment{}, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, program)
	args := slices.Concat([]string{"build", "-o", path}, layerbuild.Arguments(version), []string{layerbuild.Source})
	if _, err := goCommand(env, args...); err != nil {
		return shipment{}, err
	}

	var s shipment
	if s.program, err = os.ReadFile(path); err != nil {
		return shipment{}, err
	}
	if s.licence, err = os.ReadFile("LICENSE"); err != nil {
		return shipment{}, err
	}
	s.licences, err = thirdPartyLicences(env)
	return s, err
}

// goCommand runs the go command and returns what it printed on stdout.
func goCommand(env []string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Env = env
	out, err := cmd.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("go %s: %w\n%s", args[0], err, bytes.TrimSpace(failed.Stderr))
	}
	return out, err
}
