package lambdaapi_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"secretwrap/internal/lambdaapi"
	"secretwrap/internal/pipenet"
)

// answering returns a client of a server that gives every connection the next of
// these answers, and closes it.
func answering(t *testing.T, answers ...string) *lambdaapi.Client {
	t.Helper()
	network := pipenet.Listen()
	served := make(chan struct{})
	go func() {
		defer close(served)
		for _, answer := range answers {
			conn, err := network.Accept()
			if err != nil {
				return
			}
			if request, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				_, _ = io.Copy(io.Discard, request.Body)
			}
			_, _ = io.WriteString(conn, answer)
			_ = conn.Close()
		}
		_ = network.Close()
	}()
	t.Cleanup(func() { _ = network.Close(); <-served })
	return lambdaapi.NewWithDialer("fake:9001", network.Dial)
}

// ok returns an answer with that body, as net/http understands it.
func ok(body string) string {
	return "HTTP/1.1 200 OK\r\nLambda-Extension-Identifier: i\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
}

// seeds adds what Lambda answers, and what it never should.
func seeds(f *testing.F) {
	f.Helper()
	for _, body := range []string{
		`{"eventType":"INVOKE","deadlineMs":1700000000123,"requestId":"r","invokedFunctionArn":"arn","tracing":{"type":"X-Amzn-Trace-Id","value":"v"}}`,
		`{"eventType":"SHUTDOWN","shutdownReason":"spindown","deadlineMs":1700000000123}`,
		`{"functionName":"function","functionVersion":"$LATEST","handler":"bootstrap"}`,
		`{"eventType":"COFFEE"}`, `{"eventType":7}`, `{"deadlineMs":9223372036854775807,"eventType":"INVOKE"}`, `{"deadlineMs":-1,"eventType":"INVOKE"}`,
		`{"deadlineMs":1e30,"eventType":"INVOKE"}`, `{"eventType":"INVOKE"}{}`, `{"eventType":"INVOKE\u0000"}`, `[]`, `null`, ``, `{`, "\xff",
		strings.Repeat("[", 20_000),
	} {
		f.Add([]byte(ok(body)))
	}
	for _, answer := range []string{
		"HTTP/1.1 403 Forbidden\r\nContent-Length: 38\r\n\r\n" + `{"errorType":"Extension.InvalidState"}`,
		"HTTP/1.1 500 x\r\nContent-Length: 999\r\n\r\n{", "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n" + ok("{}"),
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nLambda-Extension-Identifier: \r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "220 smtp\r\n", "",
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.1 999 x\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n",
	} {
		f.Add([]byte(answer))
	}
}

// checkWords fails if an error repeats what the server wrote, but for a status and a
// plain type.
func checkWords(t *testing.T, err error) {
	t.Helper()
	if status, isStatus := errors.AsType[*lambdaapi.StatusError](err); isStatus {
		if strings.ContainsFunc(status.ErrorType, func(c rune) bool { return c != '.' && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') }) {
			t.Errorf("the type %q is passed on", status.ErrorType)
		}
		return
	}
	for _, known := range []string{": EOF", ": unexpected EOF", ": the answer is not HTTP", ": the answer is not an event", ": the answer has no identifier"} {
		if strings.HasSuffix(err.Error(), known) {
			return
		}
	}
	t.Errorf("the error is %q", err)
}

func FuzzWhatARegistrationBrings(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, answer []byte) {
		extension, err := answering(t, string(answer)).RegisterExtension(t.Context(), "secretwrap", lambdaapi.Shutdown)
		if (extension == nil) != (err != nil) {
			t.Fatalf("extension %v, error %v", extension, err)
		}
		if err != nil {
			checkWords(t, err)
		}
	})
}

func FuzzTheNextEvent(f *testing.F) {
	seeds(f)
	const registration = "HTTP/1.1 200 OK\r\nLambda-Extension-Identifier: i\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
	f.Fuzz(func(t *testing.T, answer []byte) {
		extension, err := answering(t, registration, string(answer)).RegisterExtension(t.Context(), "secretwrap", lambdaapi.Shutdown)
		if err != nil {
			t.Fatal(err)
		}
		event, err := extension.Next(t.Context())
		switch {
		case err != nil && event != (lambdaapi.Event{}):
			t.Errorf("an error and an event: %v, %v", err, event)
		case err != nil:
			checkWords(t, err)
		case event.Type == "", event.Deadline.Before(time.Time{}):
			t.Errorf("the event is %+v", event)
		}
	})
}
