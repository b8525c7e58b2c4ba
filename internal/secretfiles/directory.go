package secretfiles

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// private is the permission of every directory.
const private fs.FileMode = 0o700

// directory is the one in which files are published.
type directory struct {
	parent *os.Root
	name   string
	root   *os.Root
	locked *os.File
}

func (d *directory) close() {
	for _, open := range []io.Closer{d.parent, d.root, d.locked} {
		_ = open.Close() // which does nothing to what is nil
	}
}

// openToWrite opens dir for one writer of files, and creates it if need be.
func openToWrite(dir string, files []File) (*directory, error) {
	for _, file := range files {
		if err := CheckPath(file.Path); err != nil {
			return nil, err
		}
	}
	d, err := open(dir, openOrCreate)
	if err != nil {
		return nil, err
	}
	if err := d.lock(patience); err != nil {
		d.close()
		return nil, fmt.Errorf("directory %q: %w", dir, err)
	}
	return d, nil
}

// opener is one of the functions below that open a directory.
type opener func(parent *os.Root, name string) (*os.Root, error)

// open opens dir in its parent.
func open(dir string, child opener) (*directory, error) {
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
	root, err := child(parent, name)
	if err != nil {
		parent.Close()
		return nil, fmt.Errorf("directory %q: %w", dir, reason(err))
	}
	return &directory{parent: parent, name: name, root: root}, nil
}

// openOrCreate opens a directory, which it creates if need be, and makes sure
// that it is ours alone.
func openOrCreate(parent *os.Root, name string) (*os.Root, error) {
	root, err := reopen(parent, name)
	if errors.Is(err, fs.ErrNotExist) {
		root, err = createDirectory(parent, name)
	}
	if err != nil {
		return nil, err
	}
	if err := secure(root); err != nil {
		root.Close()
		return nil, err
	}
	return root, nil
}

func createDirectory(parent *os.Root, name string) (*os.Root, error) {
	if err := parent.Mkdir(name, private); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return reopen(parent, name)
}

// reopen opens a directory of ours for which the umask or somebody else may have
// left too little permission.
func reopen(parent *os.Root, name string) (*os.Root, error) {
	found, err := parent.Lstat(name)
	if err != nil {
		return nil, err
	}
	if err := checkOwnership(found); err != nil {
		return nil, err
	}
	if mode := found.Mode().Perm(); mode|private == private && mode != private {
		if err := parent.Chmod(name, private); err != nil {
			return nil, err
		}
	}
	return enter(parent, name)
}

// enter opens a directory of ours as it is. It must be the one that was found:
// opening follows links, and somebody may have put one there since.
func enter(parent *os.Root, name string) (*os.Root, error) {
	found, err := parent.Lstat(name)
	if err != nil {
		return nil, err
	}
	if err := checkOwnership(found); err != nil {
		return nil, err
	}
	root, err := parent.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	if opened, err := root.Stat("."); err != nil || !os.SameFile(found, opened) {
		root.Close()
		return nil, errors.New("it was replaced while it was opened")
	}
	return root, nil
}

// enterClosed opens a directory that is ours alone, whatever somebody did to its
// permission. It changes that by the name, which may follow a link by then, only
// if there is no other way.
func enterClosed(parent *os.Root, name string) (*os.Root, error) {
	root, err := enter(parent, name)
	if errors.Is(err, fs.ErrPermission) && parent.Chmod(name, private) == nil {
		root, err = enter(parent, name)
	}
	if err != nil {
		return nil, err
	}
	if isPrivate(root) {
		return root, nil
	}
	if err := root.Chmod(".", private); err != nil {
		root.Close()
		return nil, err
	}
	return root, nil
}

func isPrivate(root *os.Root) bool {
	found, err := root.Stat(".")
	return err == nil && found.Mode().Perm() == private
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

// secure makes the opened directory private.
func secure(root *os.Root) error {
	opened, err := root.Stat(".")
	if err != nil {
		return err
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
	if hasDataLink(root) {
		return true
	}
	entries, err := fs.ReadDir(root.FS(), ".")
	return err == nil && len(entries) == 0
}

func hasDataLink(root *os.Root) bool {
	_, err := root.Readlink(dataLink)
	return err == nil
}

const (
	// patience is how long a writer waits for another one.
	patience = time.Second
	// lastPatience is the same at the end, when there are some 300 ms for all.
	lastPatience = 100 * time.Millisecond
)

// lock waits until no other process writes in the directory, but not for ever:
// any process of the same user can hold the lock. Closing the file ends the
// lock, as does the end of the process.
func (d *directory) lock(patience time.Duration) error {
	file, err := d.root.Open(".")
	if err != nil {
		return reason(err)
	}
	deadline := time.Now().Add(patience)
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
		return err
	}
	d.locked = file
	return nil
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
