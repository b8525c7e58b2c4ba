//go:build linux

package e2e_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"secretwrap/e2e/emulator"
)

// adaptersBootstrap is what AWS's Lambda Web Adapter brings as /opt/bootstrap. It
// drops its arguments.
const adaptersBootstrap = "#!/bin/bash\n\nexec -- \"${LAMBDA_TASK_ROOT}/${_HANDLER}\"\n"

// testOSOnly checks functions of OS-only runtimes, where Lambda starts
// /var/task/bootstrap, else /opt/bootstrap, and nothing else.
func (l lab) testOSOnly(t *testing.T) {
	const variable = "DB_PASSWORD=secretsmanager://prod/db#password"
	tests := map[string]func(*testing.T){
		"start unchanged where nothing is configured": l.testBootstrapChangesNothing,
		"start through the wrapper that AWS_LAMBDA_EXEC_WRAPPER names": func(t *testing.T) {
			l.checkWrapped(t, "AWS_LAMBDA_EXEC_WRAPPER=/opt/next")
		},
		"start through the wrapper that SECRETWRAP_EXEC_WRAPPER names": func(t *testing.T) {
			l.checkWrapped(t, "SECRETWRAP_EXEC_WRAPPER=/opt/next", wrapped()[0])
		},
		"are told of no invocations": func(t *testing.T) { l.checkLife(t, l.layered(t, variable), 1, "[SHUTDOWN]") },
		"receive their secrets on managed instances": func(t *testing.T) {
			fn := l.layered(t, append(managedInstance(), variable)...)
			d := l.deploy(t, startFake(t, oneSecret()).reachable(fn), canary)
			if seen := d.seen(t, event{Names: []string{"DB_PASSWORD"}}); seen["DB_PASSWORD"] != canary {
				t.Errorf("the function sees %v", seen)
			}
		},
		"do not start with a handler that names no program": func(t *testing.T) {
			fn := l.layered(t, variable)
			fn.Handler = "bootstrap"
			l.checkNotStarted(t, fn, "Runtime.ExecFailed", "127", "the function's handler is the name of its program, such as app")
		},
		"do not start with a program for another machine": func(t *testing.T) {
			fn := l.layered(t, variable)
			write(t, filepath.Join(fn.Task, "app"), foreignProgram, 0o755)
			l.checkNotStarted(t, fn, "Runtime.ExecFailed", "126", "check that the program was built for this system and architecture")
		},
		"do not start with a wrapper that is not executable": func(t *testing.T) {
			fn := l.layered(t, variable, "AWS_LAMBDA_EXEC_WRAPPER=/opt/next")
			write(t, filepath.Join(fn.Layer, "next"), "#!/bin/sh\nexec \"$@\"\n", 0o644)
			l.checkNotStarted(t, fn, "Runtime.ExecFailed", "126", "give it mode 0755, in the zip file too")
		},
		"do not start with a bootstrap that starts itself": func(t *testing.T) {
			fn := l.osOnly(t)
			write(t, filepath.Join(fn.Task, "bootstrap"), "#!/bin/sh\nexec /opt/secretwrap /var/task/bootstrap\n", 0o755)
			l.checkNotStarted(t, fn, "Runtime.SecretConfigInvalid", "64", "must give it another program than itself")
		},
		"start with the layer for another architecture not at all": l.testForeignLayer,
		"start with another layer's bootstrap before ours":         l.testOursLast,
		"learn that another layer's bootstrap hides ours": func(t *testing.T) {
			l.checkUnresolved(t, l.overlaid(t), "/opt/bootstrap is another layer's: put secretwrap's layer for OS-only runtimes after that one")
		},
		"learn that another wrapper was set in the place of ours": func(t *testing.T) {
			fn := l.managed(t, plainHandler, "AWS_LAMBDA_EXEC_WRAPPER=/opt/next")
			fn.Layer = copyTree(t, l.layer)
			write(t, filepath.Join(fn.Layer, "next"), "#!/bin/sh\nexec \"$@\"\n", 0o755)
			l.checkUnresolved(t, fn, `AWS_LAMBDA_EXEC_WRAPPER names "/opt/next": set it to /opt/secretwrap, and SECRETWRAP_EXEC_WRAPPER to what it was`)
		},
		"learn that a managed runtime starts no layer's bootstrap": func(t *testing.T) {
			fn := l.unwrapped(t)
			fn.Layer = l.osOnlyLayer(t)
			l.checkUnresolved(t, fn, "set AWS_LAMBDA_EXEC_WRAPPER=/opt/secretwrap; ")
		},
		"start through the wrapper and the bootstrap": l.testTwice,
		"run on beside an extension of another build": l.testOtherBuild,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// foreignProgram is one for s390x, as far as its header goes.
var foreignProgram = "\x7fELF\x02\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x16\x00\x00\x00\x01" + strings.Repeat("\x00", 200)

// testBootstrapChangesNothing compares the environment of a program that Lambda
// starts itself with that of one behind the layer's bootstrap.
func (l lab) testBootstrapChangesNothing(t *testing.T) {
	fake := startFake(t, nil)
	environ := func(fn emulator.Function) []string {
		seen, _ := l.deploy(t, fake.reachable(fn)).seen(t, event{Environ: true})["environ"].([]any)
		return without(seen, "_HANDLER", "AWS_LAMBDA_FUNCTION_HANDLER", "AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_METADATA_API", "AWS_LAMBDA_METADATA_TOKEN")
	}
	own := l.layered(t, "_KEPT=1", "EMPTY=")
	plain := own
	plain.Task, plain.Layer = t.TempDir(), ""
	copyFile(t, l.handler, filepath.Join(plain.Task, "bootstrap"))
	if before, after := environ(plain), environ(own); !slices.Equal(before, after) {
		t.Errorf("environment %q, without the layer %q", after, before)
	}
	if calls := fake.Calls(); len(calls) > 0 {
		t.Errorf("called Secrets Manager: %+v", calls)
	}
}

// checkWrapped checks that the next wrapper gets the values and the program.
func (l lab) checkWrapped(t *testing.T, env ...string) {
	t.Helper()
	fn := l.layered(t, append(env, "DB_PASSWORD=secretsmanager://prod/db#password")...)
	write(t, filepath.Join(fn.Layer, "next"), "#!/bin/sh\nexport NEXT=\"$*, $DB_PASSWORD, $AWS_LAMBDA_EXEC_WRAPPER\"\nexec \"$@\"\n", 0o755)
	d := l.deploy(t, startFake(t, oneSecret()).reachable(fn), canary)
	if seen, want := d.seen(t, event{Names: []string{"NEXT"}}), "/var/task/app, "+canary+", /opt/next"; seen["NEXT"] != want {
		t.Errorf("the wrapper saw %q, want %q", seen["NEXT"], want)
	}
}

// checkNotStarted checks what the invoker reads, the exit status and the hint.
func (l lab) checkNotStarted(t *testing.T, fn emulator.Function, errorType, status, hint string) {
	t.Helper()
	d := l.deploy(t, startFake(t, oneSecret()).reachable(fn), canary)
	d.checkError(t, failure{errorType: errorType})
	if log := d.wholeLog(t); !strings.Contains(log, hint) {
		t.Errorf("the log does not hold %q", hint)
	}
	d.checkExit(t, status)
}

// testForeignLayer has a layer whose program this machine cannot execute, which
// only Lambda can say: of the extension, or of the wrapper where that is alone.
func (l lab) testForeignLayer(t *testing.T) {
	for place, message := range map[string]string{"extensions": "Extension.LaunchError", "bin": "/opt/secretwrap: Exec format error"} {
		fn := l.osOnly(t)
		fn.Layer = t.TempDir()
		if err := os.Mkdir(filepath.Join(fn.Layer, place), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(fn.Layer, place, "secretwrap"), foreignProgram, 0o755)
		link(t, place+"/secretwrap", filepath.Join(fn.Layer, "secretwrap"))
		d := l.deploy(t, fn)
		d.checkNoStart(t)
		if log := d.wholeLog(t); !strings.Contains(log, message) {
			t.Errorf("the log does not hold %q", message)
		}
	}
}

// overlaid returns a function with the layer for OS-only runtimes, and after it
// the one of Lambda Web Adapter, which brings a bootstrap too.
func (l lab) overlaid(t *testing.T) emulator.Function {
	t.Helper()
	fn := l.layered(t)
	bootstrap := filepath.Join(fn.Layer, "bootstrap")
	if err := os.Remove(bootstrap); err != nil {
		t.Fatal(err)
	}
	write(t, bootstrap, adaptersBootstrap, 0o755)
	return fn
}

// testOursLast has both layers in the other order: what lies in /opt is what the
// last one brings.
func (l lab) testOursLast(t *testing.T) {
	fn := l.layered(t, "DB_PASSWORD=secretsmanager://prod/db#password")
	overlay := t.TempDir()
	write(t, filepath.Join(overlay, "bootstrap"), adaptersBootstrap, 0o755)
	fn.Layer = merge(t, overlay, fn.Layer)
	d := l.deploy(t, startFake(t, oneSecret()).reachable(fn), canary)
	if seen := d.seen(t, event{Names: []string{"DB_PASSWORD"}}); seen["DB_PASSWORD"] != canary {
		t.Errorf("the function sees %v", seen)
	}
}

// merge returns what /opt holds with several layers, of which the later ones win.
func merge(t *testing.T, layers ...string) string {
	t.Helper()
	to := t.TempDir()
	for _, layer := range layers {
		entries, err := os.ReadDir(layer)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			_ = os.Remove(filepath.Join(to, entry.Name())) // CopyFS replaces nothing
		}
		if err := os.CopyFS(to, os.DirFS(layer)); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// testOtherBuild has an extension that is not the wrapper's: each works by itself,
// and whose the files are is said.
func (l lab) testOtherBuild(t *testing.T) {
	fn := l.osOnly(t, "DB_PASSWORD=secretsmanager://prod/db#password", "KEY_PATH=secretsmanager://prod/db?file=key#password")
	fn.Layer = t.TempDir()
	program, err := os.ReadFile(filepath.Join(l.layer, "extensions", "secretwrap"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(fn.Layer, "extensions"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(fn.Layer, "secretwrap"), string(program), 0o755)
	write(t, filepath.Join(fn.Layer, "extensions", "secretwrap"), string(program)+"\x00", 0o755)
	d := l.deploy(t, startFake(t, oneSecret()).reachable(fn), canary)
	seen := d.seen(t, event{Names: []string{"DB_PASSWORD"}, Files: []string{"KEY_PATH"}})
	if seen["DB_PASSWORD"] != canary || seen["KEY_PATH"] != canary {
		t.Errorf("the function sees %v", seen)
	}
	log := d.wholeLog(t)
	for _, line := range []string{", direct [SecretsDelivered]", "the files are not refreshed: the wrapper worked alone, since it differs from the extension in build"} {
		if strings.Count(log, line) != 1 {
			t.Errorf("the log does not hold once %q", line)
		}
	}
}

// testTwice has a bootstrap of the function's own that starts the layer's behind the
// wrapper, so that one process comes to this program twice.
func (l lab) testTwice(t *testing.T) {
	fake := startFake(t, oneSecret())
	fn := l.layered(t, "PASSWORD=secretsmanager://prod/db#password", "SECRETWRAP_ENV_FROM=prod/db?prefix=APP_&upper")
	write(t, filepath.Join(fn.Task, "bootstrap"), "#!/bin/sh\nexec /opt/secretwrap /opt/bootstrap\n", 0o755)
	write(t, filepath.Join(fn.Task, "secretwrap.yaml"), "files:\n  key: prod/db#password\n", 0o644)
	d := l.deploy(t, fake.reachable(fn), canary)
	if seen := d.seen(t, event{Names: []string{"PASSWORD", "APP_PASSWORD"}}); seen["PASSWORD"] != canary || seen["APP_PASSWORD"] != canary {
		t.Errorf("the function sees %v", seen)
	}
	checkFile(t, filepath.Join(d.Tmp(), "secretwrap", "key"), canary, 0o400)
	fake.checkCalledOnce(t, oneSecret())
	if log := d.wholeLog(t); strings.Contains(log, "] error: ") || strings.Contains(log, "] warning: ") {
		t.Error("somebody complains")
	}
}
