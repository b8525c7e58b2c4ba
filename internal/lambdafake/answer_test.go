package lambdafake_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"secretwrap/internal/lambdafake"
	"secretwrap/internal/pipenet"
)

// reply is what a call brings, its error included.
type reply struct {
	status int
	header http.Header
	body   string
	err    error
}

// call registers an extension, and follows no redirect.
func call(ctx context.Context, transport *http.Transport, host string) reply {
	r, _ := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+host+registerPath, strings.NewReader(`{"events":["SHUTDOWN"]}`))
	r.Header.Set("Lambda-Extension-Name", "a")
	got, err := transport.RoundTrip(r)
	if err != nil {
		return reply{err: err}
	}
	defer got.Body.Close()
	// More than any answer but one has.
	text, err := io.ReadAll(io.LimitReader(got.Body, 1<<20))
	return reply{got.StatusCode, got.Header, string(text), err}
}

// piped returns an API without a network, and a way to it.
func piped(t *testing.T, config lambdafake.APIConfig) (*lambdafake.API, *http.Transport) {
	t.Helper()
	api := lambdafake.NewAPI(config)
	network := pipenet.Listen()
	api.Serve(network)
	t.Cleanup(api.Close)
	return api, &http.Transport{DialContext: network.Dial}
}

func TestEachAnswerIsWhatItsNameSays(t *testing.T) {
	tests := map[lambdafake.Answer]func(reply) bool{
		lambdafake.Ordinary: func(r reply) bool { return r.status == 200 && r.header.Get("Lambda-Extension-Identifier") != "" },
		403:                 func(r reply) bool { return r.status == 403 && strings.Contains(r.body, `"errorType":"Test.Failure"`) },
		503:                 func(r reply) bool { return r.status == 503 && r.err == nil },
		307:                 func(r reply) bool { return r.status == 307 && r.header.Get("Location") == "/elsewhere" },
		204:                 func(r reply) bool { return r.status == 204 && r.body == "" },
		lambdafake.Reset:    func(r reply) bool { return errors.Is(r.err, io.EOF) },
		lambdafake.Close:    func(r reply) bool { return errors.Is(r.err, io.EOF) },
		lambdafake.Lost:     func(r reply) bool { return errors.Is(r.err, io.EOF) },
		lambdafake.NotHTTP:  func(r reply) bool { return r.err != nil && strings.Contains(r.err.Error(), "malformed HTTP") },
		lambdafake.Cut:      func(r reply) bool { return r.status == 200 && errors.Is(r.err, io.ErrUnexpectedEOF) },
		lambdafake.HTML:     func(r reply) bool { return r.status == 200 && strings.HasPrefix(r.body, "<html>") },
		lambdafake.Empty:    func(r reply) bool { return r.status == 200 && r.body == "" && r.err == nil },
		lambdafake.Truncated: func(r reply) bool {
			return r.status == 200 && r.err == nil && strings.HasPrefix(r.body, "{") && !strings.HasSuffix(r.body, "}")
		},
		lambdafake.Oversized:    func(r reply) bool { return r.status == 200 && len(r.body) == 1<<20 },
		lambdafake.UnknownEvent: func(r reply) bool { return r.status == 200 && strings.Contains(r.body, "COFFEE") },
		lambdafake.NoIdentifier: func(r reply) bool {
			return r.status == 200 && strings.Contains(r.body, "handler") && r.header.Get("Lambda-Extension-Identifier") == ""
		},
	}
	for answer, expected := range tests {
		t.Run(answer.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, transport := piped(t, lambdafake.APIConfig{Extensions: []string{"a"}, Answers: map[string][]lambdafake.Answer{registerPath: {answer}}})
				if got := call(t.Context(), transport, "fake"); !expected(got) {
					t.Errorf("status %d, header %v, error %v, body of %d bytes that begins with %.100q", got.status, got.header, got.err, len(got.body), got.body)
				}
				registered := answer == lambdafake.Ordinary || answer == lambdafake.Lost
				if again := call(t.Context(), transport, "fake"); (again.status == 200) == registered {
					t.Errorf("the call after it got status %d, error %v", again.status, again.err)
				}
			})
		})
	}
}

func TestAResetIsOneOverTCP(t *testing.T) {
	api := startAPI(t, lambdafake.APIConfig{Answers: map[string][]lambdafake.Answer{registerPath: {lambdafake.Reset}}})
	if got := call(t.Context(), &http.Transport{}, api.Addr()); !errors.Is(got.err, syscall.ECONNRESET) {
		t.Errorf("error %v", got.err)
	}
}

func TestAnswersAreUsedOnceInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, transport := piped(t, lambdafake.APIConfig{Extensions: []string{"a"}, Answers: map[string][]lambdafake.Answer{
			registerPath: {500, lambdafake.Close, 429}, initPath: {502},
		}})
		want := []int{500, 0, 429, 200, 403}
		for i, status := range want {
			if got := call(t.Context(), transport, "fake"); got.status != status {
				t.Errorf("call %d: status %d, error %v", i+1, got.status, got.err)
			}
		}
		for i, request := range api.Requests() {
			if request.Status != want[i] {
				t.Errorf("call %d is noted with status %d", i+1, request.Status)
			}
		}
	})
}

// A synctest bubble fails when a goroutine is left in it.
func TestACallWithoutAnAnswerEndsWithItsClientOrTheAPI(t *testing.T) {
	for name, end := range map[string]func(*lambdafake.API, context.CancelFunc){
		"client": func(_ *lambdafake.API, cancel context.CancelFunc) { cancel() },
		"API":    func(api *lambdafake.API, _ context.CancelFunc) { api.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api, transport := piped(t, lambdafake.APIConfig{Answers: map[string][]lambdafake.Answer{registerPath: {lambdafake.NoAnswer}}})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				ended := make(chan reply, 1)
				go func() { ended <- call(ctx, transport, "fake") }()
				time.Sleep(24 * time.Hour)
				select {
				case got := <-ended:
					t.Fatalf("answered: %+v", got)
				default:
				}
				end(api, cancel)
				if got := <-ended; got.err == nil {
					t.Errorf("answered: %+v", got)
				}
			})
		})
	}
}
