package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"secretwrap/e2e/emulator"
)

const (
	// execWrapper makes the bootstrap of a managed runtime start the wrapper.
	execWrapper = "AWS_LAMBDA_EXEC_WRAPPER=/opt/secretwrap"
	// extensionPath is where a function sees the layer's extension.
	extensionPath = "/opt/extensions/secretwrap"
	// coldLimit is far above what a cold start takes, and so is stopLimit for its
	// end.
	coldLimit = 30 * time.Second
	stopLimit = 10 * time.Second
)

// coldLab is where functions are started in the emulator.
type coldLab struct {
	*bench
	rie string
	// handler and foreign are programs: the function's, and an extension of
	// somebody else's.
	handler, foreign string
	task, runtime    string
	// share limits the CPU, unless it is nil.
	share *cpuShare
}

// findEmulator returns the path of AWS's Runtime Interface Emulator, or why
// nothing can be measured in it.
func findEmulator() (string, error) {
	if err := emulator.Available(); err != nil {
		return "", err
	}
	if path, err := exec.LookPath(cmp.Or(os.Getenv("AWS_LAMBDA_RIE"), "aws-lambda-rie")); err == nil {
		return path, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(cache, "secretwrap", "aws-lambda-rie")
	if _, err := os.Stat(path); err != nil || os.Getenv("AWS_LAMBDA_RIE") != "" {
		return "", errors.New("there is no Runtime Interface Emulator of AWS's: make e2e installs it, or set AWS_LAMBDA_RIE to its path")
	}
	return path, nil
}

// measureFunctions is the part that starts and invokes functions.
func measureFunctions(ctx context.Context, b *bench, rie string, n amount) (*coldReport, *warmReport, error) {
	l, err := newColdLab(ctx, b, rie)
	if err != nil {
		return nil, nil, err
	}
	var leftOut error
	if l.share, leftOut = newCPUShare(smallMemory); leftOut == nil {
		defer l.share.remove()
	}
	cells, warm := coldCells(leftOut == nil), l.warmCells()
	if err := l.measure(ctx, cells, n.coldRounds); err != nil {
		return nil, nil, err
	}
	if err := l.measureInvocations(ctx, warm, n.warmSets, n.warmBlocks); err != nil {
		return nil, nil, err
	}
	return newColdReport(cells, n.coldRounds, leftOut), newWarmReport(warm, n.warmSets), nil
}

// newColdLab builds the programs, and lays out the function's directories.
func newColdLab(ctx context.Context, b *bench, rie string) (*coldLab, error) {
	l := &coldLab{
		bench: b, rie: rie,
		handler: filepath.Join(b.dir, "task", "handler"), foreign: filepath.Join(b.dir, "foreign"),
		task: filepath.Join(b.dir, "task"), runtime: filepath.Join(b.dir, "runtime"),
	}
	for output, source := range map[string]string{l.handler: "./handlers/go", l.foreign: "./bench/foreign"} {
		if err := goBuild(ctx, ".", output, source); err != nil {
			return nil, err
		}
	}
	if err := os.Mkdir(l.runtime, 0o755); err != nil {
		return nil, err
	}
	bootstrap := emulator.ManagedBootstrap("/var/task/handler")
	if err := os.WriteFile(filepath.Join(l.runtime, "bootstrap"), []byte(bootstrap), 0o755); err != nil {
		return nil, err
	}
	return l, l.layOutAll()
}

// layOutAll makes what the functions see as /opt.
func (l *coldLab) layOutAll() error {
	for _, c := range coldCells(true) {
		layer := l.layer(c)
		if err := os.MkdirAll(filepath.Join(layer, "extensions"), 0o755); err != nil {
			return err
		}
		// Several cells have the same layer.
		if err := l.layOut(layer, c); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	return nil
}

// layOut fills what a function sees as /opt.
func (l *coldLab) layOut(layer string, c *coldCell) error {
	if c.where == beside {
		if err := os.Link(l.foreign, filepath.Join(layer, "extensions", "foreign")); err != nil {
			return err
		}
	}
	switch c.has {
	case noLayer:
		return nil
	case wrapperOnly:
		return os.Link(l.wrapper, filepath.Join(layer, "secretwrap"))
	default:
		if err := os.Link(l.wrapper, filepath.Join(layer, "extensions", "secretwrap")); err != nil {
			return err
		}
		return os.Symlink("extensions/secretwrap", filepath.Join(layer, "secretwrap"))
	}
}

// layer returns the directory that a cell's function sees as /opt.
func (l *coldLab) layer(c *coldCell) string {
	kind := map[string]string{noLayer: "none", wrapperOnly: "wrapper", noHandover: "whole", handover: "whole"}[c.has]
	if c.where == beside {
		kind += "-foreign"
	}
	return filepath.Join(l.dir, "layers", kind)
}

// start starts the emulator with a function in it; its environment starts with
// the first invocation. What is returned ends it and removes its files.
func (l *coldLab) start(ctx context.Context, layer string, env []string) (*emulator.Emulator, func() error, error) {
	dir, err := os.MkdirTemp(l.dir, "environment-")
	if err != nil {
		return nil, nil, err
	}
	e, err := emulator.Start(ctx, l.rie, dir, emulator.Function{
		Layer: layer, Task: l.task, Runtime: l.runtime,
		Bootstrap: "/var/runtime/bootstrap",
		Visible:   []string{l.store.ca},
		// In the place of the system's store of CAs, which is of another size on every
		// system, and read when it is needed as that is.
		Env: append(env, "SSL_CERT_FILE="+l.store.ca, "SSL_CERT_DIR=/nonexistent", "AWS_ENDPOINT_URL_SECRETS_MANAGER="+l.store.url),
	})
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return e, func() error { return errors.Join(e.Stop(stopLimit), os.RemoveAll(dir)) }, nil
}

// measure starts every cell once a round, as lab.measure does.
func (l *coldLab) measure(ctx context.Context, cells []*coldCell, rounds int) error {
	for round := range rounds + 1 {
		l.progress.round("cold starts", round, rounds)
		for i := range cells {
			c := cells[(i+round)%len(cells)]
			s, err := l.sample(ctx, c)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", c.has, c.where, err)
			}
			if round > 0 {
				c.samples = append(c.samples, s)
			}
		}
	}
	l.progress.done()
	return nil
}

// sample cold-starts a cell's function once.
func (l *coldLab) sample(ctx context.Context, c *coldCell) (coldSample, error) {
	ctx, cancel := context.WithTimeout(ctx, coldLimit)
	defer cancel()
	before, err := l.store.calls()
	if err != nil {
		return coldSample{}, err
	}
	e, stop, err := l.start(ctx, l.layer(c), c.env())
	if err != nil {
		return coldSample{}, err
	}
	var s coldSample
	s.extension, err = l.wake(ctx, e, c)
	if err := errors.Join(err, stop()); err != nil {
		return coldSample{}, fmt.Errorf("%w\n%s", err, e.Logs())
	}
	after, err := l.store.calls()
	if err != nil {
		return coldSample{}, err
	}
	inits := e.InitDurations()
	if len(inits) != 1 {
		return coldSample{}, fmt.Errorf("%d starts of the environment instead of one\n%s", len(inits), e.Logs())
	}
	s.init, s.calls, s.way = inits[0], after-before, wayIn(e.Logs())
	return s, nil
}

// wake invokes a function for the first time, and returns the memory of the
// layer's extension after that.
func (l *coldLab) wake(ctx context.Context, e *emulator.Emulator, c *coldCell) (resident, error) {
	if c.where == throttled {
		if err := l.share.add(e.PID()); err != nil {
			return resident{}, err
		}
	}
	if err := checkSecrets(ctx, e); err != nil {
		return resident{}, err
	}
	if !c.extended() {
		return resident{}, nil
	}
	return residentOf(e.PID(), extensionPath)
}

// checkSecrets asks the function for its secrets: a start without them is not
// one to be measured.
func checkSecrets(ctx context.Context, e *emulator.Emulator) error {
	response, err := e.Invoke(ctx, []byte(`{"names":["SECRET_000","SECRET_001","SECRET_002"]}`))
	if err != nil {
		return err
	}
	var seen map[string]any
	if err := json.Unmarshal(response.Body, &seen); err != nil {
		return fmt.Errorf("the function's answer: %w", err)
	}
	for i := range coldSecrets {
		if name := fmt.Sprintf("SECRET_%03d", i); seen[name] != smallPassword {
			return fmt.Errorf("%s is not what it should be, status %d", name, response.Status)
		}
	}
	return nil
}
