// Command demo shows what secretwrap does for a Lambda function, without an AWS
// account.
//
// It builds the layer's program, puts it between stand-ins for Lambda and for
// Secrets Manager on this machine, and fails unless what it shows is as it
// should be. It wants to be run from the directory of its module:
//
//	go run ./demo
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// exitOnly is the argument that makes this program a wrapper that only exits.
const exitOnly = "exit-only"

func main() {
	if len(os.Args) == 2 && os.Args[1] == exitOnly {
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, newPrinter(os.Stdout, os.Getenv)); err != nil {
		fmt.Fprintf(os.Stderr, "\ndemo: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out *printer) error {
	dir, err := os.MkdirTemp("", "secretwrap-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	out.title()
	s, err := build(ctx, dir, out)
	if err != nil {
		return err
	}
	for _, act := range []func(context.Context, *stage, *printer) error{showDelivery, showRotation, showDenial, showTypo} {
		if err := act(ctx, s, out); err != nil {
			return err
		}
	}
	out.end()
	return nil
}
