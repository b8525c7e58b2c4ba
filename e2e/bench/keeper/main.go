//go:build linux

// Command keeper is the extension as far as its memory is concerned, with a clock
// that is set forward: the extension itself takes a day for as many refreshes.
//
// It registers, waits for an event, and publishes files, which it refreshes for
// every line that it reads. After each of these it prints its resident size in
// bytes, and the largest so far.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/environ"
	"secretwrap/internal/fetch"
	"secretwrap/internal/lambdaapi"
	"secretwrap/internal/manifest"
	"secretwrap/internal/plan"
	"secretwrap/internal/refresh"
	"secretwrap/internal/settings"
)

// waitingPercent is what the extension gives to the collector.
const waitingPercent = 50

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "keeper:", err)
		os.Exit(1)
	}
}

func run() error {
	debug.SetGCPercent(waitingPercent)
	variables := make(map[string]string)
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		variables[name] = value
	}
	registered, err := lambdaapi.New(variables["AWS_LAMBDA_RUNTIME_API"]).RegisterExtension(context.Background(), "keeper", lambdaapi.Invoke, lambdaapi.Shutdown)
	if err != nil {
		return err
	}
	go func() { _, _ = registered.Next(context.Background()) }()
	var forward time.Duration
	keeper := &refresh.Keeper{Every: 5 * time.Minute, Connections: 8, Now: func() time.Time { return time.Now().Add(forward) }}
	if err := publish(keeper, variables); err != nil {
		return err
	}
	fmt.Println(resident())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		forward += 2 * keeper.Every
		if err := once(keeper); err != nil {
			return err
		}
		fmt.Println(resident())
	}
	return nil
}

// publish gives the keeper its file.
func publish(keeper *refresh.Keeper, variables map[string]string) error {
	s, _, problems := settings.Parse(variables)
	if len(problems) > 0 {
		return problems
	}
	p, problems := plan.Make(environ.New(os.Environ()), s, manifest.Manifest{})
	if len(problems) > 0 {
		return problems
	}
	set := refresh.Set{Dir: s.Dir, Copies: p.Files().Targets}
	for _, one := range p.Secrets {
		set.Requests = append(set.Requests, awssecrets.Request{Secret: one.ID, Region: one.Region, Stage: one.Stage, Version: one.Version})
	}
	config, problems := awssecrets.Load(variables, set.Requests)
	if len(problems) > 0 {
		return problems
	}
	client := awssecrets.New(config)
	keeper.Client = client
	outcomes := fetch.All(context.Background(), client, set.Requests, fetch.Options{Budget: time.Minute, Connections: 8})
	if problems := keeper.Publish(set, outcomes); len(problems) > 0 {
		return problems
	}
	return nil
}

// once refreshes as the extension does beside an invocation.
func once(keeper *refresh.Keeper) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	keeper.Sweep()
	report := keeper.Refresh(ctx)
	if len(report.Stale) > 0 {
		return report.Stale[0].Problems
	}
	if report.Written == 0 {
		return fmt.Errorf("nothing was written: %+v", report)
	}
	return nil
}

// resident returns the resident size and the largest so far, as /proc has them.
func resident() string {
	var now, peak int64
	text, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(text)) {
		_, _ = fmt.Sscanf(line, "VmRSS: %d kB", &now)
		_, _ = fmt.Sscanf(line, "VmHWM: %d kB", &peak)
	}
	return fmt.Sprint(now*1024, " ", peak*1024)
}
