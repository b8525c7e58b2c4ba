package secretfiles

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"syscall"

	"secretwrap/internal/secret"
)

// maxCopied bounds what is read of a file to copy it, in bytes: more than a hundred
// of the largest secrets in one file. Somebody may have made it a terabyte.
const maxCopied = 8 << 20

// carryOver brings the files of the former generation into the next one, unless
// they are there anew.
func carryOver(root *os.Root, former, next generation) error {
	if former.isNone() {
		return nil
	}
	return fs.WalkDir(former.root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && name != "." {
			err = carry(root, former, next, name, entry)
		}
		switch {
		case err == nil, errors.Is(err, fs.ErrNotExist): // somebody removed it meanwhile
			return nil
		case err == fs.SkipDir:
			return err
		}
		return fmt.Errorf("file %q: %w", name, reason(err))
	})
}

// carry brings one entry if it may have been published, not just anything that
// somebody put there.
func carry(root *os.Root, former, next generation, name string, entry fs.DirEntry) error {
	found, err := entry.Info()
	if err != nil {
		return err
	}
	mayBeOurs := CheckPath(name) == nil && isOurs(found)
	switch {
	case found.IsDir() && !mayBeOurs:
		return fs.SkipDir
	case found.IsDir() && found.Mode().Perm() != private:
		return former.root.Chmod(name, private) // or it might not be readable
	case found.Mode().IsRegular() && mayBeOurs:
		return carryFile(root, former, next, name, found)
	}
	return nil
}

// carryFile links one file, which costs no room. Where a link is impossible, as
// in some file systems, it copies the file: a file that is published must not
// get lost, so if that fails too, the update does.
func carryFile(root *os.Root, former, next generation, name string, found fs.FileInfo) error {
	if err := makeParents(next.root, name); err != nil {
		return ignoreTaken(err)
	}
	err := root.Link(path.Join(former.name, name), path.Join(next.name, name))
	if err == nil {
		return checkLinked(next, name, found)
	}
	if ignoreTaken(err) == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if found.Size() > maxCopied {
		return errors.New("it can neither be linked nor, for its size, be copied")
	}
	content, err := readFile(former.root, name, found)
	if err != nil {
		return err
	}
	return ignoreTaken(writeFile(next.root, File{Path: name, Content: secret.New(content), Mode: found.Mode()}))
}

// ignoreTaken ignores that a file of the update is in the place.
func ignoreTaken(err error) error {
	if errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	return err
}

// checkLinked removes what is not the file that was found, because somebody
// replaced it meanwhile.
func checkLinked(next generation, name string, found fs.FileInfo) error {
	linked, err := next.root.Lstat(name)
	if err == nil && !os.SameFile(found, linked) {
		return next.root.Remove(name)
	}
	return err
}
