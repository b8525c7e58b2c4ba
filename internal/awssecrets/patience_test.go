package awssecrets_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/awssecrets"
	"secretwrap/internal/problem"
)

// lateListener withholds what arrives on a connection for a while, so that
// its TLS handshake takes that long.
type lateListener struct {
	net.Listener
	delay time.Duration
}

func (l lateListener) Accept() (net.Conn, error) {
	connection, err := l.Listener.Accept()
	return &lateConnection{Conn: connection, delay: l.delay}, err
}

type lateConnection struct {
	net.Conn
	delay time.Duration
	once  sync.Once
}

func (c *lateConnection) Read(p []byte) (int, error) {
	c.once.Do(func() { <-time.After(c.delay) })
	return c.Conn.Read(p)
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

func TestPatienceCountsForTheConnectionAndAgainForTheAnswer(t *testing.T) {
	t.Parallel()
	const delay, patience = 200 * time.Millisecond, 350 * time.Millisecond
	server, err := awsfake.New(awsfake.Config{Delay: delay, Secrets: []awsfake.Secret{{Name: "a", Versions: []awsfake.Version{{String: new(canary)}}}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	listener := lateListener{listen(t), delay}
	server.Serve(listener)
	environment := function(map[string]string{"AWS_ENDPOINT_URL": "https://" + listener.Addr().String(), "AWS_CA_BUNDLE": writeFile(t, server.CA())})
	// A busy machine may spoil an attempt, never make a wrong one succeed:
	// together both delays take longer than the patience.
	for range 5 {
		if _, err = newClient(t, environment).Get(t.Context(), awssecrets.Request{Secret: "a"}, patience); err == nil {
			return
		}
	}
	t.Error(err)
}

func TestPatienceEndsWithAHandshakeThatNeverDoes(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	client := newClient(t, function(map[string]string{"AWS_ENDPOINT_URL": "https://" + listener.Addr().String()}))
	_, err := client.Get(t.Context(), awssecrets.Request{Secret: "a"}, 50*time.Millisecond)
	wantFailure(t, asError(t, err), problem.Timeout, awssecrets.Always, "no answer in time")
}

func TestTheEndOfTheBudgetIsFinal(t *testing.T) {
	t.Parallel()
	for _, patience := range []time.Duration{0, time.Minute} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := clientOf(t, holding(t, awsfake.Hang)).Get(ctx, awssecrets.Request{Secret: "prod/db"}, patience)
		got := asError(t, err)
		wantFailure(t, got, problem.Timeout, awssecrets.Never, "no answer in time")
		if !strings.Contains(got.Hint, "interface endpoint") {
			t.Errorf("hint %q", got.Hint)
		}
	}
}

func TestAClientThatGaveUpCallsAgain(t *testing.T) {
	t.Parallel()
	server := holding(t, awsfake.Hang, awsfake.OK)
	client := clientOf(t, server)
	if _, err := client.Get(t.Context(), awssecrets.Request{Secret: "prod/db"}, 50*time.Millisecond); err == nil {
		t.Fatal("a call that hangs succeeds")
	}
	if _, err := get(t, client, "prod/db"); err != nil {
		t.Error(err)
	}
	if n := server.Connections(); n != 2 {
		t.Errorf("%d connections, want a new one after the call that hung", n)
	}
}

func TestACancelledCallSendsNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New(canary))
	server := holding(t)
	_, err := clientOf(t, server).Get(ctx, awssecrets.Request{Secret: "prod/db"}, time.Minute)
	got := asError(t, err)
	if got.Class != problem.Timeout || got.Retry != awssecrets.Never || strings.Contains(got.Cause+got.Hint, canary) {
		t.Errorf("error %+v", *got)
	}
	if len(server.Calls()) != 0 {
		t.Error("a call was made")
	}
}
