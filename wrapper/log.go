package main

import (
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// logPatience is how long a line may wait for whoever reads the log.
const logPatience = 250 * time.Millisecond

// logWriter returns a writer to standard error that can neither end this
// program nor hold it up. It writes through a descriptor of its own: Go's
// runtime ends a program that writes to a closed pipe at 1 or 2.
func logWriter() io.Writer {
	descriptor, err := syscall.Dup(syscall.Stderr)
	if err != nil {
		return &patientWriter{out: os.Stderr}
	}
	syscall.CloseOnExec(descriptor)
	return &patientWriter{out: os.NewFile(uintptr(descriptor), "stderr")}
}

// patientWriter drops what cannot be written in time, and what comes while that
// is still under way. It is safe for concurrent use.
type patientWriter struct {
	out io.Writer

	mu sync.Mutex
	// pending is closed when the line that could not be written in time is
	// written after all; nil without one.
	pending chan struct{}
}

// Write implements io.Writer.
func (w *patientWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pending != nil {
		select {
		case <-w.pending:
			w.pending = nil
		default:
			return len(line), nil
		}
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = w.out.Write(line)
	}()
	timer := time.NewTimer(logPatience)
	defer timer.Stop()
	select {
	case <-written:
	case <-timer.C:
		w.pending = written
	}
	return len(line), nil
}
