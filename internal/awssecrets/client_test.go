package awssecrets_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/awssecrets"
	"secretwrap/internal/problem"
)

func TestAStringIsReadByteForByte(t *testing.T) {
	for _, value := range []string{"open sesame", "", " \t\n", "\"\\/\u2028", "\x00\x7f", "🔑", `{"a":1.10}`} {
		server := start(t, awsfake.Config{Secrets: []awsfake.Secret{{Name: "a", Versions: []awsfake.Version{{ID: "v1", String: &value}}}}})
		got, err := get(t, clientOf(t, server), "a")
		if err != nil {
			t.Fatalf("%q: %v", value, err)
		}
		if string(got.Value.Reveal()) != value || got.Binary || got.VersionID != "v1" {
			t.Errorf("%q: read %q, binary %v, version %q", value, got.Value.Reveal(), got.Binary, got.VersionID)
		}
	}
}

func TestABinaryIsReadByteForByte(t *testing.T) {
	value := []byte{0, 0xff, '\n', 0x80}
	server := start(t, awsfake.Config{Secrets: []awsfake.Secret{{Name: "a", Versions: []awsfake.Version{{ID: "v1", Binary: value}}}}})
	got, err := get(t, clientOf(t, server), "a")
	if err != nil {
		t.Fatal(err)
	}
	if string(got.Value.Reveal()) != string(value) || !got.Binary || got.VersionID != "v1" {
		t.Errorf("read %x, binary %v, version %q", got.Value.Reveal(), got.Binary, got.VersionID)
	}
}

func TestOfStringAndBinaryTheStringIsTaken(t *testing.T) {
	got, err := get(t, clientOf(t, holding(t, awsfake.Both)), "prod/db")
	if err != nil || string(got.Value.Reveal()) != "text" || got.Binary {
		t.Errorf("read %q, binary %v, error %v", got.Value.Reveal(), got.Binary, err)
	}
}

func TestDocumentsReadAtOnceKeepTheirValues(t *testing.T) {
	const secrets = 50
	var config awsfake.Config
	for i := range secrets {
		value := strings.Repeat(fmt.Sprintf("%02d", i), 1000)
		config.Secrets = append(config.Secrets, awsfake.Secret{Name: fmt.Sprint("s", i), Versions: []awsfake.Version{{String: &value}}})
	}
	client := clientOf(t, start(t, config))
	documents, failures := make([]awssecrets.Document, secrets), make(chan error, secrets)
	for i := range secrets {
		go func() {
			var err error
			documents[i], err = client.Get(t.Context(), awssecrets.Request{Secret: fmt.Sprint("s", i)}, 0)
			failures <- err
		}()
	}
	for range secrets {
		if err := <-failures; err != nil {
			t.Fatal(err)
		}
	}
	for i, document := range documents {
		if string(document.Value.Reveal()) != *config.Secrets[i].Versions[0].String {
			t.Errorf("s%d holds another value", i)
		}
	}
}

func TestTheAnswerMustBeAboutTheSecretAskedFor(t *testing.T) {
	const arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db"
	tests := []struct {
		name, asked       string
		answered, withARN string
		same              bool
	}{
		{"its name", "prod/db", "prod/db", arn + "-AbCdEf", true},
		{"its name with the suffix of an ARN", "prod/db-AbCdEf", "prod/db-AbCdEf", arn + "-AbCdEf-GhIjKl", true},
		{"another name", "prod/db", "prod/db2", arn + "2-AbCdEf", false},
		{"a name in other case", "prod/db", "prod/DB", arn + "-AbCdEf", false},
		{"no name", "prod/db", "", arn + "-AbCdEf", false},
		{"its ARN", arn + "-AbCdEf", "prod/db", arn + "-AbCdEf", true},
		{"its ARN without the suffix", arn, "prod/db", arn + "-AbCdEf", true},
		{"an ARN with another suffix", arn + "-AbCdEf", "prod/db", arn + "-GhIjKl", false},
		{"the ARN of a longer name", arn, "prod/db-replica", arn + "-replica-AbCdEf", false},
		{"the ARN of a name that is longer by as much", arn, "prod/dbABCDEFG", arn + "ABCDEFG", false},
		{"an ARN in another region", arn + "-AbCdEf", "prod/db", strings.Replace(arn, "eu-west-1", "eu-west-2", 1) + "-AbCdEf", false},
		{"an ARN in another account", arn, "prod/db", strings.Replace(arn, "123456789012", "210987654321", 1) + "-AbCdEf", false},
		{"no ARN", arn, "prod/db", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			endpoint := answering(t, func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprintf(w, `{"ARN":%q,"Name":%q,"SecretString":%q}`, test.withARN, test.answered, canary)
			})
			got, err := get(t, clientAt(t, endpoint), test.asked)
			if test.same {
				if err != nil || string(got.Value.Reveal()) != canary {
					t.Errorf("error %v", err)
				}
				return
			}
			wantFailure(t, asError(t, err), problem.Invalid, awssecrets.Never, "the answer is about another secret")
			if got.Value.Len() != 0 {
				t.Error("a value came with the error")
			}
		})
	}
}

func TestTheRequestIsPassedOnAsItIs(t *testing.T) {
	const arn = "arn:aws:secretsmanager:us-east-2:123456789012:secret:prod/db-AbCdEf"
	server := start(t, awsfake.Config{Secrets: []awsfake.Secret{{Name: "prod/db", ARN: arn, Versions: []awsfake.Version{
		{ID: "v2", String: new("new")},
		{ID: "v1", String: new("old"), Stages: []string{"AWSPREVIOUS"}},
	}}}})
	client := clientOf(t, server)
	tests := []struct {
		request awssecrets.Request
		value   string
		region  string
	}{
		{awssecrets.Request{Secret: "prod/db"}, "new", region},
		{awssecrets.Request{Secret: "prod/db", Stage: "AWSPREVIOUS"}, "old", region},
		{awssecrets.Request{Secret: "prod/db", Version: "v1"}, "old", region},
		{awssecrets.Request{Secret: "prod/db", Version: "v1", Stage: "AWSPREVIOUS"}, "old", region},
		{awssecrets.Request{Secret: arn, Region: "us-east-2"}, "new", "us-east-2"},
		{awssecrets.Request{Secret: "prod/db"}, "new", region},
	}
	for i, test := range tests {
		got, err := client.Get(t.Context(), test.request, 0)
		if err != nil || string(got.Value.Reveal()) != test.value {
			t.Errorf("%+v: read %q, error %v", test.request, got.Value.Reveal(), err)
		}
		call := server.Calls()[i]
		if call.SecretID != test.request.Secret || call.VersionID != test.request.Version || call.VersionStage != test.request.Stage {
			t.Errorf("%+v: call %+v", test.request, call)
		}
		scope := awsfake.Signature{Signed: true, AccessKeyID: "AKIDEXAMPLE", Date: call.Signature.Date, Region: test.region, Service: "secretsmanager"}
		if call.Signature != scope || !call.SecurityToken || call.AcceptEncoding == "gzip" {
			t.Errorf("%+v: signature %+v, call %+v", test.request, call.Signature, call)
		}
		if !strings.Contains(call.UserAgent, "app/secretwrap") {
			t.Errorf("user agent %q", call.UserAgent)
		}
	}
}

func TestAnAbsentStageOrVersionIsAbsent(t *testing.T) {
	client := clientOf(t, holding(t))
	for _, request := range []awssecrets.Request{
		{Secret: "prod/other"}, {Secret: "prod/db", Stage: "AWSPENDING"}, {Secret: "prod/db", Version: "v9"},
	} {
		_, err := client.Get(t.Context(), request, 0)
		got := asError(t, err)
		wantFailure(t, got, problem.NotFound, awssecrets.Never, "no such secret, version or stage in eu-west-1")
		if !got.Absent {
			t.Errorf("%+v: not absent", request)
		}
	}
}

// The SDK signs with the time of the server's last answer. An answer from
// something with a wrong clock spoils one signature; the refusal heals the next.
func TestAWrongClockInAnAnswerIsHealedByTheNext(t *testing.T) {
	var calls atomic.Int32
	var scopes [3]string
	endpoint := answering(t, func(w http.ResponseWriter, r *http.Request) {
		call := calls.Add(1) - 1
		scopes[call], _, _ = strings.Cut(r.Header.Get("X-Amz-Date"), "T")
		switch call {
		case 0:
			w.Header().Set("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
			w.WriteHeader(503)
		case 1:
			refusal(400, "InvalidSignatureException", "Signature expired")(w, r)
		default:
			fmt.Fprintf(w, `{"Name":"prod/db","SecretString":"value"}`)
		}
	})
	client := clientAt(t, endpoint)
	before := time.Now().UTC().Format("20060102")
	failure(t, client, "prod/db")
	wantFailure(t, failure(t, client, "prod/db"), problem.Denied, awssecrets.Renewed, "the credentials were refused: InvalidSignatureException")
	if _, err := get(t, client, "prod/db"); err != nil {
		t.Error(err)
	}
	after := time.Now().UTC().Format("20060102")
	if scopes[1] != "19941106" || scopes[2] < before || scopes[2] > after {
		t.Errorf("signed at %v", scopes)
	}
}
