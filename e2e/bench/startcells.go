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

// startCell is one way to start a program.
type startCell struct {
	name string
	// env is the function's configuration.
	env []string
	// command is what is measured.
	command []string
	samples []startSample
}

// startSample is what one run took. All of it includes the executed program, which
// prints the time and ends.
type startSample struct {
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

func (l *startLab) cells() []*startCell {
	list := []*startCell{
		{name: execOnly, command: []string{l.probe, "exec", l.probe, "now"}},
		{name: nothing},
		{name: one, env: references(1, smallReference)},
		{name: three, env: references(3, smallReference)},
		{name: twenty, env: references(20, smallReference)},
		{name: large, env: references(100, func(i int) string { return fmt.Sprintf("secretsmanager://"+largeName+"?file", i) })},
	}
	for _, c := range list[1:] {
		c.command = []string{l.wrapper, l.probe, "now"}
	}
	return list
}

// references returns n variables with references to n secrets.
func references(n int, reference func(i int) string) []string {
	env := make([]string, n)
	for i := range env {
		env[i] = fmt.Sprintf("SECRET_%03d=%s", i, reference(i))
	}
	return env
}

// smallReference refers to a field of a small secret.
func smallReference(i int) string {
	return fmt.Sprintf("secretsmanager://"+smallName+"#password", usualLatency, i)
}
