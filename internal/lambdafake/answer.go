package lambdafake

import (
	"bytes"
	"net"
	"net/http"
	"strconv"
)

// Answer is how one call is answered: with an HTTP status from 200 to 599 and an
// error in the form of both APIs, a redirect with a Location on the same API, or
// as one of the constants says.
type Answer int

// The answers that are no status.
const (
	// Ordinary is Lambda's own.
	Ordinary Answer = -iota
	// NoAnswer leaves a call without an answer until its client leaves or the
	// API is closed.
	NoAnswer
	// Reset resets the connection, over TCP with a RST.
	Reset
	// Close closes the connection.
	Close
	// Lost does what the call asks for, and closes the connection when it
	// should answer.
	Lost
	// NotHTTP is a line of text that is no HTTP.
	NotHTTP
	// Cut is a status 200 that announces more than it sends, and closes.
	Cut
	// HTML is a status 200 with a web page.
	HTML
	// Empty is a status 200 without a body.
	Empty
	// Truncated is a status 200 with the beginning of an event.
	Truncated
	// Oversized is a status 200 with an event of 200 MiB.
	Oversized
	// UnknownEvent is a status 200 with an event that nobody can register for.
	UnknownEvent
	// NoIdentifier is a status 200 with what a registration answers, but for the
	// header that identifies the extension.
	NoIdentifier
)

// behaviour is what an Answer is called and does.
type behaviour struct {
	name   string
	answer func(*exchange)
}

var behaviours = map[Answer]behaviour{
	Ordinary:     {"ordinary", (*exchange).ordinary},
	NoAnswer:     {"no answer", (*exchange).hang},
	Reset:        {"reset", (*exchange).reset},
	Close:        {"close", (*exchange).close},
	Lost:         {"lost", (*exchange).lose},
	NotHTTP:      {"not HTTP", (*exchange).babble},
	Cut:          {"cut", (*exchange).cut},
	HTML:         {"HTML", page("<html><body>Sign in to this network</body></html>")},
	Empty:        {"empty", page("")},
	Truncated:    {"truncated", page(`{"eventType":"INVOKE","deadlineMs":17000`)},
	Oversized:    {"oversized", (*exchange).flood},
	UnknownEvent: {"unknown event", page(`{"eventType":"COFFEE","deadlineMs":1700000000000}`)},
	NoIdentifier: {"no identifier", page(`{"functionName":"function","functionVersion":"$LATEST","handler":"bootstrap"}`)},
}

// String returns the status, or the name of what is none.
func (a Answer) String() string {
	if known, ok := behaviours[a]; ok {
		return known.name
	}
	return strconv.Itoa(int(a))
}

// exchange is one call with its answer.
type exchange struct {
	api  *API
	next http.Handler
	w    http.ResponseWriter
	r    *http.Request
}

func (x *exchange) answer(a Answer) {
	if known, ok := behaviours[a]; ok {
		known.answer(x)
		return
	}
	if 300 <= a && a < 400 {
		x.w.Header().Set("Location", "/elsewhere")
	}
	fail(x.w, int(a), "Test.Failure", "this call is told to fail")
}

func (x *exchange) ordinary() { x.next.ServeHTTP(x.w, x.r) }

func (x *exchange) hang() { _ = x.api.await(x.r.Context(), func() bool { return false }) }

func (x *exchange) reset() {
	x.takeOver(func(c net.Conn) {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	})
}

func (x *exchange) close() { x.takeOver(func(net.Conn) {}) }

func (x *exchange) lose() {
	x.next.ServeHTTP(unheard{}, x.r)
	x.close()
}

func (x *exchange) babble() {
	x.takeOver(func(c net.Conn) { _, _ = c.Write([]byte("220 smtp.example.com ESMTP ready\r\n")) })
}

// takeOver calls last with the connection from under the call, and closes it.
func (x *exchange) takeOver(last func(net.Conn)) {
	c, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		return
	}
	last(c)
	_ = c.Close()
}

// cut relies on net/http, which closes a connection on which less was sent than
// announced.
func (x *exchange) cut() {
	x.w.Header().Set("Content-Length", "1000")
	page(`{"eventType":"INVOKE"`)(x)
}

// flood sends until the client has had enough.
func (x *exchange) flood() {
	const size, piece = 200 << 20, 64 << 10
	page(`{"eventType":"`)(x)
	chunk := bytes.Repeat([]byte("x"), piece)
	for range size / piece {
		if _, err := x.w.Write(chunk); err != nil {
			return
		}
	}
	_, _ = x.w.Write([]byte(`"}`))
}

// page sends a success with that body.
func page(body string) func(*exchange) {
	return func(x *exchange) {
		x.w.WriteHeader(http.StatusOK)
		_, _ = x.w.Write([]byte(body))
	}
}

// unheard is the http.ResponseWriter of an answer that gets lost.
type unheard struct{}

// Header implements http.ResponseWriter.
func (unheard) Header() http.Header { return make(http.Header) }

// Write implements http.ResponseWriter.
func (unheard) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader implements http.ResponseWriter.
func (unheard) WriteHeader(int) {}
