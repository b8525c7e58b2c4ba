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
type link struct {
	name, target, temporary string
	// carried is set for what was published before. If something is in its place,
	// that is for the next one who writes it to say.
	carried bool
}

// switchTo makes a generation the current one. It makes all links beforehand,
// so that a full disk stops it before anything has changed, and renames
// "..data" first, so that no link ever leads nowhere.
func switchTo(root *os.Root, next generation, files []File) error {
	written := make(map[string]bool)
	for _, file := range files {
		name, _, _ := strings.Cut(file.Path, "/")
		written[name] = true
	}
	// Of all its files, not only of the new ones: a killed predecessor may have
	// left others without links.
	entries, err := fs.ReadDir(next.root.FS(), ".")
	if err != nil {
		return fmt.Errorf("directory for new files: %w", reason(err))
	}
	links := []link{{name: dataLink, target: next.name}}
	for _, entry := range entries {
		links = append(links, link{name: entry.Name(), target: dataLink + "/" + entry.Name(), carried: !written[entry.Name()]})
	}
	links, err = stage(root, links)
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
		err := checkPlace(root, l.name)
		if err != nil && l.carried {
			continue
		}
		if err != nil {
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
