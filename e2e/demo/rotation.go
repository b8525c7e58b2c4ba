package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"secretwrap/internal/awsfake"
)

const (
	// copyAge is the least age that SECRETWRAP_REFRESH takes.
	copyAge = 10 * time.Second
	// rotationPatience is more than a rotation needs to arrive.
	rotationPatience = 30 * time.Second
	// betweenCalls is how often the function is invoked meanwhile.
	betweenCalls = 250 * time.Millisecond
)

// showRotation is the second act: a secret changes while the function runs.
func showRotation(ctx context.Context, s *stage, out *printer) error {
	out.act("A rotated key arrives in its file while the function runs")
	env := append(environment(configuration(), nil), "SECRETWRAP_REFRESH="+copyAge.String())
	f, err := s.deploy(scene{name: "2", env: env, bootstrap: []string{s.wrapper, s.handler}})
	if err != nil {
		return err
	}
	started := time.Now()
	calls, err := f.followRotation(ctx, out)
	log := f.end()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, log)
	}
	out.heading("%s in %.0f s, one cold start. The extension's part of the log:", out.paint(bold, fmt.Sprintf("%d invocations", calls)), time.Since(started).Seconds())
	out.logLines(linesWith(log, "SecretRefreshed"))
	if strings.Count(log, "SecretsDelivered") != 1 {
		return fmt.Errorf("the function should have been started once:\n%s", log)
	}
	if _, err := os.Lstat(f.files); !os.IsNotExist(err) {
		return errors.New("the files should be gone with the environment")
	}
	out.heading("The environment has ended, and its files are gone.")
	return checkSilence(log)
}

// followRotation invokes the function until it sees the new key, and returns how
// often that was.
func (f *function) followRotation(ctx context.Context, out *printer) (int, error) {
	before, err := f.key(ctx)
	if err != nil {
		return 0, err
	}
	rotated := keyDocument(newText)
	if err := f.server.Put(awsfake.Secret{Name: keySecret, Versions: []awsfake.Version{{String: &rotated}}}); err != nil {
		return 0, err
	}
	calls, after := 1, before
	err = out.progress("   rotated; waiting until the copy is older than SECRETWRAP_REFRESH="+copyAge.String(), func() error {
		ctx, cancel := context.WithTimeout(ctx, rotationPatience)
		defer cancel()
		for after == before {
			if err := pause(ctx, betweenCalls); err != nil {
				return err
			}
			if after, err = f.key(ctx); err != nil {
				return err
			}
			calls++
		}
		return nil
	})
	if err != nil {
		return calls, err
	}
	if before != keyText || after != newText {
		return calls, errors.New("the function should see the old key, then the new one")
	}
	out.value("before →", secondLine(before), "")
	out.value("after →", secondLine(after), "same process, same path")
	return calls, nil
}

// key returns the key that the function reads from its file.
func (f *function) key(ctx context.Context) (string, error) {
	result, err := f.environment.Invoke(ctx, []byte("{}"))
	if err != nil {
		return "", fmt.Errorf("invoke the function: %w", err)
	}
	var seen map[string]string
	if err := json.Unmarshal(result.Payload, &seen); err != nil || result.FunctionError != "" {
		return "", fmt.Errorf("the function failed: %s", result.Payload)
	}
	return seen["TLS_KEY"], nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func secondLine(text string) string {
	lines := strings.SplitN(text, "\n", 3)
	return lines[min(1, len(lines)-1)]
}

func linesWith(log, word string) string {
	var found strings.Builder
	for line := range strings.Lines(log) {
		if strings.Contains(line, word) {
			found.WriteString(line)
		}
	}
	return found.String()
}
