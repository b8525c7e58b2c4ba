package handover_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/fetch"
	"secretwrap/internal/handover"
	"secretwrap/internal/problem"
)

// fuzzedFrame returns a message whose announced size of the body is off by skew.
func fuzzedFrame(head, body []byte, skew int32) []byte {
	message := frame(string(head), string(body))
	for i := range 4 {
		message[4+i] ^= byte(skew >> (24 - 8*i))
	}
	return message
}

func FuzzWhatAnExtensionSays(f *testing.F) {
	for _, seed := range []struct {
		answer, body, verdict string
		skew                  int32
	}{
		{`{"Outcomes":[{"Document":{"Size":3,"VersionID":"v"},"Attempts":1},{"Err":{"Class":3,"Absent":true}}]}`, "abc", `{"Published":true}`, 0},
		{`{"Outcomes":[{"Document":{"Size":0}},{"Document":{"Size":2,"Binary":true}}]}`, "\x00\xff", `{"Problem":{"Class":9,"Cause":"c"}}`, 0},
		{`{"Outcomes":[null,{}]}`, "", `{}`, 0},
		{`{"Outcomes":[{"Document":{"Size":-1}},{"Document":{"Size":4}}]}`, "abc", `null`, 0},
		{`{"Outcomes":[{"Document":{"Size":9223372036854775807}},{"Err":{}}]}`, "abc", `[]`, 1},
		{`{}`, "", ``, -1},
	} {
		f.Add([]byte(seed.answer), []byte(seed.body), []byte(seed.verdict), seed.skew)
	}
	dir, listener := listenRaw(f)
	asked := requests(2)
	f.Fuzz(func(t *testing.T, answer, body, verdict []byte, skew int32) {
		messages := [][]byte{greeting(), fuzzedFrame(answer, body, skew)}
		if skew == 0 { // else the wrapper may wait for more of the answer
			messages = append(messages, frame(string(verdict), ""))
		}
		sent := make(chan struct{})
		go func() { defer close(sent); hold(listener, messages...) }()
		defer func() { <-sent }()
		client := reach(t, dir)
		defer client.Close()
		outcomes, err := client.Documents(asked, time.Minute)
		if err != nil && err.Error() == "no hand-over: no greeting in time" {
			return // the machine had something else to do
		}
		if err != nil {
			checkRefusal(t, err, outcomes != nil)
			return
		}
		if skew != 0 {
			return
		}
		checkOutcomes(t, outcomes, len(asked), string(body))
		p, err := client.Publish(oneFile())
		if err != nil {
			checkRefusal(t, err, p != nil)
		} else if p != nil && p.Class.Status() == 0 {
			t.Errorf("the problem %v ends with status 0", p)
		} else if p == nil && !strings.Contains(strings.ToLower(string(verdict)), "true") {
			t.Errorf("%q is success", verdict)
		}
	})
}

func FuzzWhatAnExtensionGreetsWith(f *testing.F) {
	for _, seed := range []string{string(greeting()), string(greeting()[:9]), string(frame(`{"identity":"`+identity+`"}`, "")), string(frame(`{"Identity":null}`, "")), string(frame("{}", "x")), "\xff\xff\xff\xff\x00\x00\x00\x00", ""} {
		f.Add([]byte(seed))
	}
	dir, listener := listenRaw(f)
	f.Fuzz(func(t *testing.T, first []byte) {
		sent := make(chan struct{})
		go func() { defer close(sent); hold(listener, first, frame(`{"Outcomes":[{"Document":{"Size":1}}]}`, "x")) }()
		defer func() { <-sent }()
		client := reach(t, dir)
		defer client.Close()
		outcomes, err := client.Documents(requests(1), time.Minute)
		if err == nil && (len(outcomes) != 1 || !strings.Contains(string(first), identity)) {
			t.Errorf("%d outcomes after the greeting %q", len(outcomes), first)
		}
		if err != nil && !errors.Is(err, handover.ErrAlone) {
			t.Errorf("the error is %v", err)
		}
	})
}

// reach connects to a listener that is there, however busy the machine is.
func reach(t *testing.T, dir string) *handover.Client {
	t.Helper()
	for {
		client, err := handover.Dial(dir, identity)
		if err == nil {
			return client
		}
		if !strings.Contains(err.Error(), "i/o timeout") {
			t.Fatal(err)
		}
	}
}

func checkRefusal(t *testing.T, err error, result bool) {
	t.Helper()
	if !errors.Is(err, handover.ErrAlone) || err.Error() != "no hand-over: the extension broke off" && err.Error() != "no hand-over: malformed message" {
		t.Errorf("the error is %v", err)
	}
	if result {
		t.Error("an error and a result")
	}
}

func checkOutcomes(t *testing.T, outcomes []fetch.Outcome, n int, body string) {
	t.Helper()
	var all strings.Builder
	for _, o := range outcomes {
		if o.Err != nil && (o.Document.Value.Len() > 0 || o.Err.Class.Status() == 0) {
			t.Errorf("an error with a document, or that ends with status 0: %v", o.Err)
		}
		all.Write(o.Document.Value.Reveal())
	}
	if len(outcomes) != n || all.String() != body {
		t.Errorf("%d outcomes of %d bytes, sent were %d", len(outcomes), all.Len(), len(body))
	}
}

func FuzzWhatAWrapperSays(f *testing.F) {
	for _, seed := range [][2]string{
		{`{"Identity":"` + identity + `","Requests":[{"Secret":"db","Stage":"AWSPREVIOUS"},{"Secret":"x"}],"Budget":5000000000}`, `{"Dir":"/d","Copies":[{"File":"a","Mode":288,"Parts":[{"Ref":{"Secret":"db"},"Secret":1}]}]}`},
		{`{"Identity":"` + identity + `","Requests":[]}`, `{"Copies":[{"Parts":[{"Ref":{},"Secret":-1}]}]}`},
		{`{"Identity":"` + identity + `","Budget":-1}`, `{"Copies":[null,{"Template":true,"Parts":[{"Literal":"a"},null]}]}`},
		{`null`, `{}`},
		{`{"Identity":"` + identity + `","Requests":[null]}`, `null`},
		{`{`, ``},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]), uint16(0))
		f.Add([]byte(seed[0]), []byte(seed[1]), uint16(3))
	}
	dir := newDir(f)
	f.Fuzz(func(t *testing.T, question, files []byte, cut uint16) {
		server, err := handover.Listen(dir, identity)
		must(t, err)
		answering := newExtension()
		asked := -1
		answering.documents = func(r []awssecrets.Request, _ time.Duration) ([]fetch.Outcome, error) {
			asked = len(r)
			return make([]fetch.Outcome, len(r)), nil
		}
		answering.publish = func(r []awssecrets.Request, files handover.Files) (*problem.Problem, error) {
			if len(r) != asked {
				t.Errorf("%d requests, then %d", asked, len(r))
			}
			checkFiles(t, files, asked)
			return nil, nil
		}
		done := make(chan struct{})
		go func() { defer close(done); server.Serve(answering) }()

		raw := connect(t, dir)
		message := append(frame(string(question), ""), frame(string(files), "")...)
		message = message[:max(0, len(message)-int(cut))]
		_, _ = raw.Write(message)
		_ = raw.CloseWrite() // fails if the server was faster
		_, _ = io.Copy(io.Discard, raw)
		raw.Close()
		server.Close()
		<-done
		checkEvents(t, answering)
	})
}

func checkFiles(t *testing.T, files handover.Files, n int) {
	t.Helper()
	for _, target := range files.Copies {
		for _, part := range target.Parts {
			if part.Ref != nil && (part.Secret < 0 || part.Secret >= n) {
				t.Errorf("secret %d of %d", part.Secret, n)
			}
		}
	}
}

// checkEvents checks that whoever is not served to the end is left alone.
func checkEvents(t *testing.T, e *extension) {
	t.Helper()
	var all []string
	for len(e.events) > 0 {
		all = append(all, <-e.events)
	}
	switch got := strings.Join(all, " "); got {
	case "alone", "documents alone", "documents publish", "documents publish alone":
	default:
		t.Errorf("events %q", got)
	}
}
