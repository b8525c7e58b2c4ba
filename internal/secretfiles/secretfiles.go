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
// One that resolves "..data" once reads files that belong together, and an Update
// leaves it Grace to do so. A Publish does not.
package secretfiles

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

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

// Grace is how long the files that an Update replaced stay where they were, for
// readers that resolved "..data" before.
const Grace = time.Minute

// Publish replaces what was published in dir before by exactly files, all at
// once. It is for a start, when nobody reads yet: what it replaces is removed
// right away, as is what a killed predecessor left behind. It waits for a second
// at most while another process publishes there.
//
// The path of dir is absolute. If dir is absent it is created, but not its
// parent. It must be a directory, not a link, that belongs to the effective
// user. It is made 0700, unless it is open to others and holds what did not
// come from here: then it is refused.
//
// What did not come from here is not followed, opened or changed. In the place
// of a file a link, a file or a device is replaced by a rename, and a directory
// is refused.
//
// After an error the former files are still there, unless the very last step
// failed, the renaming of links. The text of an error holds paths and the
// operating system's reason, which errors.Is finds too, and no content.
func Publish(dir string, files []File) error {
	d, err := openToWrite(dir, files)
	if err != nil {
		return err
	}
	defer d.close()

	sweepAll(d.root) // first, because leftovers may fill the disk
	defer sweepAll(d.root)
	return replace(d.root, files, generation{})
}

// Update replaces or adds files among those that are published, all at once, and
// leaves every other published file as it is. If nothing is published, it
// publishes files. What is in the way of a file, such as a file where there has
// to be a directory now, is published no more.
//
// What it replaces stays for Grace from now, by the wall clock. Otherwise Update
// does as Publish does.
func Update(dir string, files []File, now time.Time) error {
	d, err := openToWrite(dir, files)
	if err != nil {
		return err
	}
	defer d.close()

	sweepOld(d.root, now)
	defer sweepOld(d.root, now)
	former, err := openCurrent(d.root, enterClosed)
	if err != nil {
		return fmt.Errorf("directory of the published files: %w", reason(err))
	}
	defer former.close()
	// Before it is replaced, lest the next sweep remove it if we are killed.
	former.mark(now)
	return replace(d.root, files, former)
}

// Sweep removes what was replaced longer than Grace before now. It reports whether
// nothing is left to be swept: it does nothing while another process is writing
// there, and gives a generation from the future, before the clock was set back,
// its Grace from now. It touches nothing if dir is not a directory of ours in
// which files are published.
func Sweep(dir string, now time.Time) (done bool) {
	d, err := open(dir, enter)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	defer d.close()
	if !hasDataLink(d.root) {
		return true
	}
	return d.lock(0) == nil && sweepOld(d.root, now)
}

// Remove removes everything that was published in dir, and dir itself if it is
// empty then. Nothing else in it is touched. It is no error if dir is absent. It
// is for the end of an environment, so it does not wait long for another process
// that is writing there.
func Remove(dir string) error {
	d, err := open(dir, reopen)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer d.close()
	_ = d.lock(lastPatience)
	if err := removeAll(d.root); err != nil {
		return fmt.Errorf("directory %q: %w", dir, reason(err))
	}
	_ = d.parent.Remove(d.name) // it stays if it holds what is not ours
	return nil
}

// Published reports whether something was published in dir.
func Published(dir string) bool {
	_, err := os.Readlink(filepath.Join(dir, dataLink))
	return dir != "" && err == nil
}
