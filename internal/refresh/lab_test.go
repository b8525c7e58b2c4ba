package refresh_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/awssecrets"
	"secretwrap/internal/environ"
	"secretwrap/internal/fetch"
	"secretwrap/internal/manifest"
	"secretwrap/internal/pipenet"
	"secretwrap/internal/plan"
	"secretwrap/internal/refresh"
	"secretwrap/internal/settings"
)

// canary is in every value, and must be in no report.
const canary = "CANARY-4b1d"

// lab is a Keeper with the files it keeps, and a Secrets Manager in memory.
type lab struct {
	t      *testing.T
	server *awsfake.Server
	keeper *refresh.Keeper
	set    refresh.Set
	dir    string
	// offset is how far the wall clock was stepped.
	offset time.Duration
}

// environment holds what a client needs. The plain build's client reads the
// process's own environment as well, so it is set before time is driven.
func environment(t *testing.T) map[string]string {
	t.Helper()
	variables := map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "key", "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://127.0.0.1",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_PROFILE": "", "AWS_CA_BUNDLE": "",
	}
	for name, value := range variables {
		t.Setenv(name, value)
	}
	return variables
}

// pair is a secret with a certificate and its key.
func pair(version string) string {
	return fmt.Sprintf(`{"certificate":"%[1]s certificate %[2]s","key":"%[1]s key %[2]s"}`, canary, version)
}

// secretOf returns a secret with one version.
func secretOf(name, version, value string, faults ...awsfake.Fault) awsfake.Secret {
	return awsfake.Secret{Name: name, Faults: faults, Versions: []awsfake.Version{{ID: version, String: &value}}}
}

// newLab publishes files, given as PATH=reference, made of secrets.
func newLab(t *testing.T, variables map[string]string, files []string, secrets ...awsfake.Secret) *lab {
	t.Helper()
	server, err := awsfake.New(awsfake.Config{PlainHTTP: true, Secrets: secrets, Delay: 40 * time.Millisecond, KeptCalls: 1000})
	must(t, err)
	t.Cleanup(server.Close)
	network := pipenet.Listen()
	server.Serve(network)
	config, problems := awssecrets.Load(variables, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	config.Dial = network.Dial
	l := &lab{t: t, server: server, dir: filepath.Join(t.TempDir(), "files")}
	l.keeper = &refresh.Keeper{
		Client: awssecrets.New(config), Every: 5 * time.Minute, Connections: 8,
		Now: func() time.Time { return time.Now().Add(l.offset) },
	}
	l.set = l.plan(files)
	if problems := l.keeper.Publish(l.set, l.fetch(l.set.Requests)); len(problems) > 0 {
		t.Fatal(problems)
	}
	return l
}

// plan returns the set that the declarations ask for.
func (l *lab) plan(files []string) refresh.Set {
	l.t.Helper()
	m := manifest.Manifest{Source: "m.yaml"}
	for i, text := range files {
		path, reference, _ := strings.Cut(text, "=")
		m.Files = append(m.Files, manifest.Entry{Name: path, Text: reference, Line: i + 1})
	}
	p, problems := plan.Make(environ.New(nil), settings.Settings{Dir: l.dir}, m)
	if len(problems) > 0 {
		l.t.Fatal(problems)
	}
	set := refresh.Set{Dir: l.dir, Copies: p.Targets}
	for _, s := range p.Secrets {
		set.Requests = append(set.Requests, awssecrets.Request{Secret: s.ID, Region: s.Region, Stage: s.Stage, Version: s.Version})
	}
	return set
}

// put rotates a secret.
func (l *lab) put(one awsfake.Secret) {
	l.t.Helper()
	must(l.t, l.server.Put(one))
}

// refresh lets a Keeper work as an invocation would.
func (l *lab) refresh() refresh.Report {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 2*time.Second)
	defer cancel()
	report := l.keeper.Refresh(ctx)
	if strings.Contains(fmt.Sprintf("%+v", report), canary) {
		l.t.Errorf("a value is in %+v", report)
	}
	for _, stale := range report.Stale {
		if strings.Contains(stale.Problems.Error(), canary) {
			l.t.Errorf("a value is in %v", stale.Problems)
		}
	}
	return report
}

// overdue lets enough time pass that everything is due, then refreshes.
func (l *lab) overdue() refresh.Report {
	l.t.Helper()
	time.Sleep(l.keeper.Every*6/5 + time.Second)
	return l.refresh()
}

// expect compares a file with what it should hold; "" means no file.
func (l *lab) expect(path, want string) {
	l.t.Helper()
	content, err := os.ReadFile(filepath.Join(l.dir, path))
	switch {
	case want == "" && !os.IsNotExist(err):
		l.t.Errorf("%s is there", path)
	case want != "" && (err != nil || !strings.HasSuffix(string(content), want)):
		l.t.Errorf("%s holds %q, want %q: %v", path, content, want, err)
	}
}

// generation names the current generation.
func (l *lab) generation() string {
	l.t.Helper()
	name, err := os.Readlink(filepath.Join(l.dir, "..data"))
	must(l.t, err)
	return name
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (l *lab) fetch(requests []awssecrets.Request) []fetch.Outcome {
	return fetch.All(l.t.Context(), l.keeper.Client, requests, fetch.Options{Budget: time.Minute, Connections: 8})
}
