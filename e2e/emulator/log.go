package emulator

import (
	"bytes"
	"strings"
	"sync"
	"time"
)

// Line is a line that a process wrote.
type Line struct {
	// At is when it came.
	At   time.Time
	Text string
}

// log collects what processes write while others read it.
type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
	// ends are the lengths that buf had after each write, with their times.
	ends []end
}

type end struct {
	length int
	at     time.Time
}

// Write implements io.Writer.
func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.buf.Write(p)
	l.ends = append(l.ends, end{l.buf.Len(), time.Now()})
	return n, err
}

// String returns everything that has been written.
func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// lines returns the lines so far, each with the time at which its end came.
func (l *log) lines() []Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lines []Line
	length, next := 0, 0
	for text := range strings.Lines(l.buf.String()) {
		length += len(text)
		for l.ends[next].length < length {
			next++
		}
		lines = append(lines, Line{At: l.ends[next].at, Text: strings.TrimSuffix(text, "\n")})
	}
	return lines
}
