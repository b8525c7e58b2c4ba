package main

import (
	"strings"
	"syscall"
	"testing"
)

// What execve returns is nowhere passed over: the program does not run, so this one
// says why, and ends as a shell would.
func TestAProgramThatCannotBeExecutedIsReported(t *testing.T) {
	tests := map[syscall.Errno]struct {
		status int
		hint   string
	}{
		syscall.E2BIG:   {126, "the arguments and variables together are too large"},
		syscall.ENOEXEC: {126, "check that the program was built for this system and architecture"},
		syscall.EACCES:  {126, "check that the program was built for this system and architecture"},
		syscall.ETXTBSY: {126, "check that the program was built for this system and architecture"},
		syscall.ENOMEM:  {126, "check that the program was built for this system and architecture"},
		syscall.ENOENT:  {127, "the program, or the interpreter in its first line, does not exist"},
	}
	for reason, want := range tests {
		t.Run(reason.Error(), func(t *testing.T) {
			var log strings.Builder
			launched, status := run(process{args: []string{"/opt/secretwrap", "/bin/sh"}, stderr: &log, stackLimit: 8 << 20})
			if launched == nil {
				t.Fatalf("status %d, %s", status, log.String())
			}
			if status := launched.failed(reason); status != want.status {
				t.Errorf("status %d, want %d", status, want.status)
			}
			for _, line := range []string{"error: /bin/sh: " + reason.Error() + " [Runtime.ExecFailed]", "hint: " + want.hint} {
				if !strings.Contains(log.String(), line) {
					t.Errorf("the log does not hold %q: %s", line, log.String())
				}
			}
		})
	}
}
