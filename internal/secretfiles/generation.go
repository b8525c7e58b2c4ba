package secretfiles

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"
)

const (
	generationPrefix = "..generation-"
	defaultMode      = fs.FileMode(0o400)
)

// generation is an opened one. The zero generation stands for none.
type generation struct {
	name string
	root *os.Root
}

func (g generation) isNone() bool { return g.root == nil }

func (g generation) close() {
	if !g.isNone() {
		_ = g.root.Close()
	}
}

// mark notes when a generation was replaced. If that fails, readers have the
// time that a sweep gives to any leftover.
func (g generation) mark(now time.Time) {
	if !g.isNone() {
		_ = g.root.Chtimes(".", time.Time{}, now)
	}
}

// openCurrent opens the generation that "..data" leads to, or none, if somebody
// removed it or put something else in its place. That it cannot be opened is an
// error: its files must not get lost.
func openCurrent(root *os.Root, open opener) (generation, error) {
	name, err := root.Readlink(dataLink)
	if err != nil || !strings.HasPrefix(name, generationPrefix) || strings.Contains(name, "/") {
		return generation{}, nil
	}
	found, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && checkOwnership(found) != nil {
		return generation{}, nil
	}
	if err != nil {
		return generation{}, err
	}
	opened, err := open(root, name)
	return generation{name, opened}, err
}

// replace makes a generation of files, and of the former one's files beside them,
// the current one.
func replace(root *os.Root, files []File, former generation) error {
	next, err := create(root)
	if err != nil {
		return fmt.Errorf("directory for new files: %w", reason(err))
	}
	err = fill(root, next, files, former)
	if err == nil {
		err = switchTo(root, next, files)
	}
	next.close() // before it is removed, lest file descriptors run out
	if err != nil {
		discard(root, next.name)
	}
	return err
}

// discard removes a generation that did not become current. It would keep the
// disk full, if that was what stopped it.
func discard(root *os.Root, name string) {
	if current, _ := root.Readlink(dataLink); current != name {
		_ = root.RemoveAll(name) // which takes one descriptor alone
	}
}

// create creates a generation, whose name nobody can foresee.
func create(root *os.Root) (generation, error) {
	name := generationPrefix + rand.Text()
	if err := makeDirectory(root, name); err != nil {
		return generation{}, err
	}
	opened, err := enter(root, name)
	if err != nil {
		_ = root.Remove(name)
	}
	return generation{name, opened}, err
}

// fill does not sync: after a loss of power a start writes the files again.
func fill(root *os.Root, next generation, files []File, former generation) error {
	for _, file := range files {
		if err := writeFile(next.root, file); err != nil {
			return fmt.Errorf("file %q: %w", file.Path, reason(err))
		}
	}
	return carryOver(root, former, next)
}

func writeFile(generation *os.Root, file File) error {
	if err := makeParents(generation, file.Path); err != nil {
		return err
	}
	const flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL | syscall.O_NOFOLLOW
	out, err := generation.OpenFile(file.Path, flags, 0o600)
	if err != nil {
		return err
	}
	_, err = out.Write(file.Content.Reveal())
	return errors.Join(err, out.Chmod(file.mode()), out.Close())
}

func (f File) mode() fs.FileMode {
	if mode := f.Mode.Perm(); mode != 0 {
		return mode
	}
	return defaultMode
}

// makeParents creates the directories above a file that are not there yet.
func makeParents(generation *os.Root, file string) error {
	for i := range len(file) {
		if file[i] != '/' {
			continue
		}
		if err := makeDirectory(generation, file[:i]); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// makeDirectory creates a directory with its permission, whatever the umask.
func makeDirectory(root *os.Root, name string) error {
	if err := root.Mkdir(name, private); err != nil {
		return err
	}
	err := root.Chmod(name, private)
	if err != nil {
		_ = root.Remove(name)
	}
	return err
}
