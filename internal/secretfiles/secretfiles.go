// Package secretfiles publishes generations of files under one directory.
//
// A generation is a directory of its own. The link "..data" leads to the current
// one, a link for each file, or for the directory it lies in, leads through
// "..data":
//
//	..generation-QFA3…/tls/client.key
//	..data   -> ..generation-QFA3…
//	tls      -> ..data/tls
//
// So one rename replaces all files together. A reader never sees half a file.
// One that resolves "..data" once reads files that belong together, or finds
// none: a generation is removed as soon as it is replaced.
package secretfiles

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"secretwrap/internal/secret"
)

// File is a file to be published.
type File struct {
	// Path is relative to the directory, separated by slashes. See CheckPath.
	Path    string
	Content secret.Value
	// Mode is the permission of the file, whatever the umask. 0 means 0400.
	Mode fs.FileMode
}

// Publish replaces what it published in dir before by files, all at once. It
// waits for a second at most while another process publishes there.
//
// The path of dir is absolute. If dir is absent it is created, but not its
// parent. It must be a directory, not a link, that belongs to the effective
// user. It is made 0700, unless it is open to others and holds what did not
// come from here: then it is refused.
//
// What Publish did not create it does not follow, open or change. In the place
// of a file it replaces a link, a file or a device by a rename, and refuses a
// directory. What a killed predecessor left behind is removed.
//
// After an error the former files are still there, unless the very last step
// failed, the renaming of links. The text of an error holds paths and the
// operating system's reason, which errors.Is finds too, and no content.
func Publish(dir string, files []File) error {
	for _, file := range files {
		if err := CheckPath(file.Path); err != nil {
			return err
		}
	}
	root, err := openDirectory(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	lock, err := lockDirectory(root)
	if err != nil {
		return fmt.Errorf("directory %q: %w", dir, err)
	}
	defer lock.Close()

	sweep(root) // first, because leftovers may fill the disk
	defer sweep(root)
	generation, err := writeGeneration(root, files)
	if err != nil {
		return err
	}
	return switchTo(root, generation, files)
}

// Published reports whether something was published in dir.
func Published(dir string) bool {
	_, err := os.Readlink(filepath.Join(dir, dataLink))
	return dir != "" && err == nil
}

// topLevel returns the first element of each path, once.
func topLevel(files []File) []string {
	var names []string
	seen := make(map[string]bool, len(files))
	for _, file := range files {
		name, _, _ := strings.Cut(file.Path, "/")
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}
