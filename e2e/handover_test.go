//go:build linux

package e2e_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"secretwrap/internal/awsfake"
)

// testHandsOver checks that a function receives the same whether the extension
// hands over what it fetched, or the wrapper works alone.
func (l lab) testHandsOver(t *testing.T) {
	received := make(map[string]any)
	for _, way := range []string{"extension", "direct"} {
		t.Run("by the way "+way, func(t *testing.T) {
			received[way] = l.receive(t, way)
		})
	}
	if handed, direct := mustJSON(t, received["extension"]), mustJSON(t, received["direct"]); handed != direct {
		t.Errorf("the extension hands over\n%s, the wrapper alone finds\n%s", handed, direct)
	}
}

// receive returns variables and files of a function that asks for everything
// there is, and checks that each secret was asked for once.
func (l lab) receive(t *testing.T, way string) map[string]any {
	t.Helper()
	everything := newDelivery(t)
	everything.secrets["prod/app"] = awsfake.Version{String: new(document(t, map[string]any{"token": canary, "number": 1}))}
	everything.secrets["prod/tls"] = awsfake.Version{String: pairSecret(t, 1).Versions[0].String}
	env := append(everything.env, "SECRETWRAP_ENV_FROM=prod/app?prefix=APP_&upper", "TLS_KEY_PATH=secretsmanager://prod/tls?file=key&mode=0440#private_key")
	if way == "direct" {
		env = append(env, "SECRETWRAP_HANDOVER=off")
	}
	fake := startFake(t, everything.secrets)
	d := l.deploy(t, fake.reachable(declarePair(t, l.managed(t, plainHandler, env...))), canary)
	environ, _ := d.seen(t, event{Environ: true})["environ"].([]any)
	d.checkPair(t, 1)
	received := map[string]any{
		"variables": without(environ, "SECRETWRAP_VISIT", "AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_CA_BUNDLE", "AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_METADATA_API", "AWS_LAMBDA_METADATA_TOKEN"),
		"files":     copies(t, filepath.Join(d.Tmp(), "secretwrap", "..data")),
	}
	fake.checkCalledOnce(t, everything.secrets)
	summary := regexp.MustCompile(`\[secretwrap\] info: 7 secrets into 16 variables and 4 files: 7 calls, 0 retries, [0-9]+ ms, ` + way + ` \[SecretsDelivered\]`)
	if log := d.wholeLog(t); len(summary.FindAllString(log, -1)) != 1 {
		t.Errorf("the log does not match %s once", summary)
	}
	return received
}

// copies returns mode and content of all files below dir.
func copies(t *testing.T, dir string) map[string]string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		found[strings.TrimPrefix(path, dir)] = fmt.Sprint(info.Mode(), " ", string(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
