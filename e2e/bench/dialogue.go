package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// dialogue is a process that says a line when it is ready, and another one
// whenever it is asked to. It ends when nobody can ask any more.
type dialogue struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// startDialogue starts cmd. The process complains where this one does.
func startDialogue(cmd *exec.Cmd) (*dialogue, error) {
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &dialogue{cmd, in, bufio.NewReader(out)}, nil
}

// ask asks for a line, and returns it.
func (d *dialogue) ask() (string, error) {
	if _, err := fmt.Fprintln(d.in); err != nil {
		return "", err
	}
	return d.line()
}

// line returns the next line.
func (d *dialogue) line() (string, error) {
	text, err := d.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("%s ended: %w", d.cmd.Path, err)
	}
	return strings.TrimSpace(text), nil
}

// end waits for the end of the process.
func (d *dialogue) end() error {
	_ = d.in.Close()
	return d.cmd.Wait()
}
