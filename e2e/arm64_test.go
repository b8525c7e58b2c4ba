//go:build linux

package e2e_test

import (
	"debug/elf"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"secretwrap/internal/awsfake"
)

// testArm64 has a whole life of the layer for arm64: a hand-over, variables, files,
// the end. On an arm64 machine so have all the other tests.
func (l lab) testArm64(t *testing.T) {
	qemu := ""
	if runtime.GOARCH != "arm64" {
		qemu = toolNamed(t, "qemu-aarch64-static").path
		l.layer, l.handler = layerFor(t, "arm64"), goHandler(t, "arm64")
	}
	fn := declarePair(t, l.layered(t, "DB_PASSWORD=secretsmanager://prod/db"))
	fn.QEMU = qemu
	fake := startScript(t, awsfake.Config{Secrets: []awsfake.Secret{pairSecret(t, 1), plainSecret("prod/db", canary)}})
	d := l.deploy(t, fake.reachable(fn), canary)
	if seen := d.seen(t, event{Names: []string{"DB_PASSWORD"}}); seen["DB_PASSWORD"] != canary {
		t.Errorf("the function sees %v", seen)
	}
	d.checkPair(t, 1)
	for _, program := range []string{filepath.Join(fn.Layer, "extensions", "secretwrap"), filepath.Join(fn.Task, "app")} {
		checkMachine(t, program, elf.EM_AARCH64)
	}
	d.checkGone(t)
	if log := d.Logs(); !strings.Contains(log, ", extension [SecretsDelivered]") || strings.Contains(log, "] warning: ") {
		t.Error("there was no hand-over, or somebody complains")
	}
}

// checkMachine checks for which machine a program is.
func checkMachine(t *testing.T, path string, want elf.Machine) {
	t.Helper()
	program, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	if program.Machine != want {
		t.Errorf("%s is for %v, want %v", path, program.Machine, want)
	}
}
