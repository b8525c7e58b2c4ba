package fetch_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/awssecrets"
	"secretwrap/internal/fetch"
	"secretwrap/internal/problem"
)

// client calls server as a function would.
func client(t *testing.T, server *awsfake.Server) *awssecrets.Client {
	t.Helper()
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(bundle, server.CA(), 0o600); err != nil {
		t.Fatal(err)
	}
	environment := map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "key", "AWS_SESSION_TOKEN": "token", "AWS_REGION": "eu-west-1",
		"AWS_ENDPOINT_URL": server.URL(), "AWS_CA_BUNDLE": bundle,
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_PROFILE": "",
	}
	// The SDK reads the environment itself where it may.
	for name, value := range environment {
		t.Setenv(name, value)
	}
	config, problems := awssecrets.Load(environment, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return awssecrets.New(config)
}

func start(t *testing.T, faults map[string][]awsfake.Fault) *awsfake.Server {
	t.Helper()
	var config awsfake.Config
	for name, played := range faults {
		config.Secrets = append(config.Secrets, awsfake.Secret{
			Name: name, Versions: []awsfake.Version{{String: new("value of " + name)}}, Faults: played,
		})
	}
	server, err := awsfake.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

func TestARealClientGetsOverPassingFaults(t *testing.T) {
	server := start(t, map[string][]awsfake.Fault{
		"fine":      nil,
		"throttled": {awsfake.Throttled, awsfake.OK},
		"reset":     {awsfake.Reset, awsfake.OK},
		"cut":       {awsfake.Truncated, awsfake.OK},
		"empty":     {awsfake.Empty, awsfake.Unavailable, awsfake.OK},
		"expired":   {awsfake.ExpiredToken, awsfake.OK},
		"denied":    {awsfake.Denied},
		"refused":   {awsfake.ExpiredToken},
	})
	requests := named("fine", "throttled", "reset", "cut", "empty", "expired", "denied", "refused", "absent")
	outcomes := fetch.All(t.Context(), client(t, server), requests, fetch.Options{Budget: 30 * time.Second, Connections: 4})
	for i, attempts := range []int{1, 2, 2, 2, 3, 2} {
		wantValue(t, outcomes[i], requests[i].Secret, attempts)
	}
	for i, want := range []problem.Class{problem.Denied, problem.Denied, problem.NotFound} {
		if err := outcomes[6+i].Err; err == nil || err.Class != want {
			t.Errorf("%s: error %+v", requests[6+i].Secret, err)
		}
	}
	calls := 0
	for _, outcome := range outcomes {
		calls += outcome.Attempts
	}
	if made := len(server.Calls()); made != calls || server.MaxInFlight() > 4 {
		t.Errorf("%d calls made, %d counted, %d at once", made, calls, server.MaxInFlight())
	}
}

func TestARealClientThatHungLeavesNothingBehind(t *testing.T) {
	server := start(t, map[string][]awsfake.Fault{"hanging": {awsfake.Hang}, "dripping": {awsfake.Drip}})
	before := runtime.NumGoroutine()
	outcomes := fetch.All(t.Context(), client(t, server), named("hanging", "dripping"), fetch.Options{Budget: 100 * time.Millisecond, Connections: 4})
	for _, outcome := range outcomes {
		if outcome.Err == nil || outcome.Err.Class != problem.Timeout {
			t.Errorf("error %+v", outcome.Err)
		}
	}
	// Connections are closed in the background.
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}
