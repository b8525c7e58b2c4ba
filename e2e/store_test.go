//go:build linux

package e2e_test

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"secretwrap/e2e/emulator"
	"secretwrap/internal/awsfake"
)

// canary stands in every value that is a secret.
const canary = "canary7Qx2mVb9TzKd"

// store is a Secrets Manager as functions see it: what they need in order to
// reach it.
type store struct{ env, visible []string }

// reachable returns fn configured to reach the store.
func (s store) reachable(fn emulator.Function) emulator.Function {
	fn.Env = append(slices.Clone(s.env), fn.Env...)
	fn.Visible = append(slices.Clone(s.visible), fn.Visible...)
	return fn
}

// fakeStore is the scripted Secrets Manager.
type fakeStore struct {
	store
	*awsfake.Server
}

// startFake starts a fake with secrets of one version each.
func startFake(t *testing.T, secrets map[string]awsfake.Version) fakeStore {
	t.Helper()
	var config awsfake.Config
	for name, version := range secrets {
		config.Secrets = append(config.Secrets, awsfake.Secret{Name: name, Versions: []awsfake.Version{version}})
	}
	return startScript(t, config)
}

// startScript starts a fake that answers by config. It ends with the test.
func startScript(t *testing.T, config awsfake.Config) fakeStore {
	t.Helper()
	server, err := awsfake.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	write(t, ca, string(server.CA()), 0o644)
	return fakeStore{
		store: store{
			env:     []string{"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + server.URL(), "AWS_CA_BUNDLE=" + ca},
			visible: []string{ca},
		},
		Server: server,
	}
}

// put adds or rotates a secret.
func (f fakeStore) put(t *testing.T, secret awsfake.Secret) {
	t.Helper()
	if err := f.Put(secret); err != nil {
		t.Fatal(err)
	}
}

// checkCalledOnce checks that each of secrets was asked for once and nothing
// else, whoever asked.
func (f fakeStore) checkCalledOnce(t *testing.T, secrets map[string]awsfake.Version) {
	t.Helper()
	var asked []string
	for _, call := range f.Calls() {
		asked = append(asked, call.SecretID)
	}
	slices.Sort(asked)
	if want := slices.Sorted(maps.Keys(secrets)); !slices.Equal(asked, want) {
		t.Errorf("asked for %q, want each of %q once", asked, want)
	}
}

// oneSecret returns the secrets of the tests that need no particular one.
func oneSecret() map[string]awsfake.Version {
	return map[string]awsfake.Version{"prod/db": {String: new(`{"user-name":"app","password":"` + canary + `"}`)}}
}
