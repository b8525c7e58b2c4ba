package main

import (
	"bytes"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"

	"secretwrap/internal/problem"
)

const (
	// maxVisits is how often one process may come here. Twice happens where a
	// bootstrap of the user's own starts the layer's behind the wrapper.
	maxVisits = 10
	// maxVisit bounds what is read of a mark, in bytes.
	maxVisit = 64
)

// visit is one of a process in which this program was executed. What it executes
// keeps the process, and may lead back here.
type visit struct {
	pid int
	// began is when the process started, as the system counts it: Lambda may use
	// an id again. It is empty if the system does not tell.
	began  string
	number int
}

// readVisit returns the visit that left the mark at path, none if that cannot be
// read.
func readVisit(path string) visit {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return visit{}
	}
	defer file.Close()
	content, _ := io.ReadAll(io.LimitReader(file, maxVisit))
	fields := strings.Fields(string(content))
	if len(fields) != 3 {
		return visit{}
	}
	pid, _ := strconv.Atoi(fields[0]) // what is no number is nobody's
	number, _ := strconv.Atoi(fields[2])
	return visit{pid: pid, began: fields[1], number: number}
}

// next returns the visit of this process that comes after v.
func (v visit) next() visit {
	own := visit{pid: os.Getpid(), began: processStart(), number: 1}
	if v.pid == own.pid && v.began == own.began && own.began != "" {
		own.number = v.number + 1
	}
	return own
}

// again reports whether this process was here before.
func (v visit) again() bool { return v.number > 1 }

// String returns what readVisit reads.
func (v visit) String() string {
	return strconv.Itoa(v.pid) + " " + v.began + " " + strconv.Itoa(v.number)
}

// problem reports a process that goes round.
func (v visit) problem() *problem.Problem {
	if v.number <= maxVisits {
		return nil
	}
	return &problem.Problem{
		Class: problem.Config, Cause: "the program that this one starts leads back to it",
		Hint: "a bootstrap or entry point that starts /opt/secretwrap must give it another program than itself",
	}
}

// processStart returns when this process started, see proc(5), empty where the
// system does not tell.
func processStart() string {
	const start = 19 // among the fields after the command's name, which is in parentheses
	text, err := os.ReadFile("/proc/self/stat")
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if err != nil || len(fields) <= start {
		return ""
	}
	return fields[start]
}
