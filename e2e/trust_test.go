//go:build linux

package e2e_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"secretwrap/e2e/roots"
	"secretwrap/internal/awsfake"
	"secretwrap/internal/layerbuild"
)

// secretsManagerHost is the real name of Secrets Manager in a function's region.
const secretsManagerHost = "secretsmanager.eu-west-1.amazonaws.com"

// Nobody but Amazon can sign for Amazon. So one of two programs has the server's
// authority among those embedded: that one gets the secret on its first
// connection, though the system's store does not know the authority; the program
// that is shipped gets it on none.
func TestTheEmbeddedAuthoritiesAreTrusted(t *testing.T) {
	t.Parallel()
	server, err := awsfake.Start(awsfake.Config{Hosts: []string{secretsManagerHost}, Secrets: []awsfake.Secret{{
		Name: "prod/db", Versions: []awsfake.Version{{String: new(canary)}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	trusting := filepath.Join(t.TempDir(), "secretwrap")
	overlay, err := roots.Overlay("..", t.TempDir(), server.CA())
	if err != nil {
		t.Fatal(err)
	}
	build(t, "..", trusting, append(layerbuild.Arguments(""), overlay, layerbuild.Source)...)
	probe := built(t, ".", "probe", "./probe")
	through := &proxy{target: strings.TrimPrefix(server.URL(), "https://")}
	env := []string{
		"AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=key", "AWS_SESSION_TOKEN=token",
		"HTTPS_PROXY=" + through.start(t), "TMPDIR=" + t.TempDir(), "PASSWORD=secretsmanager://prod/db",
	}
	out, err := runIn(env, trusting, probe, "show", "PASSWORD")
	if err != nil || !strings.Contains(out, canary) || server.Connections() != 1 {
		t.Errorf("with the authority embedded: %v, %d connections\n%s", err, server.Connections(), out)
	}
	out, err = runIn(env, filepath.Join(layer(t), "secretwrap"), probe, "show", "PASSWORD")
	if err == nil || !strings.Contains(out, "the server's certificate cannot be verified") || server.Connections() != 3 {
		t.Errorf("as shipped: %v, %d connections\n%s", err, server.Connections(), out)
	}
}

// runIn returns what a program prints that has these variables only.
func runIn(env []string, argv ...string) (string, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	return string(out), err
}
