package awsfake_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"secretwrap/internal/awsfake"
)

const authorization = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/eu-west-1/secretsmanager/aws4_request, SignedHeaders=host;x-amz-date, Signature=0123abcd"

// plain returns a server over http with one secret, prod/db.
func plain(t *testing.T, faults ...awsfake.Fault) *awsfake.Server {
	t.Helper()
	return start(t, awsfake.Config{PlainHTTP: true, Secrets: []awsfake.Secret{{
		Name:     "prod/db",
		Versions: []awsfake.Version{{ID: "v1", String: new("open sesame")}},
		Faults:   faults,
	}}})
}

func start(t *testing.T, config awsfake.Config) *awsfake.Server {
	t.Helper()
	server, err := awsfake.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

// client returns a client that trusts the server's CA, keeps no connections
// and follows no redirects.
func client(server *awsfake.Server) *http.Client {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(server.CA())
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true, TLSClientConfig: &tls.Config{RootCAs: roots}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func newRequest(ctx context.Context, url, body string) *http.Request {
	r, _ := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "secretsmanager.GetSecretValue")
	r.Header.Set("Authorization", authorization)
	return r
}

// response is an answer with its body.
type response struct {
	*http.Response
	body []byte
	// broken is why the body could not be read to its end.
	broken error
}

func (r response) member(t *testing.T, name string) any {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal(r.body, &members); err != nil {
		t.Fatalf("the body is not JSON: %v", err)
	}
	return members[name]
}

func call(t *testing.T, server *awsfake.Server, body string) (response, error) {
	t.Helper()
	got, err := client(server).Do(newRequest(t.Context(), server.URL(), body))
	if err != nil {
		return response{}, err
	}
	defer got.Body.Close()
	text, broken := io.ReadAll(got.Body)
	return response{got, text, broken}, nil
}

func mustCall(t *testing.T, server *awsfake.Server, body string) response {
	t.Helper()
	got, err := call(t, server, body)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestASecretIsFoundByNameAndARN(t *testing.T) {
	server := plain(t)
	arn, _ := mustCall(t, server, `{"SecretId":"prod/db"}`).member(t, "ARN").(string)
	if !strings.HasPrefix(arn, "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-") {
		t.Errorf("ARN = %q", arn)
	}
	for _, id := range []string{"prod/db", arn, arn[:len(arn)-len("-AbCdEf")]} {
		got := mustCall(t, server, `{"SecretId":"`+id+`"}`)
		if got.StatusCode != 200 || got.member(t, "SecretString") != "open sesame" {
			t.Errorf("%s: status %d, body %s", id, got.StatusCode, got.body)
		}
		if got.Header.Get("X-Amzn-Requestid") == "" {
			t.Errorf("%s: no request id", id)
		}
	}
	again := plain(t)
	if got := mustCall(t, again, `{"SecretId":"prod/db"}`).member(t, "ARN"); got != arn {
		t.Errorf("another server calls the same secret %v", got)
	}
}

func TestWhatCannotBeAnsweredIsRefusedAsAWSDoes(t *testing.T) {
	server := plain(t)
	tests := map[string]struct {
		body, code, message string
		change              func(*http.Request)
		status              int
	}{
		"a secret that does not exist": {
			body: `{"SecretId":"nope"}`, status: 400, code: "ResourceNotFoundException",
			message: "Secrets Manager can't find the specified secret.",
		},
		"a secret of another region": {
			body: `{"SecretId":"arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db"}`, status: 400, code: "ResourceNotFoundException",
			message: "Secrets Manager can't find the specified secret.",
		},
		"a stage that does not exist": {
			body: `{"SecretId":"prod/db","VersionStage":"AWSPENDING"}`, status: 400, code: "ResourceNotFoundException",
			message: "Secrets Manager can't find the specified secret value for staging label: AWSPENDING",
		},
		"a version that does not exist": {
			body: `{"SecretId":"prod/db","VersionId":"v9"}`, status: 400, code: "ResourceNotFoundException",
			message: "Secrets Manager can't find the specified secret value for VersionId: v9",
		},
		"a version without the stage": {
			body: `{"SecretId":"prod/db","VersionId":"v1","VersionStage":"AWSPENDING"}`, status: 400, code: "InvalidRequestException",
			message: "You provided a VersionStage that is not associated to the provided VersionId.",
		},
		"no secret id":           {body: `{}`, status: 400, code: "ValidationException"},
		"a body that is no JSON": {body: `{`, status: 400, code: "SerializationException"},
		"no signature": {
			body: `{"SecretId":"prod/db"}`, status: 400, code: "MissingAuthenticationTokenException", message: "Missing Authentication Token",
			change: func(r *http.Request) { r.Header.Del("Authorization") },
		},
		"another action": {
			body: `{}`, status: 400, code: "UnknownOperationException",
			change: func(r *http.Request) { r.Header.Set("X-Amz-Target", "secretsmanager.PutSecretValue") },
		},
		"another path": {
			body: `{"SecretId":"prod/db"}`, status: 404, code: "UnknownOperationException",
			change: func(r *http.Request) { r.URL.Path = "/elsewhere" },
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRequest(t.Context(), server.URL()+"/", test.body)
			if test.change != nil {
				test.change(r)
			}
			raw, err := client(server).Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Body.Close()
			body, _ := io.ReadAll(raw.Body)
			got := response{raw, body, nil}
			message, _ := got.member(t, "Message").(string)
			if got.StatusCode != test.status || got.member(t, "__type") != test.code || !strings.HasPrefix(message, test.message) {
				t.Errorf("status %d, body %s", got.StatusCode, got.body)
			}
			if got.Header.Get("Content-Type") != "application/x-amz-json-1.1" {
				t.Errorf("Content-Type = %q", got.Header.Get("Content-Type"))
			}
		})
	}
}

func TestVersionsArePickedByStageAndID(t *testing.T) {
	server := start(t, awsfake.Config{PlainHTTP: true, Secrets: []awsfake.Secret{{Name: "a", Versions: []awsfake.Version{
		{ID: "v2", String: new("new")},
		{ID: "v1", String: new("old"), Stages: []string{"AWSPREVIOUS", "blue"}},
		{ID: "v0", Binary: []byte{0xff}},
	}}}})
	tests := map[string]any{
		`{"SecretId":"a"}`: "new",
		`{"SecretId":"a","VersionStage":"AWSCURRENT"}`:            "new",
		`{"SecretId":"a","VersionStage":"blue"}`:                  "old",
		`{"SecretId":"a","VersionId":"v1"}`:                       "old",
		`{"SecretId":"a","VersionId":"v1","VersionStage":"blue"}`: "old",
		`{"SecretId":"a","VersionId":"v0"}`:                       nil,
	}
	for body, want := range tests {
		if got := mustCall(t, server, body).member(t, "SecretString"); got != want {
			t.Errorf("%s: SecretString = %v, want %v", body, got, want)
		}
	}
	if got := mustCall(t, server, `{"SecretId":"a","VersionId":"v0"}`).member(t, "SecretBinary"); got != "/w==" {
		t.Errorf("SecretBinary = %v", got)
	}
}

func TestPutRotatesASecret(t *testing.T) {
	server := plain(t, awsfake.Throttled)
	before := mustCall(t, server, `{"SecretId":"prod/db"}`)
	if err := server.Put(awsfake.Secret{Name: "prod/db", Versions: []awsfake.Version{{String: new("changed")}}}); err != nil {
		t.Fatal(err)
	}
	after := mustCall(t, server, `{"SecretId":"prod/db"}`)
	if before.StatusCode != 400 || after.member(t, "SecretString") != "changed" {
		t.Errorf("before: %s, after: %s", before.body, after.body)
	}
}

func TestCallsTellWhatTheClientSent(t *testing.T) {
	server := plain(t)
	r := newRequest(t.Context(), server.URL(), `{"SecretId":"prod/db","VersionId":"v1","VersionStage":"AWSCURRENT"}`)
	r.Header.Set("X-Amz-Security-Token", "token")
	r.Header.Set("User-Agent", "test/1")
	r.Host = "secretsmanager.eu-west-1.amazonaws.com"
	got, err := client(server).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	got.Body.Close()
	mustCall(t, server, `{"SecretId":"nope"}`)

	calls := server.Calls()
	if len(calls) != 2 || server.Connections() != 2 {
		t.Fatalf("%d calls on %d connections", len(calls), server.Connections())
	}
	first := calls[0]
	if first.Time.IsZero() {
		t.Error("the call has no time")
	}
	first.Time, first.Answered = time.Time{}, time.Time{}
	want := awsfake.Call{
		Proto: "HTTP/1.1", Path: "/", Action: "GetSecretValue",
		SecretID: "prod/db", VersionID: "v1", VersionStage: "AWSCURRENT",
		Signature:     awsfake.Signature{Signed: true, AccessKeyID: "AKIDEXAMPLE", Date: "20260102", Region: "eu-west-1", Service: "secretsmanager"},
		SecurityToken: true, Host: "secretsmanager.eu-west-1.amazonaws.com", UserAgent: "test/1", Status: 200,
	}
	if first != want {
		t.Errorf("first call = %+v\nwant %+v", first, want)
	}
	if calls[1].SecretID != "nope" || calls[1].Status != 400 {
		t.Errorf("second call = %+v", calls[1])
	}
}

func TestAWrongConfigIsRefused(t *testing.T) {
	tests := map[string]awsfake.Config{
		"a secret without a name":           {Secrets: []awsfake.Secret{{}}},
		"a fault that does not exist":       {Secrets: []awsfake.Secret{{Name: "a", Faults: []awsfake.Fault{"explode"}}}},
		"a certificate that does not exist": {Certificate: "shiny"},
	}
	for name, config := range tests {
		if _, err := awsfake.New(config); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAServerIsAHandlerToo(t *testing.T) {
	fake, err := awsfake.New(awsfake.Config{Secrets: []awsfake.Secret{{Name: "a", Versions: []awsfake.Version{{String: new("value")}}}}})
	if err != nil {
		t.Fatal(err)
	}
	var out recorder
	fake.ServeHTTP(&out, newRequest(t.Context(), "/", `{"SecretId":"a"}`))
	if !bytes.Contains(out.Bytes(), []byte(`"SecretString":"value"`)) {
		t.Errorf("answer = %s", out.Bytes())
	}
}

// recorder is the least that a handler can write to.
type recorder struct {
	bytes.Buffer
	header http.Header
}

func (r *recorder) Header() http.Header {
	if r.header == nil {
		r.header = http.Header{}
	}
	return r.header
}

func (r *recorder) WriteHeader(int) {}
