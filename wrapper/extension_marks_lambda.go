//go:build lambda

package main

import "os"

// readMarks reports whether the environment starts again, and leaves the
// extension's own mark: it may take all the time there is, so that no wrapper
// leaves one. What wrappers left is of earlier starts yet.
func (e *extension) readMarks() (restarted bool) {
	own := e.mark() + ".extension"
	restarted = leaveMark(own)
	e.unmarked = !exists(own)
	if former, err := os.Lstat(e.mark()); err == nil {
		e.former, restarted = former, true
	}
	return restarted
}

// wrapperCame reports whether a wrapper was started: it has asked, or left its
// mark.
func (e *extension) wrapperCame() bool {
	if e.came.Load() {
		return true
	}
	if e.unmarked && e.server == nil {
		return e.expected // for all that can be known
	}
	latest, err := os.Lstat(e.mark())
	return err == nil && (e.former == nil || !os.SameFile(latest, e.former) || !latest.ModTime().Equal(e.former.ModTime()))
}
