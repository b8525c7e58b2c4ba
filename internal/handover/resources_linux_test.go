package handover_test

import (
	"bytes"
	"net"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"
	"weak"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/fetch"
)

// running returns the goroutines of the package.
func running(t *testing.T) []string {
	t.Helper()
	var all bytes.Buffer
	must(t, pprof.Lookup("goroutine").WriteTo(&all, 1))
	var ours []string
	for stack := range strings.SplitSeq(all.String(), "\n\n") {
		if strings.Contains(stack, "secretwrap/internal/handover.") {
			ours = append(ours, stack)
		}
	}
	return ours
}

// descriptors returns how many this process has.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(entries)
}

func TestNothingIsLeftOfAConversation(t *testing.T) {
	before := 0
	for range 3 { // the first opens what the runtime needs for sockets
		before = max(before, descriptors(t))
		served := serve(t, newExtension(document([]byte(canary))))
		silent := connect(t, served.dir)
		talk(t, served)
		served.expectEvents(t, "documents", "publish")
		expectEnd(t, silent)
		silent.Close()
		if left := running(t); len(left) > 0 {
			t.Fatalf("still at work:\n%s", strings.Join(left, "\n"))
		}
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors, there were %d", after, before)
	}
}

func TestCloseEndsWhatGoesOn(t *testing.T) {
	t.Run("a wrapper that has not asked", func(t *testing.T) {
		served := serve(t, newExtension())
		raw := connect(t, served.dir)
		served.server.Close()
		expectEnd(t, raw)
		served.expectEvents(t)
	})
	t.Run("a wrapper that has its documents", func(t *testing.T) {
		served := serve(t, newExtension(document([]byte(canary))))
		client := dial(t, served.dir)
		_, err := client.Documents(requests(1), time.Minute)
		must(t, err)
		served.server.Close()
		served.expectEvents(t, "documents", "alone")
	})
	t.Run("a wrapper that does not read", func(t *testing.T) {
		served := serve(t, newExtension(document(make([]byte, 32<<20))))
		raw := connect(t, served.dir)
		write(t, raw, frame(`{"Identity":"`+identity+`","Requests":[{}]}`, ""))
		read(t, raw, 1)
		served.server.Close()
		served.expectEvents(t, "documents", "alone")
	})
	if left := running(t); len(left) > 0 {
		t.Errorf("still at work:\n%s", strings.Join(left, "\n"))
	}
}

// The extension lives on for hours with its server.
func TestTheServerForgetsTheDocuments(t *testing.T) {
	var content weak.Pointer[byte]
	answering := newExtension()
	answering.n = 1
	answering.documents = func([]awssecrets.Request, time.Duration) ([]fetch.Outcome, error) {
		value := bytes.Repeat([]byte("x"), 65536)
		content = weak.Make(&value[0])
		return []fetch.Outcome{document(value)}, nil
	}
	served := serve(t, answering)
	talk(t, served)
	served.expectEvents(t, "documents", "publish")
	runtime.GC()
	if content.Value() != nil {
		t.Error("the document is still there")
	}
	runtime.KeepAlive(served)
}

func TestSilentConnectionsAreInNobodysWay(t *testing.T) {
	const many, few = 200, 16
	served := serve(t, newExtension(document([]byte("x"))))
	var silent []*net.UnixConn
	for range many {
		conn := connect(t, served.dir)
		// What announces a lot and sends little.
		write(t, conn, append([]byte{0, 4, 0, 0, 0, 0, 0, 0}, '{'))
		silent = append(silent, conn)
	}
	for _, conn := range silent[:many-few] {
		expectEnd(t, conn)
		served.expectEvent(t, "alone")
	}
	talk(t, served)
	for _, conn := range silent[many-few:] {
		expectEnd(t, conn)
	}
	// The wrapper's connection took the place of one more.
	served.expectEvents(t, "alone", "documents", "publish")
}
