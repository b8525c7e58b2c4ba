//go:build linux

package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/lambdafake"
)

// incident is what is wrong below a function whose DB_PASSWORD is the field password
// of prod/db.
type incident struct {
	// secret is the value of prod/db, faults are how calls for it are answered.
	secret string
	faults []awsfake.Fault
	env    []string
}

// shows returns what proves a block that shows how a start ends: the lines of its log,
// what the caller of the function reads, and the exit status.
func (d documentation) shows(i incident) func(*testing.T, snippet) {
	return func(t *testing.T, s snippet) { checkShown(t, s, d.starts(t, i).block()) }
}

func checkShown(t *testing.T, s snippet, printed string) {
	t.Helper()
	if printed != s.code {
		t.Errorf("the page shows:\n%s\nthe program prints:\n%s", s.code, printed)
	}
}

// ending is what became of a start.
type ending struct {
	log string
	// told is what the caller of the function reads, if anything.
	told   []string
	status int
}

// starts has the layer's program start a function, behind what launches it.
func (d documentation) starts(t *testing.T, i incident, launcher ...string) ending {
	t.Helper()
	value := i.secret
	if value == "" {
		value = `{"username":"app","password":"` + canary + `"}`
	}
	fake := startScript(t, awsfake.Config{Secrets: []awsfake.Secret{plainSecret("prod/db", value, i.faults...)}})
	api, err := lambdafake.StartAPI(lambdafake.APIConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(api.Close)
	argv := append(launcher, filepath.Join(d.layer, "secretwrap"), "/bin/true")
	start := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	start.Env = slices.Concat([]string{
		"PATH=" + os.Getenv("PATH"), "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=an-invented-secret-key",
		"AWS_LAMBDA_RUNTIME_API=" + api.Addr(), "TMPDIR=" + t.TempDir(), "SECRETWRAP_DIR=" + filepath.Join(t.TempDir(), "secretwrap"),
		"DB_PASSWORD=secretsmanager://prod/db#password",
	}, fake.env, i.env)
	var log strings.Builder
	start.Stderr = &log
	if err := start.Run(); start.ProcessState == nil || start.ProcessState.ExitCode() < 0 {
		t.Fatalf("%v: it does not end by itself: %s", err, log.String())
	}
	if found := leaks(log.String(), canary); len(found) > 0 {
		t.Errorf("the log shows the secret: %v", found)
	}
	end := ending{log: requestID.ReplaceAllString(log.String(), "(request 4f0a1c22-…)"), status: start.ProcessState.ExitCode()}
	for _, request := range api.Requests() {
		end.told = append(end.told, string(request.Body))
	}
	return end
}

// requestID is the name of a request, another one each time.
var requestID = regexp.MustCompile(`\(request [0-9a-f-]+\)`)

// block returns what the page shows of it.
func (e ending) block() string {
	var out strings.Builder
	for line := range strings.Lines(e.log) {
		out.WriteString("log     " + line)
	}
	for _, body := range e.told {
		out.WriteString("caller  " + body + "\n")
	}
	fmt.Fprintf(&out, "status  %d\n", e.status)
	return out.String()
}

// showsFullDisk proves the block of a start that finds no room for its files.
func (d documentation) showsFullDisk(t *testing.T, s snippet) {
	disk := t.TempDir()
	mount := []string{"unshare", "-Urm", "sh", "-euc", `mount -t tmpfs -o size=4k none "$0"; exec "$@"`, disk}
	if exec.CommandContext(t.Context(), mount[0], append(mount[1:], "true")...).Run() != nil {
		need(t, "no namespaces for a disk that is full")
	}
	full := incident{
		secret: `{"private_key":"` + strings.Repeat(canary, 1000) + `"}`,
		env:    []string{"DB_PASSWORD=", "SECRETWRAP_DIR=" + disk + "/secretwrap", "TLS_KEY_PATH=secretsmanager://prod/db?file=tls/client.key#private_key"},
	}
	checkShown(t, s, strings.ReplaceAll(d.starts(t, full, mount...).block(), disk, "/tmp"))
}

// incidentClaims returns what proves what the page shows of incidents.
func (d documentation) incidentClaims() []claim {
	fault := func(faults ...awsfake.Fault) func(*testing.T, snippet) {
		// A start that waits says so after a second.
		return d.shows(incident{faults: faults, env: []string{"SECRETWRAP_TIMEOUT=1500ms"}})
	}
	return []claim{
		proves(fault(awsfake.PendingDeletion), "scheduled for deletion"),
		proves(fault(awsfake.DecryptionFailure), "KMS refused"),
		proves(fault(awsfake.Hang), "no answer in time"),
		proves(fault(awsfake.Throttled), "throttled (request"),
		proves(fault(awsfake.Denied), "] error: DB_PASSWORD: secret \"prod/db\": access denied"),
		proves(d.showsStale, "kept as it was"),
		proves(d.shows(incident{secret: `{"username":"app","passwd":"` + canary + `"}`}), "did you mean"),
		proves(d.shows(incident{secret: `{"password":"` + canary}), "not valid JSON"),
		proves(d.showsFullDisk, "no space left"),
		proves(fault(awsfake.Unavailable), "HTTP 503"),
	}
}

// showsStale proves the line of a file that is kept: it holds the error and the hint
// of a start. TestEmulator/refreshes has the extension write it.
func (d documentation) showsStale(t *testing.T, s snippet) {
	denied := d.starts(t, incident{faults: []awsfake.Fault{awsfake.Denied}, env: []string{"DB_PASSWORD=", "KEY_PATH=secretsmanager://prod/db?file#password"}})
	told := regexp.MustCompile(`(?m)^\[secretwrap\] error: (.*) \[Runtime\.SecretAccessDenied\]\n\[secretwrap\] hint: (.*)$`).FindStringSubmatch(denied.log)
	if told == nil {
		t.Fatalf("the start fails with %s", denied.log)
	}
	checkShown(t, s, "[secretwrap] warning: KEY_PATH: kept as it was 6m10s ago: "+told[1]+"; "+told[2]+" [SecretStale]\n")
	tested("nothing when Secrets Manager fails")(t, s)
}
