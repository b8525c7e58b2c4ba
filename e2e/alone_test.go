//go:build linux

package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"secretwrap/e2e/emulator"
)

// alone returns fn with the layer that has no extension.
func (l lab) alone(t *testing.T, fn emulator.Function) emulator.Function {
	t.Helper()
	fn.Layer = t.TempDir()
	if err := os.Mkdir(filepath.Join(fn.Layer, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	copyFile(t, filepath.Join(l.layer, "extensions", "secretwrap"), filepath.Join(fn.Layer, "bin", "secretwrap"))
	link(t, "bin/secretwrap", filepath.Join(fn.Layer, "secretwrap"))
	return fn
}

// testWorksAlone checks that the wrapper says what nobody does in the place of an
// extension, where somebody waits for that.
func (l lab) testWorksAlone(t *testing.T) {
	const complaint = "] warning: the files are not refreshed: there is no /opt/extensions/secretwrap; "
	file, variable := "KEY=secretsmanager://prod/db?file#password", "PASSWORD=secretsmanager://prod/db#password"
	for name, test := range map[string]struct {
		env      []string
		extended bool
		complain int
	}{
		"with a file":                        {env: []string{file}, complain: 1},
		"with a value that went to a file":   {env: []string{variable, "SECRETWRAP_MAX_ENV_VALUE=1"}, complain: 1},
		"with a variable":                    {env: []string{variable}},
		"with a file that may get old":       {env: []string{file, "SECRETWRAP_REFRESH=0"}},
		"with an extension":                  {env: []string{file}, extended: true},
		"beside an extension, with its file": {env: []string{file, "SECRETWRAP_HANDOVER=off"}, extended: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fn := l.osOnly(t, test.env...)
			if !test.extended {
				fn = l.alone(t, fn)
			}
			d := l.deploy(t, startFake(t, oneSecret()).reachable(fn), canary)
			d.seen(t, event{})
			if found := strings.Count(d.wholeLog(t), complaint); found != test.complain {
				t.Errorf("it complains %d times, want %d", found, test.complain)
			}
		})
	}
}
