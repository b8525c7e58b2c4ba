package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"secretwrap/internal/secretfiles"
)

const (
	// settling is far more than anything takes once the faults have ended.
	settling = time.Minute
	// settlePause is the time between two looks.
	settlePause = 100 * time.Millisecond
	// due is more than makes copies due, swept more than generations are kept.
	due   = 13 * time.Second
	swept = secretfiles.Grace + 10*time.Second
)

// settle ends the faults, looks at what is left, and ends the environment.
func (e *environment) settle(ctx context.Context) {
	e.store.setFaulty(false)
	for _, step := range []func(context.Context){
		e.checkFresh, e.checkDescriptors, e.checkGenerations, e.checkStart, e.checkProcesses, e.checkStorage, e.checkEnd,
	} {
		if ctx.Err() != nil {
			return
		}
		step(ctx)
	}
}

// eventually looks until done, and reports whether that came to be.
func eventually(ctx context.Context, done func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	for !done() {
		select {
		case <-time.After(settlePause):
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// last returns what the last successful invocation has read.
func (e *environment) last() reading { return e.ledger.snapshot().last }

// checkFresh checks that the last rotation reaches the files.
func (e *environment) checkFresh(ctx context.Context) {
	if err := e.store.rotate(0); err != nil {
		e.breaks("a secret cannot be rotated: %v", err)
		return
	}
	wanted := e.store.latest()
	if !eventually(ctx, func() bool {
		e.step(due)
		e.invoke(ctx, false)
		seen := e.last()
		return seen.file == wanted && seen.pair == wanted
	}) {
		seen := e.last()
		e.breaks("a minute after the faults ended the files hold versions %d and %d, not %d", seen.file, seen.pair, wanted)
	}
}

// checkDescriptors checks that the extension's descriptors are as many as at the
// beginning of its life.
func (e *environment) checkDescriptors(ctx context.Context) {
	first, known := e.watch.beginning()
	if !known {
		return // it has just been started
	}
	var now sample
	if !eventually(ctx, func() bool {
		var err error
		now, err = takeSample(extensionOf(e.emulator.PID()))
		return err == nil && now.descriptors <= first.descriptors
	}) {
		e.breaks("the extension had %d descriptors at the beginning and has %d at the end", first.descriptors, now.descriptors)
	}
}

// checkGenerations checks that one generation is left when those before it have had
// their time.
func (e *environment) checkGenerations(ctx context.Context) {
	var err error
	if !eventually(ctx, func() bool {
		e.step(swept)
		e.invoke(ctx, false)
		err = judgeFiles(names(filepath.Join(e.emulator.Tmp(), "secretwrap")))
		return err == nil
	}) {
		e.breaks("%v", err)
	}
}

// checkStart has the handler crash, and checks that the next start brings the latest
// version of everything.
func (e *environment) checkStart(ctx context.Context) {
	if err := e.store.rotate(0); err != nil {
		e.breaks("a secret cannot be rotated: %v", err)
		return
	}
	e.invoke(ctx, true)
	e.invoke(ctx, false)
	wanted, seen := e.store.latest(), e.last()
	if seen.variable != wanted || seen.file != wanted || seen.pair != wanted {
		e.breaks("after a start the function reads versions %d, %d and %d, not %d", seen.variable, seen.file, seen.pair, wanted)
	}
}

// checkProcesses checks that nothing runs but the extension and the handler.
func (e *environment) checkProcesses(ctx context.Context) {
	var err error
	if !eventually(ctx, func() bool {
		err = judgeProcesses(descendants(e.emulator.PID()))
		return err == nil
	}) {
		e.breaks("%v", err)
	}
}

// checkStorage looks for values in /tmp where none should be.
func (e *environment) checkStorage(context.Context) {
	root, err := os.OpenRoot(e.emulator.Tmp())
	if err != nil {
		e.breaks("/tmp cannot be looked at: %v", err)
		return
	}
	defer root.Close()
	if err := scanFiles(root, "secretwrap", e.leftovers); err != nil {
		e.breaks("/tmp cannot be looked at: %v", err)
	}
}

// checkEnd ends the environment, and checks that its files are gone with it.
func (e *environment) checkEnd(context.Context) {
	root, err := os.OpenRoot(e.emulator.Tmp()) // which keeps it for a look
	if err != nil {
		e.breaks("/tmp cannot be looked at: %v", err)
		return
	}
	defer root.Close()
	pid := extensionOf(e.emulator.PID())
	if err := e.emulator.Stop(stopLimit); err != nil {
		e.breaks("%v", err)
	}
	if program(pid) == extensionPath {
		e.breaks("the extension outlives its environment")
	}
	for _, name := range []string{"secretwrap", "secretwrap.handover"} {
		if _, err := root.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			e.breaks("/tmp/%s outlives its environment", name)
		}
	}
}

// names returns those of a directory's entries.
func names(dir string) []string {
	entries, _ := os.ReadDir(dir) // what is not there is missed by who looks at the names
	var list []string
	for _, entry := range entries {
		list = append(list, entry.Name())
	}
	return list
}

// scanFiles has a scanner look at all files below a root but those in one directory.
// What is mounted there is of another file system, and of this machine.
func scanFiles(root *os.Root, but string, s *scanner) error {
	top, err := root.Stat(".")
	if err != nil {
		return err
	}
	return fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if entry.IsDir() && name == but {
			return fs.SkipDir
		}
		info, err := root.Lstat(name)
		if err != nil || !info.Mode().IsRegular() || device(info) != device(top) {
			return nil
		}
		return scanFile(root, name, s)
	})
}

func scanFile(root *os.Root, name string, s *scanner) error {
	file, err := root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(s, file)
	return err
}

// device returns the file system that a file is in.
func device(info fs.FileInfo) uint64 {
	stat, _ := info.Sys().(*syscall.Stat_t) // on Linux it always is one
	return uint64(stat.Dev)
}
