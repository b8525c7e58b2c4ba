package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"secretwrap/internal/brake"
	"secretwrap/internal/problem"
	"secretwrap/internal/report"
)

// readNote returns the note of an earlier start of this environment that failed.
func (s *start) readNote() (brake.Note, bool) {
	if !s.inLambda {
		return brake.Note{}, false
	}
	return s.brake.Read()
}

// restarted marks the execution environment, and reports whether an earlier start
// did so: then Lambda runs this one inside the function's own timeout, or another
// visit has taken some of the time.
func (s *start) restarted() bool {
	return s.inLambda && leaveMark(s.mark())
}

// leaveMark marks the execution environment with a new file, and reports whether
// there was one before.
func leaveMark(path string) bool {
	err := createMark(path)
	if !errors.Is(err, fs.ErrExist) {
		return false
	}
	if os.Remove(path) == nil {
		_ = createMark(path)
	}
	return true
}

// createMark creates an empty file, and follows no link.
func createMark(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

// mark is the file that a start of this environment leaves.
func (s *start) mark() string { return filepath.Join(s.temporary, markName) }

// writeNote remembers why this start failed. Without it the next one only asks
// again.
func (s *start) writeNote(problems problem.List) {
	if !s.inLambda {
		return
	}
	if err := s.brake.Write(brake.Note{Plan: s.plan.Hash(), Time: time.Now(), Problems: problems}); err != nil {
		s.reporter.Event(report.Debug, report.CodeBrake, "the failure cannot be noted: %v", err)
	}
}
