// Package brake remembers a start that failed.
//
// Lambda repeats a start that failed at every invocation. A secret that is
// denied or missing would then be asked for again and again by every caller.
package brake

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"secretwrap/internal/problem"
)

const (
	// Duration is how long a failure is repeated without a call.
	Duration = 5 * time.Second
	// maxNote bounds what is read of a note, in bytes: more than a thousand
	// problems.
	maxNote = 1 << 20
)

// Note is what is remembered. It holds problems, which hold no values.
type Note struct {
	// Plan identifies what was asked for.
	Plan string
	// Time is when it failed, by the wall clock: others stop while the
	// environment is frozen.
	Time     time.Time
	Problems problem.List
}

// Brake keeps a note in a file.
type Brake struct {
	// Path is the note's. It must lie where the environment keeps files when
	// its processes start again, which is /tmp.
	Path string
}

// Read returns the note, and whether there is one that can be believed: a
// regular file of our own that others cannot write.
func (b Brake) Read() (Note, bool) {
	file, err := os.OpenFile(b.Path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return Note{}, false
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !ours(info) {
		return Note{}, false
	}
	content, err := io.ReadAll(io.LimitReader(file, maxNote))
	if err != nil {
		return Note{}, false
	}
	var note Note
	if json.Unmarshal(content, &note) != nil || !believable(note.Problems) {
		return Note{}, false
	}
	return note, true
}

func ours(info os.FileInfo) bool {
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.Mode().IsRegular() && info.Mode().Perm()&0o022 == 0 && int(owner.Uid) == os.Geteuid()
}

func believable(list problem.List) bool {
	for _, p := range list {
		if p == nil || p.Class.ErrorType() == "" || p.Cause == "" {
			return false
		}
	}
	return len(list) > 0
}

// Holds reports whether the note ends this start: it is about the same plan,
// fresh, and about nothing but what does not pass by itself.
func (n Note) Holds(plan string, now time.Time) bool {
	age := now.Sub(n.Time)
	return n.Plan == plan && age >= 0 && age < Duration && lasting(n.Problems)
}

// lasting reports whether all problems are denial, absence or bad data.
func lasting(list problem.List) bool {
	for _, p := range list {
		switch p.Class {
		case problem.Denied, problem.NotFound, problem.FieldNotFound, problem.Invalid:
		default:
			return false
		}
	}
	return true
}

// Write keeps a note, in place of an earlier one.
func (b Brake) Write(note Note) error {
	content, err := json.Marshal(note)
	if err != nil {
		return errors.New("the note cannot be written as JSON")
	}
	temporary := filepath.Join(filepath.Dir(b.Path), "."+filepath.Base(b.Path)+"."+rand.Text())
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(temporary, b.Path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return nil
}
