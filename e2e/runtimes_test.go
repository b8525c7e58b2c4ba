//go:build linux

package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"secretwrap/e2e/emulator"
)

// tool is a program of this machine's, with the directory that it needs to see.
type tool struct{ path, home string }

// toolNamed finds a program that the test needs.
func toolNamed(t *testing.T, name string) tool {
	t.Helper()
	needMore(t)
	path, err := exec.LookPath(name)
	if err != nil {
		need(t, "no "+name)
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Fatal(err)
	}
	return tool{path: path, home: filepath.Dir(filepath.Dir(real))}
}

// compiler makes a program once for all tests.
type compiler func() (string, error)

// compile returns a compiler that runs a command in the test's directory; its
// output is the directory that {} stands for.
func compile(t *testing.T, argv ...string) compiler {
	dir := t.TempDir()
	for i, arg := range argv {
		argv[i] = strings.ReplaceAll(arg, "{}", dir)
	}
	return sync.OnceValues(func() (string, error) {
		out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
		return dir + string(out), err
	})
}

// compiled returns the directory of what a compiler makes.
func compiled(t *testing.T, make compiler) string {
	t.Helper()
	dir, err := make()
	if err != nil {
		t.Fatalf("%v: %s", err, dir)
	}
	return dir
}

// interpreted completes a function of a managed runtime: what its bootstrap
// exports, the file of its handler, and what it needs to see.
func interpreted(t *testing.T, fn emulator.Function, exports []string, source, handler string, visible ...string) emulator.Function {
	t.Helper()
	copyFile(t, source, filepath.Join(fn.Task, filepath.Base(source)))
	export(t, fn, exports...)
	fn.Handler = handler
	fn.Visible = append(fn.Visible, visible...)
	return fn
}

// export has the bootstrap of a managed runtime export variables, before it starts
// anything.
func export(t *testing.T, fn emulator.Function, variables ...string) {
	t.Helper()
	path := filepath.Join(fn.Runtime, "bootstrap")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first, rest, _ := strings.Cut(string(text), "\n")
	for _, variable := range variables {
		name, value, _ := strings.Cut(variable, "=")
		first += "\nexport " + name + "='" + strings.ReplaceAll(value, "'", `'\''`) + "'"
	}
	write(t, path, first+"\n"+rest, 0o755)
}

// node returns a function with the Node.js handler and AWS's runtime client. As in
// Lambda, the runtime reads the handler's name from its environment.
func (l lab) node(t *testing.T, env ...string) emulator.Function {
	t.Helper()
	node, client := toolNamed(t, "node"), cached(t, "aws-lambda-ric")
	if _, err := os.Stat(client); err != nil {
		need(t, "no runtime client for Node.js")
	}
	const program = "import { run } from %q;\nawait run(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);\n"
	fn := l.managed(t, []string{node.path, "--expose-gc", "--max-http-header-size", "81920", "/var/runtime/index.mjs"}, env...)
	write(t, filepath.Join(fn.Runtime, "index.mjs"), fmt.Sprintf(program, filepath.Join(client, "dist", "index.mjs")), 0o644)
	exports := []string{"AWS_EXECUTION_ENV=AWS_Lambda_nodejs22.x", "NODE_PATH=/opt/nodejs/node_modules:/var/runtime"}
	return interpreted(t, fn, exports, "handlers/node/index.mjs", "index.handler", node.home, client)
}

// python returns a function with the Python handler and AWS's runtime client. As in
// Lambda, the runtime reads the handler's name from its environment.
func (l lab) python(t *testing.T, env ...string) emulator.Function {
	t.Helper()
	python := pythonWith(t, "awslambdaric")
	const program = "import os, sys\nsys.path.insert(0, os.environ['LAMBDA_TASK_ROOT'])\n" +
		"from awslambdaric.__main__ import main\nmain([sys.argv[0], os.environ['_HANDLER']])\n"
	fn := l.managed(t, []string{python.path, "/var/runtime/bootstrap.py"}, env...)
	write(t, filepath.Join(fn.Runtime, "bootstrap.py"), program, 0o644)
	return interpreted(t, fn, []string{"AWS_EXECUTION_ENV=AWS_Lambda_python3.13"}, "handlers/python/handler.py", "handler.handler", python.homes...)
}

// java returns a function with the Java handler and AWS's runtime client. As in
// Lambda, the handler's name is the last argument.
func (l lab) java(t *testing.T, env ...string) emulator.Function {
	t.Helper()
	java, client := toolNamed(t, "java"), cached(t, "java")
	toolNamed(t, "javac")
	if _, err := os.Stat(client); err != nil {
		need(t, "no runtime client for Java")
	}
	argv := []string{
		java.path, "-XX:MaxHeapSize=256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-classpath", client + "/*:/var/task", "com.amazonaws.services.lambda.runtime.api.client.AWSLambda", "Handler::handle",
	}
	exports := []string{"AWS_EXECUTION_ENV=AWS_Lambda_java17", "LANG=C.UTF-8"}
	class := filepath.Join(compiled(t, l.compilers.java), "Handler.class")
	return interpreted(t, l.managed(t, argv, env...), exports, class, "Handler::handle", java.home, client)
}

// ruby returns a function with the Ruby handler and a loop of our own, which does
// what AWS's runtime client for Ruby does.
func (l lab) ruby(t *testing.T, env ...string) emulator.Function {
	t.Helper()
	ruby := toolNamed(t, "ruby")
	fn := l.managed(t, []string{ruby.path, "/var/runtime/runtime.rb"}, env...)
	copyFile(t, "handlers/ruby/runtime.rb", filepath.Join(fn.Runtime, "runtime.rb"))
	return interpreted(t, fn, []string{"AWS_EXECUTION_ENV=AWS_Lambda_ruby3.3", "GEM_PATH=/var/task/vendor"}, "handlers/ruby/handler.rb", "handler.handler", ruby.home)
}

// dotnet returns a function that is started as .NET's bootstrap starts a class
// library: by a program called dotnet, which is Mono here.
func (l lab) dotnet(t *testing.T, env ...string) emulator.Function {
	t.Helper()
	argv := []string{
		"/var/runtime/dotnet", "exec", "--depsfile", "/var/task/Function.deps.json", "--runtimeconfig", "/var/task/Function.runtimeconfig.json",
		"/var/runtime/Amazon.Lambda.RuntimeSupport.dll", "Function::Function::Handle",
	}
	fn := l.mono(t, l.managed(t, argv, env...), "Function::Function::Handle")
	write(t, filepath.Join(fn.Runtime, "dotnet"), "#!/bin/sh\nexec mono /var/task/Function.exe\n", 0o755)
	return fn
}

// dotnetExecutable returns a function that is started as .NET's bootstrap starts a
// program that brings its runtime along: without arguments.
func (l lab) dotnetExecutable(t *testing.T, env ...string) emulator.Function {
	t.Helper()
	fn := l.mono(t, l.managed(t, []string{"/var/task/Function"}, env...), "Function")
	write(t, filepath.Join(fn.Task, "Function"), "#!/bin/sh\nexec mono \"$0.exe\"\n", 0o755)
	return fn
}

// mono completes a function in C#, with what .NET's bootstrap exports.
func (l lab) mono(t *testing.T, fn emulator.Function, handler string) emulator.Function {
	t.Helper()
	mono := toolNamed(t, "mono")
	toolNamed(t, "mcs")
	exports := []string{
		"AWS_EXECUTION_ENV=AWS_Lambda_dotnet8", "LAMBDA_RUNTIME_NAME=dotnet8", "DOTNET_ROOT=/var/lang/bin",
		"SSL_CERT_FILE=/var/runtime/empty-certificates.crt",
	}
	return interpreted(t, fn, exports, filepath.Join(compiled(t, l.compilers.dotnet), "Function.exe"), handler, mono.home)
}

// allBytes is every byte that a variable can hold.
func allBytes() string {
	bytes := make([]byte, 255)
	for i := range bytes {
		bytes[i] = byte(i + 1)
	}
	return string(bytes)
}

// allText is every byte that UTF-8 has, in characters of each length.
func allText() string {
	var text strings.Builder
	for char := rune(1); char < 0x800; char++ {
		text.WriteRune(char)
	}
	for _, chars := range [][3]rune{{0x800, 0x1000, 0xD7FF}, {0xE000, 0x1000, 0xFFFF}, {0x10000, 0x40000, 0x10FFFF}} {
		for char := chars[0]; char <= chars[2]; char += chars[1] {
			text.WriteRune(char)
		}
		text.WriteRune(chars[2])
	}
	return text.String()
}

// testKeeps checks that what a bootstrap exports, or is configured, reaches the
// runtime's process byte for byte, beside a secret.
func (l lab) testKeeps(t *testing.T) {
	for name, function := range map[string]func(*testing.T, ...string) emulator.Function{
		"Node.js": l.node, "Python": l.python, "Java": l.java, "Ruby": l.ruby, ".NET": l.dotnet, "a Go program": l.goProgram, "an OS-only runtime": l.layered,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fn := function(t, "DB_PASSWORD=secretsmanager://prod/db#password")
			if fn.Search { // no bootstrap of the runtime's exports anything
				fn.Env = append(fn.Env, "BYTES="+allBytes())
			} else {
				export(t, fn, "BYTES="+allBytes())
			}
			d := l.deploy(t, startFake(t, oneSecret()).reachable(fn), canary)
			d.seen(t, event{})
			environ := d.runtime(t).environ(t)
			for _, entry := range []string{"BYTES=" + allBytes(), "DB_PASSWORD=" + canary} {
				if !slices.Contains(environ, entry) {
					t.Errorf("%s is not among the runtime's variables as it was", name)
				}
			}
		})
	}
}

// goProgram returns a function of a managed runtime whose interpreter is the Go
// handler.
func (l lab) goProgram(t *testing.T, env ...string) emulator.Function {
	t.Helper()
	return l.managed(t, plainHandler, env...)
}
