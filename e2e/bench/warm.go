package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"time"

	"secretwrap/e2e/emulator"
)

const (
	// blockSize is how many invocations one environment gets before the next
	// one's turn.
	blockSize = 20
	// warmUp is how many invocations do not count.
	warmUp = 50
)

// Which functions are invoked.
const (
	noLayer       = "no layer"
	withVariables = "layer, secrets in variables"
	withFile      = "layer, a declared file"
)

// warmCell is a function whose invocations are measured.
type warmCell struct {
	name string
	cell
	// more are variables beside the cell's own.
	more []string
	// events is what the layer's extension has registered for.
	events string
	// blocks are the latencies in ms of the invocations of each block.
	blocks   [][]float64
	emulator *emulator.Emulator
}

func (l *lab) warmCells() []*warmCell {
	base := usual(golang)
	file := "SECRET_FILE=secretsmanager://" + base.secretName(0) + "?file=secret#password"
	return []*warmCell{
		{name: noLayer, cell: cell{way: bare, conditions: base}},
		{name: withVariables, cell: cell{way: extended, conditions: base}},
		{name: withFile, cell: cell{way: extended, conditions: base}, more: []string{file}},
	}
}

// measureInvocations measures invocations in several sets of environments: what
// one of them has by chance, such as where its memory lies, it keeps.
func (l *lab) measureInvocations(ctx context.Context, cells []*warmCell, sets, blocks int) error {
	l.progress.say("invocations …")
	for range sets {
		if err := l.measureSet(ctx, cells, blocks); err != nil {
			return err
		}
	}
	return nil
}

// measureSet starts an environment of each cell, and invokes them in turn.
func (l *lab) measureSet(ctx context.Context, cells []*warmCell, blocks int) (err error) {
	for _, c := range cells {
		e, stop, failed := l.start(ctx, &c.cell, c.more...)
		if failed != nil {
			return fmt.Errorf("%s: %w", c.name, failed)
		}
		defer func() { err = errors.Join(err, stop()) }()
		c.emulator = e
	}
	client := &http.Client{Transport: &http.Transport{}, Timeout: startLimit}
	defer client.CloseIdleConnections()
	for _, c := range cells {
		if err := c.warm(ctx, client); err != nil {
			return fmt.Errorf("%s: %w\n%s", c.name, err, c.emulator.Logs())
		}
	}
	for range blocks {
		for _, next := range rand.Perm(len(cells)) {
			c := cells[next]
			if err := c.invoke(ctx, client); err != nil {
				return fmt.Errorf("%s: %w\n%s", c.name, err, c.emulator.Logs())
			}
		}
	}
	return nil
}

// warm starts a cell's environment and invokes it for a while.
func (c *warmCell) warm(ctx context.Context, client *http.Client) error {
	if err := checkSecrets(ctx, c.emulator, c.Secrets); err != nil {
		return err
	}
	c.events = registered(c.emulator.Logs())
	for range warmUp {
		if _, err := invoke(ctx, client, c.emulator.URL()); err != nil {
			return err
		}
	}
	return nil
}

var subscribed = regexp.MustCompile(`External agent secretwrap \(.*subscribed to \[(.*)\]`)

// registered returns what the layer's extension has registered for, by the
// emulator's log.
func registered(log string) string {
	match := subscribed.FindStringSubmatch(log)
	if match == nil {
		return ""
	}
	return strings.ReplaceAll(match[1], " ", ", ")
}

// invoke measures a block of invocations.
func (c *warmCell) invoke(ctx context.Context, client *http.Client) error {
	block := make([]float64, blockSize)
	for i := range block {
		took, err := invoke(ctx, client, c.emulator.URL())
		if err != nil {
			return err
		}
		block[i] = milliseconds(took)
	}
	c.blocks = append(c.blocks, block)
	return nil
}

// invoke invokes a function once, and returns how long its answer took.
func invoke(ctx context.Context, client *http.Client, url string) (time.Duration, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		return 0, err
	}
	began := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, response.Body) // or the connection cannot be used again
	took := time.Since(began)
	if response.StatusCode != http.StatusOK {
		err = errors.Join(err, fmt.Errorf("the invocation's status is %d", response.StatusCode))
	}
	return took, errors.Join(err, response.Body.Close())
}
