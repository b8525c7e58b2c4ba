// Command publish publishes the layers that lie in a directory to the user's AWS
// account with the aws command, or prints the commands that would do it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		for line := range strings.Lines(err.Error()) {
			fmt.Fprint(os.Stderr, "publish: ", line)
		}
		fmt.Fprintln(os.Stderr)
		os.Exit(1)
	}
}

// run asks about everything before it changes anything, so that what can be known
// to fail fails while nothing is published.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	r, err := parse(args)
	if err != nil || r.check {
		return err
	}
	archives, err := readArchives(r)
	if err != nil {
		return err
	}
	cli, err := findCLI()
	if err != nil {
		return err
	}
	account, err := cli.account(ctx, r.regions[0])
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "account %s, secretwrap %s\n", account, r.version)
	plan, err := cli.compare(ctx, r, archives, stderr)
	if err != nil {
		return err
	}
	if !r.publish {
		return show(plan, r.profile, stdout, stderr)
	}
	return carryOut(ctx, cli, plan, stdout, stderr)
}

// show prints the commands of the plan to stdout, and nothing else, so that it can be
// the input of a shell.
func show(plan []publication, profile string, stdout, stderr io.Writer) error {
	commands := script(plan)
	if len(commands) == 0 {
		fmt.Fprintln(stderr, "nothing is to be done; these are there:")
		return writeTable(stderr, published(plan))
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	fmt.Fprint(stderr, "nothing was changed; with PUBLISH=yes these commands run, or paste them:\n\n")
	_, err = io.WriteString(stdout, inSubshell(dir, profile, commands))
	return err
}

// published returns the versions of a plan that are there already.
func published(plan []publication) []version {
	var there []version
	for _, p := range plan {
		if p.arn != "" {
			there = append(there, version{p.region, p.layer, p.arn, false})
		}
	}
	return there
}

// carryOut runs the commands of the plan up to the first that fails, and lists
// the versions that are there then.
func carryOut(ctx context.Context, cli cli, plan []publication, stdout, stderr io.Writer) error {
	var there []version
	var failure error
	for _, p := range plan {
		v, err := p.carryOut(ctx, cli, stderr)
		if v.arn != "" {
			there = append(there, v)
		}
		if err != nil {
			failure = fmt.Errorf("%s: %w", p.label(), err)
			break
		}
	}
	if err := writeTable(stdout, there); err != nil {
		return errors.Join(failure, err)
	}
	if failure != nil {
		return fmt.Errorf("%w\nstopped there; %d of %d layers are published; mend it and run the same again: nothing is published twice", failure, len(there), len(plan))
	}
	return nil
}
