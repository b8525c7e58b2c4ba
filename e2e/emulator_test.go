//go:build linux

package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"secretwrap/e2e/emulator"
	"secretwrap/internal/layerbuild"
)

// Limits far above what anything here takes: a test that reaches one has failed.
const (
	building = 3 * time.Minute
	starting = 30 * time.Second
	invoking = 30 * time.Second
	stopping = 10 * time.Second
)

// TestEmulator runs functions with the layer as it is shipped in the code that
// starts extensions and runtimes in Lambda.
func TestEmulator(t *testing.T) {
	if err := emulator.Available(); err != nil {
		need(t, err.Error())
	}
	l := lab{rie: runtimeEmulator(t), layer: layer(t), handler: goHandler(t, runtime.GOARCH)}
	l.compilers.java = compile(t, "javac", "-d", "{}", "handlers/java/Handler.java")
	l.compilers.dotnet = compile(t, "mcs", "-out:{}/Function.exe", "-r:System.Web.Extensions", "handlers/dotnet/Function.cs")
	l.compilers.vendor = compile(t, "env", "CGO_ENABLED=0", "go", "build", "-buildvcs=false", "-o", "{}/vendor", "./neighbour")
	l.compilers.dist = compile(t, "sh", "-ec", "cd ..; go run ./scripts/packlayer -o {} >/dev/null; go build -trimpath -buildvcs=false -o {}/secretwrap ./wrapper")
	groups := map[string]func(*testing.T){
		"receives":   l.testReceives,
		"keeps":      l.testKeeps,
		"fails":      l.testFails,
		"starts":     l.testStarts,
		"runs on":    l.testRunsOn,
		"hands over": l.testHandsOver,
		"refreshes":  l.testRefreshes,
		"guards":     l.testGuards,
		"misses":     l.testMisses,
		"views":      l.testViews,
		"conceals":   l.testConceals,
		"faults":     l.testFaults,
		"alone":      l.testWorksAlone,
		"OS-only":    l.testOSOnly,
		"mistakes":   l.testMistakes,
		"images":     l.testImages,
		"on arm64":   l.testArm64,
		"neighbours": l.testNeighbours,
		"builders":   l.testBuilders,
		"zips":       l.testZips,
		"examples":   l.testExamples,
	}
	for name, test := range groups {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// lab holds what the tests share.
type lab struct {
	rie     string // the emulator
	layer   string // what the function sees as /opt
	handler string // the Go handler
	// compilers make the handlers in other languages, and what is published: the
	// layers, and the program for this machine.
	compilers struct{ java, dotnet, vendor, dist compiler }
}

// layer returns the directory that becomes /opt: E2E_LAYER, or one with the
// program built as for the layer.
func layer(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("E2E_LAYER"); dir != "" {
		return dir
	}
	return layerFor(t, runtime.GOARCH)
}

// layerFor returns the directory that becomes /opt on an architecture.
func layerFor(t *testing.T, arch string) string {
	t.Helper()
	dir := t.TempDir()
	buildFor(t, arch, "..", filepath.Join(dir, "extensions", "secretwrap"), append(layerbuild.Arguments(""), layerbuild.Source)...)
	link(t, "extensions/secretwrap", filepath.Join(dir, "secretwrap"))
	return dir
}

// goHandler returns the path of the Go handler, built for an architecture.
func goHandler(t *testing.T, arch string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "handler")
	buildFor(t, arch, ".", path, "./handlers/go")
	return path
}

// build runs go build in dir.
func build(t *testing.T, dir, output string, args ...string) {
	t.Helper()
	buildFor(t, runtime.GOARCH, dir, output, args...)
}

// buildFor runs go build in dir, for an architecture.
func buildFor(t *testing.T, arch, dir, output string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), building)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-buildvcs=false", "-o", output}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+arch)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
}

// ownBootstrap is the bootstrap of people who keep their own.
const ownBootstrap = "#!/bin/sh\nexec /opt/secretwrap /var/task/app\n"

// osOnly returns a function of an OS-only runtime: the Go handler, and a
// bootstrap of one line as these runtimes need it.
func (l lab) osOnly(t *testing.T, env ...string) emulator.Function {
	t.Helper()
	task := t.TempDir()
	copyFile(t, l.handler, filepath.Join(task, "handler"))
	link(t, "handler", filepath.Join(task, "app"))
	write(t, filepath.Join(task, "bootstrap"), ownBootstrap, 0o755)
	return emulator.Function{Layer: l.layer, Task: task, Env: append(wrapped(), env...)}
}

// layered returns a function of an OS-only runtime with the layer that brings its
// bootstrap: the Go handler, called app.
func (l lab) layered(t *testing.T, env ...string) emulator.Function {
	t.Helper()
	task := t.TempDir()
	copyFile(t, l.handler, filepath.Join(task, "app"))
	return emulator.Function{Layer: l.osOnlyLayer(t), Task: task, Search: true, Handler: "app", Env: env}
}

// osOnlyLayer returns the layer for OS-only runtimes.
func (l lab) osOnlyLayer(t *testing.T) string {
	t.Helper()
	dir := copyTree(t, l.layer)
	link(t, "extensions/secretwrap", filepath.Join(dir, "bootstrap"))
	return dir
}

// managed returns a function of a managed runtime, whose bootstrap starts argv;
// its code is the Go handler at /var/task/handler.
func (l lab) managed(t *testing.T, argv []string, env ...string) emulator.Function {
	t.Helper()
	task, runtimeDir := t.TempDir(), t.TempDir()
	copyFile(t, l.handler, filepath.Join(task, "handler"))
	write(t, filepath.Join(runtimeDir, "bootstrap"), emulator.ManagedBootstrap(argv...), 0o755)
	return emulator.Function{
		Layer:     l.layer,
		Task:      task,
		Runtime:   runtimeDir,
		Env:       append(wrapped(), env...),
		Bootstrap: "/var/runtime/bootstrap",
	}
}

// wrapped returns the configuration that every function with the layer needs.
func wrapped() []string { return []string{"AWS_LAMBDA_EXEC_WRAPPER=/opt/secretwrap"} }

// deployed is a function that takes invocations.
type deployed struct{ *emulator.Emulator }

// deploy starts fn, as talkative as it can be. When the test ends the function is shut
// down, which must not need force, and neither the canary nor one of secrets may stand
// in what it has logged, or in a file in /tmp beside the copies.
func (l lab) deploy(t *testing.T, fn emulator.Function, secrets ...string) deployed {
	t.Helper()
	fn.Env = append(talkative(), fn.Env...)
	ctx, cancel := context.WithTimeout(t.Context(), starting)
	defer cancel()
	e, err := emulator.Start(ctx, l.rie, t.TempDir(), fn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(stopping); err != nil {
			t.Error(err)
		}
		deployed{e}.checkLeaks(t, append([]string{canary}, secrets...))
		if t.Failed() {
			t.Logf("log:\n%s", e.Logs())
		}
	})
	return deployed{e}
}

// checkLeaks looks for secrets in the log, and in the files of the environment.
func (d deployed) checkLeaks(t *testing.T, secrets []string) {
	t.Helper()
	places := filesIn(t, d.Tmp(), "secretwrap", programsOwn)
	places["the log"] = d.Logs()
	for place, text := range places {
		for i, secret := range secrets {
			if found := leaks(text, secret); len(found) > 0 {
				t.Errorf("%s shows secret %d of %d: %v", place, i+1, len(secrets), found)
			}
		}
	}
}

// programsOwn is the directory in /tmp into which a function's program may copy its
// secrets.
const programsOwn = "copied"

// filesIn returns what the files in dir hold, by their names, but for those in the
// directories called except.
func filesIn(t *testing.T, dir string, except ...string) map[string]string {
	t.Helper()
	texts := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains(except, entry.Name()):
			return fs.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		content, err := os.ReadFile(path)
		texts["the file "+entry.Name()] += string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// invoke sends event to the function and returns its answer.
func (d deployed) invoke(t *testing.T, event any) emulator.Response {
	t.Helper()
	body, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), invoking)
	defer cancel()
	response, err := d.Invoke(ctx, body)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// succeeds invokes the function with no wish, and returns what is wrong.
func (d deployed) succeeds(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, invoking)
	defer cancel()
	response, err := d.Invoke(ctx, []byte("{}"))
	if err == nil && string(response.Body) != "{}" {
		err = fmt.Errorf("status %d: %s", response.Status, response.Body)
	}
	return err
}

// seen asks the function for event and returns what its handler has seen.
func (d deployed) seen(t *testing.T, event event) map[string]any {
	t.Helper()
	response := d.invoke(t, event)
	var seen map[string]any
	if err := json.Unmarshal(response.Body, &seen); err != nil || seen["errorType"] != nil {
		t.Fatalf("status %d: %s", response.Status, response.Body)
	}
	return seen
}

// wholeLog ends the environment and returns its log, in which nothing that was
// written is missing any more.
func (d deployed) wholeLog(t *testing.T) string {
	t.Helper()
	if err := d.Stop(stopping); err != nil {
		t.Error(err)
	}
	return d.Logs()
}

// event is what the handlers understand, see handlers/go.
type event struct {
	Names   []string `json:"names,omitempty"`
	Files   []string `json:"files,omitempty"`
	Digests []string `json:"digests,omitempty"`
	Argv    bool     `json:"argv,omitempty"`
	Environ bool     `json:"environ,omitempty"`
	Pairs   *pairs   `json:"pairs,omitempty"`
	Exit    int      `json:"exit,omitempty"`
}

// without returns env without the variables of the given names.
func without(env []any, names ...string) []string {
	var rest []string
	for _, entry := range env {
		text, _ := entry.(string)
		if !slices.Contains(names, name(text)) {
			rest = append(rest, text)
		}
	}
	slices.Sort(rest)
	return rest
}

// name returns the name in NAME=VALUE.
func name(entry string) string {
	name, _, _ := strings.Cut(entry, "=")
	return name
}
