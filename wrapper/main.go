// Command secretwrap puts secrets into the environment of a program before it
// starts.
//
// In AWS Lambda it is the wrapper that AWS_LAMBDA_EXEC_WRAPPER names, and the
// extension beside it; on a laptop it is a command. Which of them it is follows
// from how it was called.
package main

import (
	"os"
	"syscall"
)

func main() {
	conceal()
	launch, status := run(thisProcess())
	if launch == nil {
		os.Exit(status)
	}
	os.Exit(launch.failed(syscall.Exec(launch.path, launch.argv, launch.env)))
}
