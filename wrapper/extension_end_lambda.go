//go:build lambda

package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"secretwrap/internal/handover"
	"secretwrap/internal/lambdaapi"
	"secretwrap/internal/report"
)

const (
	// cleanupTime bounds the end. Lambda kills two seconds after SHUTDOWN.
	cleanupTime = 450 * time.Millisecond
	// signalPatience is how long an extension that was told to terminate waits
	// for SHUTDOWN, which is what usually follows.
	signalPatience = 1500 * time.Millisecond
	// waitingPercent keeps a process small that mostly waits.
	waitingPercent = 50
	// restAfter is when the memory of a start is given back.
	restAfter = time.Second
)

// settle ends the start. In a snapshot everything is of another time.
func (e *extension) settle() {
	e.reportUnresolved()
	if e.server != nil {
		e.server.Close()
	}
	e.dropOthers()
	e.reportUnkept()
	if !e.came.Load() { // else what is known is forgotten when the wrapper has it
		e.store.Forget()
	}
	e.rest()
	if e.isSnapStart() {
		e.keeper.Expire()
	}
}

// rest gives back the memory of the start, a moment later: the runtime starts now.
func (e *extension) rest() {
	e.resting.Do(func() {
		time.AfterFunc(restAfter, func() {
			debug.SetGCPercent(waitingPercent)
			debug.FreeOSMemory()
		})
	})
}

// shutDown ends everything within cleanupTime.
func (e *extension) shutDown(_ context.Context, event lambdaapi.Event) {
	e.inTime(func() {
		e.cleanUp()
		if reason := strings.ToLower(event.ShutdownReason); !strings.Contains(reason, "fail") && reason != "timeout" {
			e.firstEvent.Do(e.reportUnresolved)
		}
	})
}

// inTime does the last of all work, and waits for it no longer than cleanupTime.
func (e *extension) inTime(last func()) {
	done := make(chan struct{})
	go e.guard(func() {
		defer close(done)
		last()
	})
	select {
	case <-done:
	case <-time.After(cleanupTime):
	}
}

// cleanUp removes the files and the socket.
func (e *extension) cleanUp() {
	e.stop()
	if e.server != nil {
		e.server.Close()
		_ = os.Remove(handover.Directory(e.temporary))
	}
	if err := e.keeper.Remove(); err != nil {
		e.reporter.Event(report.Warn, report.CodeFiles, "the files cannot be removed: %v", err)
	}
}

// endOnSignal makes SIGTERM and SIGINT remove the files, and end the extension
// unless SHUTDOWN does so before. SIGHUP and SIGQUIT, which a program may send to all
// processes that it sees, would end the function with the extension.
func (e *extension) endOnSignal(end func()) {
	signal.Ignore(syscall.SIGHUP, syscall.SIGQUIT)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-signals
		time.AfterFunc(signalPatience, end)
		e.inTime(e.cleanUp)
	}()
}
