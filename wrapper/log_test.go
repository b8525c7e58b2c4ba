package main

import (
	"strings"
	"testing"
	"testing/synctest"
)

// stuckWriter holds up every line until it is released.
type stuckWriter struct {
	release chan struct{}
	lines   []string
}

func (w *stuckWriter) Write(line []byte) (int, error) {
	<-w.release
	w.lines = append(w.lines, string(line))
	return len(line), nil
}

func TestALogThatIsStuckLosesLinesUntilItMovesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &stuckWriter{release: make(chan struct{}, 10)}
		log := &patientWriter{out: out}
		write := func(line string) {
			if n, err := log.Write([]byte(line)); n != len(line) || err != nil {
				t.Errorf("Write(%q) = %d, %v", line, n, err)
			}
		}
		write("late ") // waits for its time, then goes on in the background
		write("lost ")
		out.release <- struct{}{}
		synctest.Wait()
		out.release <- struct{}{}
		write("after")
		if got := strings.Join(out.lines, ""); got != "late after" {
			t.Errorf("written: %q", got)
		}
	})
}
