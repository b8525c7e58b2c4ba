package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"secretwrap/e2e/bench/machine"
	"secretwrap/e2e/emulator"
)

// programs are what functions consist of.
type programs struct {
	// plain and sdk are the function in Go without and with AWS's SDK, foreign and
	// cacher extensions of somebody else's.
	plain, sdk, foreign, cacher string
	// interpreters are the paths of those that are there, by language.
	interpreters map[string]string
	// modules is where the SDK for Node.js lies.
	modules string
	// versions of interpreters and SDKs.
	versions map[string]string
	// zipped are the sizes of programs in a zip file, in MB, by path.
	zipped map[string]float64
}

// build builds the programs in Go, the function where /var/task will be.
func (l *lab) build(ctx context.Context) error {
	l.plain, l.sdk = filepath.Join(l.dir, "task", "plain", "handler"), filepath.Join(l.dir, "task", "sdk", "handler")
	l.foreign, l.cacher = filepath.Join(l.dir, "foreign"), filepath.Join(l.dir, "cacher")
	for output, args := range map[string][]string{
		l.plain: {"./bench/function"}, l.sdk: {"-tags=sdk", "./bench/function"},
		l.foreign: {"./bench/foreign"}, l.cacher: {"./bench/cacher"},
	} {
		if err := goBuild(ctx, ".", output, args...); err != nil {
			return err
		}
	}
	return l.zip()
}

// goBuild builds a package for this machine as it is shipped, from the module in
// directory module.
func goBuild(ctx context.Context, module, output string, args ...string) error {
	args = append([]string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", output}, args...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, bytes.TrimSpace(text))
	}
	return nil
}

// tellBootstrap makes a bootstrap say that it has started.
const tellBootstrap = "\n[ -z \"$TELL\" ] || echo '" + bootstrapMark + "' >&2\n"

// layOut makes what functions see as /opt, /var/task and /var/runtime.
func (l *lab) layOut() error {
	for _, name := range []string{"none", "wrapper", "whole", "cacher", "none-foreign", "wrapper-foreign", "whole-foreign", "wrapper-idle"} {
		if err := l.layOutLayer(filepath.Join(l.dir, "layers", name)); err != nil {
			return err
		}
	}
	if err := l.copyCold(); err != nil {
		return err
	}
	commands := map[string][]string{
		golang: {"/var/task/handler"},
		node:   {l.interpreters[node], "/var/runtime/runtime.mjs"},
		python: {l.interpreters[python], "-m", "awslambdaric", "handler.handler"},
	}
	for language, command := range commands {
		bootstrap := filepath.Join(l.dir, "runtime", language, "bootstrap")
		text := emulator.ManagedBootstrap(command...)
		if err := writeFile(bootstrap, []byte(strings.Replace(text, "\n", tellBootstrap, 1)), 0o755); err != nil {
			return err
		}
	}
	for from, to := range map[string]string{
		"node/runtime.mjs":  "runtime/" + node + "/runtime.mjs",
		"node/handler.mjs":  "task/" + node + "/handler.mjs",
		"python/handler.py": "task/" + python + "/handler.py",
	} {
		content, err := os.ReadFile(filepath.Join("bench", from))
		if err != nil {
			return err
		}
		if err := writeFile(filepath.Join(l.dir, to), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// copyCold copies what functions with a cold page cache see, so that others do not
// find it cold too.
func (l *lab) copyCold() error {
	for _, name := range []string{"layers", "task", "etc"} {
		if err := os.CopyFS(filepath.Join(l.dir, coldDirectory, name), os.DirFS(filepath.Join(l.dir, name))); err != nil {
			return err
		}
	}
	return nil
}

// coldDirectory is where these copies lie.
const coldDirectory = "cold"

// root returns the directory in which what a cell's function sees lies.
func (l *lab) root(c *cell) string {
	if c.Cold {
		return filepath.Join(l.dir, coldDirectory)
	}
	return l.dir
}

// etc returns the directory that a cell's function sees as /etc.
func (l *lab) etc(c *cell) string { return filepath.Join(l.root(c), "etc") }

// layOutLayer fills what a function sees as /opt.
func (l *lab) layOutLayer(layer string) error {
	extensions := filepath.Join(layer, "extensions")
	if err := os.MkdirAll(extensions, 0o755); err != nil {
		return err
	}
	kind, foreign, _ := strings.Cut(filepath.Base(layer), "-")
	if foreign != "" {
		if err := os.Link(l.foreign, filepath.Join(extensions, foreign)); err != nil {
			return err
		}
	}
	switch kind {
	case "wrapper":
		return errors.Join(os.Mkdir(filepath.Join(layer, "bin"), 0o755),
			os.Link(l.wrapper, filepath.Join(layer, "bin", "secretwrap")), os.Symlink("bin/secretwrap", filepath.Join(layer, "secretwrap")))
	case "cacher":
		return os.Link(l.cacher, filepath.Join(extensions, "cacher"))
	case "whole":
		return errors.Join(os.Link(l.wrapper, filepath.Join(extensions, "secretwrap")), os.Symlink("extensions/secretwrap", filepath.Join(layer, "secretwrap")))
	}
	return nil
}

// layer returns the directory that a cell's function sees as /opt.
func (l *lab) layer(c *cell) string {
	kind := map[way]string{direct: "wrapper", extended: "whole", cached: "cacher"}[c.way]
	if kind == "" {
		kind = "none"
	}
	switch {
	case c.Beside:
		kind += "-foreign"
	case c.Idle:
		kind += "-idle"
	}
	return filepath.Join(l.root(c), "layers", kind)
}

// task returns the directory that a cell's function sees as /var/task.
func (l *lab) task(c *cell) string {
	switch {
	case c.Language != golang:
		return filepath.Join(l.root(c), "task", c.Language)
	case c.way.fetches():
		return filepath.Join(l.root(c), "task", "sdk")
	default:
		return filepath.Join(l.root(c), "task", "plain")
	}
}

// runtime returns the directory that a cell's function sees as /var/runtime.
func (l *lab) runtime(c *cell) string { return filepath.Join(l.dir, "runtime", c.Language) }

// selection returns which cells can be measured here.
func (l *lab) selection(o options) selection {
	s := selection{axes: !o.check && !o.quick, quick: o.quick, limited: true}
	for _, language := range []string{node, python} {
		if l.interpreters[language] != "" {
			s.languages = append(s.languages, language)
		}
	}
	if err := l.makeGroups(0); err != nil {
		l.leaveOut("CPU time", err)
	}
	if err := l.makeGroups(memories()...); err != nil {
		l.leaveOut("shares of CPU", err)
		s.limited = false
	}
	if !s.axes {
		return s
	}
	if err := machine.Evict(filepath.Join(l.dir, coldDirectory)); err != nil {
		l.leaveOut("cold page cache", err)
		return s
	}
	s.cold = true
	return s
}
