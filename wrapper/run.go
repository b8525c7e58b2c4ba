package main

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"secretwrap/internal/environ"
)

// process is what this program was given by whoever started it.
type process struct {
	args    []string
	environ []string
	stdout  io.Writer
	stderr  io.Writer
	// executable is this program's own file, empty if the system does not tell.
	executable string
	// stackLimit is the soft limit of the stack in bytes, from which execve's
	// own limit follows.
	stackLimit uint64
	started    time.Time
}

// launch is a program to execute in place of this one.
type launch struct {
	path string
	argv []string
	env  []string
	// failed reports why execve returned, and gives the exit status.
	failed func(error) int
}

// thisProcess reads what only the program itself can know.
func thisProcess() process {
	started := time.Now()
	// Both may fail where /proc is missing; what depends on them is then left out.
	executable, _ := os.Executable()
	var stack syscall.Rlimit
	_ = syscall.Getrlimit(syscall.RLIMIT_STACK, &stack)
	return process{
		args: os.Args, environ: os.Environ(), stdout: os.Stdout, stderr: logWriter(),
		executable: executable, stackLimit: uint64(stack.Cur), started: started,
	}
}

// run plays the role that the arguments ask for. It returns a program to
// execute, or an exit status.
func run(p process) (next *launch, status int) {
	defer func() {
		if cause := recover(); cause != nil {
			next, status = nil, p.fail(fault(cause))
		}
	}()
	environment := environ.New(p.environ)
	switch {
	case len(p.args) > 0 && filepath.Base(p.args[0]) == bootstrapName:
		return runBootstrap(p, environment)
	case len(p.args) > 1 && filepath.IsAbs(p.args[1]):
		return newStart(p, environment).prepare(p.args[1], p.args[1:])
	case len(p.args) == 1 && filepath.Base(filepath.Dir(p.args[0])) == "extensions":
		return nil, runExtension(p, environment)
	default:
		return runCommand(p, environment)
	}
}
