package awssecrets_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/awssecrets"
	"secretwrap/internal/problem"
)

// saying returns the address of a server that sends to each request what answer
// writes, be it HTTP or not. The first request is number 1.
func saying(t *testing.T, answer func(connection net.Conn, number int32)) string {
	t.Helper()
	var asked atomic.Int32
	listener := listen(t)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { connection.Close() })
			go awsfake.Converse(connection, func() error {
				answer(connection, asked.Add(1))
				return nil
			})
		}
	}()
	return "http://" + listener.Addr().String()
}

// says connects to a server in memory that answers each request as answer does.
func says(answer func(net.Conn)) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			awsfake.Converse(server, func() error {
				answer(server)
				return nil
			})
		}()
		return client, nil
	}
}

// flood writes the same piece again and again, until nobody reads it.
func flood(beginning, piece string) func(net.Conn, int32) {
	return func(connection net.Conn, _ int32) {
		defer connection.Close()
		_, err := io.WriteString(connection, beginning)
		for much := strings.Repeat(piece, 64<<10/len(piece)); err == nil; {
			_, err = io.WriteString(connection, much)
		}
	}
}

const (
	okay   = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n"
	secret = `{"Name":"prod/db","SecretString":"` + canary + `"}`
)

// whole is an answer with everything that belongs to it.
func whole(body string) string {
	return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", okay, len(body), body)
}

func TestAnAnswerWithoutEndIsGivenUpWithLittleMemory(t *testing.T) {
	const limit = 12 << 20
	chunk := fmt.Sprintf("%x\r\n%s\r\n", len(secret), secret)
	for name, answer := range map[string]func(net.Conn, int32){
		"headers":               flood(okay, "X-Header: of some length\r\n"),
		"a header":              flood(okay+"X-Header: ", "value"),
		"the status":            flood("HTTP/1.1 200 ", "OK"),
		"interim answers":       flood("", "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"),
		"trailers":              flood(okay+"Transfer-Encoding: chunked\r\n\r\n"+chunk+"0\r\n", "X-Trailer: a\r\n"),
		"extensions of a chunk": flood(okay+"Transfer-Encoding: chunked\r\n\r\n1;", "extension"),
		"chunks":                flood(okay+"Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n"),
		"a body":                flood(okay+"Connection: close\r\n\r\n", " "),
		"the body of a refusal": flood("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", " "),
	} {
		t.Run(name, func(t *testing.T) {
			client := clientAt(t, saying(t, answer))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got := failure(t, client, "prod/db")
			runtime.ReadMemStats(&after)
			if got.Class != problem.Unavailable {
				t.Errorf("error %+v", *got)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > limit {
				t.Errorf("took %d bytes of memory", took)
			}
		})
	}
}

func TestABombIsNotUnpacked(t *testing.T) {
	const size = 64 << 20
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	if _, err := io.CopyN(writer, endless{}, size); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	for header, cause := range map[string]string{
		"Content-Encoding: gzip":                               "the answer is compressed, which was not asked for",
		"content-encoding: GZIP":                               "the answer is compressed, which was not asked for",
		"Content-Encoding: identity\r\nContent-Encoding: gzip": "the answer is compressed, which was not asked for",
		"Content-Encoding:\r\nContent-Encoding: deflate":       "the answer is compressed, which was not asked for",
		"Transfer-Encoding: gzip, chunked":                     "the connection failed",
	} {
		client := clientAt(t, saying(t, func(connection net.Conn, _ int32) {
			fmt.Fprintf(connection, "%s%s\r\nContent-Length: %d\r\n\r\n", okay, header, packed.Len())
			connection.Write(packed.Bytes())
		}))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got := failure(t, client, "prod/db")
		runtime.ReadMemStats(&after)
		if got.Class != problem.Unavailable || got.Cause != cause {
			t.Errorf("%q: %+v", header, *got)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > size/8 {
			t.Errorf("%q: took %d bytes of memory", header, took)
		}
	}
}

// endless gives blanks.
type endless struct{}

// Read implements io.Reader.
func (endless) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte(" "), len(p))), nil }

// Once a connection speaks another protocol, net/http no longer ends a call on it
// together with its context.
func TestAChangeOfProtocolIsNoAnswer(t *testing.T) {
	client := clientAt(t, saying(t, func(connection net.Conn, _ int32) {
		io.WriteString(connection, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: any\r\n\r\n"+secret)
	}))
	wantFailure(t, failure(t, client, "prod/db"), problem.Unavailable, awssecrets.Always, "the answer cannot be read")
}

func TestWhatIsNoHTTPIsNoAnswer(t *testing.T) {
	for name, answer := range map[string]string{
		"HTTP/0.9":                  secret,
		"another protocol":          "ICY 200 OK\r\n\r\n" + secret,
		"no status":                 "HTTP/1.1 \r\n\r\n" + secret,
		"a status of no digits":     "HTTP/1.1 " + canary + "\r\n\r\n" + secret,
		"a length below nothing":    okay + "Content-Length: -5\r\n\r\n" + secret,
		"two lengths":               okay + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + secret,
		"a length that is none":     okay + "Content-Length: " + canary + "\r\n\r\n" + secret,
		"a header without a colon":  okay + canary + "\r\n\r\n" + secret,
		"an unknown coding":         okay + "Transfer-Encoding: " + canary + "\r\n\r\n" + secret,
		"a chunk's size is none":    okay + "Transfer-Encoding: chunked\r\n\r\n" + canary + "\r\n" + secret,
		"the last chunk is missing": okay + "Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n", len(secret), secret),
		"a length that is too long": okay + "Content-Length: 9999\r\n\r\n" + secret,
		"nothing":                   "",
	} {
		client := clientAt(t, saying(t, func(connection net.Conn, _ int32) {
			io.WriteString(connection, answer)
			connection.Close()
		}))
		got := failure(t, client, "prod/db")
		if got.Class != problem.Unavailable || got.Retry != awssecrets.Always || strings.Contains(got.Cause+got.Hint, canary) {
			t.Errorf("%s: %+v", name, *got)
		}
	}
}

// A server that sends more than was asked for has its connection closed, and what
// it sent is no answer to what is asked next.
func TestAnAnswerThatNobodyAskedForIsNotTaken(t *testing.T) {
	second := strings.Replace(secret, canary, "not asked for", 1)
	used := make(chan net.Conn, 3)
	client := clientAt(t, saying(t, func(connection net.Conn, number int32) {
		used <- connection
		if number == 1 {
			io.WriteString(connection, whole(secret)+whole(second))
			return
		}
		io.WriteString(connection, whole(secret))
	}))
	for range 3 {
		got, err := get(t, client, "prod/db")
		if err != nil || string(got.Value.Reveal()) != canary {
			t.Fatalf("read %q, error %v", got.Value.Reveal(), err)
		}
	}
	if first, next, last := <-used, <-used, <-used; next == first || last != next {
		t.Error("no new connection after the answer too many, or one after a good answer")
	}
}

func TestASlowAnswerIsGivenUpWhereverItIsSlow(t *testing.T) {
	for name, beginning := range map[string]string{
		"before the status":   "",
		"in the status":       "HTTP/1.1 2",
		"in the headers":      okay,
		"in a header":         okay + "X-Hea",
		"in the body":         okay + "Content-Length: 200\r\n\r\n" + secret,
		"in a chunk":          okay + "Transfer-Encoding: chunked\r\n\r\nff\r\n" + secret,
		"in the trailers":     okay + "Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n", len(secret), secret),
		"in an interim":       "HTTP/1.1 103 Early Hints\r\n",
		"after an interim":    "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n",
		"in a refusal's body": "HTTP/1.1 400 Bad Request\r\nContent-Length: 200\r\n\r\n{\"__type\":\"AccessDenied",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := clientOver(t, plainEndpoint, says(func(connection net.Conn) { io.WriteString(connection, beginning) }))
				defer client.Disconnect()
				_, err := client.Get(t.Context(), awssecrets.Request{Secret: "prod/db"}, time.Second)
				wantFailure(t, asError(t, err), problem.Timeout, awssecrets.Always, "no answer in time")
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err = client.Get(ctx, awssecrets.Request{Secret: "prod/db"}, 0)
				wantFailure(t, asError(t, err), problem.Timeout, awssecrets.Never, "no answer in time")
			})
		})
	}
}

// The SDK gives up the goroutine at a date that is no number.
func TestAnAnswerAtWhichTheSDKPanicsCannotBeRead(t *testing.T) {
	for _, date := range []string{`"NaN"`, `"Infinity"`, `1e400`} {
		body := `{"Name":"prod/db","SecretString":"` + canary + `","CreatedDate":` + date + `}`
		client := clientAt(t, saying(t, func(connection net.Conn, _ int32) { io.WriteString(connection, whole(body)) }))
		_, err := get(t, client, "prod/db")
		if err == nil {
			continue // a date that the SDK has come to read
		}
		wantFailure(t, asError(t, err), problem.Unavailable, awssecrets.Always, "the answer cannot be read")
	}
}
