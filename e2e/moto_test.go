//go:build linux

package e2e_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"testing"
	"time"

	"secretwrap/internal/awsfake"
)

var motoRunning = regexp.MustCompile(`Running on (http://\S+)`)

// startMoto starts moto_server, an independent implementation of Secrets
// Manager, with the given secrets. It ends with the test.
func startMoto(t *testing.T, secrets map[string]awsfake.Version) store {
	t.Helper()
	url := motoServer(t)
	for name, version := range secrets {
		createSecret(t, cloud{url, "eu-west-1"}, name, version)
	}
	return store{env: []string{"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + url}}
}

// motoServer starts moto_server and returns its address.
func motoServer(t *testing.T) string {
	t.Helper()
	return motoServerBy(t, pythonWith(t, "moto", "flask").path)
}

// motoServerBy starts the moto_server that a Python has, with variables of its own.
func motoServerBy(t *testing.T, python string, env ...string) string {
	t.Helper()
	cmd := exec.Command(python, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0")
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	running := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			if match := motoRunning.FindStringSubmatch(lines.Text()); match != nil {
				running <- match[1]
			}
		}
		_, _ = io.Copy(io.Discard, stderr)
	}()
	select {
	case url := <-running:
		return url
	case <-time.After(30 * time.Second):
		t.Fatal("moto_server does not start")
		return ""
	}
}

// createSecret puts a secret with one version into an account.
func createSecret(t *testing.T, a cloud, name string, version awsfake.Version) {
	t.Helper()
	input := map[string]any{"Name": name}
	if version.String != nil {
		input["SecretString"] = *version.String
	} else {
		input["SecretBinary"] = version.Binary
	}
	var created struct{}
	a.json(t, "secretsmanager", "secretsmanager.CreateSecret", input, &created)
}
