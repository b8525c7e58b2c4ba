package machine

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Evict takes the files below directories out of the page cache, as they are on
// a machine that has never read them. It fails where the system keeps them, such
// as in a tmpfs.
func Evict(directories ...string) error {
	for _, directory := range directories {
		err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			return evict(path)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func evict(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	// What is not written yet stays.
	if err := file.Sync(); err != nil {
		return err
	}
	if err := unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return err
	}
	kept, pages, err := cached(file)
	if err == nil && kept > pages/10 {
		err = fmt.Errorf("%d of the %d pages of %s stay in the page cache", kept, pages, path)
	}
	return err
}

// cached returns how many pages of a file are in the page cache.
func cached(file *os.File) (kept, pages int, err error) {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return 0, 0, err
	}
	mapped, err := unix.Mmap(int(file.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = unix.Munmap(mapped) }()
	state := make([]byte, (len(mapped)+os.Getpagesize()-1)/os.Getpagesize())
	_, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&mapped[0])), uintptr(len(mapped)), uintptr(unsafe.Pointer(&state[0])))
	if errno != 0 {
		return 0, 0, errno
	}
	for _, page := range state {
		kept += int(page & 1)
	}
	return kept, len(state), nil
}
