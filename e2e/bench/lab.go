package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"secretwrap/e2e/bench/machine"
	"secretwrap/e2e/emulator"
)

const (
	// execWrapper makes the bootstrap of a managed runtime start the wrapper.
	execWrapper = "AWS_LAMBDA_EXEC_WRAPPER=/opt/secretwrap"
	// startLimit is far above what a cold start takes, and so is stopLimit for its
	// end.
	startLimit = 60 * time.Second
	stopLimit  = 10 * time.Second
)

// lab is where functions are started in the emulator.
type lab struct {
	*bench
	rie string
	programs
	// cache is the address of the cache extension.
	cache string
	// groups are the control groups by the memory whose share of CPU they have.
	groups map[int]*machine.Group
	// leftOut tells what cannot be measured here, and why.
	leftOut []string
}

// newLab builds the programs, and lays out the functions' directories.
func newLab(ctx context.Context, b *bench, rie string, o options) (*lab, error) {
	l := &lab{bench: b, rie: rie, cache: loopback() + ":2773", groups: make(map[int]*machine.Group)}
	if b.store.port != usualPort {
		b.progress.say("port " + usualPort + " is taken, or not allowed: Secrets Manager is at " + b.store.port)
	}
	ca, err := os.ReadFile(b.store.ca)
	if err != nil {
		return nil, err
	}
	if err := layOutEtc(filepath.Join(b.dir, "etc"), b.store.ip, ca); err != nil {
		return nil, err
	}
	if err := l.build(ctx); err != nil {
		return nil, err
	}
	l.findInterpreters(ctx, o, ca)
	return l, l.layOut()
}

// leaveOut remembers what is not measured.
func (l *lab) leaveOut(what string, why error) {
	l.leftOut = append(l.leftOut, fmt.Sprintf("%s: %v", what, why))
}

// countsCPU reports whether the CPU time is known that a cell takes.
func (l *lab) countsCPU(c *cell) bool { return l.groups[c.MemoryMB] != nil }

// makeGroups makes the control groups with the shares of CPU of some memories.
func (l *lab) makeGroups(memories ...int) error {
	for _, memoryMB := range memories {
		group, err := machine.NewGroup(memoryMB)
		if err != nil {
			return err
		}
		l.groups[memoryMB] = group
	}
	return nil
}

// close removes the control groups.
func (l *lab) close() {
	for _, group := range l.groups {
		_ = group.Remove()
	}
}

// start starts the emulator with a function in it; its environment starts with
// the first invocation. What is returned ends it and removes its files.
func (l *lab) start(ctx context.Context, c *cell, more ...string) (*emulator.Emulator, func() error, error) {
	dir, err := os.MkdirTemp(l.dir, "environment-")
	if err != nil {
		return nil, nil, err
	}
	e, err := emulator.Start(ctx, l.rie, dir, emulator.Function{
		Layer: l.layer(c), Task: l.task(c), Runtime: l.runtime(c), Mounted: true, Etc: l.etc(c),
		Bootstrap: "/var/runtime/bootstrap",
		Visible:   l.visible(c.Language),
		Env:       append(l.environment(c), more...),
	})
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return e, func() error { return errors.Join(e.Stop(stopLimit), os.RemoveAll(dir)) }, nil
}

// environment returns a function's configuration.
func (l *lab) environment(c *cell) []string {
	env := append(c.secretVariables(), l.languageVariables(c)...)
	if l.store.port != usualPort {
		env = append(env, "AWS_ENDPOINT_URL_SECRETS_MANAGER=https://"+net.JoinHostPort(host, l.store.port))
	}
	if c.MemoryMB != 0 {
		env = append(env, fmt.Sprintf("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%d", c.MemoryMB))
	}
	if c.way == cached {
		env = append(env, "CACHE="+l.cache)
	}
	return env
}

// sample cold-starts a cell's function once.
func (l *lab) sample(ctx context.Context, c *cell) (sample, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if _, err := l.store.traffic(); err != nil {
		return sample{}, err
	}
	if c.Cold {
		if err := machine.Evict(l.layer(c), l.task(c), l.etc(c)); err != nil {
			return sample{}, err
		}
	}
	e, stop, err := l.start(ctx, c)
	if err != nil {
		return sample{}, err
	}
	s, err := l.wake(ctx, e, c)
	if err := errors.Join(err, stop()); err != nil {
		return sample{}, fmt.Errorf("%s, %s: %w\n%s", c.title(), c.way, err, e.Logs())
	}
	seen, err := l.store.traffic()
	if err != nil {
		return sample{}, err
	}
	inits := e.InitDurations()
	if len(inits) != 1 {
		return sample{}, fmt.Errorf("%s, %s: %d starts of the environment instead of one\n%s", c.title(), c.way, len(inits), e.Logs())
	}
	s.init, s.calls, s.way = inits[0], len(seen.Asked), wayIn(e.Logs())
	return s, nil
}

// wake invokes a function for the first time.
func (l *lab) wake(ctx context.Context, e *emulator.Emulator, c *cell) (sample, error) {
	group := l.groups[c.MemoryMB] // nil where nobody may make one
	if err := group.Add(e.PID()); err != nil {
		return sample{}, err
	}
	before, err := group.Used()
	if err != nil {
		return sample{}, err
	}
	began := time.Now()
	err = checkSecrets(ctx, e, c.Secrets)
	s := sample{answer: time.Since(began)}
	if err != nil {
		return sample{}, err
	}
	after, err := group.Used()
	if err != nil {
		return sample{}, err
	}
	s.cpu = after - before
	s.resident, err = machine.ResidentBelow(e.PID())
	return s, err
}

// checkSecrets asks the function for its secrets: a start without them is not
// one to be measured.
func checkSecrets(ctx context.Context, e *emulator.Emulator, secrets int) error {
	response, err := e.Invoke(ctx, []byte("{}"))
	if err != nil {
		return err
	}
	var seen map[string]any
	if err := json.Unmarshal(response.Body, &seen); err != nil {
		return fmt.Errorf("the function's answer: %w", err)
	}
	for i := range secrets {
		if name := fmt.Sprintf("SECRET_%03d", i); seen[name] != smallPassword {
			return fmt.Errorf("%s is not what it should be, status %d: %s", name, response.Status, response.Body)
		}
	}
	return nil
}
