package clock_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"secretwrap/e2e/soak/clock"
)

// socketVariable makes this test a program that runs its arguments under the clock
// of that socket; tellArgument makes it one that tells the time.
const (
	socketVariable = "CLOCK_TEST_SOCKET"
	tellArgument   = "tell-the-time"
)

func TestMain(m *testing.M) {
	if socket := os.Getenv(socketVariable); socket != "" {
		fmt.Fprintln(os.Stderr, clock.Run(socket, os.Args[1:], nil))
		os.Exit(1)
	}
	if len(os.Args) == 2 && os.Args[1] == tellArgument {
		fmt.Println(time.Now().Unix())
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestStep runs a patched copy of this program, which sees the step, and this
// program, which does not.
func TestStep(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	patched := filepath.Join(dir, "patched")
	if err := clock.Patch(self, patched); err != nil {
		t.Fatal(err)
	}
	c, err := clock.Listen(filepath.Join(dir, "clock"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, step := range []time.Duration{0, time.Hour, -48 * time.Hour} {
		c.Step(step)
		if seen := ahead(t, filepath.Join(dir, "clock"), self, patched); seen != c.Ahead() {
			t.Errorf("the copy is ahead by %v, want %v", seen, c.Ahead())
		}
		if seen := ahead(t, filepath.Join(dir, "clock"), self, self); seen != 0 {
			t.Errorf("the program itself is ahead by %v", seen)
		}
	}
	if c.Readings() == 0 {
		t.Error("nobody has read the clock")
	}
}

// ahead returns by how much a program's clock is ahead, to the minute.
func ahead(t *testing.T, socket, self, program string) time.Duration {
	t.Helper()
	cmd := exec.Command(self, program, tellArgument)
	cmd.Env = []string{socketVariable + "=" + socket}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Until(time.Unix(seconds, 0)).Round(time.Minute)
}
