// Command secretwrap puts secrets into the environment of a program before it
// starts.
//
// In AWS Lambda it is the wrapper that AWS_LAMBDA_EXEC_WRAPPER names, and the
// extension beside it; on a laptop it is a command. Which of them it is follows
// from how it was called.
package main

import (
	"io"
	"log"
	"os"
	"syscall"
)

func main() {
	hideMemory()
	// Go's own log has nothing to say here: net/http writes there the beginning of
	// what a server sent without being asked, which may be a value.
	log.SetOutput(io.Discard)
	launch, status := run(thisProcess())
	if launch == nil {
		os.Exit(status)
	}
	os.Exit(launch.failed(syscall.Exec(launch.path, launch.argv, launch.env)))
}
