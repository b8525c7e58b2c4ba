package awssecrets_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/awssecrets"
	"secretwrap/internal/pipenet"
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
	const delay = 2 * time.Second
	for patience, succeeds := range map[time.Duration]bool{delay - 1: false, delay + 1: true} {
		synctest.Test(t, func(t *testing.T) {
			server, err := awsfake.New(awsfake.Config{Delay: delay, Secrets: []awsfake.Secret{{Name: "a", Versions: []awsfake.Version{{String: new(canary)}}}}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(server.Close)
			network := pipenet.Listen()
			server.Serve(lateListener{network, delay})
			client := clientOver(t, map[string]string{"AWS_ENDPOINT_URL": "https://127.0.0.1", "AWS_CA_BUNDLE": writeFile(t, server.CA())}, network.Dial)
			defer client.Disconnect()
			if _, err := client.Get(t.Context(), awssecrets.Request{Secret: "a"}, patience); (err == nil) != succeeds {
				t.Errorf("after %s, with a patience of %s: %v", delay, patience, err)
			}
		})
	}
}

func TestPatienceEndsWithAHandshakeThatNeverDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := clientOver(t, map[string]string{"AWS_ENDPOINT_URL": "https://127.0.0.1"}, func(context.Context, string, string) (net.Conn, error) {
			near, _ := net.Pipe()
			return near, nil
		})
		defer client.Disconnect()
		_, err := client.Get(t.Context(), awssecrets.Request{Secret: "a"}, time.Second)
		wantFailure(t, asError(t, err), problem.Timeout, awssecrets.Always, "no answer in time")
	})
}

func TestTheEndOfTheBudgetIsFinal(t *testing.T) {
	for _, patience := range []time.Duration{0, time.Minute} {
		inBubble(t, playing(awsfake.Hang), func(t *testing.T, _ *awsfake.Server, client *awssecrets.Client) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := client.Get(ctx, awssecrets.Request{Secret: "prod/db"}, patience)
			got := asError(t, err)
			wantFailure(t, got, problem.Timeout, awssecrets.Never, "no answer in time")
			if !strings.Contains(got.Hint, "interface endpoint") {
				t.Errorf("hint %q", got.Hint)
			}
		})
	}
}

func TestAClientThatGaveUpCallsAgain(t *testing.T) {
	inBubble(t, playing(awsfake.Hang, awsfake.OK), func(t *testing.T, server *awsfake.Server, client *awssecrets.Client) {
		if _, err := client.Get(t.Context(), awssecrets.Request{Secret: "prod/db"}, time.Second); err == nil {
			t.Fatal("a call that hangs succeeds")
		}
		if _, err := get(t, client, "prod/db"); err != nil {
			t.Error(err)
		}
		if n := server.Connections(); n != 2 {
			t.Errorf("%d connections, want a new one after the call that hung", n)
		}
	})
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
