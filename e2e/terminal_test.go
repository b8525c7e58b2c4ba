//go:build linux

package e2e_test

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// TestCheckOnATerminal runs check on terminals of util-linux's script: a table where
// it fits, one thing below the other where it does not, in colors unless they are
// not wanted.
func TestCheckOnATerminal(t *testing.T) {
	t.Parallel()
	command := built(t, "..", "secretwrap", "./wrapper")
	const table, stacked = "VARIABLE  SECRET ", "URL: variable\n  prod/db#user AWSCURRENT\n"
	tests := []struct {
		name    string
		columns int
		more    []string
		want    string
		colored bool
	}{
		{"wide", 120, nil, table, true},
		{"narrow", 50, nil, stacked, true},
		{"without a width", 0, nil, table, true},
		{"colors not wanted", 50, []string{"NO_COLOR=1"}, stacked, false},
		{"colors not possible", 120, []string{"TERM=dumb"}, table, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			size := "stty rows 40 columns " + strconv.Itoa(test.columns) + "; exec " + command + " check --offline"
			cmd := exec.CommandContext(t.Context(), toolNamed(t, "script").path, "-qec", size, "/dev/null")
			cmd.Env = append([]string{"PATH=/usr/bin:/bin", "TERM=xterm", "SHELL=/bin/sh", "URL=https://{{secretsmanager://prod/db#user}}:x@{{secretsmanager://prod/db#a_path_that_is_long}}"}, test.more...)
			output, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, output)
			}
			text := strings.ReplaceAll(string(output), "\r", "")
			plain := text
			for _, code := range []string{"\x1b[0m", "\x1b[1m", "\x1b[32m", "\x1b[36m"} {
				plain = strings.ReplaceAll(plain, code, "")
			}
			if !strings.HasPrefix(plain, test.want) || strings.Contains(text, "\x1b[") != test.colored {
				t.Errorf("got %q", text)
			}
		})
	}
}
