package lambdaapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"secretwrap/internal/lambdaapi"
	"secretwrap/internal/lambdafake"
	"secretwrap/internal/pipenet"
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
	extension, err := lambdaapi.New(api.Addr()).RegisterExtension(t.Context(), "secretwrap", lambdaapi.Invoke, lambdaapi.Shutdown)
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.UnixMilli(1_700_000_000_123)
	api.Invoke(lambdafake.Invocation{Deadline: deadline})
	api.Invoke(lambdafake.Invocation{Deadline: time.UnixMilli(0)})
	api.Shutdown("SPINDOWN", deadline)
	for i, want := range []lambdaapi.Event{
		{Type: lambdaapi.Invoke, Deadline: deadline},
		{Type: lambdaapi.Invoke},
		{Type: lambdaapi.Shutdown, Deadline: deadline, ShutdownReason: "SPINDOWN"},
	} {
		if got, err := extension.Next(t.Context()); err != nil || got != want {
			t.Errorf("event %d is %+v, %v, want %+v", i+1, got, err, want)
		}
	}
	requests := api.Requests()
	if string(requests[0].Body) != `{"events":["INVOKE","SHUTDOWN"]}` || requests[0].Header.Get("Lambda-Extension-Name") != "secretwrap" {
		t.Errorf("registered with %s, %v", requests[0].Body, requests[0].Header)
	}
	if requests[1].Method != http.MethodGet || requests[1].Header.Get("Lambda-Extension-Identifier") == "" || requests[1].Header.Get("Accept-Encoding") != "" || len(requests[1].Body) > 0 {
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
		status, ok := errors.AsType[*lambdaapi.StatusError](err)
		if extension != nil || !ok {
			t.Errorf("%s: %v, %v", name, extension, err)
			continue
		}
		if want := (lambdaapi.StatusError{Method: http.MethodPost, Path: registerPath, Status: 403, ErrorType: "Extension.InvalidEventType"}); *status != want {
			t.Errorf("%s: %+v, want %+v", name, *status, want)
		}
	}
}

func TestAnErrorTypeIsKeptIfItIsPlain(t *testing.T) {
	long := strings.Repeat("x", 65)
	tests := map[string]struct{ body, want string }{
		"Lambda's":               {`{"errorMessage":"m","errorType":"Extension.InvalidEventType"}`, "Extension.InvalidEventType"},
		"the longest":            {`{"errorType":"` + long[1:] + `"}`, long[1:]},
		"one too long":           {`{"errorType":"` + long + `"}`, ""},
		"one with other letters": {`{"errorType":"hunter-2"}`, ""},
		"one with a line end":    {`{"errorType":"Extension.X\n"}`, ""},
		"an empty one":           {`{"errorType":""}`, ""},
		"a number":               {`{"errorType":1}`, ""},
		"none":                   {`{"errorMessage":"m"}`, ""},
		"no JSON":                {`Extension.X`, ""},
		"no body":                {``, ""},
		"an endless one":         {`{"errorType":"X","errorMessage":"` + strings.Repeat("x", 1<<20) + `"}`, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusForbidden)
				_, _ = w.Write([]byte(test.body))
			})
			err := client.InitError(t.Context(), "Runtime.X", "m")
			status, ok := errors.AsType[*lambdaapi.StatusError](err)
			if !ok || status.ErrorType != test.want {
				t.Fatalf("error %v", err)
			}
			want := "POST " + initPath + ": status 403"
			if test.want != "" {
				want += " (" + test.want + ")"
			}
			if err.Error() != want {
				t.Errorf("error %q, want %q", err, want)
			}
		})
	}
}

// calls are all that a client can ask.
func calls(ctx context.Context, t *testing.T, client *lambdaapi.Client, registered *lambdaapi.Extension) map[string]error {
	t.Helper()
	_, register := client.RegisterExtension(ctx, "secretwrap", lambdaapi.Shutdown)
	_, next := registered.Next(ctx)
	return map[string]error{
		"register": register, "next event": next,
		initPath: client.InitError(ctx, "Runtime.X", "m"),
	}
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
		"nothing":              "",
		"no JSON":              "<html>",
		"JSON and more":        `{"eventType":"INVOKE"} x`,
		"an array":             "[]",
		"null":                 "null",
		"no type":              "{}",
		"an empty type":        `{"eventType":""}`,
		"a number as a type":   `{"eventType":1}`,
		"a word as a deadline": `{"eventType":"INVOKE","deadlineMs":"soon"}`,
		"a huge one":           `{"eventType":"` + strings.Repeat("x", 1<<20) + `"}`,
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
				t.Errorf("Next() = %+v", event)
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

func TestAnAnswerThatIsCutShort(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Lambda-Extension-Identifier", "id")
		w.Header().Set("Content-Length", "100")
		if r.URL.Path == initPath {
			w.WriteHeader(http.StatusAccepted)
		}
		// net/http closes a connection on which less was sent than announced.
		_, _ = w.Write([]byte(`{"eventType":"INVOKE"}`))
	})
	registered, err := client.RegisterExtension(t.Context(), "secretwrap")
	if err != nil {
		t.Fatalf("the identifier is there, but: %v", err)
	}
	for call, err := range calls(t.Context(), t, client, registered) {
		if call == "next event" != errors.Is(err, io.ErrUnexpectedEOF) || call != "next event" && err != nil {
			t.Errorf("%s: %v", call, err)
		}
	}
}

// TestErrorsSayNothingThatTheServerWrote writes to the connection itself, below
// what a server of net/http would write.
func TestErrorsSayNothingThatTheServerWrote(t *testing.T) {
	const canary = "CANARY-81f3"
	const notHTTP = "the answer is not HTTP"
	tests := map[string]struct{ answer, want string }{
		"no HTTP":                {canary + "\r\n", notHTTP},
		"a status of letters":    {"HTTP/1.1 " + canary + " OK\r\n\r\n", notHTTP},
		"a status with a reason": {"HTTP/1.1 500 " + canary + "\r\nContent-Length: 0\r\n\r\n", "status 500"},
		"a broken header":        {"HTTP/1.1 200 OK\r\n" + canary + "\r\n\r\n", notHTTP},
		"an endless header":      {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat(canary, 100_000) + "\r\n\r\n", notHTTP},
		"a length of letters":    {"HTTP/1.1 200 OK\r\nContent-Length: " + canary + "\r\n\r\n", notHTTP},
		"an unknown coding":      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + canary + "\r\n\r\n", notHTTP},
		"a broken chunk":         {"HTTP/1.1 200 OK\r\nLambda-Extension-Identifier: id\r\nTransfer-Encoding: chunked\r\n\r\n" + canary + "\r\n", notHTTP},
		"another protocol":       {"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + canary + "\r\n\r\n" + canary, "status 101"},
		"a redirect to nowhere":  {"HTTP/1.1 302 Found\r\nLocation: http://[" + canary + "\r\nContent-Length: 0\r\n\r\n", "status 302"},
		"a body that is none":    {"HTTP/1.1 200 OK\r\nLambda-Extension-Identifier: id\r\nContent-Length: 11\r\n\r\n" + canary, "the answer is not an event"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := pipenet.Listen()
				var server sync.WaitGroup
				server.Go(func() { answerEach(network, test.answer) })
				client := lambdaapi.NewWithDialer("fake", network.Dial)
				extension, err := client.RegisterExtension(t.Context(), "secretwrap")
				if err == nil {
					_, err = extension.Next(t.Context())
				}
				if err == nil || !strings.HasSuffix(err.Error(), ": "+test.want) {
					t.Errorf("error %v, want %s", err, test.want)
				}
				_ = network.Close()
				server.Wait()
			})
		})
	}
}

// answerEach answers the one request of each connection, until network is closed.
func answerEach(network net.Listener, answer string) {
	for {
		conn, err := network.Accept()
		if err != nil {
			return
		}
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			_, _ = conn.Write([]byte(answer))
		}
		_ = conn.Close()
	}
}

func TestWhyAConnectionFailedIsToldWithoutItsPorts(t *testing.T) {
	api := startFake(t, lambdafake.APIConfig{Answers: map[string][]lambdafake.Answer{initPath: {lambdafake.Reset, lambdafake.Close}}})
	for _, want := range []error{syscall.ECONNRESET, io.EOF, nil, syscall.ECONNREFUSED} {
		if want == syscall.ECONNREFUSED {
			api.Close()
		}
		// Each call has a connection of its own.
		err := lambdaapi.New(api.Addr()).InitError(t.Context(), "Runtime.X", "m")
		if !errors.Is(err, want) || err != nil && err.Error() != "POST "+initPath+": "+want.Error() {
			t.Errorf("error %v, want %v", err, want)
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
