package awssecrets_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/awssecrets"
	"secretwrap/internal/pipenet"
	"secretwrap/internal/problem"
)

const (
	canary = "CANARY-7f3a91c2"
	region = "eu-west-1"
)

// childVariable makes the test binary ask for one secret with the environment it
// was given, because a process reads its proxies only once.
const childVariable = "AWSSECRETS_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(child())
	}
	// The plain build leaves the environment to the SDK: keep this machine's out.
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "AWS_") || strings.HasSuffix(strings.ToUpper(name), "_PROXY") {
			os.Unsetenv(name)
		}
	}
	for name, value := range function(nil) {
		os.Setenv(name, value)
	}
	net.DefaultResolver = scriptedResolver()
	os.Exit(m.Run())
}

// function is the environment of a function in Lambda, with more variables; an
// empty one is left out.
func function(more map[string]string) map[string]string {
	environment := map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "key", "AWS_SESSION_TOKEN": "token",
		"AWS_REGION": region, "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	}
	maps.Copy(environment, more)
	maps.DeleteFunc(environment, func(_, value string) bool { return value == "" })
	return environment
}

func start(t *testing.T, config awsfake.Config) *awsfake.Server {
	t.Helper()
	server, err := awsfake.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

// holding returns a server with the secret prod/db, which plays faults.
func holding(t *testing.T, faults ...awsfake.Fault) *awsfake.Server {
	t.Helper()
	return start(t, playing(faults...))
}

// playing configures a server with the secret prod/db, which plays faults.
func playing(faults ...awsfake.Fault) awsfake.Config {
	return awsfake.Config{Secrets: []awsfake.Secret{{
		Name: "prod/db", Versions: []awsfake.Version{{ID: "v1", String: new(canary)}}, Faults: faults,
	}}}
}

// answering returns the address of a server that answers as handler does.
func answering(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func writeFile(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// environmentFor leads to server and trusts it.
func environmentFor(t *testing.T, server *awsfake.Server) map[string]string {
	t.Helper()
	return function(map[string]string{
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": server.URL(), "AWS_CA_BUNDLE": writeFile(t, server.CA()),
	})
}

func newClient(t *testing.T, environment map[string]string) *awssecrets.Client {
	t.Helper()
	config, problems := awssecrets.Load(environment, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return awssecrets.New(config)
}

func clientOf(t *testing.T, server *awsfake.Server) *awssecrets.Client {
	t.Helper()
	return newClient(t, environmentFor(t, server))
}

// inBubble runs a test in virtual time, which no busy machine makes shorter. The client
// reaches the server over pipes.
func inBubble(t *testing.T, config awsfake.Config, test func(*testing.T, *awsfake.Server, *awssecrets.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		config.PlainHTTP = true
		server, err := awsfake.New(config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(server.Close)
		network := pipenet.Listen()
		server.Serve(network)
		client := clientOver(t, plainEndpoint, network.Dial)
		defer client.Disconnect()
		test(t, server, client)
	})
}

// plainEndpoint leads to a server that a client asks over pipes.
var plainEndpoint = map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1"}

// clientOver returns a client whose connections dial makes.
func clientOver(t testing.TB, environment map[string]string, dial func(context.Context, string, string) (net.Conn, error)) *awssecrets.Client {
	t.Helper()
	config, problems := awssecrets.Load(function(environment), nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	config.Dial = dial
	return awssecrets.New(config)
}

// clientAt returns a client for the plain address of a server.
func clientAt(t *testing.T, endpoint string) *awssecrets.Client {
	t.Helper()
	return newClient(t, function(map[string]string{"AWS_ENDPOINT_URL": endpoint}))
}

func get(t *testing.T, client *awssecrets.Client, secret string) (awssecrets.Document, error) {
	t.Helper()
	return client.Get(t.Context(), awssecrets.Request{Secret: secret}, 0)
}

// failure returns what went wrong with a call that must go wrong.
func failure(t *testing.T, client *awssecrets.Client, secret string) *awssecrets.Error {
	t.Helper()
	_, err := get(t, client, secret)
	return asError(t, err)
}

func asError(t *testing.T, err error) *awssecrets.Error {
	t.Helper()
	found, ok := errors.AsType[*awssecrets.Error](err)
	if !ok {
		t.Fatalf("error %v of type %T, want an *awssecrets.Error", err, err)
	}
	return found
}

// wantFailure checks what went wrong, the id of the request left aside.
func wantFailure(t *testing.T, got *awssecrets.Error, class problem.Class, retry awssecrets.Retry, cause string) {
	t.Helper()
	text, _, _ := strings.Cut(got.Cause, " (request ")
	if got.Class != class || got.Retry != retry || text != cause {
		t.Errorf("class %d, retry %d, cause %q\nwant  %d, retry %d, cause %q", got.Class, got.Retry, text, class, retry, cause)
	}
	if got.Error() != got.Cause {
		t.Errorf("Error() = %q, want the cause", got.Error())
	}
}

// refusal answers in the way of Secrets Manager.
func refusal(status int, code, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"__type":%q,"Message":%q}`, code, message)
	}
}
