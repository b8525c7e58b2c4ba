package handover_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/fetch"
	"secretwrap/internal/handover"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/reference"
	"secretwrap/internal/secret"
)

func TestOutcomesArriveAsTheyAre(t *testing.T) {
	everyByte := make([]byte, 256)
	for i := range everyByte {
		everyByte[i] = byte(i)
	}
	large := bytes.Repeat([]byte(canary+"\x00"), 65536)[:65536]
	tests := map[string][]fetch.Outcome{
		"nothing":             {},
		"an empty document":   {document(nil)},
		"one byte":            {document([]byte("x"))},
		"the largest":         {document(large)},
		"every byte":          {{Document: awssecrets.Document{Value: secret.New(everyByte), Binary: true, VersionID: "v-1"}, Attempts: 1}},
		"many of the largest": slices.Repeat([]fetch.Outcome{document(large)}, 100),
		"more than one write": slices.Repeat([]fetch.Outcome{document(nil), document([]byte("x"))}, 2000),
		"an error":            {failure(awssecrets.Error{Class: problem.Denied, Cause: "refused <&> \u2028 \ufffd", Hint: "allow \"it\""}, 3)},
		"an absent secret between documents": {
			document([]byte("before")), failure(awssecrets.Error{Class: problem.NotFound, Cause: "none", Absent: true}, 1), document([]byte("after")),
		},
		"a fault that may pass": {failure(awssecrets.Error{Class: problem.Throttled, Cause: "throttled", Retry: awssecrets.Always}, 9)},
		"no attempt":            {failure(awssecrets.Error{Class: problem.Timeout, Cause: "late", Retry: awssecrets.Renewed}, 0)},
	}
	for name, sent := range tests {
		t.Run(name, func(t *testing.T) {
			answering := newExtension(sent...)
			served := serve(t, answering)
			client := dial(t, served.dir)
			got, err := client.Documents(requests(len(sent)), time.Minute)
			must(t, err)
			expectOutcomes(t, got, sent)
			expectPublished(t, client)
			served.expectEvents(t, "documents", "publish")
		})
	}
}

func TestQuestionAndFilesArriveAsTheyAre(t *testing.T) {
	asked := []awssecrets.Request{
		{Secret: "db"},
		{Secret: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:tls-AbCdEf", Region: "eu-west-1", Stage: "AWSPREVIOUS", Version: "v \"<&>\" \ufffd"},
	}
	files := handover.Files{Dir: "/tmp/files", Copies: []plan.Target{
		{File: "tls/client.key", Mode: 0o440, Parts: []plan.Part{{Ref: &reference.Ref{Secret: "tls", Path: "key", Optional: true, HasDefault: true, Default: "d\x00"}, Secret: 1}}},
		{
			Name: "DSN", File: "dsn", Mode: fs.FileMode(0o644), Template: true, Origin: plan.Origin{Source: "m.yaml", Line: 7},
			Parts: []plan.Part{
				{Literal: "a\x00\x7f\n\"<\\ufffe>"},
				{Ref: &reference.Ref{Secret: "db", Encode: reference.Encoding("base64"), Upper: true, Prefix: "P_"}, Exploded: true, Field: "f.g"},
				{Literal: "\u2029", Secret: -1},
			},
		},
	}}
	answering := newExtension(document(nil), document(nil))
	var gotAsked, gotAgain []awssecrets.Request
	var gotBudget time.Duration
	var gotFiles handover.Files
	inner := answering.documents
	answering.documents = func(r []awssecrets.Request, budget time.Duration) ([]fetch.Outcome, error) {
		gotAsked, gotBudget = r, budget
		return inner(r, budget)
	}
	answering.publish = func(r []awssecrets.Request, f handover.Files) (*problem.Problem, error) {
		gotAgain, gotFiles = r, f
		return nil, nil
	}
	served := serve(t, answering)
	client := dial(t, served.dir)
	_, err := client.Documents(asked, 1234*time.Millisecond)
	must(t, err)
	p, err := client.Publish(files)
	must(t, err)
	served.expectEvents(t, "documents", "publish")

	if p != nil {
		t.Errorf("Publish = %v", p)
	}
	if !slices.Equal(gotAsked, asked) || !slices.Equal(gotAgain, asked) {
		t.Errorf("asked for %+v, then for %+v", gotAsked, gotAgain)
	}
	if gotBudget != 1234*time.Millisecond {
		t.Errorf("the budget is %v", gotBudget)
	}
	if !reflect.DeepEqual(gotFiles, files) {
		t.Errorf("files %+v", gotFiles)
	}
}

func TestTheProblemOfPublishingArrives(t *testing.T) {
	want := problem.Problem{Class: problem.File, Source: "m", Line: 3, Variable: "A", Secret: "s", Path: "p", Cause: "disk full", Hint: "make room"}
	answering := newExtension(document(nil))
	answering.publish = func([]awssecrets.Request, handover.Files) (*problem.Problem, error) { return &want, nil }
	served := serve(t, answering)
	client := dial(t, served.dir)
	_, err := client.Documents(requests(1), time.Minute)
	must(t, err)
	p, err := client.Publish(oneFile())
	must(t, err)
	if p == nil || *p != want {
		t.Errorf("Publish = %+v", p)
	}
	served.expectEvents(t, "documents", "publish", "alone")
}

func TestAnotherIdentityIsRefused(t *testing.T) {
	served := serve(t, newExtension())
	expectAlone(t, ask(served.dir, identity+"x"), "another build")
	served.expectEvent(t, "alone")

	talk(t, served)
	served.expectEvents(t, "documents", "publish")
}

// Text that is not UTF-8 would arrive as something else.
func TestWhatWouldNotArriveAsItIsIsNotSent(t *testing.T) {
	literal := handover.Files{Copies: []plan.Target{{File: "f", Parts: []plan.Part{{Literal: "\xff"}}}}}
	for name, files := range map[string]handover.Files{"literal": literal, "directory": {Dir: "/tmp/\xff"}} {
		t.Run(name, func(t *testing.T) {
			served := serve(t, newExtension(document(nil)))
			client := dial(t, served.dir)
			_, err := client.Documents(requests(1), time.Minute)
			must(t, err)
			_, err = client.Publish(files)
			expectAlone(t, err, "")
			served.expectEvents(t, "documents", "alone")
		})
	}
	t.Run("question", func(t *testing.T) {
		served := serve(t, newExtension(document(nil)))
		client := dial(t, served.dir)
		_, err := client.Documents([]awssecrets.Request{{Secret: "\xff"}}, time.Minute)
		expectAlone(t, err, "")
		client.Close()
		served.expectEvent(t, "alone")
	})
	t.Run("cause", func(t *testing.T) {
		served := serve(t, newExtension(failure(awssecrets.Error{Class: problem.Denied, Cause: "\xff"}, 1)))
		_, err := dial(t, served.dir).Documents(requests(1), time.Minute)
		expectAlone(t, err, "")
		served.expectEvents(t, "documents", "alone")
	})
}

func TestTooMuchIsNotSent(t *testing.T) {
	t.Run("question", func(t *testing.T) {
		served := serve(t, newExtension())
		client := dial(t, served.dir)
		_, err := client.Documents(requests(10_000), time.Minute)
		expectAlone(t, err, "")
		client.Close()
		served.expectEvent(t, "alone")
	})
	t.Run("documents", func(t *testing.T) {
		served := serve(t, newExtension(slices.Repeat([]fetch.Outcome{document(make([]byte, 65536))}, 1025)...))
		_, err := dial(t, served.dir).Documents(requests(1025), time.Minute)
		expectAlone(t, err, "")
		served.expectEvents(t, "documents", "alone")
	})
	t.Run("files", func(t *testing.T) {
		served := serve(t, newExtension())
		client := dial(t, served.dir)
		_, err := client.Documents(nil, time.Minute)
		must(t, err)
		_, err = client.Publish(handover.Files{Dir: strings.Repeat("x", 9<<20)})
		expectAlone(t, err, "")
		served.expectEvents(t, "documents", "alone")
	})
}

func TestTheExtensionMayDecline(t *testing.T) {
	answering := newExtension()
	answering.documents = func([]awssecrets.Request, time.Duration) ([]fetch.Outcome, error) { return nil, errors.New(canary) }
	served := serve(t, answering)
	_, err := dial(t, served.dir).Documents(requests(1), time.Minute)
	expectAlone(t, err, "")
	served.expectEvents(t, "documents", "alone")
}

func TestAPanicEndsTheConversationOnly(t *testing.T) {
	tests := map[string]struct {
		spoil func(e *extension)
		want  []string
	}{
		"in Documents": {
			func(e *extension) {
				e.documents = func([]awssecrets.Request, time.Duration) ([]fetch.Outcome, error) { panic(canary) }
			},
			[]string{"documents", "alone"},
		},
		"an error of Publish in its place": {
			func(e *extension) {
				e.publish = func([]awssecrets.Request, handover.Files) (*problem.Problem, error) { return nil, errors.New(canary) }
			},
			[]string{"documents", "publish", "alone"},
		},
		"in Publish": {
			func(e *extension) {
				e.publish = func([]awssecrets.Request, handover.Files) (*problem.Problem, error) {
					panic(fmt.Errorf("value %s", canary))
				}
			},
			[]string{"documents", "publish", "alone"},
		},
		"in Publish and Alone": {
			func(e *extension) {
				e.publish = func([]awssecrets.Request, handover.Files) (*problem.Problem, error) { panic(canary) }
				e.left = func() { panic(canary) }
			},
			[]string{"documents", "publish", "alone"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			answering := newExtension(document([]byte(canary)))
			test.spoil(answering)
			served := serve(t, answering)
			client := dial(t, served.dir)
			_, err := client.Documents(requests(1), time.Minute)
			if err == nil {
				_, err = client.Publish(oneFile())
			}
			expectAlone(t, err, "broke off")
			served.expectEvents(t, test.want...)
		})
	}
}

func TestAPanicInAloneLeavesTheServerToTheNext(t *testing.T) {
	answering := newExtension()
	answering.left = func() { panic(canary) }
	served := serve(t, answering)
	dial(t, served.dir).Close()
	served.expectEvent(t, "alone")
	talk(t, served)
	served.expectEvents(t, "documents", "publish")
}

func TestALateAnswerIsNotWaitedFor(t *testing.T) {
	release := make(chan struct{})
	answering := newExtension()
	answering.documents = func([]awssecrets.Request, time.Duration) ([]fetch.Outcome, error) {
		<-release
		return []fetch.Outcome{document([]byte(canary))}, nil
	}
	served := serve(t, answering)
	client := dial(t, served.dir)
	_, err := client.Documents(requests(1), time.Millisecond)
	if !errors.Is(err, handover.ErrLate) || errors.Is(err, handover.ErrAlone) {
		t.Errorf("Documents = %v", err)
	}
	client.Close()
	close(release)
	served.expectEvents(t, "documents", "alone")
}

func TestTheWrapperMayLeaveAtAnyTime(t *testing.T) {
	t.Run("before it asks", func(t *testing.T) {
		served := serve(t, newExtension())
		dial(t, served.dir).Close()
		served.expectEvent(t, "alone")
		talk(t, served)
		served.expectEvents(t, "documents", "publish")
	})
	t.Run("while documents are fetched", func(t *testing.T) {
		leaving := make(chan struct{})
		answering := newExtension()
		answering.documents = func([]awssecrets.Request, time.Duration) ([]fetch.Outcome, error) {
			<-leaving
			return []fetch.Outcome{document(make([]byte, 65536))}, nil
		}
		served := serve(t, answering)
		raw := connect(t, served.dir)
		write(t, raw, frame(`{"Identity":"`+identity+`","Requests":[{}]}`, ""))
		raw.Close()
		close(leaving)
		served.expectEvents(t, "documents", "alone")
	})
	t.Run("amid the documents", func(t *testing.T) {
		served := serve(t, newExtension(slices.Repeat([]fetch.Outcome{document(make([]byte, 65536))}, 100)...))
		raw := connect(t, served.dir)
		write(t, raw, frame(`{"Identity":"`+identity+`","Requests":[{}]}`, ""))
		read(t, raw, 100_000)
		raw.Close()
		served.expectEvents(t, "documents", "alone")
	})
	t.Run("with its documents", func(t *testing.T) {
		served := serve(t, newExtension(document([]byte(canary))))
		client := dial(t, served.dir)
		_, err := client.Documents(requests(1), time.Minute)
		must(t, err)
		client.Close()
		served.expectEvents(t, "documents", "alone")
	})
	t.Run("while files are published", func(t *testing.T) {
		leaving := make(chan struct{})
		answering := newExtension(document(nil))
		answering.publish = func([]awssecrets.Request, handover.Files) (*problem.Problem, error) { <-leaving; return nil, nil }
		served := serve(t, answering)
		raw := connect(t, served.dir)
		write(t, raw, frame(`{"Identity":"`+identity+`","Requests":[{}]}`, ""))
		readFrame(t, raw)
		write(t, raw, frame(`{"Dir":"/d","Copies":[{"File":"f"}]}`, ""))
		raw.Close()
		close(leaving)
		served.expectEvents(t, "documents", "publish", "alone")
	})
}

func TestWithoutFilesTheWrapperDoesNotWait(t *testing.T) {
	left := make(chan struct{})
	answering := newExtension(document([]byte("x")))
	answering.publish = func(_ []awssecrets.Request, files handover.Files) (*problem.Problem, error) {
		<-left
		if files.Dir != "/d" {
			t.Errorf("files %+v", files)
		}
		return nil, nil
	}
	served := serve(t, answering)
	client := dial(t, served.dir)
	_, err := client.Documents(requests(1), time.Minute)
	must(t, err)
	if p, err := client.Publish(handover.Files{Dir: "/d"}); p != nil || err != nil {
		t.Errorf("Publish = %v, %v", p, err)
	}
	close(left)
	served.expectEvents(t, "documents", "publish")
}

func TestTheWrapperWaitsUntilFormerFilesAreGone(t *testing.T) {
	answering := newExtension(document([]byte("x")))
	var removed atomic.Bool
	answering.publish = func([]awssecrets.Request, handover.Files) (*problem.Problem, error) {
		removed.Store(true)
		return nil, nil
	}
	served := serve(t, answering)
	client := dial(t, served.dir)
	_, err := client.Documents(requests(1), time.Minute)
	must(t, err)
	if p, err := client.Publish(handover.Files{Dir: "/d", Former: true}); p != nil || err != nil || !removed.Load() {
		t.Errorf("Publish = %v, %v; removed %t", p, err, removed.Load())
	}
}

func TestOneWrapperIsAnswered(t *testing.T) {
	served := serve(t, newExtension(document([]byte("x"))))
	second := dial(t, served.dir)
	silent := connect(t, served.dir)
	first := dial(t, served.dir)
	_, err := first.Documents(requests(1), time.Minute)
	must(t, err)

	_, err = second.Documents(requests(1), time.Minute)
	expectAlone(t, err, "broke off")
	expectEnd(t, silent)
	_, err = handover.Dial(served.dir, identity)
	expectAlone(t, err, "nobody answers: no such file or directory")

	expectPublished(t, first)
	served.expectEvents(t, "documents", "publish")
	_, err = handover.Dial(served.dir, identity)
	expectAlone(t, err, "nobody answers: no such file or directory")
}

func TestWhoeverConnectsAndLeavesIsInNobodysWay(t *testing.T) {
	served := serve(t, newExtension(document([]byte("x"))))
	for range 50 {
		connectSilently(t, served.dir).Close()
	}
	talk(t, served)
	// None of them may take the files from the wrapper that was answered.
	events := served.events(t)
	if at := slices.Index(events, "documents"); at < 0 || !slices.Equal(events[at:], []string{"documents", "publish"}) {
		t.Errorf("events %q", events)
	}
}
