package lambdafake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// runtimeName is the name of the runtime's process, which no file in a
// directory can have.
const runtimeName = "/runtime"

// instance are the programs of an environment, from one cold start on.
type instance struct {
	api        *API
	function   Function
	output     output
	started    time.Time
	extensions []*process
	runtime    *process
	// fallen is the first process that ended, nil while all run.
	fallen *process
}

// startInstance does a cold start in Lambda's order: extensions, their
// registrations, the runtime, its and the extensions' first calls for work. The
// instance is nil when there is nothing to stop.
func startInstance(ctx context.Context, function Function, out output) (*instance, *failure, error) {
	names, err := extensionNames(function.Layer)
	if err != nil {
		return nil, nil, err
	}
	api, err := StartAPI(APIConfig{
		FunctionName:       function.Name,
		Handler:            function.Handler,
		InitializationType: function.InitializationType,
		Extensions:         names,
	})
	if err != nil {
		return nil, nil, err
	}
	i := &instance{api: api, function: function, output: out, started: time.Now()}
	for _, step := range []func(context.Context) (*failure, error){
		func(context.Context) (*failure, error) { return i.startExtensions(names) },
		func(ctx context.Context) (*failure, error) { return i.await(ctx, i.registered) },
		func(context.Context) (*failure, error) { return i.startRuntime() },
		func(ctx context.Context) (*failure, error) { return i.await(ctx, i.idle) },
	} {
		if failed, err := step(ctx); failed != nil || err != nil {
			return i, failed, err
		}
	}
	return i, nil, nil
}

// extensionNames returns the names of the files that Lambda starts: all but
// directories, links included, whatever their mode.
func extensionNames(layer string) ([]string, error) {
	if layer == "" {
		return nil, nil
	}
	files, err := os.ReadDir(filepath.Join(layer, "extensions"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list the extensions: %w", err)
	}
	var names []string
	for _, f := range files {
		if !f.IsDir() {
			names = append(names, f.Name())
		}
	}
	return names, nil
}

func (i *instance) startExtensions(names []string) (*failure, error) {
	env := i.function.extensionEnv(i.api.Addr())
	for _, name := range names {
		path := filepath.Join(i.function.Layer, "extensions", name)
		p, err := startProcess(name, []string{path}, env, "/", i.output, i.fell)
		if err != nil {
			return &failure{errorType: "Extension.LaunchError", message: err.Error()}, nil
		}
		i.extensions = append(i.extensions, p)
	}
	return nil, nil
}

func (i *instance) startRuntime() (*failure, error) {
	if len(i.function.Bootstrap) == 0 {
		return &failure{errorType: "Runtime.InvalidEntrypoint", message: "Couldn't find valid bootstrap(s): []"}, nil
	}
	env := i.function.runtimeEnv(i.api.Addr())
	p, err := startProcess(runtimeName, i.function.Bootstrap, env, i.function.Task, i.output, i.fell)
	if err != nil {
		return &failure{errorType: "Runtime.InvalidEntrypoint", message: err.Error()}, nil
	}
	i.runtime = p
	return nil, nil
}

// fell notes the end of a process.
func (i *instance) fell(p *process) {
	i.api.change(func() {
		if i.fallen == nil {
			i.fallen = p
		}
	})
}

// await returns nothing as soon as condition, called under the API's lock, is
// true; a failure if a process ends before.
func (i *instance) await(ctx context.Context, condition func() bool) (*failure, error) {
	var failed *failure
	err := i.api.await(ctx, func() bool {
		if condition() {
			return true
		}
		failed = i.failure()
		return failed != nil
	})
	return failed, err
}

// registered reports whether all extensions have registered.
func (i *instance) registered() bool { return len(i.api.extensions) == len(i.extensions) }

// idle reports whether the runtime asks for work and all extensions for an event.
func (i *instance) idle() bool {
	if i.fallen != nil || !i.api.runtime.waiting {
		return false
	}
	for _, e := range i.api.extensions {
		if !e.idle() {
			return false
		}
	}
	return true
}

// failure returns what follows from the first process that ended.
func (i *instance) failure() *failure {
	p := i.fallen
	switch {
	case p == nil:
		return nil
	case p.name != runtimeName:
		return &failure{errorType: i.crash(p.name), message: p.exitMessage()}
	case i.api.runtime.failed != nil:
		return &failure{errorType: i.api.runtime.failed.errorType, payload: i.api.runtime.failed.payload}
	}
	return &failure{errorType: "Runtime.ExitError", message: p.exitMessage()}
}

// crash returns the type of an extension's end. Lambda takes any for a crash
// that was not reported before, even with status 0.
func (i *instance) crash(name string) string {
	if e := i.api.extensions[name]; e != nil && e.failed != "" {
		return e.failed
	}
	return "Extension.Crash"
}

func (i *instance) runtimeInit() time.Duration {
	i.api.mu.Lock()
	defer i.api.mu.Unlock()
	if i.api.runtime.asked.IsZero() {
		return 0
	}
	return i.api.runtime.asked.Sub(i.started)
}

func (i *instance) outcome() outcome {
	i.api.mu.Lock()
	defer i.api.mu.Unlock()
	return *i.api.runtime.outcome
}

// stop ends all processes. The runtime gets a third of the time, as in Lambda;
// without extensions it is killed at once.
func (i *instance) stop(reason string) {
	now := time.Now()
	deadline := now.Add(i.function.ShutdownTimeout)
	if i.runtime != nil {
		if len(i.extensions) > 0 {
			i.runtime.terminate()
			i.runtime.await(now.Add(i.function.ShutdownTimeout * 3 / 10))
		}
		i.runtime.kill()
	}
	i.api.Shutdown(reason, deadline)
	for _, p := range i.extensions {
		if i.awaitsShutdown(p.name) {
			p.await(deadline)
		}
		p.kill()
	}
	i.api.Close()
}

// awaitsShutdown reports whether an extension registered for SHUTDOWN. Lambda
// kills the others.
func (i *instance) awaitsShutdown(name string) bool {
	i.api.mu.Lock()
	defer i.api.mu.Unlock()
	e := i.api.extensions[name]
	return e != nil && e.accepts(shutdownEvent)
}

// seconds returns d as Lambda writes it.
func seconds(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', 2, 64)
}
