// Command soak runs functions with the layer, as it is shipped, in AWS's emulator
// for a while, under what goes wrong in production, and fails if a promise is broken.
//
// Two functions are invoked without a pause, while their secrets are rotated all the
// time, five in a hundred answers of Secrets Manager are faults, /tmp is full now and
// then, and the clock is stepped forward and back. In one of them the extension is
// killed and the handler crashes too; the other one's processes live from the
// beginning to the end. What has to hold is in judge.go. It wants to be run from the
// directory of its module:
//
//	go run ./soak [-for 10m]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// shortest is the least time in which everything happens at least once.
const shortest = 20 * time.Second

func main() {
	if len(os.Args) > 3 && os.Args[1] == underClock {
		exit(runUnderClock(os.Args[2], os.Args[3:]))
	}
	duration := flag.Duration("for", 10*time.Minute, "how `long` to go on, at least "+shortest.String())
	flag.Parse()
	if flag.NArg() > 0 || *duration < shortest {
		exit(fmt.Errorf("-for wants a duration of at least %s, and nothing else", shortest))
	}
	// Who no longer reads the progress must not end it before it has cleaned up.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	// A second signal changes nothing: some who pass one on do so twice.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	err := run(ctx, *duration)
	if ctx.Err() != nil {
		err = errors.New("interrupted; nothing was judged")
	}
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
	os.Exit(0)
}
