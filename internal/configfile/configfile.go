// Package configfile reads small files that people wrote.
package configfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"secretwrap/internal/problem"
)

// Kind is what a file is, for messages, and how large it may be.
type Kind struct {
	// Name stands after an article, as in "the manifest".
	Name string
	// MaxKiB is the size up to which the file is read.
	MaxKiB int
}

// Read returns the content of the file at path: a regular file, or a link to one,
// no larger than its kind allows. It never waits, as reading a pipe would.
//
// Every error is a *problem.Problem for errors.As. If there is nothing at path
// it is fs.ErrNotExist for errors.Is too, because only the caller knows whether
// there has to be a file. A link that leads nowhere is something.
func (k Kind) Read(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, k.openProblem(path, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, unreadable(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fileProblem(path, "is not a regular file", "name a file, not a directory, pipe or device")
	}
	size := k.MaxKiB << 10
	data, err := io.ReadAll(io.LimitReader(file, int64(size)+1))
	if err != nil {
		return nil, unreadable(path, err)
	}
	if len(data) > size {
		return nil, fileProblem(path, fmt.Sprintf("is larger than %d KiB", k.MaxKiB), "check that this file is the "+k.Name)
	}
	return data, nil
}

// missing is the problem of a file that does not exist.
type missing struct{ *problem.Problem }

// Unwrap lets the problem be told apart as fs.ErrNotExist.
func (m missing) Unwrap() []error { return []error{m.Problem, fs.ErrNotExist} }

func (k Kind) openProblem(path string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return unreadable(path, err)
	}
	if _, err := os.Lstat(path); err == nil {
		return fileProblem(path, "is a link to a file that does not exist", "put the file there that the link leads to")
	}
	return missing{fileProblem(path, "does not exist", "put the "+k.Name+" there, or correct its path")}
}

func unreadable(path string, err error) error {
	cause := "cannot be read"
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		cause += ": " + errno.Error()
	}
	return fileProblem(path, cause, "let everybody read the file, and enter the directories on its way (chmod a+rX)")
}

func fileProblem(path, cause, hint string) *problem.Problem {
	return &problem.Problem{Class: problem.Config, Source: path, Cause: cause, Hint: hint}
}
