package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"secretwrap/internal/layerbuild"
)

// stage is where functions run.
type stage struct {
	// dir holds everything that the demo writes.
	dir string
	// layer stands for /opt, and wrapper is the program in it.
	layer   string
	wrapper string
	// handler is the function's program.
	handler string
	// self is this program.
	self string
}

// build builds the programs in dir, and lays the layer out as it is in Lambda.
func build(ctx context.Context, dir string, out *printer) (*stage, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &stage{dir: dir, layer: filepath.Join(dir, "opt"), handler: filepath.Join(dir, "task", "handler"), self: self}
	s.wrapper = filepath.Join(s.layer, "secretwrap")
	program := filepath.Join(s.layer, "extensions", "secretwrap")
	err = out.progress("building the layer's program", func() error {
		return goBuild(ctx, "..", program, append(layerbuild.Arguments(""), layerbuild.Source)...)
	})
	if err != nil {
		return nil, err
	}
	err = out.progress("building a function", func() error {
		return goBuild(ctx, ".", s.handler, "./demo/handler")
	})
	if err != nil {
		return nil, err
	}
	return s, os.Symlink(filepath.Join("extensions", "secretwrap"), s.wrapper)
}

// goBuild builds a package for this machine, from the module in directory
// module.
func goBuild(ctx context.Context, module, output string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-buildvcs=false", "-o", output}, args...)...)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, bytes.TrimSpace(text))
	}
	return nil
}
