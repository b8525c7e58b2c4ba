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

// testOSOnly checks functions of OS-only runtimes, where Lambda starts
// /var/task/bootstrap, else /opt/bootstrap, and nothing else.
func (l lab) testOSOnly(t *testing.T) {
	const variable = "DB_PASSWORD=secretsmanager://prod/db#password"
	runAll(t, map[string]func(*testing.T){
		"start unchanged where nothing is configured": l.testBootstrapChangesNothing,
		"start through the wrapper that AWS_LAMBDA_EXEC_WRAPPER names": func(t *testing.T) {
			l.checkWrapped(t, "AWS_LAMBDA_EXEC_WRAPPER=/opt/next")
		},
		"start through the wrapper that SECRETWRAP_EXEC_WRAPPER names": func(t *testing.T) {
			l.checkWrapped(t, "SECRETWRAP_EXEC_WRAPPER=/opt/next", wrapped()[0])
		},
		"start through the wrapper and the bootstrap":      l.testTwice,
		"declare a file behind the wrapper":                l.testLateFile,
		"start with another layer's bootstrap before ours": l.testOursLast,
		"start with a runtime that comes as a layer":       l.testRuntimeLayer,
		"are told of no invocations":                       func(t *testing.T) { l.checkLife(t, l.layered(t, variable), 1, "[SHUTDOWN]") },
		"are told of none with secretwrap as their own bootstrap": func(t *testing.T) {
			fn := l.layered(t, variable)
			fn.Layer = l.layer
			copyFile(t, filepath.Join(l.layer, "extensions", "secretwrap"), filepath.Join(fn.Task, "bootstrap"))
			l.checkLife(t, fn, 1, "[SHUTDOWN]")
		},
		"receive their secrets on managed instances": func(t *testing.T) {
			d := l.deploy(t, startFake(t, oneSecret()).reachable(l.layered(t, append(managedInstance(t), variable)...)), canary)
			if seen := d.seen(t, event{Names: []string{"DB_PASSWORD"}}); seen["DB_PASSWORD"] != canary {
				t.Errorf("the function sees %v", seen)
			}
		},
		"run on beside an extension of another build": l.testOtherBuild,
	})
}

// testMistakes checks what becomes of functions that are packaged wrongly.
func (l lab) testMistakes(t *testing.T) {
	const variable = "DB_PASSWORD=secretsmanager://prod/db#password"
	runAll(t, map[string]func(*testing.T){
		"a handler that names no program": func(t *testing.T) {
			fn := l.layered(t, variable)
			fn.Handler = "bootstrap"
			l.checkNotStarted(t, fn, "Runtime.ExecFailed", "127", "the function's handler is the name of its program, such as app")
		},
		"a program for another machine": func(t *testing.T) {
			fn := l.layered(t, variable)
			write(t, filepath.Join(fn.Task, "app"), foreignProgram, 0o755)
			l.checkNotStarted(t, fn, "Runtime.ExecFailed", "126", "check that the program was built for this system and architecture")
		},
		"a layer for another machine": l.testForeignLayer,
		"a wrapper that is not executable": func(t *testing.T) {
			fn := l.layered(t, variable, "AWS_LAMBDA_EXEC_WRAPPER=/opt/next")
			write(t, filepath.Join(fn.Layer, "next"), "#!/bin/sh\nexec \"$@\"\n", 0o644)
			l.checkNotStarted(t, fn, "Runtime.ExecFailed", "126", "give it mode 0755, in the zip file too")
		},
		"a bootstrap that starts itself": func(t *testing.T) {
			fn := l.osOnly(t)
			write(t, filepath.Join(fn.Task, "bootstrap"), "#!/bin/sh\nexec /opt/secretwrap /var/task/bootstrap\n", 0o755)
			l.checkNotStarted(t, fn, "Runtime.SecretConfigInvalid", "64", "must give it another program than itself")
		},
		"another layer's bootstrap after ours": func(t *testing.T) {
			fn := l.layered(t)
			fn.Layer = merge(t, fn.Layer, webAdapter)
			l.checkUnresolved(t, fn, "/opt/bootstrap is another layer's: put secretwrap's layer for OS-only runtimes after that one")
		},
		"another wrapper in the place of ours": func(t *testing.T) {
			fn := l.managed(t, plainHandler, "AWS_LAMBDA_EXEC_WRAPPER=/opt/bootstrap")
			fn.Layer, fn.Handler = merge(t, l.layer, webAdapter), "handler"
			l.checkUnresolved(t, fn, `AWS_LAMBDA_EXEC_WRAPPER names "/opt/bootstrap": set it to /opt/secretwrap, and SECRETWRAP_EXEC_WRAPPER to what it was`)
		},
		"another wrapper on an OS-only runtime with its own bootstrap": func(t *testing.T) {
			fn := l.bare(t, "AWS_LAMBDA_EXEC_WRAPPER=/opt/bootstrap")
			fn.Layer = merge(t, l.layer, webAdapter)
			l.checkUnresolved(t, fn, "OS-only runtimes ignore AWS_LAMBDA_EXEC_WRAPPER: add secretwrap's layer for those and call the program anything but bootstrap")
		},
		"a mistyped wrapper": func(t *testing.T) {
			l.checkUnresolved(t, l.bare(t, "AWS_LAMBDA_EXEC_WRAPPER=/opt/secretwarp"), `AWS_LAMBDA_EXEC_WRAPPER names "/opt/secretwarp", which does not exist: set it to /opt/secretwrap`)
		},
		"a managed runtime with the layer for OS-only ones": func(t *testing.T) {
			fn := l.unwrapped(t)
			fn.Layer = l.osOnlyLayer(t)
			l.checkUnresolved(t, fn, "set AWS_LAMBDA_EXEC_WRAPPER=/opt/secretwrap; ")
		},
		"an image with an entry point of its own and the layer for OS-only runtimes": func(t *testing.T) {
			fn := l.layered(t)
			fn.Search, fn.Entrypoint = false, []string{"/var/task/app"}
			l.checkUnresolved(t, fn, "/opt/bootstrap was not started; managed runtimes need AWS_LAMBDA_EXEC_WRAPPER=/opt/secretwrap, images")
		},
	})
}

// runAll runs tests side by side.
func runAll(t *testing.T, tests map[string]func(*testing.T)) {
	t.Helper()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// webAdapter is a layer that brings an /opt/bootstrap too.
var webAdapter = filepath.Join("testdata", "neighbours", "web-adapter")

// foreignProgram is one for a machine that nobody has built or emulates, as far as
// its header goes.
var foreignProgram = "\x7fELF\x02\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\xfe\xfe\x00\x00\x00\x01" + strings.Repeat("\x00", 200)

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

// testOursLast has two layers that bring an /opt/bootstrap: what lies there is what
// the last one brings.
func (l lab) testOursLast(t *testing.T) {
	fn := l.layered(t, "DB_PASSWORD=secretsmanager://prod/db#password")
	fn.Layer = merge(t, webAdapter, fn.Layer)
	d := l.deploy(t, startFake(t, oneSecret()).reachable(fn), canary)
	if seen := d.seen(t, event{Names: []string{"DB_PASSWORD"}}); seen["DB_PASSWORD"] != canary {
		t.Errorf("the function sees %v", seen)
	}
}

// testLateFile has a script that asks for a file after the wrapper has asked the
// extension for all that there was: nobody keeps that file fresh, and it is said.
func (l lab) testLateFile(t *testing.T) {
	fn := l.osOnly(t, "PASSWORD=secretsmanager://prod/db#password")
	write(t, filepath.Join(fn.Task, "bootstrap"), "#!/bin/sh\nexec /opt/secretwrap /var/task/late\n", 0o755)
	write(t, filepath.Join(fn.Task, "late"), "#!/bin/sh\nexport KEY_PATH=secretsmanager://prod/db?file=key#password\nexec /opt/secretwrap /var/task/app\n", 0o755)
	d := l.deploy(t, startFake(t, oneSecret()).reachable(fn), canary)
	if seen := d.seen(t, event{Names: []string{"PASSWORD"}, Files: []string{"KEY_PATH"}}); seen["PASSWORD"] != canary || seen["KEY_PATH"] != canary {
		t.Errorf("the function sees %v", seen)
	}
	if warning := "the files are not refreshed: the wrapper was started a second time; "; strings.Count(d.wholeLog(t), warning) != 1 {
		t.Errorf("the log does not hold once %q", warning)
	}
}

// testRuntimeLayer has a layer whose bootstrap is the runtime, and one of the
// function's own that starts it behind the wrapper, as docs/runtimes.md has it.
func (l lab) testRuntimeLayer(t *testing.T) {
	fn := l.osOnly(t, "DB_PASSWORD=secretsmanager://prod/db#password")
	fn.Layer, fn.Handler = merge(t, l.layer, webAdapter), "handler"
	write(t, filepath.Join(fn.Task, "bootstrap"), block(t, page(t, "docs/runtimes.md"), "sh", "exec /opt/secretwrap /opt/bootstrap"), 0o755)
	d := l.deploy(t, startFake(t, oneSecret()).reachable(fn), canary)
	if seen := d.seen(t, event{Names: []string{"DB_PASSWORD", "NEIGHBOUR"}}); seen["DB_PASSWORD"] != canary || seen["NEIGHBOUR"] != "web adapter 0" {
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
	fn := l.layered(t, "PASSWORD=secretsmanager://prod/db#password", "SECRETWRAP_ENV_FROM=prod/db?prefix=APP_&upper", "SECRETWRAP_EXEC_WRAPPER=/opt/next")
	write(t, filepath.Join(fn.Layer, "next"), "#!/bin/sh\nexport NEXT=\"$NEXT started\"\nexec \"$@\"\n", 0o755)
	write(t, filepath.Join(fn.Task, "bootstrap"), "#!/bin/sh\nexec /opt/secretwrap /opt/bootstrap\n", 0o755)
	write(t, filepath.Join(fn.Task, "secretwrap.yaml"), "files:\n  key: prod/db#password\nenv_from:\n  - prod/db?prefix=M_&upper\n", 0o644)
	d := l.deploy(t, fake.reachable(fn), canary)
	seen := d.seen(t, event{Names: []string{"PASSWORD", "APP_PASSWORD", "NEXT"}})
	if seen["PASSWORD"] != canary || seen["APP_PASSWORD"] != canary || seen["NEXT"] != " started" {
		t.Errorf("the function sees %v", seen)
	}
	checkFile(t, filepath.Join(d.Tmp(), "secretwrap", "key"), canary, 0o400)
	fake.checkCalledOnce(t, oneSecret())
	if log := d.wholeLog(t); strings.Contains(log, "] error: ") || strings.Contains(log, "] warning: ") {
		t.Error("somebody complains")
	}
}
