//go:build linux

package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"secretwrap/e2e/emulator"
)

// In a container image the layer's files are copied to /opt, and the variables of
// ENV are the function's. Without a container engine the same processes are started
// in the same order.

// entrypoint is what AWS's base images start with the image's CMD, in Lambda. The
// emulator has no WORKDIR.
const entrypoint = "#!/bin/sh\ncd /var/task\nexport _HANDLER=\"$1\"\nexec /var/runtime/bootstrap\n"

// baseImage returns fn in one of AWS's base images for managed runtimes.
func baseImage(t *testing.T, fn emulator.Function) emulator.Function {
	t.Helper()
	write(t, filepath.Join(fn.Runtime, "lambda-entrypoint.sh"), entrypoint, 0o755)
	fn.Bootstrap, fn.Entrypoint = "", []string{"/var/runtime/lambda-entrypoint.sh", fn.Handler}
	return fn
}

// pythonBaseImage returns a function in AWS's base image for Python.
func (l lab) pythonBaseImage(t *testing.T, env ...string) emulator.Function {
	t.Helper()
	return baseImage(t, l.python(t, env...))
}

// osOnlyBaseImage returns a function in AWS's base image for OS-only runtimes, whose
// bootstrap is a link to the wrapper.
func (l lab) osOnlyBaseImage(t *testing.T, env ...string) emulator.Function {
	t.Helper()
	fn := l.layered(t, env...)
	fn.Search, fn.Layer, fn.Runtime = false, l.layer, t.TempDir()
	link(t, "/opt/secretwrap", filepath.Join(fn.Runtime, "bootstrap"))
	return baseImage(t, fn)
}

// pythonImage returns a function in an image that has AWS's runtime client for
// Python as its entry point, behind the wrapper.
func (l lab) pythonImage(t *testing.T, env ...string) emulator.Function {
	t.Helper()
	fn := l.python(t)
	python := pythonWith(t, "awslambdaric").path
	fn.Runtime, fn.Bootstrap, fn.Env = "", "", env
	fn.Entrypoint = []string{"/opt/secretwrap", python, "-m", "awslambdaric", "handler.handler"}
	fn.Env = append(fn.Env, "PYTHONPATH=/var/task") // in the place of WORKDIR
	return fn
}

// scratchImage returns a function in an image that holds nothing but the layer's
// files and a program.
func (l lab) scratchImage(t *testing.T, env ...string) emulator.Function {
	t.Helper()
	image := t.TempDir()
	if err := os.CopyFS(filepath.Join(image, "opt"), os.DirFS(l.layer)); err != nil {
		t.Fatal(err)
	}
	copyFile(t, l.handler, filepath.Join(image, "app"))
	return emulator.Function{Image: image, Entrypoint: []string{"/opt/secretwrap", "/app"}, Env: env}
}

// copiedLinks returns a function with a layer in which a packager made copies of
// the links.
func (l lab) copiedLinks(t *testing.T, env ...string) emulator.Function {
	t.Helper()
	fn := l.layered(t, env...)
	for _, name := range []string{"secretwrap", "bootstrap"} {
		path := filepath.Join(fn.Layer, name)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		copyFile(t, filepath.Join(fn.Layer, "extensions", "secretwrap"), path)
	}
	return fn
}

// testImages checks what is special about images.
func (l lab) testImages(t *testing.T) {
	runAll(t, map[string]func(*testing.T){
		"from scratch hold nothing else": func(t *testing.T) {
			entries, err := os.ReadDir(l.scratchImage(t).Image)
			if err != nil || len(entries) != 2 {
				t.Errorf("%v: %v", entries, err)
			}
		},
		"without the wrapper in their entry point": l.testBareEntrypoint,
		"with a program that PATH has":             l.testProgramOfPath,
		"with a manifest beside their code":        l.testManifestInImage,
		"whose program is not there":               l.testScratchWithoutProgram,
		"with files, which are made once":          l.testImageFiles,
	})
}

// testBareEntrypoint has an image that starts its program itself, which the
// variable of managed runtimes does not change.
func (l lab) testBareEntrypoint(t *testing.T) {
	fn := l.scratchImage(t)
	fn.Entrypoint = []string{"/app"}
	l.checkUnresolved(t, fn, "set AWS_LAMBDA_EXEC_WRAPPER=/opt/secretwrap; on an OS-only runtime ")
	fn = l.scratchImage(t, wrapped()...)
	fn.Entrypoint = []string{"/app"}
	l.checkUnresolved(t, fn, "AWS_LAMBDA_EXEC_WRAPPER is set, but the runtime did not start it; OS-only runtimes ignore it, and so do container images with an entry point of their own")
}

// testManifestInImage has a manifest beside the code, which an image keeps elsewhere
// than Lambda.
func (l lab) testManifestInImage(t *testing.T) {
	fn := l.scratchImage(t)
	write(t, filepath.Join(fn.Image, "secretwrap.yaml"), "env:\n  PASSWORD: prod/db#password\n", 0o644)
	d := l.deploy(t, startFake(t, oneSecret()).reachable(fn), canary)
	if seen := d.seen(t, event{Names: []string{"PASSWORD"}}); seen["PASSWORD"] != canary {
		t.Errorf("the function sees %v", seen)
	}
}

// testProgramOfPath has an entry point that names no path.
func (l lab) testProgramOfPath(t *testing.T) {
	fn := l.osOnly(t, "PASSWORD=secretsmanager://prod/db#password")
	fn.Entrypoint = []string{"/opt/secretwrap", "exec", "--", "sh", "-c", "exec /var/task/handler"}
	d := l.deploy(t, startFake(t, oneSecret()).reachable(fn), canary)
	if seen := d.seen(t, event{Names: []string{"PASSWORD"}}); seen["PASSWORD"] != canary {
		t.Errorf("the function sees %v", seen)
	}
	fn.Entrypoint = []string{"/opt/secretwrap", "sh", "-c", "exec /var/task/handler"}
	l.checkNotStarted(t, fn, "Runtime.SecretConfigInvalid", "64", "to start a program give its absolute path, or write secretwrap exec -- before it")
}

func (l lab) testScratchWithoutProgram(t *testing.T) {
	fn := l.scratchImage(t, "DB_PASSWORD=secretsmanager://prod/db#password")
	fn.Entrypoint = []string{"/opt/secretwrap", "/absent"}
	l.checkNotStarted(t, fn, "Runtime.ExecFailed", "127", "/absent: no such program")
}

// testImageFiles has the extension make the files before it registers, since it
// cannot know that the entry point is the wrapper, and the wrapper make use of them.
func (l lab) testImageFiles(t *testing.T) {
	fake := startFake(t, oneSecret())
	fn := l.scratchImage(t, "PASSWORD=secretsmanager://prod/db#password", "KEY_PATH=secretsmanager://prod/db?file=key#password")
	d := l.deploy(t, fake.reachable(fn), canary)
	seen := d.seen(t, event{Names: []string{"PASSWORD"}, Files: []string{"KEY_PATH"}})
	if seen["PASSWORD"] != canary || seen["KEY_PATH"] != canary {
		t.Errorf("the function sees %v", seen)
	}
	fake.checkCalledOnce(t, oneSecret())
	log := d.wholeLog(t)
	if strings.Contains(log, "] error: ") || strings.Contains(log, "] warning: ") {
		t.Error("somebody complains")
	}
}
