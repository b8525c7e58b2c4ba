package lambdafake

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// pipeDelay is how long output is still read after a process has ended, in case
// a child of its holds the pipe.
const pipeDelay = 100 * time.Millisecond

// process is a process that leads a group of its own, so that it can be killed
// with its children.
type process struct {
	name string
	cmd  *exec.Cmd
	// exited is closed when the process has ended; state is set then.
	exited chan struct{}
	state  *os.ProcessState
}

// startProcess starts argv[0] with nothing but env in its environment. It calls
// ended when the process has ended.
func startProcess(name string, argv, env []string, dir string, out output, ended func(*process)) (*process, error) {
	cmd := &exec.Cmd{
		Path:        argv[0],
		Args:        argv,
		Env:         env,
		Dir:         dir,
		Stdout:      out.stdout,
		Stderr:      out.stderr,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
		WaitDelay:   pipeDelay,
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{name: name, cmd: cmd, exited: make(chan struct{})}
	go func() {
		// The state says more than the error.
		_ = cmd.Wait()
		p.signalGroup(syscall.SIGKILL)
		p.state = cmd.ProcessState
		close(p.exited)
		ended(p)
	}()
	return p, nil
}

// kill kills the process with its children and waits for its end.
func (p *process) kill() {
	if !p.ended() {
		p.signalGroup(syscall.SIGKILL)
	}
	<-p.exited
}

// terminate asks the process to end.
func (p *process) terminate() { _ = p.cmd.Process.Signal(syscall.SIGTERM) }

func (p *process) signalGroup(signal syscall.Signal) {
	_ = syscall.Kill(-p.cmd.Process.Pid, signal)
}

func (p *process) ended() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// await returns when the process has ended, at the latest at deadline.
func (p *process) await(deadline time.Time) {
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case <-p.exited:
	case <-timer.C:
	}
}

// exitMessage says how the process ended, in Lambda's words.
func (p *process) exitMessage() string {
	switch {
	case p.name != runtimeName && p.state.Success():
		return "exit code 0"
	case p.name != runtimeName:
		return p.state.String()
	case p.state.Success():
		return "Runtime exited without providing a reason"
	}
	return fmt.Sprintf("Runtime exited with error: %s", p.state)
}

// output is where processes write to.
type output struct {
	stdout, stderr io.Writer
}

// newOutput returns an output that several processes can share.
func newOutput(stdout, stderr io.Writer) output {
	var mu sync.Mutex
	return output{shared(stdout, &mu), shared(stderr, &mu)}
}

// shared leaves files alone: processes write to them without us.
func shared(w io.Writer, mu *sync.Mutex) io.Writer {
	if _, isFile := w.(*os.File); isFile || w == nil {
		return w
	}
	return &sharedWriter{w: w, mu: mu}
}

type sharedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

// Write implements io.Writer.
func (s *sharedWriter) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(text)
}
