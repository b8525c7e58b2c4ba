package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// findInterpreters finds the interpreters with their SDKs. Languages without are
// left out.
func (l *lab) findInterpreters(ctx context.Context, o options, ca []byte) {
	l.interpreters, l.versions = make(map[string]string), make(map[string]string)
	if o.check {
		return
	}
	if err := l.findNode(ctx); err != nil {
		l.leaveOut(node, err)
	}
	if err := l.findPython(ctx, ca); err != nil {
		l.leaveOut(python, err)
	}
}

func (l *lab) findNode(ctx context.Context) error {
	path, err := exec.LookPath("node")
	if err != nil {
		return err
	}
	l.modules = os.Getenv("BENCH_NODE_MODULES")
	version, err := output(ctx, path, "-p", "process.version + ', @aws-sdk/client-secrets-manager ' + require(process.argv[1]).version",
		filepath.Join(l.modules, "@aws-sdk", "client-secrets-manager", "package.json"))
	if err != nil {
		return errors.New("BENCH_NODE_MODULES names no directory with @aws-sdk/client-secrets-manager: scripts/install-bench.sh installs one")
	}
	l.interpreters[node], l.versions[node] = path, version
	return nil
}

func (l *lab) findPython(ctx context.Context, ca []byte) error {
	path := os.Getenv("E2E_PYTHON")
	found, err := output(ctx, path, "-c", "import sys, os, awslambdaric, botocore, boto3; print(os.path.dirname(botocore.__file__)); print(sys.version.split()[0] + ', boto3 ' + boto3.__version__)")
	if err != nil {
		return errors.New("E2E_PYTHON names no interpreter with awslambdaric and boto3: scripts/install-e2e.sh installs one")
	}
	botocore, version, _ := strings.Cut(found, "\n")
	bundle, err := pythonBundle(botocore, ca)
	if err != nil {
		return err
	}
	l.interpreters[python], l.versions[python] = path, version
	return writeFile(filepath.Join(l.dir, "etc", "python.pem"), bundle, 0o644)
}

// output returns what a program prints.
func output(ctx context.Context, name string, args ...string) (string, error) {
	text, err := exec.CommandContext(ctx, name, args...).Output()
	return strings.TrimSpace(string(text)), err
}

// visible returns what functions of a language need of this machine's files.
func (l *lab) visible(language string) []string {
	switch language {
	case node:
		return []string{l.modules}
	case python:
		return []string{filepath.Dir(filepath.Dir(l.interpreters[python]))}
	}
	return nil
}

// languageVariables returns what an SDK needs to be found, and to trust the store.
func (l *lab) languageVariables(c *cell) []string {
	switch {
	case c.Language == node && c.way.fetches():
		return []string{"NODE_PATH=" + l.modules, "NODE_EXTRA_CA_CERTS=/etc/store.pem"}
	case c.Language == python && c.way.fetches():
		return []string{"AWS_CA_BUNDLE=/etc/python.pem"}
	}
	return nil
}
