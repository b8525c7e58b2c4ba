//go:build linux

package e2e_test

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"secretwrap/internal/awsfake"
)

// misbehaving is a Secrets Manager that answers what no HTTP server of Go's would.
type misbehaving struct {
	// answer returns what is sent to the request of that number, the first is 1.
	answer func(number int32) string
	asked  atomic.Int32
}

// start returns the address at which it answers until the test ends.
func (m *misbehaving) start(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go m.serve(connection)
		}
	}()
	return "http://" + listener.Addr().String()
}

func (m *misbehaving) serve(connection net.Conn) {
	defer connection.Close()
	awsfake.Converse(connection, func() error {
		_, err := io.WriteString(connection, m.answer(m.asked.Add(1)))
		return err
	})
}

// answered returns a whole answer.
func answered(status, body string) string {
	return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}

// What is left over on a connection belongs to no answer. net/http logs its
// beginning, and that may be a value.
func TestWhatNobodyAskedForIsNotPrinted(t *testing.T) {
	t.Parallel()
	const secret = `{"Name":"prod/db","SecretString":"` + canary + `"}`
	probe := built(t, ".", "probe", "./probe")
	for name, program := range map[string]string{"the layer's": filepath.Join(layer(t), "secretwrap"), "a laptop's": built(t, "..", "secretwrap", "./wrapper")} {
		for rest, answer := range map[string]func(int32) string{
			"a second answer":          func(int32) string { return answered("503 Service Unavailable", "") + answered("200 OK", secret) },
			"the rest of a value":      func(int32) string { return answered("200 OK", `{"SecretString":"`) + canary + `"}` },
			"an answer that is broken": func(int32) string { return canary + "\r\n\r\n" },
			"headers that are none":    func(int32) string { return "HTTP/1.1 200 OK\r\n" + canary + "\r\n\r\n" },
		} {
			server := &misbehaving{answer: answer}
			out, err := runIn([]string{
				"AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=key", "AWS_SESSION_TOKEN=token",
				"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "TMPDIR=" + t.TempDir(),
				"AWS_ENDPOINT_URL=" + server.start(t), "SECRETWRAP_TIMEOUT=3s", "SECRETWRAP_LOG_LEVEL=debug", "GODEBUG=http2debug=2",
				"PASSWORD=secretsmanager://prod/db",
			}, program, probe, "show", "PASSWORD")
			if found := leaks(out, canary); err == nil || len(found) > 0 {
				t.Errorf("%s program, %s: %v, shown as %v:\n%s", name, rest, err, found, out)
			}
			if server.asked.Load() < 2 {
				t.Errorf("%s program, %s: asked %d times", name, rest, server.asked.Load())
			}
		}
	}
}

// With another protocol a connection would be read without end.
func TestAChangeOfProtocolEndsWithTheBudget(t *testing.T) {
	t.Parallel()
	server := &misbehaving{answer: func(int32) string {
		return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: any\r\n\r\n"
	}}
	out, err := runIn([]string{
		"AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=key", "TMPDIR=" + t.TempDir(),
		"AWS_ENDPOINT_URL=" + server.start(t), "SECRETWRAP_TIMEOUT=3s", "PASSWORD=secretsmanager://prod/db",
	}, filepath.Join(layer(t), "secretwrap"), built(t, ".", "probe", "./probe"), "show", "PASSWORD")
	if err == nil || !strings.Contains(out, `secret "prod/db": the answer cannot be read [Runtime.SecretUnavailable]`) {
		t.Errorf("%v\n%s", err, out)
	}
}
