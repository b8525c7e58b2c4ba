//go:build linux

package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"secretwrap/internal/awsfake"
)

// documentation proves what the pages show, with the program as make build builds it.
// What takes long is made once for all proofs.
type documentation struct {
	program string
	// layer is the directory that becomes /opt.
	layer   string
	samHelp compiler
	server  func() string
	// regions counts those of the server that are in use.
	regions *atomic.Int32
}

// newDocumentation returns one whose programs end with the test.
func newDocumentation(t *testing.T) documentation {
	t.Helper()
	return documentation{
		program: built(t, "..", "secretwrap", "./wrapper"),
		layer:   layer(t),
		regions: new(atomic.Int32),
		samHelp: samHelp(t),
		server:  sync.OnceValue(func() string { return motoServer(t) }),
	}
}

// moto returns the address of a moto_server, which all proofs share.
func (d documentation) moto(t *testing.T) string {
	t.Helper()
	pythonWith(t, "moto", "flask") // or this proof alone cannot be made
	return d.server()
}

// help returns what secretwrap help prints.
func (d documentation) help(t *testing.T) string {
	t.Helper()
	out, err := runIn(nil, d.program, "help")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sandbox is a directory in which the commands of a page run: with the program, with
// a Secrets Manager, and without the configuration of whoever runs the tests.
type sandbox struct {
	dir string
	// work is where its commands run.
	work string
	env  []string
	fake fakeStore
}

// sandbox returns one whose Secrets Manager has these secrets.
func (d documentation) sandbox(t *testing.T, secrets map[string]awsfake.Version) *sandbox {
	t.Helper()
	s := &sandbox{dir: t.TempDir(), fake: startFake(t, secrets)}
	s.work = s.dir
	for _, name := range []string{"bin", "dist", "home"} {
		directory(t, s.path(name), 0o755)
	}
	link(t, d.program, s.path("dist/secretwrap"))
	link(t, "../dist/secretwrap", s.path("bin/secretwrap"))
	s.env = append([]string{
		"PATH=" + s.path("bin") + ":" + os.Getenv("PATH"),
		"HOME=" + s.path("home"),
		"AWS_REGION=eu-west-1",
		"AWS_ACCESS_KEY_ID=AKIDEXAMPLE",
		"AWS_SECRET_ACCESS_KEY=an-invented-secret-key",
		"AWS_SESSION_TOKEN=an-invented-session-token",
		"AWS_EC2_METADATA_DISABLED=true",
		"npm_config_update_notifier=false",
	}, s.fake.env...)
	return s
}

// path returns that of a file in the sandbox.
func (s *sandbox) path(name string) string { return filepath.Join(s.dir, name) }

// write writes a file.
func (s *sandbox) write(t *testing.T, name, content string) {
	t.Helper()
	write(t, s.path(name), content, 0o644)
}

// script puts a program into PATH.
func (s *sandbox) script(t *testing.T, name, code string) {
	t.Helper()
	write(t, s.path("bin/"+name), "#!/bin/sh\nset -eu\n"+code, 0o755)
}

// link puts a program of this machine's into PATH, since what it is found by may
// depend on HOME.
func (s *sandbox) link(t *testing.T, name, path string) {
	t.Helper()
	link(t, path, s.path("bin/"+name))
}

// unset takes variables away.
func (s *sandbox) unset(names ...string) {
	var rest []string
	for _, entry := range s.env {
		kept := true
		for _, unwanted := range names {
			kept = kept && name(entry) != unwanted
		}
		if kept {
			rest = append(rest, entry)
		}
	}
	s.env = rest
}

// makeCommand puts a stand-in for make into PATH, which has make itself read the
// project's Makefile for what it is asked to make, and then makes build and layer of
// what is there already, or of nothing.
func (s *sandbox) makeCommand(t *testing.T) {
	t.Helper()
	copyFile(t, "../Makefile", s.path("Makefile"))
	program, err := os.Readlink(s.path("dist/secretwrap"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(s.path("dist/secretwrap")); err != nil {
		t.Fatal(err)
	}
	s.script(t, "make", toolNamed(t, "make").path+` --dry-run VERSION=0 "$@" >/dev/null
for word; do
  case $word in
  build) ln -s `+program+" "+s.path("dist/secretwrap")+` ;;
  layer) : >`+s.path("dist/secretwrap-layer-x86_64.zip")+` ;;
  esac
done
`)
}

// try runs code by a shell that ends at the first failure, and returns what it
// prints, and what it complains about.
func (s *sandbox) try(t *testing.T, code string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), building)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-euc", code)
	cmd.Dir, cmd.Env = s.work, s.env
	var out, complaints strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err = cmd.Run()
	if found := leaks(complaints.String(), canary); len(found) > 0 {
		t.Errorf("standard error shows a secret: %v", found)
	}
	return out.String(), complaints.String(), err
}

// sh runs code, which must succeed, and returns what it prints.
func (s *sandbox) sh(t *testing.T, code string) string {
	t.Helper()
	stdout, stderr, err := s.try(t, code)
	if err != nil {
		t.Fatalf("%s\n%v\n%s%s", code, err, stdout, stderr)
	}
	return stdout
}

// execCommand goes before a program that gets its secrets.
const execCommand = "dist/secretwrap exec -- "

// npm makes a package of the sandbox whose scripts print the password.
func (s *sandbox) npm(t *testing.T) {
	t.Helper()
	toolNamed(t, "npm")
	s.write(t, "package.json", `{"name": "app", "scripts": {"start": "printenv DB_PASSWORD", "test": "printenv DB_PASSWORD"}}`)
}

// checkPrints checks that a line of output is line.
func checkPrints(t *testing.T, output, line string) {
	t.Helper()
	if !strings.Contains("\n"+output, "\n"+line+"\n") {
		t.Errorf("printed %q, want the line %q", output, line)
	}
}

// printsPassword returns what proves a snippet with code before it: it prints the
// password in prod/db.
func (d documentation) printsPassword(before string) func(*testing.T, snippet) {
	return func(t *testing.T, s snippet) {
		box := d.sandbox(t, oneSecret())
		box.npm(t)
		checkPrints(t, box.sh(t, before+s.code), canary)
	}
}
