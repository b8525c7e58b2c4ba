package secretfiles

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

const (
	dataLink   = "..data"
	linkPrefix = "..link-"
)

// link is a link that is made under a temporary name, to be renamed.
type link struct{ name, target, temporary string }

// switchTo makes a generation the current one. It makes all links beforehand,
// so that a full disk stops it before anything has changed, and renames
// "..data" first, so that no link ever leads nowhere.
func switchTo(root *os.Root, generation string, files []File) error {
	links := []link{{name: dataLink, target: generation}}
	for _, name := range topLevel(files) {
		links = append(links, link{name: name, target: dataLink + "/" + name})
	}
	links, err := stage(root, links)
	if err != nil {
		return err
	}
	for _, l := range links {
		if err := root.Rename(l.temporary, l.name); err != nil {
			return fmt.Errorf("link %q: %w", l.name, reason(err))
		}
	}
	return nil
}

// stage makes under temporary names the links that are not there yet.
func stage(root *os.Root, links []link) ([]link, error) {
	var staged []link
	for _, l := range links {
		if current, err := root.Readlink(l.name); err == nil && current == l.target {
			continue
		}
		if err := checkPlace(root, l.name); err != nil {
			return nil, fmt.Errorf("link %q: %w", l.name, err)
		}
		l.temporary = linkPrefix + rand.Text()
		if err := root.Symlink(l.target, l.temporary); err != nil {
			return nil, fmt.Errorf("link %q: %w", l.name, reason(err))
		}
		staged = append(staged, l)
	}
	return staged, nil
}

// checkPlace reports a directory, the only thing that a rename cannot replace.
// In the place of "..data" it would be in the way for ever, so there an empty
// one is removed.
func checkPlace(root *os.Root, name string) error {
	found, err := root.Lstat(name)
	if err != nil || !found.IsDir() {
		return nil // the rename reports what else is wrong
	}
	if name == dataLink && root.Remove(name) == nil {
		return nil
	}
	return errors.New("a directory that is not ours is in its place")
}

// sweep removes what is ours but not in use: every generation but the current
// one, links under temporary names, and links to files that are published no
// more. What cannot be removed does no harm; the next sweep tries it again.
func sweep(root *os.Root) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return
	}
	current, _ := root.Readlink(dataLink)
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case entry.IsDir() && name != current && strings.HasPrefix(name, generationPrefix):
			_ = root.Chmod(name, private) // so that we may enter it
			_ = root.RemoveAll(name)
		case entry.Type() == fs.ModeSymlink && (strings.HasPrefix(name, linkPrefix) || isStale(root, name)):
			_ = root.Remove(name)
		}
	}
}

// isStale reports whether a link leads to a file that the current generation,
// if there is one, does not hold.
func isStale(root *os.Root, name string) bool {
	target, err := root.Readlink(name)
	if err != nil || target != dataLink+"/"+name {
		return false
	}
	_, err = root.Lstat(target)
	return errors.Is(err, fs.ErrNotExist)
}
