package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// startLab is where processes are started.
type startLab struct {
	*bench
	// probe runs before and after the layer's program.
	probe string
}

// measureStarts is the part that starts processes.
func measureStarts(ctx context.Context, b *bench, rounds int) (*startReport, error) {
	l := &startLab{bench: b, probe: filepath.Join(b.dir, "probe")}
	if err := goBuild(ctx, ".", l.probe, "./bench/probe"); err != nil {
		return nil, err
	}
	cells := l.cells()
	keep := func(c *startCell, s startSample) { c.samples = append(c.samples, s) }
	if err := interleaved(ctx, b.progress, "starts of processes", cells, rounds, l.sample, keep); err != nil {
		return nil, err
	}
	return newStartReport(cells, rounds), nil
}

// sample runs a cell once.
func (l *startLab) sample(ctx context.Context, c *startCell) (startSample, error) {
	files := filepath.Join(l.dir, "files")
	if err := os.RemoveAll(files); err != nil {
		return startSample{}, err
	}
	if _, err := l.store.traffic(); err != nil {
		return startSample{}, err
	}
	var printed, log bytes.Buffer
	cmd := exec.CommandContext(ctx, l.probe, append([]string{"measure"}, c.command...)...)
	cmd.Env = append(l.environment(files), c.env...)
	cmd.Stdout, cmd.Stderr = &printed, &log
	cmd.WaitDelay = time.Second // what it has started may hold its output open
	if err := cmd.Run(); err != nil {
		return startSample{}, fmt.Errorf("%s: %w\n%s", c.name, err, bytes.TrimSpace(log.Bytes()))
	}
	seen, err := l.store.traffic()
	if err != nil {
		return startSample{}, err
	}
	s, err := parse(printed.String())
	s.calls = len(seen.Asked)
	return s, err
}

// parse reads what the probe prints: a line when it is executed by the measured
// program, a line when that has ended.
func parse(printed string) (startSample, error) {
	var executed, started, took, cpu, resident int64
	if _, err := fmt.Sscan(printed, &executed, &started, &took, &cpu, &resident); err != nil {
		return startSample{}, fmt.Errorf("unexpected output %q: %w", strings.TrimSpace(printed), err)
	}
	if runtime.GOOS != "darwin" {
		resident *= 1024 // getrusage(2): kilobytes, bytes only on darwin
	}
	return startSample{
		toExec:   time.Duration(executed - started),
		toEnd:    time.Duration(took),
		cpu:      time.Duration(cpu) * time.Microsecond,
		resident: resident,
	}, nil
}

// environment returns what Lambda sets, and how to reach the store.
func (l *startLab) environment(files string) []string {
	return []string{
		"PATH=/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"LD_LIBRARY_PATH=/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
		"LANG=en_US.UTF-8",
		"TZ=:UTC",
		"_HANDLER=index.handler",
		"LAMBDA_TASK_ROOT=/var/task",
		"LAMBDA_RUNTIME_DIR=/var/runtime",
		"AWS_REGION=eu-west-1",
		"AWS_DEFAULT_REGION=eu-west-1",
		"AWS_ACCESS_KEY_ID=ASIAIOSFODNN7EXAMPLE",
		"AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		"AWS_SESSION_TOKEN=example-session-token",
		// Nobody listens there, and nobody is called unless a start fails.
		"AWS_LAMBDA_RUNTIME_API=127.0.0.1:1",
		"AWS_LAMBDA_FUNCTION_NAME=bench",
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1769",
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/bench",
		"AWS_LAMBDA_LOG_STREAM_NAME=2026/01/02/[$LATEST]0123456789abcdef0123456789abcdef",
		"AWS_EXECUTION_ENV=AWS_Lambda_nodejs22.x",
		"AWS_LAMBDA_EXEC_WRAPPER=" + l.wrapper,
		// The system's bundle of CAs would be parsed otherwise, and is of another
		// size on every system.
		"AWS_CA_BUNDLE=" + l.store.ca,
		"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + l.store.endpoint(),
		"TMPDIR=" + l.dir,
		"SECRETWRAP_DIR=" + files,
	}
}
