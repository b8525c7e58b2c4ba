//go:build linux

// Command launcher executes a program as no shell can:
//
//	launcher entry NAME=VALUE PROGRAM …   with an entry more, also of a name that is there
//	launcher broken PROGRAM …             with a standard error that nobody can read
//	launcher blocked PROGRAM …            with a standard error that nobody does read
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

func main() {
	fmt.Fprintln(os.Stderr, "launcher:", run(os.Args[1:], os.Environ()))
	os.Exit(1)
}

// run returns only if it fails.
func run(args, environ []string) error {
	for len(args) > 2 && args[0] == "entry" {
		environ = append(environ, args[1])
		args = args[2:]
	}
	if len(args) < 2 {
		return errors.New("no program")
	}
	switch args[0] {
	case "broken", "blocked":
		if err := replaceStderr(args[0] == "broken"); err != nil {
			return err
		}
		args = args[1:]
	}
	path, err := exec.LookPath(args[0])
	if err != nil {
		return err
	}
	return syscall.Exec(path, args, environ)
}

// replaceStderr puts a pipe in the place of standard error: one that has no
// reader, or one that is full.
func replaceStderr(broken bool) error {
	// Without close-on-exec, so that the reader stays.
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		return err
	}
	if broken {
		if err := syscall.Close(ends[0]); err != nil {
			return err
		}
	} else if err := fill(ends[1]); err != nil {
		return err
	}
	if err := syscall.Dup3(ends[1], 2, 0); err != nil {
		return err
	}
	return syscall.Close(ends[1])
}

// fill writes to a pipe until it takes no more.
func fill(pipe int) error {
	if err := syscall.SetNonblock(pipe, true); err != nil {
		return err
	}
	for _, size := range []int{4096, 1} {
		for err := error(nil); err == nil; {
			_, err = syscall.Write(pipe, make([]byte, size))
		}
	}
	return syscall.SetNonblock(pipe, false)
}
