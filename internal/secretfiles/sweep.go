package secretfiles

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"
)

// sweepAll removes what is ours but not in use: every generation but the current
// one, links under temporary names, and links to files that are published no
// more. What cannot be removed does no harm; the next sweep tries it again.
func sweepAll(root *os.Root) {
	sweep(root, func(fs.FileInfo) bool { return false })
}

// sweepOld does the same, but leaves generations that readers may still need. It
// reports whether no other generation is left.
func sweepOld(root *os.Root, now time.Time) (done bool) {
	return sweep(root, func(found fs.FileInfo) bool { return isInGrace(root, found, now) })
}

func sweep(root *os.Root, keep func(fs.FileInfo) bool) (done bool) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return false
	}
	done = true
	current, _ := root.Readlink(dataLink)
	for _, entry := range entries {
		name := entry.Name()
		if isOwnLink(root, entry) && (strings.HasPrefix(name, linkPrefix) || isStale(root, name)) {
			_ = root.Remove(name)
		}
		if found := asGeneration(entry); found != nil && name != current {
			removed := !keep(found) && removeTree(root, name) == nil
			done = done && removed
		}
	}
	return done
}

// isInGrace reports whether a generation was replaced so recently that somebody
// may still read it. Its time of modification is when it was replaced, or left
// unfinished. If that is far in the future, the clock was set back, and the time
// counts from now.
func isInGrace(root *os.Root, found fs.FileInfo, now time.Time) bool {
	age := now.Sub(found.ModTime())
	if age < -Grace {
		_ = root.Chtimes(found.Name(), time.Time{}, now)
	}
	return age <= Grace
}

// removeAll removes everything of ours, "..data" first, so that no reader finds
// some of the files.
func removeAll(root *os.Root) error {
	if hasDataLink(root) {
		_ = root.Remove(dataLink) // if it stays, so does what it leads to
	}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	var failures []error
	for _, entry := range entries {
		switch {
		case isOwnLink(root, entry):
			failures = append(failures, root.Remove(entry.Name()))
		case asGeneration(entry) != nil:
			failures = append(failures, removeTree(root, entry.Name()))
		}
	}
	return firstError(failures)
}

// firstError skips what was gone already.
func firstError(failures []error) error {
	for _, err := range failures {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// isOwnLink reports whether an entry is a link under a temporary name or one that
// leads through "..data".
func isOwnLink(root *os.Root, entry fs.DirEntry) bool {
	if entry.Type() != fs.ModeSymlink {
		return false
	}
	target, err := root.Readlink(entry.Name())
	return err == nil && (strings.HasPrefix(entry.Name(), linkPrefix) || target == dataLink+"/"+entry.Name())
}

// isStale reports whether a link of ours leads to a file that the current
// generation, if there is one, does not hold.
func isStale(root *os.Root, name string) bool {
	_, err := root.Lstat(dataLink + "/" + name)
	return errors.Is(err, fs.ErrNotExist)
}

// asGeneration returns what an entry is, if it is a generation of ours.
func asGeneration(entry fs.DirEntry) fs.FileInfo {
	if !entry.IsDir() || !strings.HasPrefix(entry.Name(), generationPrefix) {
		return nil
	}
	found, err := entry.Info()
	if err != nil || checkOwnership(found) != nil {
		return nil
	}
	return found
}

// removeTree removes a directory of ours, even if somebody closed it or one
// below it.
func removeTree(root *os.Root, name string) error {
	if root.RemoveAll(name) == nil {
		return nil
	}
	openTree(root, name)
	return root.RemoveAll(name)
}

// openTree gives us back the permissions on our directories.
func openTree(parent *os.Root, name string) {
	root, err := enterClosed(parent, name)
	if err != nil {
		return
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return
	}
	for _, entry := range entries {
		if entry.IsDir() {
			openTree(root, entry.Name())
		}
	}
}
