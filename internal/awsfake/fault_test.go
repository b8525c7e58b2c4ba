package awsfake_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"secretwrap/internal/awsfake"
)

// refused returns a check that an answer is an error with status and code,
// whose message holds words.
func refused(status int, code, words string) func(*testing.T, response, error) {
	return func(t *testing.T, got response, err error) {
		if err != nil {
			t.Fatal(err)
		}
		message, _ := got.member(t, "Message").(string)
		if got.StatusCode != status || got.member(t, "__type") != code || !strings.Contains(message, words) {
			t.Errorf("status %d, body %s", got.StatusCode, got.body)
		}
	}
}

// answered returns a check that an answer has this status, type and text.
func answered(status int, contentType, words string) func(*testing.T, response, error) {
	return func(t *testing.T, got response, err error) {
		if err != nil {
			t.Fatal(err)
		}
		if got.StatusCode != status || got.Header.Get("Content-Type") != contentType || !strings.Contains(string(got.body), words) {
			t.Errorf("status %d, type %q, body %s", got.StatusCode, got.Header.Get("Content-Type"), got.body)
		}
	}
}

// held returns a check that an answer is a success with a member.
func held(member string, want any) func(*testing.T, response, error) {
	return func(t *testing.T, got response, err error) {
		if err != nil {
			t.Fatal(err)
		}
		if value := got.member(t, member); got.StatusCode != 200 || value != want {
			t.Errorf("status %d, %s = %v, want %v", got.StatusCode, member, value, want)
		}
	}
}

func TestEachFaultDoesWhatItsNameSays(t *testing.T) {
	const json = "application/x-amz-json-1.1"
	tests := map[awsfake.Fault]func(*testing.T, response, error){
		awsfake.OK:                 held("SecretString", "open sesame"),
		awsfake.Throttled:          refused(400, "ThrottlingException", "Rate exceeded"),
		awsfake.Denied:             refused(400, "AccessDeniedException", "on resource: arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-"),
		awsfake.DeniedXML:          answered(403, "text/xml", "<Code>AccessDenied</Code>"),
		awsfake.KMSDenied:          refused(400, "AccessDeniedException", "Access to KMS is not allowed"),
		awsfake.DecryptionFailure:  refused(400, "DecryptionFailure", "can't decrypt"),
		awsfake.NotFound:           refused(400, "ResourceNotFoundException", "can't find the specified secret."),
		awsfake.PendingDeletion:    refused(400, "InvalidRequestException", "marked for deletion"),
		awsfake.ExpiredToken:       refused(400, "ExpiredTokenException", "expired"),
		awsfake.UnrecognizedClient: refused(400, "UnrecognizedClientException", "invalid"),
		awsfake.InvalidSignature:   refused(400, "InvalidSignatureException", "does not match"),
		awsfake.Internal:           refused(500, "InternalServiceError", "server side"),
		awsfake.Unavailable:        answered(503, "text/plain", ""),
		awsfake.UnknownCode:        refused(400, "FlyingSaucerException", ""),
		awsfake.Leaky:              refused(400, "ValidationException", "open sesame"),
		awsfake.ErrorHTML:          answered(500, "text/html", "<html>"),
		awsfake.Redirect:           redirected,
		awsfake.Reset:              reset,
		awsfake.Close:              closed,
		awsfake.Truncated:          truncated,
		awsfake.Hang:               nil, // TestHangNeverEndsAsAnAnswer
		awsfake.Drip:               nil, // TestDripSendsOneByteASecond
		awsfake.Empty:              emptied,
		awsfake.Nothing:            answered(200, json, "{}"),
		awsfake.Both:               both,
		awsfake.WrongTypes:         held("SecretString", 123.0),
		awsfake.WrongSecret:        wrongSecret,
		awsfake.BadBase64:          badBase64,
		awsfake.NoUnicode:          answered(200, json, `"s3cr3t \ud800"`),
		awsfake.HTML:               answered(200, "text/html", "<html>"),
		awsfake.Large:              large,
		awsfake.Oversized:          nil, // TestOversizedEndsWhenTheClientLeaves
		awsfake.Gzip:               gzipped,
	}
	for _, fault := range awsfake.Faults() {
		check, ok := tests[fault]
		if !ok {
			t.Errorf("fault %q has no test", fault)
		}
		if check == nil {
			continue
		}
		t.Run(string(fault), func(t *testing.T) {
			got, err := call(t, plain(t, fault), `{"SecretId":"prod/db"}`)
			check(t, got, err)
		})
	}
}

func redirected(t *testing.T, got response, err error) {
	if err != nil {
		t.Fatal(err)
	}
	if location := got.Header.Get("Location"); got.StatusCode != 307 || !strings.HasPrefix(location, "http://localhost:") {
		t.Errorf("status %d, Location %q", got.StatusCode, location)
	}
}

func reset(t *testing.T, _ response, err error) {
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("error %v, want a reset connection", err)
	}
}

func closed(t *testing.T, _ response, err error) {
	if !errors.Is(err, io.EOF) {
		t.Errorf("error %v, want the end of the connection", err)
	}
}

func truncated(t *testing.T, got response, err error) {
	if err != nil {
		t.Fatal(err)
	}
	if !errors.Is(got.broken, io.ErrUnexpectedEOF) || int64(len(got.body)) >= got.ContentLength || len(got.body) == 0 {
		t.Errorf("%d of %d bytes, error %v", len(got.body), got.ContentLength, got.broken)
	}
}

func emptied(t *testing.T, got response, err error) {
	if err != nil || got.StatusCode != 200 || len(got.body) != 0 {
		t.Errorf("status %d, body %q, error %v", got.StatusCode, got.body, err)
	}
}

func both(t *testing.T, got response, err error) {
	held("SecretString", "text")(t, got, err)
	held("SecretBinary", "Ynl0ZXM=")(t, got, err)
}

func wrongSecret(t *testing.T, got response, err error) {
	held("Name", "another")(t, got, err)
	held("ARN", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:another-AbCdEf")(t, got, err)
}

func badBase64(t *testing.T, got response, err error) {
	held("SecretString", nil)(t, got, err)
	text, _ := got.member(t, "SecretBinary").(string)
	if _, err := base64.StdEncoding.DecodeString(text); err == nil {
		t.Errorf("SecretBinary = %q can be decoded", text)
	}
}

func large(t *testing.T, got response, err error) {
	held("Name", "prod/db")(t, got, err)
	if len(got.body) < 600<<10 || len(got.body) > 601<<10 {
		t.Errorf("%d bytes", len(got.body))
	}
}

func gzipped(t *testing.T, got response, err error) {
	if err != nil {
		t.Fatal(err)
	}
	if encoding := got.Header.Get("Content-Encoding"); encoding != "gzip" {
		t.Errorf("Content-Encoding = %q", encoding)
	}
	reader, err := gzip.NewReader(bytes.NewReader(got.body))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	held("SecretString", "open sesame")(t, response{got.Response, body, nil}, nil)
}

func TestOversizedEndsWhenTheClientLeaves(t *testing.T) {
	server := plain(t, awsfake.Oversized)
	got, err := client(server).Do(newRequest(t.Context(), server.URL(), `{"SecretId":"prod/db"}`))
	if err != nil {
		t.Fatal(err)
	}
	read, err := io.CopyN(io.Discard, got.Body, 2<<20)
	if err != nil || got.ContentLength >= 0 {
		t.Errorf("%d bytes, error %v, announced %d", read, err, got.ContentLength)
	}
	got.Body.Close()
	server.Close()
}

func TestDripSendsOneByteASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, dial := piped(t, awsfake.Config{PlainHTTP: true, Secrets: []awsfake.Secret{{
			Name: "a", Versions: []awsfake.Version{{String: new("value")}}, Faults: []awsfake.Fault{awsfake.Drip},
		}}})
		got, err := dial.Do(newRequest(t.Context(), "http://fake/", `{"SecretId":"a"}`))
		if err != nil {
			t.Fatal(err)
		}
		before := time.Now()
		if _, err := io.ReadFull(got.Body, make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(before); took != 9*time.Second {
			t.Errorf("10 bytes took %v", took)
		}
		got.Body.Close()
	})
}

func TestAHungCallEndsWhenTheClientLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, dial := piped(t, awsfake.Config{PlainHTTP: true, Secrets: []awsfake.Secret{{Name: "a", Faults: []awsfake.Fault{awsfake.Hang}}}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := dial.Do(newRequest(ctx, "http://fake/", `{"SecretId":"a"}`)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		synctest.Wait()
		if len(fake.Calls()) != 1 {
			t.Errorf("%d calls", len(fake.Calls()))
		}
	})
}

func TestResetAndCloseWorkOverTLSAndHTTP2(t *testing.T) {
	for _, fault := range []awsfake.Fault{awsfake.Reset, awsfake.Close} {
		for _, http2 := range []bool{false, true} {
			server := start(t, awsfake.Config{Secrets: []awsfake.Secret{{Name: "a", Faults: []awsfake.Fault{fault}}}})
			caller := client(server)
			caller.Transport.(*http.Transport).ForceAttemptHTTP2 = http2
			r := newRequest(t.Context(), server.URL(), `{"SecretId":"a"}`)
			r.GetBody = nil // or the transport would try again by itself
			if got, err := caller.Do(r); err == nil {
				t.Errorf("%s, HTTP/2 %v: status %d", fault, http2, got.StatusCode)
			}
		}
	}
}

func TestResetWorksUnderAServerOfTheCallersToo(t *testing.T) {
	fake, err := awsfake.New(awsfake.Config{Secrets: []awsfake.Secret{{Name: "a", Faults: []awsfake.Fault{awsfake.Reset}}}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(fake)
	defer server.Close()
	if got, err := client(fake).Do(newRequest(t.Context(), server.URL, `{"SecretId":"a"}`)); err == nil {
		t.Errorf("status %d", got.StatusCode)
	}
}

func TestFaultsArePlayedInOrderAndTheLastStays(t *testing.T) {
	server := plain(t, awsfake.Throttled, awsfake.Internal, awsfake.OK)
	for i, want := range []int{400, 500, 200, 200} {
		if got := mustCall(t, server, `{"SecretId":"prod/db"}`).StatusCode; got != want {
			t.Errorf("call %d: status %d, want %d", i+1, got, want)
		}
	}
}

func TestAFaultIsChosenWhereASecretHasNone(t *testing.T) {
	var asked []string
	server := start(t, awsfake.Config{
		Secrets: []awsfake.Secret{
			{Name: "chosen", Versions: []awsfake.Version{{String: new("a")}}},
			{Name: "own", Versions: []awsfake.Version{{String: new("b")}}, Faults: []awsfake.Fault{awsfake.OK}},
		},
		Choose: func(name string) awsfake.Fault {
			asked = append(asked, name)
			return awsfake.Throttled
		},
	})
	for name, status := range map[string]int{"chosen": 400, "own": 200} {
		if got := mustCall(t, server, `{"SecretId":"`+name+`"}`); got.StatusCode != status {
			t.Errorf("%s: status %d, want %d", name, got.StatusCode, status)
		}
	}
	if !slices.Equal(asked, []string{"chosen"}) {
		t.Errorf("asked about %q", asked)
	}
}

func TestAFollowedRedirectIsRecorded(t *testing.T) {
	server := plain(t, awsfake.Redirect)
	caller := client(server)
	caller.CheckRedirect = nil
	got, err := caller.Do(newRequest(t.Context(), server.URL(), `{"SecretId":"prod/db"}`))
	if err != nil {
		t.Fatal(err)
	}
	got.Body.Close()
	calls := server.Calls()
	if len(calls) != 2 {
		t.Fatalf("%d calls", len(calls))
	}
	if last := calls[1]; last.Path != "/elsewhere" || !strings.HasPrefix(last.Host, "localhost:") || last.SecretID != "prod/db" {
		t.Errorf("second call = %+v", last)
	}
}

func TestAFaultNeedsNoValue(t *testing.T) {
	server := start(t, awsfake.Config{PlainHTTP: true, Secrets: []awsfake.Secret{{Name: "a", Faults: []awsfake.Fault{awsfake.Both, awsfake.Leaky, awsfake.OK}}}})
	both(t, mustCall(t, server, `{"SecretId":"a"}`), nil)
	refused(400, "ValidationException", "''")(t, mustCall(t, server, `{"SecretId":"a"}`), nil)
	refused(400, "ResourceNotFoundException", "staging label: AWSCURRENT")(t, mustCall(t, server, `{"SecretId":"a"}`), nil)
}
