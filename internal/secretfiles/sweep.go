package secretfiles

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
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
	removal := newRemoval()
	current, _ := root.Readlink(dataLink)
	for _, entry := range entries {
		name := entry.Name()
		if isOwnLink(root, entry) && (strings.HasPrefix(name, linkPrefix) || isStale(root, name)) {
			_ = root.Remove(name)
		}
		if found := asGeneration(entry); found != nil && name != current {
			removed := !keep(found) && removal.tree(root, name, 0) == nil
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
	removal := newRemoval()
	for _, entry := range entries {
		switch {
		case isOwnLink(root, entry):
			failures = append(failures, root.Remove(entry.Name()))
		case asGeneration(entry) != nil:
			failures = append(failures, removal.tree(root, entry.Name(), 0))
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

// A start must not be held up by what an earlier program left in our directories,
// which may be a million files: what is more, or deeper than any path of ours, stays
// for the next sweep.
const (
	maxRemoved = 10_000
	maxDepth   = maxPath / 2
)

var errTooMuch = errors.New("it holds too much")

// removal removes directories of ours, even if somebody closed them.
type removal struct {
	// left is how many entries it may still look at.
	left int
}

func newRemoval() *removal { return &removal{maxRemoved} }

// tree removes what has the name, and all that is below it.
func (r *removal) tree(parent *os.Root, name string, depth int) error {
	r.left--
	if r.left < 0 || depth > maxDepth {
		return errTooMuch
	}
	err := parent.Remove(name)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if !errors.Is(err, syscall.ENOTEMPTY) {
		return err
	}
	root, err := enterClosed(parent, name)
	if err != nil {
		return err
	}
	defer root.Close()
	names, err := r.list(root)
	if err != nil {
		return err
	}
	for _, below := range names {
		if err := r.tree(root, below, depth+1); err != nil {
			return err
		}
	}
	return parent.Remove(name)
}

// list returns as many of a directory's entries as may still be removed, and one.
func (r *removal) list(root *os.Root) ([]string, error) {
	dir, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(r.left + 1)
	if err == io.EOF {
		return nil, nil
	}
	return names, err
}
