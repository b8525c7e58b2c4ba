package main

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"

	"secretwrap/internal/environ"
	"secretwrap/internal/problem"
)

// faulty returns what is told of the panic of f.
func faulty(f func()) (found *problem.Problem) {
	defer func() { found = fault(recover()) }()
	f()
	return nil
}

func TestAFaultIsToldByItsTypeAndPlace(t *testing.T) {
	var absent *environ.Block
	found := faulty(func() { absent.Names() })
	if want := regexp.MustCompile(`^internal fault: a panic of type runtime\.\w+ in environ\.\(\*Block\)\.Names, environ\.go:\d+$`); !want.MatchString(found.Cause) {
		t.Errorf("told as %q", found.Cause)
	}
	found = faulty(func() { panic(errors.New("open sesame")) })
	if !strings.HasPrefix(found.Cause, "internal fault: a panic of type *errors.errorString in ") || strings.Contains(found.Error()+found.Hint, "sesame") {
		t.Errorf("told as %q, %q", found.Cause, found.Hint)
	}
}

func TestAFaultHasAStatusOfItsOwn(t *testing.T) {
	var log bytes.Buffer
	status := process{stderr: &log}.fail(&problem.Problem{Class: problem.Internal, Cause: "internal fault"})
	if want := "secretwrap: error: internal fault [Runtime.SecretFault]\n"; status != 70 || log.String() != want {
		t.Errorf("status %d, %q", status, log.String())
	}
}
