package main

import (
	"fmt"
	"time"
)

// The names of cells that results are computed from.
const (
	execOnly = "exec only, no wrapper"
	nothing  = "nothing configured"
	one      = "1 secret"
	three    = "3 secrets"
	twenty   = "20 secrets"
	large    = "100 secrets of 64 KiB"
)

// cell is one way to start a program.
type cell struct {
	name string
	// env is the function's configuration.
	env []string
	// command is what is measured.
	command []string
	samples []sample
}

// sample is what one run took. All of it includes the executed program, which
// prints the time and ends.
type sample struct {
	// toExec is from the start of the process until the executed program runs.
	toExec time.Duration
	// toEnd is from the start of the process until its end.
	toEnd time.Duration
	// cpu is the time of all processors, the system's included.
	cpu time.Duration
	// resident is the largest size in bytes. The system keeps the maximum over
	// exec, so it is the larger one of wrapper and executed program.
	resident int64
	// calls is how many Secrets Manager got.
	calls int
}

func (l *lab) cells() []*cell {
	list := []*cell{
		{name: execOnly, command: []string{l.probe, "exec", l.probe, "now"}},
		{name: nothing},
		{name: one, env: references(1, "secretsmanager://"+smallName+"#password")},
		{name: three, env: references(3, "secretsmanager://"+smallName+"#password")},
		{name: twenty, env: references(20, "secretsmanager://"+smallName+"#password")},
		{name: large, env: references(100, "secretsmanager://"+largeName+"?file")},
	}
	for _, c := range list[1:] {
		c.command = []string{l.wrapper, l.probe, "now"}
	}
	return list
}

// references returns n variables with references to n secrets.
func references(n int, format string) []string {
	env := make([]string, n)
	for i := range env {
		env[i] = fmt.Sprintf("SECRET_%03d="+format, i, i)
	}
	return env
}
