package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/lambdafake"
)

// firstCall is what a runtime asks when it has started.
const firstCall = "/2018-06-01/runtime/invocation/next"

// scene is a function that is invoked once, in an environment of its own.
type scene struct {
	name string
	// env is the function's configuration.
	env []string
	// faults are what Secrets Manager does to the secrets of these names.
	faults map[string]awsfake.Fault
	// bootstrap is what Lambda starts.
	bootstrap []string
}

// view is what can be seen of a function that was invoked.
type view struct {
	result lambdafake.Result
	log    string
	// started reports whether the function's program ever ran.
	started bool
	// calls are the secrets that Secrets Manager was asked for, in order of
	// their names.
	calls []string
	// keyMode is the mode of the file that the function reads, 0 without one.
	keyMode fs.FileMode
}

// play invokes the function of a scene once.
func (s *stage) play(ctx context.Context, c scene) (view, error) {
	f, err := s.deploy(c)
	if err != nil {
		return view{}, err
	}
	result, err := f.environment.Invoke(ctx, []byte("{}"))
	mode := modeOf(filepath.Join(f.files, keyFile))
	log := f.end()
	if err != nil {
		return view{}, fmt.Errorf("invoke the function: %w", err)
	}
	return view{
		result: result, log: log, keyMode: mode,
		started: slices.ContainsFunc(f.environment.Requests(), func(r lambdafake.Request) bool { return r.Path == firstCall }),
		calls:   asked(f.server.Calls()),
	}, nil
}

// function is one that can be invoked again and again.
type function struct {
	server      *awsfake.Server
	environment *lambdafake.Environment
	// files is the directory of file copies.
	files string
	log   *bytes.Buffer
}

// deploy makes the function of a scene ready to be invoked.
func (s *stage) deploy(c scene) (*function, error) {
	server, err := awsfake.Start(awsfake.Config{Delay: serverDelay, Secrets: secrets(c.faults)})
	if err != nil {
		return nil, err
	}
	temporary := filepath.Join(s.dir, c.name)
	ca := filepath.Join(temporary, "ca.pem")
	if err := writeFile(ca, server.CA()); err != nil {
		server.Close()
		return nil, err
	}
	f := &function{server: server, files: filepath.Join(temporary, "secretwrap"), log: new(bytes.Buffer)}
	f.environment = lambdafake.NewEnvironment(lambdafake.Function{
		Layer: s.layer, Task: filepath.Dir(s.handler), Bootstrap: c.bootstrap, MemoryMB: 1769,
		Env: append(slices.Clone(c.env),
			"AWS_LAMBDA_EXEC_WRAPPER="+s.wrapper,
			"AWS_ENDPOINT_URL_SECRETS_MANAGER="+server.URL(),
			"AWS_CA_BUNDLE="+ca,
			"TMPDIR="+temporary,
			"SECRETWRAP_DIR="+f.files,
		),
		Stdout: f.log, Stderr: f.log,
	})
	return f, nil
}

// end ends the function's environment and returns its log, which is complete
// then.
func (f *function) end() string {
	f.environment.Close()
	f.server.Close()
	return f.log.String()
}

func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

// modeOf returns the permissions of a file, 0 if there is none.
func modeOf(path string) fs.FileMode {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Mode().Perm()
}

func asked(calls []awsfake.Call) []string {
	names := make([]string, len(calls))
	for i, call := range calls {
		names[i] = call.SecretID
	}
	slices.Sort(names)
	return names
}
