package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"secretwrap/e2e/emulator"
	"secretwrap/e2e/soak/clock"
	"secretwrap/internal/layerbuild"
)

// underClock is the argument that makes this program run another one under the clock
// of a socket.
const underClock = "under-clock"

func runUnderClock(socket string, argv []string) error { return clock.Run(socket, argv, os.Environ()) }

// startLimit is far above what anything at the beginning takes.
const startLimit = time.Minute

// run soaks for a while, reports, and returns what is broken.
func run(ctx context.Context, duration time.Duration) error {
	rie, err := emulator.Find()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "secretwrap-soak-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Println("building the layer …")
	p, err := build(ctx, dir, rie)
	if err != nil {
		return err
	}
	var environments []*environment
	defer func() {
		for _, e := range environments {
			e.stop()
		}
	}()
	for _, k := range []kind{steady, hunted} {
		e, err := deploy(ctx, p, dir, k)
		if err != nil {
			return err
		}
		environments = append(environments, e)
	}
	began := time.Now()
	soak(ctx, environments, duration)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	fmt.Println("faults have ended; looking at what is left …")
	for _, e := range environments {
		e.settle(ctx)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return conclude(os.Stdout, time.Since(began), environments)
}

// soak lets everything happen at the same time, for a while.
func soak(whole context.Context, environments []*environment, duration time.Duration) {
	ctx, cancel := context.WithTimeout(whole, duration)
	defer cancel()
	var running sync.WaitGroup
	for _, e := range environments {
		running.Go(func() { e.invokeOn(ctx, whole) })
		for _, activity := range e.activities() {
			running.Go(func() { activity(ctx) })
		}
	}
	running.Go(func() { tellProgress(ctx, environments, duration) })
	running.Wait()
}

// programs are what functions are made of.
type programs struct {
	// emulator and self are the emulator and this program.
	emulator, self string
	// layer is what functions see as /opt, handler the Go handler.
	layer, handler string
}

// build builds the layer as it is shipped, but for the name of its clock, and the
// handler.
func build(ctx context.Context, dir, rie string) (programs, error) {
	self, err := os.Executable()
	if err != nil {
		return programs{}, err
	}
	p := programs{emulator: rie, self: self, layer: filepath.Join(dir, "layer"), handler: filepath.Join(dir, "handler")}
	if p.emulator, err = filepath.Abs(rie); err != nil {
		return p, err
	}
	shipped, extensions := filepath.Join(dir, "secretwrap"), filepath.Join(p.layer, "extensions")
	if err := os.MkdirAll(extensions, 0o755); err != nil {
		return p, err
	}
	if err := goBuild(ctx, "..", shipped, append(layerbuild.Arguments(""), layerbuild.Source)...); err != nil {
		return p, err
	}
	if err := goBuild(ctx, ".", p.handler, "./handlers/go"); err != nil {
		return p, err
	}
	if err := clock.Patch(shipped, filepath.Join(extensions, "secretwrap")); err != nil {
		return p, err
	}
	return p, os.Symlink("extensions/secretwrap", filepath.Join(p.layer, "secretwrap"))
}

// goBuild runs go build in the directory of a module.
func goBuild(ctx context.Context, module, output string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-buildvcs=false", "-o", output}, args...)...)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, bytes.TrimSpace(text))
	}
	return nil
}
