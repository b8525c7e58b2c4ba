package emulator

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// defaultTimeout is the timeout of a Function that has none.
const defaultTimeout = 20 * time.Second

// Function is a Lambda function as it is deployed.
type Function struct {
	// Layer, Task and Runtime are the directories whose copies the function
	// sees as /opt, /var/task and /var/runtime, read-only as in Lambda. An
	// empty name stands for an empty directory.
	Layer, Task, Runtime string
	// Mounted mounts Layer, Task and Runtime instead of copying them, which is
	// quicker, and leaves them as cold in the page cache as they are.
	Mounted bool
	// Etc is the directory that the function sees as /etc, this machine's if
	// empty.
	Etc string
	// Visible are files and directories that the function sees at their own
	// path even below /opt, /tmp and /var; what is elsewhere it sees anyway.
	Visible []string
	// Handler is the handler's name, "handler" if empty.
	Handler string
	// Env holds the configured variables, each as NAME=VALUE.
	Env []string
	// Timeout is the function's timeout in whole seconds, 20 if zero. The
	// emulator applies it to init too, as Lambda does to an init that it
	// repeats within an invocation.
	Timeout time.Duration
	// Storage is the size of /tmp in bytes, as Lambda bounds it; what holds the
	// emulator's files bounds it if it is zero.
	Storage int64
	// Output gets what all processes write, if it is not nil. Then Logs and what is
	// made of it are empty, so that an emulator that runs for long does not grow.
	Output io.Writer
	// Bootstrap is the path of the program that starts the runtime,
	// /var/task/bootstrap if empty.
	Bootstrap string
	// Search lets the emulator look for the bootstrap itself, as Lambda does on
	// OS-only runtimes: in /var/task, then in /opt. Extensions see LAMBDA_TASK_ROOT
	// then.
	Search bool
	// Entrypoint is the command line of a container image, ENTRYPOINT and CMD, in
	// the place of a bootstrap. Extensions see LAMBDA_TASK_ROOT then.
	Entrypoint []string
	// Image is the directory whose copy the function sees as its whole file system,
	// beside /dev, /proc, /tmp and what is Visible, if it is not empty. Then Layer,
	// Task, Runtime and Etc mean nothing.
	Image string
	// QEMU is the program that executes those for arm64, if the function has such
	// on another machine: a static qemu-aarch64. It takes Linux 6.7 or later.
	QEMU string
}

// environ returns the environment to start the emulator with, which it hands
// on. Lambda's own variables come first: of a name that is configured too, env
// takes the last.
func (f Function) environ() []string {
	handler, timeout := f.Handler, f.Timeout
	if handler == "" {
		handler = "handler"
	}
	if timeout == 0 {
		timeout = defaultTimeout
	}
	own := []string{
		"AWS_ACCESS_KEY_ID=AKIDEXAMPLE",
		"AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
		"AWS_SESSION_TOKEN=session",
		"AWS_REGION=eu-west-1",
		"AWS_DEFAULT_REGION=eu-west-1",
		"AWS_LAMBDA_FUNCTION_NAME=function",
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1769",
		"AWS_LAMBDA_FUNCTION_TIMEOUT=" + strconv.Itoa(int(timeout.Seconds())),
		"AWS_LAMBDA_FUNCTION_HANDLER=" + handler,
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"LANG=en_US.UTF-8",
		"PATH=/usr/local/bin:/usr/bin:/bin:/opt/bin",
		"TZ=:UTC",
	}
	if f.Search || f.Entrypoint != nil {
		own = append(own, taskRoot)
	}
	return append(own, f.Env...)
}

const taskRoot = "LAMBDA_TASK_ROOT=/var/task"

// command returns what the emulator starts as the runtime: the bootstrap, with
// the variables that Lambda withholds from extensions and the emulator does
// not.
func (f Function) command() []string {
	if f.Search || f.Entrypoint != nil {
		return f.Entrypoint
	}
	bootstrap := f.Bootstrap
	if bootstrap == "" {
		bootstrap = "/var/task/bootstrap"
	}
	return []string{
		"/usr/bin/env", "-C", "/var/task",
		taskRoot,
		"LAMBDA_RUNTIME_DIR=/var/runtime",
		bootstrap,
	}
}

// ManagedBootstrap returns the text of a bootstrap that starts argv the way
// those of the managed runtimes do: through the program that
// AWS_LAMBDA_EXEC_WRAPPER names, with status 127 if there is none and 126 if it
// cannot be executed.
func ManagedBootstrap(argv ...string) string {
	quoted := make([]string, len(argv))
	for i, arg := range argv {
		quoted[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
	}
	return fmt.Sprintf(`#!/bin/sh
set -- %s
wrapper=$AWS_LAMBDA_EXEC_WRAPPER
if [ -z "$wrapper" ]; then
	exec "$@"
fi
if [ ! -f "$wrapper" ]; then
	echo "$wrapper: does not exist"
	exit 127
fi
if [ ! -x "$wrapper" ]; then
	echo "$wrapper: is not an executable"
	exit 126
fi
exec "$wrapper" "$@"
`, strings.Join(quoted, " "))
}
