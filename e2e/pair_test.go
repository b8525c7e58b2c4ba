//go:build linux

package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"secretwrap/e2e/emulator"
	"secretwrap/internal/awsfake"
)

// pairFiles are the files of a certificate with its key, which pairManifest
// declares.
var pairFiles = []string{"tls/client.pem", "tls/client.key"}

const pairManifest = `files:
  tls/client.pem: "prod/tls#certificate"
  tls/client.key: "prod/tls?mode=0400#private_key"
`

// pair returns what the files hold that are made of a version.
func pair(version int) []string {
	return []string{fmt.Sprintf("certificate %d %s", version, canary), fmt.Sprintf("private key %d %s", version, canary)}
}

// pairSecret returns the secret of a certificate with its key.
func pairSecret(t *testing.T, version int) awsfake.Secret {
	t.Helper()
	files := pair(version)
	text := document(t, map[string]any{"certificate": files[0], "private_key": files[1]})
	return awsfake.Secret{Name: "prod/tls", Versions: []awsfake.Version{{String: &text}}}
}

// deployPair starts a function with a manifest that declares a certificate and
// its key, of which there is version 1. Secrets Manager answers with faults.
func (l lab) deployPair(t *testing.T, fn emulator.Function, faults ...awsfake.Fault) (deployed, fakeStore) {
	t.Helper()
	secret := pairSecret(t, 1)
	secret.Faults = faults
	fake := startScript(t, awsfake.Config{Secrets: []awsfake.Secret{secret}})
	return l.deploy(t, fake.reachable(declarePair(t, fn)), canary), fake
}

// declarePair returns fn with the manifest.
func declarePair(t *testing.T, fn emulator.Function) emulator.Function {
	t.Helper()
	write(t, filepath.Join(fn.Task, "secretwrap.yaml"), pairManifest, 0o644)
	return fn
}

// pairs asks a handler for files, see handlers/go.
type pairs struct {
	Dir   string   `json:"dir"`
	Files []string `json:"files"`
	Times int      `json:"times"`
}

// sight is which contents a handler has seen together, each once.
type sight struct{ Plain, Pinned [][]string }

// look has the handler read the pair many times.
func (d deployed) look(t *testing.T, times int) sight {
	t.Helper()
	text := mustJSON(t, d.seen(t, event{Pairs: &pairs{Dir: "/tmp/secretwrap", Files: pairFiles, Times: times}}))
	var seen sight
	if err := json.Unmarshal([]byte(text), &seen); err != nil {
		t.Fatal(err)
	}
	return seen
}

// checkPair checks that the handler sees one version of the pair.
func (d deployed) checkPair(t *testing.T, version int) {
	t.Helper()
	want := [][]string{pair(version)}
	if seen := d.look(t, 1); mustJSON(t, seen) != mustJSON(t, sight{want, want}) {
		t.Errorf("the handler sees %v, want version %d", seen, version)
	}
}

// checkWhole checks what a handler has seen while the pair changed from one
// version to the next: whole files in any case, and those of one version together
// if it had looked up their directory once.
func (s sight) checkWhole(t *testing.T, version int) {
	t.Helper()
	former, next := pair(version), pair(version+1)
	for _, seen := range s.Pinned {
		if !slices.Equal(seen, former) && !slices.Equal(seen, next) {
			t.Errorf("pinned files hold %q together", seen)
		}
	}
	for _, seen := range s.Plain {
		for i := range seen {
			if seen[i] != former[i] && seen[i] != next[i] {
				t.Errorf("file %s holds %q", pairFiles[i], seen[i])
			}
		}
	}
}

// isOnly reports whether nothing but one version was seen.
func (s sight) isOnly(version int) bool {
	want := [][]string{pair(version)}
	return slices.EqualFunc(s.Plain, want, slices.Equal) && slices.EqualFunc(s.Pinned, want, slices.Equal)
}

// checkTidy checks that the files of the pair are there, and nothing beside them:
// one generation, no leftover.
func (d deployed) checkTidy(t *testing.T) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(d.Tmp(), "secretwrap"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		name, _, _ := strings.Cut(entry.Name(), "-") // what follows is chosen at random
		names = append(names, name)
	}
	if want := []string{"..data", "..generation", "tls"}; !slices.Equal(names, want) {
		t.Errorf("the directory of files holds %q, want %q", names, want)
	}
}
