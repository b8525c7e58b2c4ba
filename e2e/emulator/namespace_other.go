//go:build !linux

package emulator

import (
	"errors"
	"os/exec"
)

// Available returns why the emulator cannot run here, nil if it can.
func Available() error { return errors.New("the emulator needs Linux") }

// isolated returns the error of Available.
func isolated(string, Function, []string) (*exec.Cmd, error) { return nil, Available() }
