package secretfiles

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// private is the permission of every directory.
const private fs.FileMode = 0o700

// openDirectory opens dir, which it creates if need be, and makes sure that it
// is ours alone.
func openDirectory(dir string) (*os.Root, error) {
	if !filepath.IsAbs(dir) {
		return nil, fmt.Errorf("directory %q: the path is not absolute", dir)
	}
	parentDir, name := filepath.Split(filepath.Clean(dir))
	if name == "" {
		return nil, fmt.Errorf("directory %q: it is the root of the file system", dir)
	}
	parent, err := os.OpenRoot(parentDir)
	if err != nil {
		return nil, fmt.Errorf("directory %q: its parent: %w", dir, reason(err))
	}
	defer parent.Close()
	root, err := openChild(parent, name)
	if err != nil {
		return nil, fmt.Errorf("directory %q: %w", dir, reason(err))
	}
	return root, nil
}

func openChild(parent *os.Root, name string) (*os.Root, error) {
	found, err := findOrCreate(parent, name)
	if err != nil {
		return nil, err
	}
	if err := checkOwnership(found); err != nil {
		return nil, err
	}
	// The umask or somebody else may have left too little to open it.
	if mode := found.Mode().Perm(); mode|private == private && mode != private {
		if err := parent.Chmod(name, private); err != nil {
			return nil, err
		}
	}
	root, err := parent.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	if err := secure(root, found); err != nil {
		root.Close()
		return nil, err
	}
	return root, nil
}

// findOrCreate does not follow a link.
func findOrCreate(parent *os.Root, name string) (fs.FileInfo, error) {
	found, err := parent.Lstat(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return found, err
	}
	if err := parent.Mkdir(name, private); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return parent.Lstat(name)
}

func checkOwnership(found fs.FileInfo) error {
	switch {
	case found.Mode().Type() == fs.ModeSymlink:
		return errors.New("it is a link")
	case !found.IsDir():
		return errors.New("it is not a directory")
	case !isOurs(found):
		return errors.New("it belongs to another user")
	}
	return nil
}

func isOurs(found fs.FileInfo) bool {
	stat, ok := found.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// secure makes the opened directory private. It must be the one that was found:
// opening follows links, and somebody may have put one there since.
func secure(root *os.Root, found fs.FileInfo) error {
	opened, err := root.Stat(".")
	if err != nil {
		return err
	}
	if !os.SameFile(found, opened) {
		return errors.New("it was replaced while it was opened")
	}
	if opened.Mode().Perm() == private {
		return nil
	}
	if opened.Mode()&fs.ModeSticky != 0 || !isDedicated(root) {
		return errors.New("it is open to other users and holds more than our files")
	}
	return root.Chmod(".", private)
}

// isDedicated reports whether a directory is empty or was published to before.
// Any other, such as /tmp itself, is somebody's who needs its permission.
func isDedicated(root *os.Root) bool {
	if _, err := root.Readlink(dataLink); err == nil {
		return true
	}
	entries, err := fs.ReadDir(root.FS(), ".")
	return err == nil && len(entries) == 0
}

// lockPatience is how long a publish waits for another one.
const lockPatience = time.Second

// lockDirectory waits until no other process publishes in the directory, but
// not for ever: any process of the same user can hold the lock. Closing the file
// ends the lock, as does the end of the process.
func lockDirectory(root *os.Root) (*os.File, error) {
	file, err := root.Open(".")
	if err != nil {
		return nil, reason(err)
	}
	deadline := time.Now().Add(lockPatience)
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err != syscall.EINTR && err != syscall.EWOULDBLOCK || time.Now().After(deadline) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err == syscall.EWOULDBLOCK {
		err = errors.New("another process is writing there")
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// reason returns the operating system's reason without the names around it,
// which are those of our own generations and links.
func reason(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	return err
}
