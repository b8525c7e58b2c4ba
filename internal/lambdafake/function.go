package lambdafake

import (
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Function is the configuration of a Lambda function.
type Function struct {
	// Name, Region and Handler are function, eu-west-1 and bootstrap when empty.
	Name    string
	Region  string
	Handler string
	// Layer is the directory that stands for /opt. Every file in its extensions
	// directory is started as an extension. Without a Layer there are none.
	Layer string
	// Task is the directory that stands for /var/task.
	Task string
	// Bootstrap are path and arguments of the runtime's process, for example
	// the exec wrapper followed by the interpreter, as the bootstrap script of a
	// managed runtime would exec them.
	Bootstrap []string
	// Env are the configured variables as NAME=value; of one name the last one
	// counts. Like the real ones they cannot set what Lambda reserves.
	Env []string
	// ExecutionEnv is AWS_EXECUTION_ENV, for example AWS_Lambda_nodejs22.x;
	// empty leaves it unset, as it is for an OS-only runtime.
	ExecutionEnv string
	// InitializationType is on-demand when empty.
	InitializationType string
	// MemoryMB is 128 when zero. It limits nothing.
	MemoryMB int
	// Timeout is that of an invocation, 3 s when zero.
	Timeout time.Duration
	// InitTimeout is that of the first start, 10 s when zero. A start after one
	// that failed has the Timeout, as in Lambda.
	InitTimeout time.Duration
	// ShutdownTimeout is what all processes have to end by themselves, 2 s when
	// zero.
	ShutdownTimeout time.Duration
	// LogFormat and LogLevel are AWS_LAMBDA_LOG_FORMAT and AWS_LAMBDA_LOG_LEVEL;
	// empty leaves them unset.
	LogFormat string
	LogLevel  string
	// Stdout and Stderr get the output of all processes; nil discards it.
	Stdout io.Writer
	Stderr io.Writer
}

func (f Function) withDefaults() Function {
	for _, field := range []struct {
		value    *string
		fallback string
	}{
		{&f.Name, "function"},
		{&f.Region, "eu-west-1"},
		{&f.Handler, "bootstrap"},
		{&f.InitializationType, "on-demand"},
	} {
		if *field.value == "" {
			*field.value = field.fallback
		}
	}
	for _, field := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{
		{&f.Timeout, 3 * time.Second},
		{&f.InitTimeout, 10 * time.Second},
		{&f.ShutdownTimeout, 2 * time.Second},
	} {
		if *field.value == 0 {
			*field.value = field.fallback
		}
	}
	if f.MemoryMB == 0 {
		f.MemoryMB = 128
	}
	return f
}

// runtimeEnv returns the environment in which the bootstrap starts.
func (f Function) runtimeEnv(api string) []string {
	env := f.unreserved()
	maps.Copy(env, f.configured())
	maps.Copy(env, f.platform(api))
	maps.Copy(env, f.runtimeOnly())
	return block(env)
}

// extensionEnv returns the environment in which extensions start. Lambda keeps
// from them what concerns the runtime, and all names that begin with an
// underscore.
func (f Function) extensionEnv(api string) []string {
	env := f.unreserved()
	maps.Copy(env, f.configured())
	reserved := f.runtimeOnly()
	maps.DeleteFunc(env, func(name, _ string) bool {
		return strings.HasPrefix(name, "_") || reserved[name] != ""
	})
	maps.Copy(env, f.platform(api))
	return block(env)
}

func (f Function) configured() map[string]string {
	env := make(map[string]string, len(f.Env))
	for _, pair := range f.Env {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	return env
}

// unreserved returns what Lambda sets unless the function's configuration does.
func (f Function) unreserved() map[string]string {
	return map[string]string{
		"LANG":            "en_US.UTF-8",
		"TZ":              ":UTC",
		"PATH":            "/usr/local/bin:/usr/bin:/bin:" + f.Layer + "/bin",
		"LD_LIBRARY_PATH": strings.Join([]string{f.Task, f.Task + "/lib", f.Layer + "/lib"}, ":"),
	}
}

// platform returns what Lambda sets for all processes. The credentials are none.
func (f Function) platform(api string) map[string]string {
	env := map[string]string{
		"AWS_REGION":                      f.Region,
		"AWS_DEFAULT_REGION":              f.Region,
		"AWS_ACCESS_KEY_ID":               "ASIAIOSFODNN7EXAMPLE",
		"AWS_SECRET_ACCESS_KEY":           "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		"AWS_SESSION_TOKEN":               "example-session-token",
		"AWS_LAMBDA_RUNTIME_API":          api,
		"AWS_LAMBDA_FUNCTION_NAME":        f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(f.MemoryMB),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  f.InitializationType,
	}
	setUnlessEmpty(env, "AWS_LAMBDA_LOG_FORMAT", f.LogFormat)
	setUnlessEmpty(env, "AWS_LAMBDA_LOG_LEVEL", f.LogLevel)
	return env
}

// runtimeOnly returns what Lambda sets for the runtime and not for extensions.
func (f Function) runtimeOnly() map[string]string {
	env := map[string]string{
		"_HANDLER":                   f.Handler,
		"LAMBDA_TASK_ROOT":           f.Task,
		"LAMBDA_RUNTIME_DIR":         "/var/runtime",
		"AWS_LAMBDA_LOG_GROUP_NAME":  "/aws/lambda/" + f.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/02/[$LATEST]0123456789abcdef0123456789abcdef",
	}
	setUnlessEmpty(env, "AWS_EXECUTION_ENV", f.ExecutionEnv)
	if f.InitializationType == ManagedInstances {
		env["AWS_LAMBDA_MAX_CONCURRENCY"] = "1"
	}
	return env
}

func setUnlessEmpty(env map[string]string, name, value string) {
	if value != "" {
		env[name] = value
	}
}

// block returns env as a process gets it, in the order of the names.
func block(env map[string]string) []string {
	out := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		out = append(out, name+"="+env[name])
	}
	return out
}
