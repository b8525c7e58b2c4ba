// Package emulator runs a Lambda function in AWS's Runtime Interface Emulator,
// which holds the code that starts extensions and runtimes in Lambda itself.
package emulator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// poll is how often Start looks whether the emulator takes invocations.
const poll = 5 * time.Millisecond

// killed is how long Stop waits for processes after SIGKILL.
const killed = 5 * time.Second

// Emulator is a running emulator with one function in it. Like Lambda, it
// starts the function's environment at the first invocation.
type Emulator struct {
	cmd    *exec.Cmd
	logs   *log
	invoke string
	output io.Writer
	tmp    func() string
	exited chan struct{}
}

// Response is what the invoker of a function gets. Where Lambda would answer
// 200 and name the error in a header, the emulator answers 502.
type Response struct {
	Status int
	Body   []byte
}

// Start starts the emulator at the path binary with fn in it. It keeps its
// files in dir, which must be empty, and nothing of it outlives dir: all mounts
// are in a namespace that ends with Stop. Start returns once invocations are
// taken; ctx bounds the wait for that.
func Start(ctx context.Context, binary, dir string, fn Function) (*Emulator, error) {
	invoke, err := FreeAddress()
	if err != nil {
		return nil, err
	}
	runtime, err := FreeAddress()
	if err != nil {
		return nil, err
	}
	binary, err = filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	argv := []string{binary, "--runtime-interface-emulator-address", invoke, "--runtime-api-address", runtime}
	fn.Visible = append([]string{binary}, fn.Visible...)
	cmd, err := isolated(dir, fn, append(argv, fn.command()...))
	if err != nil {
		return nil, err
	}
	e := &Emulator{
		cmd:    cmd,
		logs:   new(log),
		invoke: invoke,
		output: fn.Output,
		tmp:    func() string { return filepath.Join(dir, "tmp") },
		exited: make(chan struct{}),
	}
	if fn.Storage > 0 { // a file system that is mounted where only the function sees it
		e.tmp = func() string { return fmt.Sprintf("/proc/%d/root/tmp", e.PID()) }
	}
	if err := e.start(ctx); err != nil {
		return nil, err
	}
	return e, nil
}

// start starts the process, then waits until it takes invocations.
func (e *Emulator) start(ctx context.Context) error {
	var output io.Writer = e.logs
	if e.output != nil {
		output = e.output
	}
	e.cmd.Stdout, e.cmd.Stderr = output, output
	e.cmd.WaitDelay = killed
	if err := e.cmd.Start(); err != nil {
		return fmt.Errorf("start the emulator: %w", err)
	}
	go func() {
		defer close(e.exited)
		_ = e.cmd.Wait() // how it ended is in the logs
	}()
	if err := e.ready(ctx); err != nil {
		return errors.Join(err, e.Stop(0))
	}
	return nil
}

// ready waits until the emulator accepts connections.
func (e *Emulator) ready(ctx context.Context) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		conn, err := net.Dial("tcp", e.invoke)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-tick.C:
		case <-e.exited:
			return fmt.Errorf("the emulator ended: %s", e.Logs())
		case <-ctx.Done():
			return fmt.Errorf("wait for the emulator: %w", ctx.Err())
		}
	}
}

// Invoke sends event to the function and returns its answer.
func (e *Emulator) Invoke(ctx context.Context, event []byte) (Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL(), bytes.NewReader(event))
	if err != nil {
		return Response{}, err
	}
	transport := &http.Transport{DisableKeepAlives: true} // no proxy, whatever the environment says
	response, err := transport.RoundTrip(request)
	if err != nil {
		return Response{}, fmt.Errorf("invoke the function: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return Response{}, fmt.Errorf("read the function's answer: %w", err)
	}
	return Response{Status: response.StatusCode, Body: body}, nil
}

// URL returns the address that takes invocations by POST, for those who have a
// client of their own.
func (e *Emulator) URL() string {
	return "http://" + e.invoke + "/2015-03-31/functions/function/invocations"
}

// PID returns the emulator's process, whose children are the extensions and the
// runtime. Until the first invocation it has none.
func (e *Emulator) PID() int { return e.cmd.Process.Pid }

// Logs returns what the emulator, the extensions and the runtime have written
// so far to stdout and stderr.
func (e *Emulator) Logs() string { return e.logs.String() }

// Lines returns what Logs does, with the times at which the lines came.
func (e *Emulator) Lines() []Line { return e.logs.lines() }

// Tmp returns the directory that the function sees as /tmp. That of a function with
// Storage is gone with Stop.
func (e *Emulator) Tmp() string { return e.tmp() }

var initReport = regexp.MustCompile(`INIT REPORT\(durationMs: ([0-9.]+)\)`)

// InitDurations returns how long each init took, in order. Unlike "Init
// Duration" in the emulator's REPORT line, it is the time that Lambda shows.
func (e *Emulator) InitDurations() []time.Duration {
	var durations []time.Duration
	for _, match := range initReport.FindAllStringSubmatch(e.Logs(), -1) {
		ms, err := strconv.ParseFloat(match[1], 64)
		if err != nil {
			continue
		}
		durations = append(durations, time.Duration(ms*float64(time.Millisecond)))
	}
	return durations
}

// ErrKilled is the error of a Stop that had to kill.
var ErrKilled = errors.New("the emulator did not end in time")

// Stop ends the environment as Lambda does: SIGTERM leads to SIGTERM for the
// runtime, SHUTDOWN for the extensions. What is left after grace is killed, and
// the error is ErrKilled. Stop of an emulator that has ended does nothing.
func (e *Emulator) Stop(grace time.Duration) error {
	if err := e.cmd.Process.Signal(syscall.SIGTERM); errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	select {
	case <-e.exited:
		return nil
	case <-time.After(grace):
	}
	if err := e.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill the emulator: %w", err)
	}
	<-e.exited
	return ErrKilled
}

// FreeAddress returns an address on which nobody listens. Its host is a random
// one of the 16 million loopback addresses, so that no other process is given
// the port between now and its use.
func FreeAddress() (string, error) {
	host := net.IPv4(127, byte(1+rand.N(254)), byte(rand.N(256)), byte(1+rand.N(254)))
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: host})
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}
