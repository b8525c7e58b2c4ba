//go:build linux

package e2e_test

import (
	"path/filepath"
	"strings"
	"testing"

	"secretwrap/internal/awsfake"
)

// view is a function whose bootstrap changes what the extension sees, and then
// starts the wrapper.
type view struct {
	env []string
	// manifest is empty for none.
	manifest string
	// exports are lines of the bootstrap.
	exports string
	// names and files are variables to be seen, and those that lead to files.
	names, files []string
	want         string
	// way is how the secrets come, empty for not at all.
	way string
}

// testViews checks that the extension, which Lambda tells less than the wrapper,
// neither takes over from it nor complains.
func (l lab) testViews(t *testing.T) {
	const reference = "secretsmanager://prod/db#password"
	variable, announced := []string{"V=" + reference}, wrapped()[0]
	for name, v := range map[string]view{
		"a directory for temporary files":             {env: variable, exports: "mkdir /tmp/app\nexport TMPDIR=/tmp/app", names: []string{"V"}, way: "extension"},
		"a store without certificates, as .NET's":     {env: variable, exports: "export SSL_CERT_FILE=/var/runtime/empty-certificates.crt", names: []string{"V"}, way: "extension"},
		"a value in a reference's place":              {env: variable, exports: "export V=local", names: []string{"V"}, want: "local"},
		"a value where the wrapper is announced":      {env: append(variable, announced), exports: "export V=local", names: []string{"V"}, want: "local"},
		"a reference":                                 {exports: "export V=" + reference, names: []string{"V"}, way: "extension"},
		"what stands in the manifest's variables":     {manifest: "env:\n  V: ${STAGE}/db#password\n", exports: "export STAGE=prod", names: []string{"V"}, way: "extension"},
		"what stands in the manifest's files":         {env: []string{announced}, manifest: "files:\n  key: ${STAGE}/db#password\n", exports: "export STAGE=prod KEY=/tmp/secretwrap/key", files: []string{"KEY"}, way: "extension"},
		"that no hand-over is wanted":                 {env: variable, exports: "export SECRETWRAP_HANDOVER=off", names: []string{"V"}, way: "direct"},
		"nothing of a file, which is there before it": {env: []string{"KEY=" + strings.Replace(reference, "#", "?file#", 1)}, exports: "test -e /tmp/secretwrap/KEY", files: []string{"KEY"}, way: "extension"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l.checkView(t, v)
		})
	}
	t.Run("typed errors", l.testTypedErrors)
}

func (l lab) checkView(t *testing.T, v view) {
	fake := startFake(t, oneSecret())
	fn := l.osOnly(t)
	fn.Env = v.env
	if v.manifest != "" {
		write(t, filepath.Join(fn.Task, "secretwrap.yaml"), v.manifest, 0o644)
	}
	write(t, filepath.Join(fn.Task, "bootstrap"), "#!/bin/sh\nset -e\n"+v.exports+"\nexec /opt/secretwrap /var/task/handler\n", 0o755)
	d := l.deploy(t, fake.reachable(fn), canary)
	want := v.want
	if want == "" {
		want = canary
	}
	for variable, value := range d.seen(t, event{Names: v.names, Files: v.files}) {
		if value != want {
			t.Errorf("the function sees %q in %s", value, variable)
		}
	}
	log := d.wholeLog(t)
	if strings.Contains(log, "] error: ") || strings.Contains(log, "] warning: ") {
		t.Error("somebody complains")
	}
	if v.way != "" && !strings.Contains(log, ", "+v.way+" [SecretsDelivered]") {
		t.Errorf("the secrets did not come by the way %s", v.way)
	}
	if v.way == "extension" {
		fake.checkCalledOnce(t, oneSecret())
	}
}

// testTypedErrors checks that where a wrapper is announced and comes, it is the
// one to say what is wrong with files.
func (l lab) testTypedErrors(t *testing.T) {
	t.Parallel()
	fake := startScript(t, awsfake.Config{Secrets: []awsfake.Secret{plainSecret("f", canary, awsfake.Denied)}})
	for errorType, manifest := range map[string]string{
		"Runtime.SecretAccessDenied":  "files:\n  key: f\n",
		"Runtime.SecretConfigInvalid": "files: [\n",
	} {
		fn := l.osOnly(t)
		write(t, filepath.Join(fn.Task, "secretwrap.yaml"), manifest, 0o644)
		l.deploy(t, fake.reachable(fn), canary).checkError(t, failure{errorType: errorType})
	}
}
