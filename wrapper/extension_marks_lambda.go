//go:build lambda

package main

import "os"

// readMarks reports whether the environment starts again. What wrappers left is
// of earlier starts yet.
func (e *extension) readMarks() (restarted bool) {
	if former, err := os.Lstat(e.mark()); err == nil {
		e.former, restarted = former, true
	}
	if e.expected && e.server != nil {
		return restarted // a mark of its own would cost the start a tenth of a millisecond
	}
	// It may take all the time there is, so that no wrapper leaves a mark.
	own := e.mark() + ".extension"
	restarted = leaveMark(own) || restarted
	e.unmarked = !exists(own)
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
