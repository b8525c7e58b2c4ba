//go:build linux

package e2e_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/lambdafake"
)

var update = flag.Bool("update", false, "write what the scripts print into the files that they compare it with")

// TestScript runs testdata/script against the shipped program, at the usual log
// level and with everything on that could make it talk.
func TestScript(t *testing.T) {
	dir := layer(t)
	base := []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=/no-home",
		"AWS_ACCESS_KEY_ID=AKIDEXAMPLE",
		"AWS_SECRET_ACCESS_KEY=" + credentialKey,
		"AWS_SESSION_TOKEN=" + credentialToken,
		"AWS_REGION=eu-west-1",
		"WRAPPER=" + filepath.Join(dir, "secretwrap"),
		"EXTENSION=" + filepath.Join(dir, "extensions", "secretwrap"),
		"COMMAND=" + built(t, "..", "secretwrap", "./wrapper"),
		"PROBE=" + built(t, ".", "probe", "./probe"),
		"LAUNCHER=" + built(t, ".", "launcher", "./launcher"),
	}
	passes := map[string][]string{
		"as usual":  nil,
		"talkative": append(talkative(), "SECRETWRAP_LOG_LEVEL=debug"),
	}
	for name, more := range passes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testscript.Run(t, testscript.Params{
				Dir:                 "testdata/script",
				Setup:               func(env *testscript.Env) error { return setUp(env, append(more, base...)) },
				Cmds:                commands(),
				Condition:           condition,
				UpdateScripts:       *update && len(more) == 0,
				RequireExplicitExec: true,
				RequireUniqueNames:  true,
			})
		})
	}
}

// What of the credentials must not leak either.
const (
	credentialKey   = "an-invented-secret-key"
	credentialToken = "an-invented-session-token"
)

// built returns the path of a program built as for a laptop.
func built(t *testing.T, dir, name, pkg string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	build(t, dir, path, "-trimpath", pkg)
	return path
}

// condition tells what only some machines have: namespaces, in which /opt and
// /tmp are a script's own, and root, to whom no file is closed.
func condition(name string) (bool, error) {
	switch name {
	case "namespaces":
		return exec.Command("unshare", "-Urm", "mount", "-t", "tmpfs", "none", "/opt").Run() == nil, nil
	case "root":
		return os.Geteuid() == 0, nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// workspace is what belongs to one script.
type workspace struct {
	work    string
	server  *awsfake.Server
	runtime *lambdafake.API
	// secrets are what must be found nowhere but in the program.
	secrets []string
	// proxied counts what went through the proxy.
	proxied func() int
}

// workspaceKey is the key of the workspace among a script's values.
type workspaceKey struct{}

func workspaceOf(ts *testscript.TestScript) *workspace {
	return ts.Value(workspaceKey{}).(*workspace)
}

// setUp gives a script an environment in which nothing is inherited.
func setUp(env *testscript.Env, base []string) error {
	s := &workspace{work: env.WorkDir, secrets: []string{credentialKey, credentialToken}}
	env.Values[workspaceKey{}] = s
	env.Vars = append([]string{
		"WORK=" + s.work, // which testscript wants first
		"TMPDIR=" + s.tmp(),
		"PROBE_RECORD=" + s.record(),
	}, base...)
	return os.Mkdir(s.tmp(), 0o700)
}

// tmp is where the program keeps what outlives it.
func (s *workspace) tmp() string { return filepath.Join(s.work, "tmp") }

// record is the file in which the probe tells that it runs.
func (s *workspace) record() string { return filepath.Join(s.work, ".record") }

// canaryWord finds the words that must not leak.
var canaryWord = regexp.MustCompile(`[\w.-]*CANARY[\w.-]*`)

// guard takes the canaries in the values of config.
func (s *workspace) guard(config awsfake.Config) {
	for _, secret := range config.Secrets {
		for _, version := range secret.Versions {
			text := string(version.Binary)
			if version.String != nil {
				text = *version.String
			}
			s.guardText(text)
			var document any
			if json.Unmarshal([]byte(text), &document) == nil {
				s.guardValue(document)
			}
		}
	}
}

// guardText takes a text that holds a canary, and every word in it that does. A
// long one shows by its beginning.
func (s *workspace) guardText(text string) {
	const enough = 100
	if !strings.Contains(text, "CANARY") {
		return
	}
	for _, secret := range append(canaryWord.FindAllString(text, -1), text) {
		secret = secret[:min(len(secret), enough)]
		if !slices.Contains(s.secrets, secret) {
			s.secrets = append(s.secrets, secret)
		}
	}
}

func (s *workspace) guardValue(value any) {
	switch value := value.(type) {
	case string:
		s.guardText(value)
	case []any:
		for _, element := range value {
			s.guardValue(element)
		}
	case map[string]any:
		for _, member := range value {
			s.guardValue(member)
		}
	}
}

// checkLeaks looks for the canaries in everything that is not the program's own.
func (s *workspace) checkLeaks(ts *testscript.TestScript, stderr string) {
	for place, text := range s.visible(ts, stderr) {
		for _, secret := range s.secrets {
			if found := leaks(text, secret); len(found) > 0 {
				ts.Fatalf("%s shows a secret: %v", place, found)
			}
		}
	}
}

// visible returns all texts that others than the program can read.
func (s *workspace) visible(ts *testscript.TestScript, stderr string) map[string]string {
	texts := map[string]string{"standard error": stderr}
	if record, err := os.ReadFile(s.record()); err == nil {
		texts["the command line"] = string(record)
	}
	for _, body := range s.initErrors() {
		texts["the answer to the caller"] += string(body.Body)
	}
	err := filepath.WalkDir(s.tmp(), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		texts["the file "+entry.Name()] = string(content)
		return err
	})
	ts.Check(err)
	return texts
}

// initErrors returns what the program has told the Runtime API.
func (s *workspace) initErrors() []lambdafake.Request {
	if s.runtime == nil {
		return nil
	}
	var found []lambdafake.Request
	for _, request := range s.runtime.Requests() {
		if request.Path == "/2018-06-01/runtime/init/error" {
			found = append(found, request)
		}
	}
	return found
}
