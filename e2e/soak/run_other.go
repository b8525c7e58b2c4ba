//go:build !linux

package main

import (
	"context"
	"errors"
	"time"
)

const underClock = "under-clock"

var errLinux = errors.New("the emulator needs Linux")

func runUnderClock(string, []string) error { return errLinux }

func run(context.Context, time.Duration) error { return errLinux }
