package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// stepPause is the time between two steps of the clock: each makes all copies
	// due, which is how there are hundreds of refreshes where SECRETWRAP_REFRESH
	// would have one in ten seconds.
	stepPause = 1500 * time.Millisecond
	// farthest bounds how far the clock is from the machine's: certificates are
	// valid for two days.
	farthest = 12 * time.Hour
	// huntPause is the longest time between two kills or crashes.
	huntPause = 16 * time.Second
	// fullPause is the longest time between two disks that are full, fullTime the
	// longest that one is.
	fullPause = 14 * time.Second
	fullTime  = 3 * time.Second
)

// activities are what goes on beside the invocations.
func (e *environment) activities() []func(context.Context) {
	all := []func(context.Context){e.rotate, e.fillDisk, e.stepClock, e.watch.run}
	if e.kind == hunted {
		all = append(all, e.hunt)
	}
	e.store.setFaulty(true)
	return all
}

// pause waits for some time up to the longest, and reports whether to go on.
func pause(ctx context.Context, longest time.Duration) bool {
	select {
	case <-time.After(longest/5 + rand.N(longest*4/5)):
		return true
	case <-ctx.Done():
		return false
	}
}

// rotate rotates all the time.
func (e *environment) rotate(ctx context.Context) {
	for pause(ctx, rotationPause) {
		var delay time.Duration
		if rand.Float64() < slowShare {
			delay = slowAnswer
		}
		if err := e.store.rotate(delay); err != nil {
			e.breaks("a secret cannot be rotated: %v", err)
			return
		}
	}
}

// stepClock steps the clock: mostly by as much as makes copies due, now and then far
// forward or back.
func (e *environment) stepClock(ctx context.Context) {
	for pause(ctx, stepPause) {
		e.step(e.nextStep())
	}
}

func (e *environment) nextStep() time.Duration {
	ahead := e.clock.Ahead()
	switch rand.N(8) {
	case 0:
		return min(farthest-ahead, time.Hour+rand.N(2*time.Hour))
	case 1:
		return max(-farthest-ahead, -rand.N(4*time.Hour))
	case 2:
		return -rand.N(20 * time.Second)
	}
	return min(farthest-ahead, 12*time.Second)
}

func (e *environment) step(by time.Duration) {
	e.clock.Step(by)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.steps++
}

// hunt kills the extension, at times twice in a row so that it may meet a start, or
// has the handler crash. It begins with a kill.
func (e *environment) hunt(ctx context.Context) {
	for next := 3; pause(ctx, huntPause); next = rand.N(4) {
		switch next {
		case 0:
			e.crash.Store(true)
		case 1:
			e.kill()
			if pause(ctx, time.Second) {
				e.kill()
			}
		default:
			e.kill()
		}
	}
}

// kill kills the extension, if it runs.
func (e *environment) kill() {
	pid := extensionOf(e.emulator.PID())
	if pid == 0 {
		return
	}
	e.ledger.killed(time.Now()) // before, so that no failure is early
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		e.ledger.spared()
	}
}

// fillDisk has the disk full now and then.
func (e *environment) fillDisk(ctx context.Context) {
	for pause(ctx, fullPause) {
		if err := e.fill(ctx); err != nil {
			e.breaks("the disk cannot be filled: %v", err)
			return
		}
	}
}

// fill fills the disk for a while.
func (e *environment) fill(ctx context.Context) error {
	path := filepath.Join(e.emulator.Tmp(), "ballast")
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		_ = os.Remove(path)
		e.setFull(time.Now())
	}()
	defer file.Close()
	e.setFull(time.Now().Add(time.Hour))
	e.mu.Lock()
	e.filled++
	e.mu.Unlock()
	// Again and again, because what the function removes gives room.
	until, cancel := context.WithTimeout(ctx, fullTime/2+rand.N(fullTime/2))
	defer cancel()
	for until.Err() == nil {
		if _, err := file.Write(make([]byte, 4096)); err == nil {
			continue
		} else if !errors.Is(err, syscall.ENOSPC) {
			return err
		}
		select {
		case <-until.Done():
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

func (e *environment) setFull(until time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fullUntil = until
}
