package lambdaapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"secretwrap/internal/lambdaapi"
	"secretwrap/internal/lambdafake"
)

const (
	registerPath = "/2020-01-01/extension/register"
	nextPath     = "/2020-01-01/extension/event/next"
	initPath     = "/2018-06-01/runtime/init/error"
)

func startFake(t *testing.T, config lambdafake.APIConfig) *lambdafake.API {
	t.Helper()
	config.Extensions = []string{"secretwrap"}
	api, err := lambdafake.StartAPI(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(api.Close)
	return api
}

// serve answers every call in one way, and returns a client.
func serve(t *testing.T, handler http.HandlerFunc) *lambdaapi.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return lambdaapi.New(strings.TrimPrefix(server.URL, "http://"))
}

func TestInitErrorTellsTheCaller(t *testing.T) {
	api := startFake(t, lambdafake.APIConfig{})
	client := lambdaapi.New(api.Addr())
	const message = "DB: secret \"prod/db\": access denied\n<&>é"
	if err := client.InitError(t.Context(), "Runtime.SecretAccessDenied", message); err != nil {
		t.Fatal(err)
	}
	request := api.Requests()[0]
	if request.Method != http.MethodPost || request.Path != initPath || request.Header.Get("Lambda-Runtime-Function-Error-Type") != "Runtime.SecretAccessDenied" {
		t.Errorf("%s %s with header %v", request.Method, request.Path, request.Header)
	}
	var body map[string]any
	if err := json.Unmarshal(request.Body, &body); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(body); got != fmt.Sprint(map[string]any{"errorType": "Runtime.SecretAccessDenied", "errorMessage": message, "stackTrace": []any{}}) {
		t.Errorf("body %s", got)
	}
	if request.Header.Get("Content-Type") != "application/json" {
		t.Errorf("content type %q", request.Header.Get("Content-Type"))
	}
	if err := client.InitError(t.Context(), "Runtime.SecretAccessDenied", "again"); err == nil || !strings.Contains(err.Error(), "status 403") {
		t.Errorf("a second error: %v", err)
	}
}

func TestAnExtensionRegistersAndWaitsForItsEvents(t *testing.T) {
	api := startFake(t, lambdafake.APIConfig{})
	extension, err := lambdaapi.New(api.Addr()).RegisterExtension(t.Context(), "secretwrap", "INVOKE", lambdaapi.Shutdown)
	if err != nil {
		t.Fatal(err)
	}
	api.Invoke(lambdafake.Invocation{})
	api.Shutdown("SPINDOWN", time.Now())
	for _, want := range []string{"INVOKE", lambdaapi.Shutdown} {
		got, err := extension.Next(t.Context())
		if err != nil || got != want {
			t.Errorf("Next() = %q, %v, want %q", got, err, want)
		}
	}
	requests := api.Requests()
	if string(requests[0].Body) != `{"events":["INVOKE","SHUTDOWN"]}` || requests[0].Header.Get("Lambda-Extension-Name") != "secretwrap" {
		t.Errorf("registered with %s, %v", requests[0].Body, requests[0].Header)
	}
	if requests[1].Method != http.MethodGet || requests[1].Header.Get("Lambda-Extension-Identifier") == "" || len(requests[1].Body) > 0 {
		t.Errorf("asked for the next event with %+v", requests[1])
	}
}

func TestARegistrationThatIsRefused(t *testing.T) {
	api := startFake(t, lambdafake.APIConfig{InitializationType: lambdafake.ManagedInstances})
	client := lambdaapi.New(api.Addr())
	for name, register := range map[string]func() (*lambdaapi.Extension, error){
		"for an event that is not offered": func() (*lambdaapi.Extension, error) {
			return client.RegisterExtension(t.Context(), "secretwrap", "INVOKE")
		},
		"under a name that no file has": func() (*lambdaapi.Extension, error) {
			return client.RegisterExtension(t.Context(), "other", lambdaapi.Shutdown)
		},
	} {
		extension, err := register()
		if extension != nil || err == nil || !strings.Contains(err.Error(), "status 403") {
			t.Errorf("%s: %v, %v", name, extension, err)
		}
	}
}

// calls are all that a client can ask.
func calls(ctx context.Context, t *testing.T, client *lambdaapi.Client, registered *lambdaapi.Extension) map[string]error {
	t.Helper()
	_, register := client.RegisterExtension(ctx, "secretwrap", lambdaapi.Shutdown)
	_, next := registered.Next(ctx)
	return map[string]error{"register": register, "next event": next, initPath: client.InitError(ctx, "Runtime.X", "m")}
}

func TestEveryStatusButTheExpectedOneIsAnError(t *testing.T) {
	for status := 200; status < 600; status++ {
		if http.StatusText(status) == "" {
			continue
		}
		var refusing atomic.Bool
		client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Lambda-Extension-Identifier", "id")
			if refusing.Load() {
				w.WriteHeader(status)
			}
			_, _ = w.Write([]byte(`{"eventType":"INVOKE"}`))
		})
		registered, err := client.RegisterExtension(t.Context(), "secretwrap")
		if err != nil {
			t.Fatal(err)
		}
		refusing.Store(true)
		for call, err := range calls(t.Context(), t, client, registered) {
			expected := http.StatusOK
			if call == initPath {
				expected = http.StatusAccepted
			}
			if (err == nil) != (status == expected) {
				t.Errorf("%s with status %d: %v", call, status, err)
			}
			if err != nil && !strings.Contains(err.Error(), call) {
				t.Errorf("the error does not name the call %s: %v", call, err)
			}
		}
	}
}

func TestAnAnswerThatMakesNoSense(t *testing.T) {
	tests := map[string]string{
		"nothing":            "",
		"no JSON":            "<html>",
		"JSON and more":      `{"eventType":"INVOKE"} x`,
		"an array":           "[]",
		"null":               "null",
		"no type":            "{}",
		"an empty type":      `{"eventType":""}`,
		"a number as a type": `{"eventType":1}`,
		"a huge one":         `{"eventType":"` + strings.Repeat("x", 1<<20) + `"}`,
	}
	for name, answer := range tests {
		t.Run(name, func(t *testing.T) {
			client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Lambda-Extension-Identifier", "id")
				_, _ = w.Write([]byte(answer))
			})
			extension, err := client.RegisterExtension(t.Context(), "secretwrap")
			if err != nil {
				t.Fatalf("registering reads no body, but: %v", err)
			}
			if event, err := extension.Next(t.Context()); err == nil {
				t.Errorf("Next() = %q", event)
			}
		})
	}
}

func TestARegistrationWithoutAnIdentifierIsAnError(t *testing.T) {
	client := serve(t, func(http.ResponseWriter, *http.Request) {})
	if _, err := client.RegisterExtension(t.Context(), "secretwrap"); err == nil || !strings.Contains(err.Error(), "no identifier") {
		t.Errorf("error %v", err)
	}
}

func TestAConnectionThatBreaksIsAnError(t *testing.T) {
	var broken atomic.Bool
	client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Lambda-Extension-Identifier", "id")
		if broken.Load() {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("{"))
			panic(http.ErrAbortHandler)
		}
	})
	registered, err := client.RegisterExtension(t.Context(), "secretwrap")
	if err != nil {
		t.Fatal(err)
	}
	broken.Store(true)
	for call, err := range calls(t.Context(), t, client, registered) {
		if err == nil {
			t.Errorf("%s: no error", call)
		}
	}
}

func TestAnAddressWhereNobodyListensIsAnError(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{nobody, "", "not an address", "%zz"} {
		if err := lambdaapi.New(address).InitError(t.Context(), "Runtime.X", "m"); err == nil {
			t.Errorf("%q: no error", address)
		}
	}
}

func TestACallEndsWithItsContext(t *testing.T) {
	api := startFake(t, lambdafake.APIConfig{Answers: map[string][]lambdafake.Answer{initPath: {lambdafake.NoAnswer}}})
	client := lambdaapi.New(api.Addr())
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() { failed <- client.InitError(ctx, "Runtime.X", "m") }()
	if err := api.Await(t.Context(), func(requests []lambdafake.Request) bool { return len(requests) == 1 }); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestNoProxyComesBetween runs itself in a process of its own, because Go reads
// the variables for proxies only once.
func TestNoProxyComesBetween(t *testing.T) {
	const variable = "LAMBDAAPI_TEST_ADDRESS"
	if address := os.Getenv(variable); address != "" {
		if err := lambdaapi.New(address).InitError(t.Context(), "Runtime.X", "m"); err != nil {
			t.Error(err)
		}
		return
	}
	api := startFake(t, lambdafake.APIConfig{})
	proxied := make(chan string, 10)
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { proxied <- r.URL.String() }))
	t.Cleanup(proxy.Close)
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), executable, "-test.run=^TestNoProxyComesBetween$")
	// Go itself asks no proxy for a loopback address. This one is none by name,
	// and leads to this machine nevertheless.
	_, port, _ := strings.Cut(api.Addr(), ":")
	command.Env = append(os.Environ(), variable+"=0.0.0.0:"+port, "HTTP_PROXY="+proxy.URL, "http_proxy="+proxy.URL, "NO_PROXY=", "no_proxy=")
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
	if got := len(api.Requests()); got != 1 {
		t.Errorf("%d calls reached Lambda, want 1", got)
	}
	select {
	case url := <-proxied:
		t.Errorf("the proxy was asked for %s", url)
	default:
	}
}
