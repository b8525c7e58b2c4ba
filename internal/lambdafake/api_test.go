package lambdafake_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"secretwrap/internal/lambdafake"
)

const (
	registerPath = "/2020-01-01/extension/register"
	eventPath    = "/2020-01-01/extension/event/next"
	nextPath     = "/2018-06-01/runtime/invocation/next"
	initPath     = "/2018-06-01/runtime/init/error"
)

func startAPI(t *testing.T, config lambdafake.APIConfig) *lambdafake.API {
	t.Helper()
	api, err := lambdafake.StartAPI(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(api.Close)
	return api
}

// answer is what a call to the API gets.
type answer struct {
	status int
	header http.Header
	body   map[string]string
	text   string
}

func ask(t *testing.T, api *lambdafake.API, method, path, body string, header ...string) answer {
	t.Helper()
	r, _ := http.NewRequestWithContext(t.Context(), method, "http://"+api.Addr()+path, strings.NewReader(body))
	for pair := range slices.Chunk(header, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, _ := io.ReadAll(got.Body)
	out := answer{status: got.StatusCode, header: got.Header, text: string(text)}
	_ = json.Unmarshal(text, &out.body)
	return out
}

func TestAnExtensionIsRegisteredByTheNameOfItsFile(t *testing.T) {
	const both, shutdown = `{"events":["INVOKE","SHUTDOWN"]}`, `{"events":["SHUTDOWN"]}`
	tests := map[string]struct {
		kind, name, body string
		status           int
		errorType        string
	}{
		"its file":                           {name: "secretwrap", body: both, status: 200},
		"another name":                       {name: "other", body: both, status: 403, errorType: "Extension.InvalidEventType"},
		"no name":                            {name: "", body: both, status: 403, errorType: "Extension.InvalidExtensionName"},
		"an unknown event":                   {name: "secretwrap", body: `{"events":["COFFEE"]}`, status: 403, errorType: "Extension.InvalidEventType"},
		"a body that is no JSON":             {name: "secretwrap", body: `{`, status: 403, errorType: "InvalidRequestFormat"},
		"INVOKE on managed instances":        {kind: lambdafake.ManagedInstances, name: "secretwrap", body: both, status: 403, errorType: "Extension.InvalidEventType"},
		"SHUTDOWN on managed instances":      {kind: lambdafake.ManagedInstances, name: "secretwrap", body: shutdown, status: 200},
		"INVOKE when provisioned in advance": {kind: "provisioned-concurrency", name: "secretwrap", body: both, status: 200},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			api := startAPI(t, lambdafake.APIConfig{InitializationType: test.kind, Extensions: []string{"secretwrap"}, Handler: "index.handler"})
			got := ask(t, api, "POST", registerPath, test.body, "Lambda-Extension-Name", test.name)
			if got.status != test.status || got.body["errorType"] != test.errorType {
				t.Fatalf("status %d, body %s", got.status, got.text)
			}
			id := got.header.Get("Lambda-Extension-Identifier")
			if (id != "") != (test.status == 200) {
				t.Errorf("identifier %q", id)
			}
			if want := `{"functionName":"function","functionVersion":"$LATEST","handler":"index.handler"}`; test.status == 200 && got.text != want {
				t.Errorf("body %s, want %s", got.text, want)
			}
		})
	}
}

func TestARefusedRegistrationCanBeRepeatedAndAGrantedOneCannot(t *testing.T) {
	api := startAPI(t, lambdafake.APIConfig{InitializationType: lambdafake.ManagedInstances, Extensions: []string{"a"}})
	for i, step := range []struct {
		body   string
		status int
	}{{`{"events":["INVOKE"]}`, 403}, {`{"events":["SHUTDOWN"]}`, 200}, {`{"events":["SHUTDOWN"]}`, 403}} {
		if got := ask(t, api, "POST", registerPath, step.body, "Lambda-Extension-Name", "a"); got.status != step.status {
			t.Errorf("call %d: status %d, body %s", i+1, got.status, got.text)
		}
	}
}

func TestEventsReachTheExtensionsThatRegisteredForThem(t *testing.T) {
	api := startAPI(t, lambdafake.APIConfig{Extensions: []string{"a"}})
	got := ask(t, api, "POST", registerPath, `{"events":["INVOKE","SHUTDOWN"]}`, "Lambda-Extension-Name", "a", "Lambda-Extension-Accept-Feature", "accountId")
	if got.body["accountId"] != "123456789012" {
		t.Errorf("registration: %s", got.text)
	}
	id := got.header.Get("Lambda-Extension-Identifier")
	deadline := time.UnixMilli(1_700_000_000_123)

	requestID := api.Invoke(lambdafake.Invocation{Deadline: deadline})
	event := ask(t, api, "GET", eventPath, "", "Lambda-Extension-Identifier", id).text
	for _, want := range []string{`"eventType":"INVOKE"`, `"deadlineMs":1700000000123`, `"requestId":"` + requestID + `"`, `"invokedFunctionArn":"arn:aws:lambda:`, `"tracing":{"type":"X-Amzn-Trace-Id"`} {
		if !strings.Contains(event, want) {
			t.Errorf("event %s lacks %s", event, want)
		}
	}
	api.Shutdown("SPINDOWN", deadline)
	event = ask(t, api, "GET", eventPath, "", "Lambda-Extension-Identifier", id).text
	if want := `{"eventType":"SHUTDOWN","deadlineMs":1700000000123,"shutdownReason":"SPINDOWN"}`; event != want {
		t.Errorf("event %s, want %s", event, want)
	}
}

func TestAnExtensionIsKnownByItsIdentifier(t *testing.T) {
	api := startAPI(t, lambdafake.APIConfig{Extensions: []string{"a"}})
	id := ask(t, api, "POST", registerPath, `{"events":[]}`, "Lambda-Extension-Name", "a").header.Get("Lambda-Extension-Identifier")
	const failure = "/2020-01-01/extension/exit/error"
	for name, test := range map[string]struct {
		got  answer
		want string
	}{
		"an event without identifier":     {ask(t, api, "GET", eventPath, ""), "Extension.MissingExtensionIdentifier"},
		"an event with a wrong one":       {ask(t, api, "GET", eventPath, "", "Lambda-Extension-Identifier", "x"), "Extension.UnknownExtensionIdentifier"},
		"a failure with a wrong one":      {ask(t, api, "POST", failure, "", "Lambda-Extension-Identifier", "x"), "Extension.UnknownExtensionIdentifier"},
		"a failure without an error type": {ask(t, api, "POST", failure, "", "Lambda-Extension-Identifier", id), "Extension.MissingHeader"},
	} {
		if test.got.status != 403 || test.got.body["errorType"] != test.want {
			t.Errorf("%s: status %d, body %s", name, test.got.status, test.got.text)
		}
	}
	if got := ask(t, api, "POST", failure, "", "Lambda-Extension-Identifier", id, "Lambda-Extension-Function-Error-Type", "Extension.X"); got.status != 202 {
		t.Errorf("status %d, body %s", got.status, got.text)
	}
}

func TestTheRuntimeGetsAnInvocationAndAnswersItOnce(t *testing.T) {
	api := startAPI(t, lambdafake.APIConfig{})
	id := api.Invoke(lambdafake.Invocation{Payload: []byte(`{"n":1}`), Deadline: time.UnixMilli(1_700_000_000_123)})
	next := ask(t, api, "GET", nextPath, "")
	if next.text != `{"n":1}` || next.header.Get("Lambda-Runtime-Aws-Request-Id") != id || next.header.Get("Lambda-Runtime-Deadline-Ms") != "1700000000123" {
		t.Errorf("invocation %s, %v", next.text, next.header)
	}
	for _, step := range []struct {
		path   string
		status int
	}{{"wrong/response", 400}, {id + "/response", 202}, {id + "/response", 400}, {id + "/error", 400}} {
		if got := ask(t, api, "POST", "/2018-06-01/runtime/invocation/"+step.path, "{}"); got.status != step.status {
			t.Errorf("%s: status %d, body %s", step.path, got.status, got.text)
		}
	}
}

func TestAnInitErrorIsAcceptedOnceAndBeforeTheFirstInvocation(t *testing.T) {
	api := startAPI(t, lambdafake.APIConfig{})
	const body = `{"errorType":"Runtime.X","errorMessage":"no"}`
	for i, want := range []int{202, 403} {
		if got := ask(t, api, "POST", initPath, body, "Lambda-Runtime-Function-Error-Type", "Runtime.X"); got.status != want {
			t.Errorf("call %d: status %d, body %s", i+1, got.status, got.text)
		}
	}
	requests := api.Requests()
	first := requests[0]
	if len(requests) != 2 || first.Method != "POST" || first.Path != initPath || string(first.Body) != body || first.Status != 202 || requests[1].Status != 403 {
		t.Errorf("requests %+v", requests)
	}
	if got := first.Header.Get("Lambda-Runtime-Function-Error-Type"); got != "Runtime.X" {
		t.Errorf("error type %q", got)
	}

	started := startAPI(t, lambdafake.APIConfig{})
	started.Invoke(lambdafake.Invocation{})
	ask(t, started, "GET", nextPath, "")
	if got := ask(t, started, "POST", initPath, body); got.status != 403 || got.body["errorType"] != "InvalidStateTransition" {
		t.Errorf("after the start: status %d, body %s", got.status, got.text)
	}
}

func TestCloseEndsTheCallsUnderWay(t *testing.T) {
	api := startAPI(t, lambdafake.APIConfig{})
	ended := make(chan error)
	go func() {
		_, err := http.Get("http://" + api.Addr() + nextPath)
		ended <- err
	}()
	if err := api.Await(t.Context(), func(calls []lambdafake.Request) bool { return len(calls) == 1 }); err != nil {
		t.Fatal(err)
	}
	api.Close()
	api.Close()
	if err := <-ended; err == nil {
		t.Error("the call was answered")
	}
	if err := api.Await(t.Context(), func([]lambdafake.Request) bool { return false }); err == nil {
		t.Error("Await went on waiting for a closed API")
	}
}
