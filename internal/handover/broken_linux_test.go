package handover_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// greeting is what an extension says first.
func greeting() []byte { return frame(`{"Identity":"`+identity+`"}`, "") }

// listenRaw opens a socket that the package would take for an extension's.
func listenRaw(t testing.TB) (string, *net.UnixListener) {
	t.Helper()
	dir := newDir(t)
	must(t, os.Mkdir(dir, 0o700))
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "socket"), Net: "unix"})
	must(t, err)
	t.Cleanup(func() { listener.Close() })
	return dir, listener
}

// impersonate answers one wrapper as hold does.
func impersonate(t testing.TB, messages ...[]byte) string {
	t.Helper()
	dir, listener := listenRaw(t)
	done := make(chan struct{})
	go func() { defer close(done); hold(listener, messages...) }()
	t.Cleanup(func() { listener.Close(); <-done })
	return dir
}

// hold accepts one wrapper, sends it a message, then one after each of its own,
// and hangs up.
func hold(listener *net.UnixListener, messages ...[]byte) {
	conn, err := listener.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	for i, message := range messages {
		if i > 0 && skip(conn) != nil {
			return
		}
		if _, err := conn.Write(message); err != nil {
			return
		}
	}
}

// skip reads a message.
func skip(conn net.Conn) error {
	var sizes [8]byte
	if _, err := io.ReadFull(conn, sizes[:]); err != nil {
		return err
	}
	_, err := io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(sizes[:4])))
	return err
}

func TestASocketThatNobodyServesIsLeft(t *testing.T) {
	dir, _ := listenRaw(t)
	expectAlone(t, ask(dir, identity), "no greeting in time")
}

func TestAnExtensionThatNeverGreetsIsLeft(t *testing.T) {
	dir, listener := listenRaw(t)
	go func() {
		if conn, err := listener.Accept(); err == nil {
			t.Cleanup(func() { conn.Close() })
		}
	}()
	expectAlone(t, ask(dir, identity), "no greeting in time")
}

// broken are messages that nobody of ours sends, in the place of a good one.
func broken(good []byte) map[string][]byte {
	body := "\xff" + canary
	return map[string][]byte{
		"nothing":                  nil,
		"a part of the sizes":      good[:5],
		"the sizes alone":          good[:8],
		"a part of the head":       good[:len(good)-1],
		"a head of 4 GiB":          append([]byte{255, 255, 255, 255, 0, 0, 0, 0}, good...),
		"a body of 4 GiB":          append([]byte{0, 0, 0, 2, 255, 255, 255, 255}, "{}"...),
		"sizes that overflow":      {255, 255, 255, 255, 255, 255, 255, 255},
		"a body that never comes":  append([]byte{0, 0, 0, 2, 0, 0, 1, 0}, "{}"...),
		"an empty head":            frame("", ""),
		"null":                     frame("null", ""),
		"a list":                   frame("[]", ""),
		"a number":                 frame("1", ""),
		"a text":                   frame(`"`+canary+`"`, ""),
		"no JSON":                  frame(canary, ""),
		"JSON and more":            frame(`{}{}`, ""),
		"JSON that is cut off":     frame(`{"Outcomes":[{`, ""),
		"JSON that nests too deep": frame(`{"Outcomes":`+strings.Repeat("[", 20_000), ""),
		"a body, unasked":          frame("{}", body),
	}
}

func TestABrokenGreetingIsLeft(t *testing.T) {
	wrong := broken(greeting())
	wrong["a large greeting"] = frame(`{"Identity":"`+strings.Repeat("x", 5000)+`"}`, "")
	wrong["another identity"] = frame(`{"Identity":"x"}`, "")
	wrong["no identity"] = frame(`{}`, "")
	wrong["an identity that is a number"] = frame(`{"Identity":7}`, "")
	for name, message := range wrong {
		t.Run(name, func(t *testing.T) {
			expectAlone(t, ask(impersonate(t, message), identity), "")
		})
	}
}

func TestABrokenAnswerLeavesTheWrapperAlone(t *testing.T) {
	const three = `{"Document":{"Size":3}}`
	wrong := broken(frame(`{"Outcomes":[`+three+`,`+three+`]}`, "abcdef"))
	for name, message := range map[string][]byte{
		"no outcome":                       frame(`{}`, ""),
		"outcomes of null":                 frame(`{"Outcomes":null}`, ""),
		"one outcome for two":              frame(`{"Outcomes":[`+three+`]}`, "abc"),
		"three outcomes for two":           frame(`{"Outcomes":[`+three+`,`+three+`,`+three+`]}`, "abcabcabc"),
		"outcomes that are null":           frame(`{"Outcomes":[null,null]}`, ""),
		"neither a document nor an error":  frame(`{"Outcomes":[{},{}]}`, ""),
		"both a document and an error":     frame(`{"Outcomes":[{"Document":{"Size":3},"Err":{"Class":2}},`+three+`]}`, "abcabc"),
		"a negative size":                  frame(`{"Outcomes":[{"Document":{"Size":-3}},{"Document":{"Size":6}}]}`, "abc"),
		"a size that is too large":         frame(`{"Outcomes":[`+three+`,{"Document":{"Size":4}}]}`, "abcdef"),
		"sizes that overflow when added":   frame(`{"Outcomes":[{"Document":{"Size":9223372036854775807}},{"Document":{"Size":9223372036854775807}}]}`, "abcdef"),
		"a size beyond all numbers":        frame(`{"Outcomes":[{"Document":{"Size":1e400}},`+three+`]}`, "abcdef"),
		"a size that is a fraction":        frame(`{"Outcomes":[{"Document":{"Size":2.5}},`+three+`]}`, "abcdef"),
		"a size that is a text":            frame(`{"Outcomes":[{"Document":{"Size":"`+canary+`"}},`+three+`]}`, "abcdef"),
		"bytes that belong to no document": frame(`{"Outcomes":[`+three+`,`+three+`]}`, "abcdefg"),
		"bytes that belong to an error":    frame(`{"Outcomes":[{"Err":{"Class":2}},`+three+`]}`, "abcdef"),
		"a class that is negative":         frame(`{"Outcomes":[{"Err":{"Class":-1}},`+three+`]}`, "abc"),
		"an error of no class":             frame(`{"Outcomes":[{"Err":{"Cause":"x"}},`+three+`]}`, "abc"),
		"an error of an unknown class":     frame(`{"Outcomes":[{"Err":{"Class":200,"Cause":"x"}},`+three+`]}`, "abc"),
		"a body of 65 MiB":                 append([]byte{0, 0, 0, 2, 4, 16, 0, 0}, "{}"...),
	} {
		wrong[name] = message
	}
	for name, message := range wrong {
		t.Run(name, func(t *testing.T) {
			client := dial(t, impersonate(t, greeting(), message))
			outcomes, err := client.Documents(requests(2), time.Minute)
			expectAlone(t, err, "")
			if outcomes != nil {
				t.Errorf("%d outcomes", len(outcomes))
			}
		})
	}
}

func TestABrokenVerdictIsNoSuccess(t *testing.T) {
	wrong := broken(frame(`{"Published":true}`, ""))
	wrong["a verdict that says nothing"] = frame(`{}`, "")
	wrong["a verdict of null"] = frame(`{"Published":null,"Problem":null}`, "")
	wrong["success with a problem"] = frame(`{"Published":true,"Problem":{"Class":9}}`, "")
	wrong["a problem of no class"] = frame(`{"Problem":{"Cause":"x"}}`, "")
	wrong["a problem of an unknown class"] = frame(`{"Problem":{"Class":200,"Cause":"x"}}`, "")
	wrong["a verdict in words"] = frame(`{"Published":"`+canary+`"}`, "")
	wrong["a problem before a broken end"] = frame(`{"Problem":{"Class":9,"Cause":"x"}}`, "body")
	for name, message := range wrong {
		t.Run(name, func(t *testing.T) {
			answer := frame(`{"Outcomes":[{"Document":{"Size":3}}]}`, "abc")
			client := dial(t, impersonate(t, greeting(), answer, message))
			_, err := client.Documents(requests(1), time.Minute)
			must(t, err)
			p, err := client.Publish(oneFile())
			expectAlone(t, err, "")
			if p != nil {
				t.Errorf("and a problem: %v", p)
			}
		})
	}
}

func TestABrokenQuestionIsNotAnswered(t *testing.T) {
	wrong := broken(frame(`{"Identity":"`+identity+`","Requests":[]}`, ""))
	wrong["a budget that is a text"] = frame(`{"Identity":"`+identity+`","Budget":"1s"}`, "")
	wrong["a budget beyond all numbers"] = frame(`{"Identity":"`+identity+`","Budget":9223372036854775808}`, "")
	wrong["a large question"] = frame(`{"Identity":"`+identity+`","Requests":[{"Secret":"`+strings.Repeat("x", 256<<10)+`"}]}`, "")
	for name, message := range wrong {
		t.Run(name, func(t *testing.T) {
			served := serve(t, newExtension(document([]byte(canary))))
			raw := connect(t, served.dir)
			_, _ = raw.Write(message) // a part of it may be refused before the rest is read
			must(t, ignoreClosed(raw.CloseWrite()))
			expectEnd(t, raw)
			served.expectEvent(t, "alone")
			talk(t, served)
			served.expectEvents(t, "documents", "publish")
		})
	}
}

func TestBrokenFilesAreNotPublished(t *testing.T) {
	wrong := broken(frame(`{"Dir":"/d"}`, ""))
	wrong["a secret that was not asked for"] = frame(`{"Copies":[{"Parts":[{"Ref":{},"Secret":1}]}]}`, "")
	wrong["a negative secret"] = frame(`{"Copies":[{"Parts":[{"Literal":"x"},{"Ref":{},"Secret":-1}]}]}`, "")
	wrong["a negative mode"] = frame(`{"Copies":[{"Mode":-1}]}`, "")
	for name, message := range wrong {
		t.Run(name, func(t *testing.T) {
			served := serve(t, newExtension(document([]byte(canary))))
			raw := connect(t, served.dir)
			write(t, raw, frame(`{"Identity":"`+identity+`","Requests":[{"Secret":"x"}]}`, ""))
			readFrame(t, raw)
			_, _ = raw.Write(message)
			must(t, ignoreClosed(raw.CloseWrite()))
			expectEnd(t, raw)
			served.expectEvents(t, "documents", "alone")
		})
	}
}

// ignoreClosed returns err unless the other end was faster.
func ignoreClosed(err error) error {
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return nil
	}
	return err
}
