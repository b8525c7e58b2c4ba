package handover_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/fetch"
	"secretwrap/internal/handover"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/secret"
)

const (
	identity = "v1/1234/abcd"
	canary   = "CANARY-7f3a91c2"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// extension answers with what a test tells it, and notes what it was asked.
type extension struct {
	documents func([]awssecrets.Request, time.Duration) ([]fetch.Outcome, error)
	publish   func([]awssecrets.Request, handover.Files) (*problem.Problem, error)
	left      func()
	events    chan string
	// n is how many outcomes it has.
	n int
}

func newExtension(outcomes ...fetch.Outcome) *extension {
	return &extension{
		documents: func([]awssecrets.Request, time.Duration) ([]fetch.Outcome, error) { return outcomes, nil },
		publish:   func([]awssecrets.Request, handover.Files) (*problem.Problem, error) { return nil, nil },
		left:      func() {},
		events:    make(chan string, 1000),
		n:         len(outcomes),
	}
}

func (e *extension) Documents(asked []awssecrets.Request, budget time.Duration) ([]fetch.Outcome, error) {
	e.events <- "documents"
	return e.documents(asked, budget)
}

func (e *extension) Publish(asked []awssecrets.Request, files handover.Files) (*problem.Problem, error) {
	e.events <- "publish"
	return e.publish(asked, files)
}

func (e *extension) Alone() {
	e.events <- "alone"
	e.left()
}

// service is a server at work.
type service struct {
	dir       string
	server    *handover.Server
	extension *extension
	done      chan struct{}
}

// newDir returns a directory of which nothing exists yet, with a short path.
func newDir(t testing.TB) string {
	t.Helper()
	parent, err := os.MkdirTemp("", "h")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(parent) })
	return filepath.Join(parent, "d")
}

func serve(t testing.TB, e *extension) *service {
	t.Helper()
	return serveIn(t, newDir(t), e)
}

func serveIn(t testing.TB, dir string, e *extension) *service {
	t.Helper()
	server, err := handover.Listen(dir, identity)
	must(t, err)
	s := &service{dir, server, e, make(chan struct{})}
	go func() { defer close(s.done); server.Serve(e) }()
	t.Cleanup(func() { server.Close(); <-s.done })
	return s
}

// expectEvent waits for the next event.
func (s *service) expectEvent(t testing.TB, want string) {
	t.Helper()
	if got := <-s.extension.events; got != want {
		t.Errorf("event %q, want %q", got, want)
	}
}

// events waits until the server has ended by itself, and returns the rest.
func (s *service) events(t testing.TB) []string {
	t.Helper()
	<-s.done
	var all []string
	for len(s.extension.events) > 0 {
		all = append(all, <-s.extension.events)
	}
	return all
}

func (s *service) expectEvents(t testing.TB, want ...string) {
	t.Helper()
	if got := s.events(t); !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
}

func dial(t testing.TB, dir string) *handover.Client {
	t.Helper()
	client, err := handover.Dial(dir, identity)
	must(t, err)
	t.Cleanup(client.Close)
	return client
}

// ask returns what becomes of a question to the extension in dir.
func ask(dir, identity string) error {
	client, err := handover.Dial(dir, identity)
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = client.Documents(nil, time.Minute)
	return err
}

// oneFile is something to publish, so that the wrapper waits for it.
func oneFile() handover.Files {
	return handover.Files{Dir: "/d", Copies: []plan.Target{{File: "f", Parts: []plan.Part{{Literal: "x"}}}}}
}

// talk holds a whole conversation.
func talk(t testing.TB, s *service) {
	t.Helper()
	client := dial(t, s.dir)
	_, err := client.Documents(requests(s.extension.n), time.Minute)
	must(t, err)
	expectPublished(t, client)
}

// expectPublished ends a conversation.
func expectPublished(t testing.TB, client *handover.Client) {
	t.Helper()
	if p, err := client.Publish(oneFile()); p != nil || err != nil {
		t.Errorf("Publish = %v, %v", p, err)
	}
}

// expectAlone checks that err lets the wrapper work alone, says why, and shows no
// value.
func expectAlone(t testing.TB, err error, why string) {
	t.Helper()
	if !errors.Is(err, handover.ErrAlone) || errors.Is(err, handover.ErrLate) || !strings.Contains(err.Error(), why) {
		t.Errorf("the error is %v, want one that lets the wrapper work alone: %s", err, why)
	}
	if err != nil && strings.Contains(err.Error(), canary) {
		t.Errorf("the error shows a value: %v", err)
	}
}

func requests(n int) []awssecrets.Request {
	asked := make([]awssecrets.Request, n)
	for i := range asked {
		asked[i].Secret = "secret-" + strconv.Itoa(i)
	}
	return asked
}

func document(content []byte) fetch.Outcome {
	return fetch.Outcome{Document: awssecrets.Document{Value: secret.New(content), VersionID: "v"}, Attempts: 2}
}

func failure(err awssecrets.Error, attempts int) fetch.Outcome {
	return fetch.Outcome{Err: &err, Attempts: attempts}
}

func expectOutcomes(t testing.TB, got, want []fetch.Outcome) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d outcomes, want %d", len(got), len(want))
	}
	for i, o := range got {
		w := want[i]
		if !bytes.Equal(o.Document.Value.Reveal(), w.Document.Value.Reveal()) {
			t.Errorf("outcome %d: a document of %d bytes is not the one of %d", i, o.Document.Value.Len(), w.Document.Value.Len())
		}
		if o.Document.Binary != w.Document.Binary || o.Document.VersionID != w.Document.VersionID || o.Attempts != w.Attempts {
			t.Errorf("outcome %d: %+v, want %+v", i, o, w)
		}
		if (o.Err == nil) != (w.Err == nil) || o.Err != nil && *o.Err != *w.Err {
			t.Errorf("outcome %d: error %+v, want %+v", i, o.Err, w.Err)
		}
	}
}

// frame returns a message as it goes over the socket.
func frame(head, body string) []byte {
	sizes := binary.BigEndian.AppendUint32(nil, uint32(len(head)))
	sizes = binary.BigEndian.AppendUint32(sizes, uint32(len(body)))
	return slices.Concat(sizes, []byte(head), []byte(body))
}

// connectSilently connects without a word.
func connectSilently(t testing.TB, dir string) *net.UnixConn {
	t.Helper()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: filepath.Join(dir, "socket"), Net: "unix"})
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

// connect connects and reads the greeting.
func connect(t testing.TB, dir string) *net.UnixConn {
	t.Helper()
	conn := connectSilently(t, dir)
	readFrame(t, conn)
	return conn
}

func write(t testing.TB, w io.Writer, content []byte) {
	t.Helper()
	_, err := w.Write(content)
	must(t, err)
}

func read(t testing.TB, r io.Reader, n int) []byte {
	t.Helper()
	content := make([]byte, n)
	_, err := io.ReadFull(r, content)
	must(t, err)
	return content
}

// readFrame returns the head of a message, and skips what follows it.
func readFrame(t testing.TB, r io.Reader) []byte {
	t.Helper()
	sizes := read(t, r, 8)
	head := read(t, r, int(binary.BigEndian.Uint32(sizes[:4])))
	read(t, r, int(binary.BigEndian.Uint32(sizes[4:])))
	return head
}

// expectEnd waits until the other end has closed the connection, and checks that
// nothing more came.
func expectEnd(t testing.TB, conn net.Conn) {
	t.Helper()
	rest, _ := io.ReadAll(conn) // a reset is an end too
	if len(rest) > 0 {
		t.Errorf("%d bytes more came", len(rest))
	}
}
