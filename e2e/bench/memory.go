package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/lambdafake"
	"secretwrap/internal/layerbuild"
)

// keptSecret holds the certificate and the key that are refreshed.
const keptSecret = "bench/tls"

// memoryReport tells what memory the extension needs while it refreshes.
type memoryReport struct {
	Refreshes int `json:"refreshes"`
	// FirstMB is the resident size after the first refresh, LastMB after the last,
	// PeakMB the largest on the way.
	FirstMB float64  `json:"first_mb"`
	LastMB  float64  `json:"last_mb"`
	PeakMB  float64  `json:"peak_mb"`
	Targets []target `json:"targets"`
}

// measureMemory is the part that refreshes files.
func measureMemory(ctx context.Context, b *bench, refreshes int) (*memoryReport, error) {
	program := filepath.Join(b.dir, "keeper")
	if err := goBuild(ctx, ".", program, append(layerbuild.Arguments(""), "./bench/keeper")...); err != nil {
		return nil, err
	}
	server, err := awsfake.Start(awsfake.Config{Secrets: []awsfake.Secret{kept(0)}, KeptCalls: 1})
	if err != nil {
		return nil, err
	}
	defer server.Close()
	api, err := lambdafake.StartAPI(lambdafake.APIConfig{Extensions: []string{"keeper"}})
	if err != nil {
		return nil, err
	}
	defer api.Close()
	cmd := exec.CommandContext(ctx, program)
	if cmd.Env, err = b.keeperEnvironment(server, api); err != nil {
		return nil, err
	}
	d, err := startDialogue(cmd)
	if err != nil {
		return nil, err
	}
	r, err := b.follow(server, d, refreshes)
	if ended := d.end(); err == nil {
		err = ended
	}
	return r, err
}

// follow rotates the secret before every refresh.
func (b *bench) follow(server *awsfake.Server, d *dialogue, refreshes int) (*memoryReport, error) {
	r := &memoryReport{Refreshes: refreshes}
	if _, err := d.line(); err != nil {
		return nil, fmt.Errorf("first files: %w", err)
	}
	for i := range refreshes {
		if i%(refreshes/10) == 0 {
			b.progress.count("refreshes", i, refreshes)
		}
		if err := server.Put(kept(i + 1)); err != nil {
			return nil, err
		}
		line, err := d.ask()
		if err != nil {
			return nil, fmt.Errorf("refresh %d: %w", i+1, err)
		}
		var now, peak int64
		if _, err := fmt.Sscan(line, &now, &peak); err != nil {
			return nil, fmt.Errorf("refresh %d: unexpected %q", i+1, line)
		}
		r.LastMB, r.PeakMB = float64(now)/1e6, float64(peak)/1e6
		if i == 0 {
			r.FirstMB = r.LastMB
		}
	}
	b.progress.done()
	r.Targets = judged([]target{single(fmt.Sprintf("resident size after %d refreshes", refreshes), "MB", r.LastMB, 16).withSlack(noSlack)})
	return r, nil
}

// kept is a version of the secret.
func kept(version int) awsfake.Secret {
	text := fmt.Sprintf(`{"certificate":"certificate %d","key":"key %[1]d"}`, version)
	return awsfake.Secret{Name: keptSecret, Versions: []awsfake.Version{{ID: strconv.Itoa(version), String: &text}}}
}

func (b *bench) keeperEnvironment(server *awsfake.Server, api *lambdafake.API) ([]string, error) {
	ca := filepath.Join(b.dir, "keeper.pem")
	if err := os.WriteFile(ca, server.CA(), 0o600); err != nil {
		return nil, err
	}
	return []string{
		"AWS_REGION=eu-west-1",
		"AWS_ACCESS_KEY_ID=ASIAIOSFODNN7EXAMPLE",
		"AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		"AWS_SESSION_TOKEN=example-session-token",
		"AWS_LAMBDA_RUNTIME_API=" + api.Addr(),
		"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + server.URL(),
		"AWS_CA_BUNDLE=" + ca,
		"SECRETWRAP_DIR=" + filepath.Join(b.dir, "kept"),
		"CERTIFICATE=secretsmanager://" + keptSecret + "?file=tls/client.pem#certificate",
		"KEY=secretsmanager://" + keptSecret + "?file=tls/client.key#key",
	}, nil
}

func (r *memoryReport) print(out io.Writer) {
	fmt.Fprintf(out, "\nMemory of the extension's refresh over %d refreshes of a certificate with its key,\neach of a new version: resident %.1f MB after the first, %.1f MB after the last, %.1f MB\nat most. Its clock is set forward: the extension itself would take days.\n",
		r.Refreshes, r.FirstMB, r.LastMB, r.PeakMB)
	printTargets(out, r.Targets)
}
