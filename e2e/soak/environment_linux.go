package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"secretwrap/e2e/emulator"
	"secretwrap/e2e/soak/clock"
)

// kind is how the processes of an environment live.
type kind string

const (
	// steady processes live from the beginning to the end, so that what they hold
	// can be compared.
	steady kind = "steady"
	// hunted processes are killed and crash.
	hunted kind = "hunted"
)

const (
	// storage is the size of /tmp: enough for files, few enough to be filled at once.
	storage = 1 << 20
	// looks is how often an invocation reads the pair.
	looks = 20
	// invokeLimit is far above what any invocation takes.
	invokeLimit = time.Minute
	// timeout is the function's.
	timeout = 30 * time.Second
	// stopLimit is what Lambda's emulator gets to end an environment.
	stopLimit = 10 * time.Second
	// filesDir is the directory of file copies, as the function sees it.
	filesDir = "/tmp/secretwrap"
)

// pairFiles are a certificate and its key, which manifest declares.
var pairFiles = []string{"tls/client.pem", "tls/client.key"}

const manifest = `files:
  tls/client.pem: "` + tlsSecret + `#` + certificate + `"
  tls/client.key: "` + tlsSecret + `?mode=0400#` + privateKey + `"
`

// environment is a function in the emulator.
type environment struct {
	kind     kind
	emulator *emulator.Emulator
	store    *store
	clock    *clock.Clock
	log      *scanner
	// errors looks at what the invoker reads of failures, leftovers at /tmp.
	errors, leftovers *scanner
	ledger            *ledger
	watch             *watch
	// crash has the next invocation end the handler.
	crash atomic.Bool

	mu    sync.Mutex
	steps int
	// filled is how often the disk was full, fullUntil the end of the last time.
	filled    int
	fullUntil time.Time
	broken    []string
}

// deploy starts a function and waits for its first answer.
func deploy(ctx context.Context, p programs, dir string, k kind) (*environment, error) {
	dir = filepath.Join(dir, string(k))
	e := &environment{
		kind: k, log: newScanner("the log of the "+string(k)+" function", canary),
		errors:    newScanner("what the invoker of the "+string(k)+" function reads of failures", canary),
		leftovers: newScanner("/tmp of the "+string(k)+" function", canary),
		ledger:    newLedger(),
	}
	if err := e.start(ctx, p, dir); err != nil {
		e.stop()
		return nil, fmt.Errorf("the %s function: %w", k, err)
	}
	e.watch = newWatch(e.emulator.PID())
	return e, nil
}

func (e *environment) start(ctx context.Context, p programs, dir string) (err error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if e.store, err = startStore(); err != nil {
		return err
	}
	root := filepath.Join(dir, "emulator")
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	socket := filepath.Join(dir, "clock")
	if e.clock, err = clock.Listen(socket); err != nil {
		return err
	}
	fn, err := e.function(p, dir, socket)
	if err != nil {
		return err
	}
	launcher := filepath.Join(dir, "launcher")
	script := fmt.Sprintf("#!/bin/sh\nexec '%s' %s '%s' '%s' \"$@\"\n", p.self, underClock, socket, p.emulator)
	if err := os.WriteFile(launcher, []byte(script), 0o755); err != nil {
		return err
	}
	if e.emulator, err = emulator.Start(ctx, launcher, root, fn); err != nil {
		return fmt.Errorf("%w\n%s", err, e.log.end())
	}
	if failure := e.invoke(ctx, false); failure != nil {
		return fmt.Errorf("the first invocation failed: %s\n%s", failure.errorType, e.log.end())
	}
	if e.clock.Readings() == 0 {
		return errors.New("nobody asks for the time, so that no clock can be stepped")
	}
	return nil
}

// function returns the function, with its files below dir.
func (e *environment) function(p programs, dir, socket string) (emulator.Function, error) {
	ca := filepath.Join(dir, "ca.pem")
	files := map[string]string{
		ca: string(e.store.CA()),
		filepath.Join(dir, "task", "secretwrap.yaml"): manifest,
		filepath.Join(dir, "runtime", "bootstrap"):    emulator.ManagedBootstrap("/var/task/handler"),
	}
	for path, text := range files {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return emulator.Function{}, err
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			return emulator.Function{}, err
		}
	}
	return emulator.Function{
		Layer: p.layer, Task: filepath.Join(dir, "task"), Runtime: filepath.Join(dir, "runtime"),
		Bootstrap: "/var/runtime/bootstrap", Storage: storage, Output: e.log, Timeout: timeout,
		Visible: []string{ca, socket, p.self, p.emulator},
		Env: []string{
			"AWS_LAMBDA_EXEC_WRAPPER=/opt/secretwrap",
			"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + e.store.URL(), "AWS_CA_BUNDLE=" + ca,
			"DB_PASSWORD=secretsmanager://" + databaseSecret + "#" + password,
			"DATABASE_URL=" + urlPrefix + "{{secretsmanager://" + databaseSecret + "?encode=url#" + password + "}}" + urlSuffix,
			"PASSWORD_PATH=secretsmanager://" + databaseSecret + "?file#" + password,
			// The shortest there is, and time for a machine that is busy.
			"SECRETWRAP_REFRESH=10s", "SECRETWRAP_TIMEOUT=8s",
			// All that could be said.
			"SECRETWRAP_LOG_LEVEL=debug", "GODEBUG=http2debug=2", "GOTRACEBACK=all",
		},
	}, copyFile(p.handler, filepath.Join(dir, "task", "handler"))
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o755)
}

// event is what the Go handler understands, see handlers/go.
type event struct {
	Names []string `json:"names"`
	Files []string `json:"files"`
	Pairs pairs    `json:"pairs"`
	Exit  int      `json:"exit,omitempty"`
}

type pairs struct {
	Dir   string   `json:"dir"`
	Files []string `json:"files"`
	Times int      `json:"times"`
}

// invoke invokes the function once, notes what became of it, and returns a failure.
func (e *environment) invoke(ctx context.Context, crash bool) *failure {
	wish := event{
		Names: []string{"DB_PASSWORD", "DATABASE_URL"}, Files: []string{"PASSWORD_PATH"},
		Pairs: pairs{filesDir, pairFiles, looks},
	}
	if crash {
		wish.Exit = 3
	}
	body, err := json.Marshal(wish)
	if err != nil {
		return &failure{errorType: err.Error()}
	}
	bounded, cancel := context.WithTimeout(ctx, invokeLimit)
	defer cancel()
	began := time.Now()
	response, err := e.emulator.Invoke(bounded, body)
	if ctx.Err() != nil {
		return nil // the end came first
	}
	if err != nil {
		return e.ledger.failed(failure{errorType: "no answer", began: began}, e.causes(began, crash))
	}
	var seen sight
	err = json.Unmarshal(response.Body, &seen)
	switch {
	case err == nil && seen.ErrorType == "" && response.Status == http.StatusOK:
		e.ledger.succeeded(began, seen.read(e.store.mint), e.store.latest())
		return nil
	case err == nil && seen.ErrorType == "" && seen.Password != "":
		seen.ErrorType = spoiled // and what was answered holds values, as it should
	default:
		_, _ = e.errors.Write(append(response.Body, '\n'))
	}
	return e.ledger.failed(failure{errorType: seen.ErrorType, began: began}, e.causes(began, crash))
}

// causes returns what may make an invocation fail that began then.
func (e *environment) causes(began time.Time, crash bool) causes {
	e.mu.Lock()
	full := !e.fullUntil.Before(began)
	e.mu.Unlock()
	return causes{crash: crash, full: full, faults: e.store.playedSince(began.Add(-repeated))}
}

// invokeOn invokes without a pause until ctx ends. Then it lets the last invocation
// end, unless the whole does: the emulator does not bear another one while one is
// under way.
func (e *environment) invokeOn(ctx, whole context.Context) {
	for ctx.Err() == nil {
		e.invoke(whole, e.crash.Swap(false))
	}
}

// breaks notes a promise that is broken.
func (e *environment) breaks(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.broken = append(e.broken, fmt.Sprintf(format, args...))
}

// stop ends the environment and its Secrets Manager, however far they came.
func (e *environment) stop() {
	if e.emulator != nil {
		_ = e.emulator.Stop(stopLimit)
	}
	if e.clock != nil {
		_ = e.clock.Close()
	}
	if e.store != nil {
		e.store.Close()
	}
}
