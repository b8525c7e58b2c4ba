//go:build !linux

package machine

import "errors"

// Evict fails: only Linux can be told to forget single files.
func Evict(...string) error { return errors.New("the page cache can be emptied on Linux only") }
