package manifest

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"secretwrap/internal/problem"
)

// MaxSize is the size in bytes up to which a manifest is read.
const MaxSize = 256 << 10

// Read returns the content of the manifest at path: a regular file, or a link
// to one, of at most MaxSize bytes. It never waits, as reading a pipe would.
//
// Every error is a *problem.Problem for errors.As. If there is nothing at path
// it is fs.ErrNotExist for errors.Is too, because only the caller knows whether
// there has to be a manifest. A link that leads nowhere is something.
func Read(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, openProblem(path, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, unreadable(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fileProblem(path, "is not a regular file", "name a file, not a directory, pipe or device")
	}
	data, err := io.ReadAll(io.LimitReader(file, MaxSize+1))
	if err != nil {
		return nil, unreadable(path, err)
	}
	if len(data) > MaxSize {
		return nil, fileProblem(path, "is larger than 256 KiB", "check that this file is the manifest")
	}
	return data, nil
}

// missing is the problem of a file that does not exist.
type missing struct{ *problem.Problem }

// Unwrap lets the problem be told apart as fs.ErrNotExist.
func (m missing) Unwrap() []error { return []error{m.Problem, fs.ErrNotExist} }

func openProblem(path string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return unreadable(path, err)
	}
	if _, err := os.Lstat(path); err == nil {
		return fileProblem(path, "is a link to a file that does not exist", "put the file there that the link leads to")
	}
	return missing{fileProblem(path, "does not exist", "put the manifest there, or correct its path")}
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
