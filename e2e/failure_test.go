//go:build linux

package e2e_test

import (
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"secretwrap/internal/awsfake"
)

// failure is a function that cannot start, and what its invoker reads.
type failure struct {
	reference string          // of DB_PASSWORD
	faults    []awsfake.Fault // of the secret prod/db
	env       []string
	errorType string
	message   string // its beginning
	status    string // of the process
	calls     int    // how many the two invocations make
}

// broken holds the failures that concern one secret.
var broken = map[string]failure{
	"a denied secret": {
		reference: "secretsmanager://prod/db#password",
		faults:    []awsfake.Fault{awsfake.Denied},
		errorType: "Runtime.SecretAccessDenied",
		message:   `DB_PASSWORD: secret "prod/db": access denied`,
		status:    "77",
		calls:     1,
	},
	"a denied KMS key": {
		reference: "secretsmanager://prod/db#password",
		faults:    []awsfake.Fault{awsfake.KMSDenied},
		errorType: "Runtime.SecretAccessDenied",
		message:   `DB_PASSWORD: secret "prod/db": access denied`,
		status:    "77",
		calls:     1,
	},
	"a secret that does not exist": {
		reference: "secretsmanager://prod/absent#password",
		errorType: "Runtime.SecretNotFound",
		message:   `DB_PASSWORD: secret "prod/absent": not found`,
		status:    "66",
		calls:     1,
	},
	"a secret whose ARN is configured": {
		reference: "secretsmanager://arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/absent-AbCdEf",
		errorType: "Runtime.SecretNotFound",
		message:   `DB_PASSWORD: secret "prod/absent": not found`,
		status:    "66",
		calls:     1,
	},
	"a field that does not exist": {
		reference: "secretsmanager://prod/db#passwort",
		errorType: "Runtime.SecretFieldNotFound",
		message:   `DB_PASSWORD: secret "prod/db": field not found`,
		status:    "66",
		calls:     1,
	},
	"a field of a secret that is not JSON": {
		reference: "secretsmanager://prod/text#password",
		errorType: "Runtime.SecretInvalid",
		message:   `DB_PASSWORD: secret "prod/text": content is not valid`,
		status:    "65",
		calls:     1,
	},
	"an error message that holds the secret": {
		reference: "secretsmanager://prod/db#password",
		faults:    []awsfake.Fault{awsfake.Leaky},
		errorType: "Runtime.SecretInvalid",
		message:   `DB_PASSWORD: secret "prod/db": content is not valid`,
		status:    "65",
		calls:     1,
	},
	"a misspelt reference": {
		reference: "SecretsManager://prod/db#password",
		errorType: "Runtime.SecretConfigInvalid",
		message:   `DB_PASSWORD: `,
		status:    "64",
	},
	"a misspelt setting": {
		reference: "secretsmanager://prod/db#password",
		env:       []string{"SECRETWRAP_TIMEOUTS=5s"},
		errorType: "Runtime.SecretConfigInvalid",
		message:   `SECRETWRAP_TIMEOUTS: `,
		status:    "64",
	},
	"a snapshot that would keep the secret": {
		reference: "secretsmanager://prod/db#password",
		env:       []string{"AWS_LAMBDA_INITIALIZATION_TYPE=snap-start"},
		errorType: "Runtime.SecretConfigInvalid",
		message:   `SECRETWRAP_SNAPSTART: `,
		status:    "64",
	},
}

// testFails checks what the invoker of a function reads that cannot start.
func (l lab) testFails(t *testing.T) {
	for name, failure := range broken {
		t.Run("for "+name, func(t *testing.T) {
			t.Parallel()
			l.checkFailure(t, failure)
		})
	}
	t.Run("for a server that never answers", l.testSilentServer)
	t.Run("in lines of JSON where the function logs JSON", l.testJSONLog)
}

func (l lab) checkFailure(t *testing.T, want failure) {
	handed, direct := l.fail(t, want), l.fail(t, want, "SECRETWRAP_HANDOVER=off")
	if handed != direct {
		t.Errorf("the invoker reads %s, and without a hand-over %s", handed, direct)
	}
}

// fail has a function fail, and returns what its invoker reads.
func (l lab) fail(t *testing.T, want failure, env ...string) string {
	t.Helper()
	fake := startFailing(t, want.faults)
	fn := l.osOnly(t, slices.Concat(want.env, env, []string{"DB_PASSWORD=" + want.reference})...)
	d := l.deploy(t, fake.reachable(fn), canary)
	d.checkError(t, want)
	body := d.checkError(t, want) // every further invocation starts anew
	d.checkExit(t, want.status)
	if calls := len(fake.Calls()); calls != want.calls {
		t.Errorf("%d calls of Secrets Manager, want %d", calls, want.calls)
	}
	if strings.Contains(d.Logs(), unresolvedLine) {
		t.Error("the log tells of references that nobody resolved, besides what keeps the wrapper from it")
	}
	return body
}

// startFailing starts a fake whose secret prod/db answers with faults.
func startFailing(t *testing.T, faults []awsfake.Fault) fakeStore {
	t.Helper()
	return startScript(t, awsfake.Config{Secrets: []awsfake.Secret{
		{Name: "prod/db", Versions: []awsfake.Version{{String: new(`{"password":"` + canary + `"}`)}}, Faults: faults},
		{Name: "prod/text", Versions: []awsfake.Version{{String: new(canary)}}},
	}})
}

// checkError invokes the function, and checks the error that the invoker reads:
// which is returned: what is wrong with which variable, and nothing about the
// account.
func (d deployed) checkError(t *testing.T, want failure) string {
	t.Helper()
	response := d.invoke(t, event{})
	var body struct{ ErrorType, ErrorMessage string }
	if err := json.Unmarshal(response.Body, &body); err != nil {
		t.Fatalf("status %d, body %q: %v", response.Status, response.Body, err)
	}
	if response.Status != http.StatusBadGateway || body.ErrorType != want.errorType {
		t.Errorf("status %d, type %q, want 502 and %q", response.Status, body.ErrorType, want.errorType)
	}
	if !strings.HasPrefix(body.ErrorMessage, want.message) {
		t.Errorf("message %q, want it to begin with %q", body.ErrorMessage, want.message)
	}
	for _, private := range []string{"arn:", "123456789012", "eu-west-1", "password\""} {
		if strings.Contains(string(response.Body), private) {
			t.Errorf("the invoker reads %q: %s", private, response.Body)
		}
	}
	if found := leaks(string(response.Body), canary); len(found) > 0 {
		t.Errorf("the invoker reads a secret: %v", found)
	}
	return string(response.Body)
}

// testSilentServer has a server that takes connections and never answers: the
// typed error must reach the invoker before Lambda's own timeout does.
func (l lab) testSilentServer(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	d := l.deploy(t, l.osOnly(t,
		"AWS_ENDPOINT_URL_SECRETS_MANAGER=http://"+listener.Addr().String(),
		"SECRETWRAP_TIMEOUT=300ms",
		"DB_PASSWORD=secretsmanager://prod/db#password"))
	for range 2 {
		d.checkError(t, failure{
			errorType: "Runtime.SecretTimeout",
			message:   `DB_PASSWORD: secret "prod/db": no answer in time`,
		})
	}
}

// testJSONLog checks that a function with JSON logs gets its problem as one.
func (l lab) testJSONLog(t *testing.T) {
	t.Parallel()
	fake := startFailing(t, []awsfake.Fault{awsfake.Denied})
	d := l.deploy(t, fake.reachable(l.osOnly(t,
		"AWS_LAMBDA_LOG_FORMAT=JSON",
		"DB_PASSWORD=secretsmanager://prod/db#password")), canary)
	_ = d.invoke(t, event{})
	for line := range strings.Lines(d.wholeLog(t)) {
		var problem struct{ Timestamp, Level, Message, Variable, Secret, ErrorType string }
		if json.Unmarshal([]byte(line), &problem) == nil && problem.ErrorType == "Runtime.SecretAccessDenied" {
			if problem.Variable != "DB_PASSWORD" || problem.Secret != "prod/db" || problem.Timestamp == "" || problem.Message == "" || problem.Level != "ERROR" {
				t.Errorf("the problem is logged as %s", line)
			}
			return
		}
	}
	t.Error("the problem is not logged as JSON")
}
