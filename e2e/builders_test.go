//go:build linux

package e2e_test

import (
	"archive/zip"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"go.yaml.in/yaml/v3"

	"secretwrap/e2e/emulator"
)

// testBuilders builds functions with what people build them with, and runs them
// with the layer for OS-only runtimes: as its documentation has it, which names the
// program bootstrap and so hides the layer's, and renamed.
func (l lab) testBuilders(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the builders build for x86_64, as they do unless told otherwise")
	}
	tests := map[string]func(*testing.T) (plain, renamed packaged){
		"SAM, Go":      func(t *testing.T) (plain, renamed packaged) { return buildWithSAM(t, "sam-go") },
		"SAM, Rust":    func(t *testing.T) (plain, renamed packaged) { return buildWithSAM(t, "sam-rust", "cargo") },
		"CDK, Go":      func(t *testing.T) (plain, renamed packaged) { return buildWithCDK(t, "go.js") },
		"CDK, Rust":    func(t *testing.T) (plain, renamed packaged) { return buildWithCDK(t, "rust.js", "cargo") },
		"cargo-lambda": buildWithCargoLambda,
	}
	for name, build := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain, renamed := build(t)
			plain.check(t, "bootstrap")
			renamed.check(t, "app")
			l.checkUnresolved(t, plain.function(l.osOnlyLayer(t)), "/var/task/bootstrap hides /opt/bootstrap")
			delivery := newDelivery(t)
			fake := startFake(t, delivery.secrets)
			fn := renamed.function(l.osOnlyLayer(t))
			fn.Env = delivery.env
			l.checkDelivery(t, fn, fake.store, delivery)
		})
	}
}

// packaged is a function as a builder leaves it for the deployment.
type packaged struct {
	task    string // what becomes /var/task
	handler string // the configured handler
}

// check fails the test unless program is the function's handler and all of its
// code.
func (p packaged) check(t *testing.T, program string) {
	t.Helper()
	if p.handler != program {
		t.Errorf("handler %q, want %q", p.handler, program)
	}
	entries, err := os.ReadDir(p.task)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != program {
		t.Fatalf("built %v, want %s alone", entries, program)
	}
	info, err := entries[0].Info()
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode(); !mode.IsRegular() || mode&0o111 == 0 {
		t.Errorf("%s has mode %v, want an executable file", program, mode)
	}
}

// function returns the function on an OS-only runtime.
func (p packaged) function(layer string) emulator.Function {
	return emulator.Function{Layer: layer, Task: p.task, Handler: p.handler, Search: true}
}

// buildWithSAM builds a project below builders with the SAM CLI.
func buildWithSAM(t *testing.T, project string, tools ...string) (plain, renamed packaged) {
	t.Helper()
	// SAM keeps notes beside the directory that it builds into.
	dir := filepath.Join(t.TempDir(), "build")
	b := builders(t, append(tools, "make", "sam")...)
	// In the source, since the handler's go.mod is above the directory of its
	// code, which is all that SAM would copy.
	b.run(t, "builders/"+project, "sam", "build", "--build-in-source", "--build-dir", dir)
	functions := readTemplate(t, filepath.Join(dir, "template.yaml"))
	find := func(id string) packaged {
		function := functions.find(t, id)
		return packaged{filepath.Join(dir, function.CodeURI), function.Handler}
	}
	return find("Plain"), find("App")
}

// buildWithCDK builds what an app in builders/cdk describes.
func buildWithCDK(t *testing.T, app string, tools ...string) (plain, renamed packaged) {
	t.Helper()
	dir := t.TempDir()
	b := builders(t, append(tools, "node")...)
	modules := cached(t, "builders/cdk/node_modules")
	if _, err := os.Stat(modules); err != nil {
		need(t, "no CDK: scripts/install-builders.sh installs it")
	}
	b.env = append(b.env, "NODE_PATH="+modules, "CDK_OUTDIR="+dir)
	b.run(t, "builders/cdk", "node", app)
	functions := readTemplate(t, filepath.Join(dir, "Stack.template.json"))
	find := func(id string) packaged {
		function := functions.find(t, id)
		asset := "asset." + strings.TrimSuffix(function.Code.S3Key, ".zip")
		return packaged{filepath.Join(dir, asset), function.Handler}
	}
	return find("Plain"), find("App")
}

// buildWithCargoLambda builds the handler in Rust with cargo-lambda, which knows no
// handlers: whoever deploys the function configures it. What renames the program are
// the commands in docs/runtimes.md.
func buildWithCargoLambda(t *testing.T) (plain, renamed packaged) {
	t.Helper()
	b := builders(t, "cargo", "cargo-lambda", "zip")
	dir := copyTree(t, "handlers/rust")
	link(t, cached(t, "builders/target"), filepath.Join(dir, "target"))
	b.run(t, dir, "cargo", "lambda", "build", "--release", "--locked", "--output-format", "zip")
	plain = packaged{unzip(t, filepath.Join(dir, "target", "lambda", "app", "bootstrap.zip")), "bootstrap"}
	b.run(t, dir, "sh", "-ec", block(t, page(t, "docs/runtimes.md"), "sh", "cargo lambda build"))
	return plain, packaged{unzip(t, filepath.Join(dir, "app.zip")), "app"}
}

// toolbox runs builders.
type toolbox struct {
	path string // in which they are found
	env  []string
}

// builders returns the builders that scripts/install-builders.sh installs, among
// them the given tools.
func builders(t *testing.T, tools ...string) toolbox {
	t.Helper()
	// The AWS CLI is among what scripts/install-e2e.sh installs.
	path := strings.Join([]string{cached(t, "builders/venv/bin"), os.Getenv("PATH"), cached(t, "venv/bin")}, ":")
	for _, tool := range tools {
		if !onPath(path, tool) {
			need(t, "no "+tool+" (scripts/install-builders.sh installs the builders; make, Node.js and Rust must be there)")
		}
	}
	if slices.Contains(tools, "cargo") {
		lock(t, cached(t, "builders/target.lock"))
	}
	return toolbox{path: path, env: append(os.Environ(),
		"PATH="+path,
		"CGO_ENABLED=0",
		"GOFLAGS=-buildvcs=false",
		"CARGO_LAMBDA_COMPILER=cargo", // zig is for other machines
		"CARGO_TARGET_DIR="+cached(t, "builders/target"),
		"SAM_CLI_TELEMETRY=0",
		"__SAM_CLI_APP_DIR="+t.TempDir(),
	)}
}

// lock waits for a lock on a file, and holds it until the test ends. The builders
// of Rust share a directory, in which two at a time remove each other's programs.
func lock(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
}

// onPath tells whether one of the directories in path has tool.
func onPath(path, tool string) bool {
	for _, dir := range filepath.SplitList(path) {
		if _, err := exec.LookPath(filepath.Join(dir, tool)); err == nil {
			return true
		}
	}
	return false
}

// run runs a command in dir.
func (b toolbox) run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	b.output(t, dir, name, args...)
}

// output runs a command in dir and returns what it writes to standard output.
func (b toolbox) output(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()
	stdout, stderr, err := b.start(t, dir, name, args)
	if err != nil {
		t.Fatalf("%s %v: %v\n%s%s", name, args, err, stdout, stderr)
	}
	return stdout
}

// fails runs a command in dir that must fail, and returns what it writes to standard
// error.
func (b toolbox) fails(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	stdout, stderr, err := b.start(t, dir, name, args)
	if err == nil {
		t.Fatalf("%s %v does not fail\n%s%s", name, args, stdout, stderr)
	}
	return string(stderr)
}

// start runs a command in dir.
func (b toolbox) start(t *testing.T, dir, name string, args []string) (stdout, stderr []byte, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), building)
	defer cancel()
	// By env, which looks for the command in the PATH that it is given.
	cmd := exec.CommandContext(ctx, "/usr/bin/env", append([]string{name}, args...)...)
	cmd.Dir = dir
	cmd.Env = b.env
	var out, trouble bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &trouble
	err = cmd.Run()
	return out.Bytes(), trouble.Bytes(), err
}

// template is what the tests read of a CloudFormation template.
type template struct {
	Resources map[string]struct {
		Type       string             `yaml:"Type"`
		Properties functionProperties `yaml:"Properties"`
	} `yaml:"Resources"`
}

// functionProperties are those of SAM's functions and of Lambda's.
type functionProperties struct {
	Handler string `yaml:"Handler"`
	CodeURI string `yaml:"CodeUri"`
	Code    struct {
		S3Key string `yaml:"S3Key"`
	} `yaml:"Code"`
}

// readTemplate reads a template in YAML, or in JSON, which is YAML too.
func readTemplate(t *testing.T, path string) template {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var tmpl template
	if err := yaml.Unmarshal(content, &tmpl); err != nil {
		t.Fatal(err)
	}
	return tmpl
}

// find returns the function whose logical ID is id, or begins with it, since the
// CDK appends a hash.
func (tmpl template) find(t *testing.T, id string) functionProperties {
	t.Helper()
	for name, resource := range tmpl.Resources {
		if strings.HasPrefix(name, id) && strings.HasSuffix(resource.Type, "::Function") {
			return resource.Properties
		}
	}
	t.Fatalf("no function %s in %+v", id, tmpl)
	return functionProperties{}
}

// unzip returns a directory with the files of an archive, in the modes that they
// have there, as Lambda unpacks it.
func unzip(t *testing.T, path string) string {
	t.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	dir := t.TempDir()
	if err := os.CopyFS(dir, archive); err != nil {
		t.Fatal(err)
	}
	for _, file := range archive.File {
		if err := os.Chmod(filepath.Join(dir, file.Name), file.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
