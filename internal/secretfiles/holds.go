package secretfiles

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// Holds reports whether files are published in dir with exactly their content
// and mode, whatever else is. It is false if somebody changed one of them, the
// links to it or the permission of a directory, which the next Update repairs.
func Holds(dir string, files []File) bool {
	if len(files) == 0 {
		return true
	}
	d, err := open(dir, enter)
	if err != nil {
		return false
	}
	defer d.close()
	if !isPrivate(d.root) {
		return false
	}
	current, err := openCurrent(d.root, enter)
	if err != nil || current.isNone() {
		return false
	}
	defer current.close()
	for _, file := range files {
		if CheckPath(file.Path) != nil || !isLinked(d.root, file.Path) || !holds(current.root, file.Path, file) {
			return false
		}
	}
	return true
}

// isLinked reports whether the link to a file, or to the directory it lies in,
// is in place.
func isLinked(root *os.Root, file string) bool {
	name, _, _ := strings.Cut(file, "/")
	target, err := root.Readlink(name)
	return err == nil && target == dataLink+"/"+name
}

// holds looks for the rest of a file's path in one directory. It enters each
// directory on the way by itself, to follow no link.
func holds(root *os.Root, rest string, file File) bool {
	name, below, nested := strings.Cut(rest, "/")
	if !isPrivate(root) {
		return false
	}
	if !nested {
		return isFile(root, name, file)
	}
	child, err := enter(root, name)
	if err != nil {
		return false
	}
	defer child.Close()
	return holds(child, below, file)
}

func isFile(root *os.Root, name string, file File) bool {
	found, err := root.Lstat(name)
	if err != nil || found.Mode() != file.mode() || !isOurs(found) || found.Size() != int64(file.Content.Len()) {
		return false
	}
	content, err := readFile(root, name, found)
	return err == nil && bytes.Equal(content, file.Content.Reveal())
}

// readFile reads a regular file that was found. It does not wait for the other
// end of a pipe that somebody put there since, and does not read it.
func readFile(root *os.Root, name string, found fs.FileInfo) ([]byte, error) {
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if opened, err := file.Stat(); err != nil || !os.SameFile(found, opened) {
		return nil, errors.New("it was replaced while it was opened")
	}
	content := make([]byte, found.Size()+1) // one more, to see that it has grown
	n, err := io.ReadFull(file, content)
	if err == nil || err == io.EOF || err == io.ErrUnexpectedEOF {
		return content[:n], nil
	}
	return nil, err
}
