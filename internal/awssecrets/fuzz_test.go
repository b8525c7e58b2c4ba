package awssecrets_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"secretwrap/internal/awssecrets"
)

// told is everything that the cause of an error may say. Of the server it holds a
// status, a code of letters, the id of a request.
var told = regexp.MustCompile(`^(throttled|access denied|KMS refused to decrypt the secret|no such secret, version or stage in eu-west-1|` +
	`the secret is scheduled for deletion|the credentials were refused: [A-Za-z]+|Secrets Manager failed: HTTP [0-9]{1,3}|` +
	`Secrets Manager refused the request: (HTTP [0-9]{1,3}|[A-Za-z.]{1,64})|the answer (cannot be read|holds no secret|is about another secret|` +
	`is larger than any secret|is compressed, which was not asked for|is a redirect, which is not followed)|the connection failed|no answer in time|the secret's text is not valid Unicode)` +
	`( \(request [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\))?$`)

func FuzzWhatSecretsManagerAnswers(f *testing.F) {
	const id = "x-amzn-RequestId: a1b2c3d4-0000-4000-8000-0123456789ab"
	for _, seed := range []struct {
		status  uint16
		headers string
		body    string
	}{
		{200, id, secret},
		{200, "Date: Sun, 06 Nov 1994 08:49:37 GMT", `{"ARN":"arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf","Name":"prod/db","SecretBinary":"AAEC","VersionId":"v1","VersionStages":["AWSCURRENT"],"CreatedDate":1.5e9}`},
		{200, "X-Amz-Crc32: 1", `{"Name":"prod/db","SecretString":"\ud83d\udd11 \u0000 \\ \" \/","SecretBinary":null}`},
		{200, "", `{"Name":"prod/db","SecretString":"a\ud800b"}`},
		{200, "", `{"Name":"prod/db","SecretString":"a","CreatedDate":"NaN"}`},
		{200, "", `{"Name":"prod/db","SecretString":"a","SecretString":"b"}`},
		{200, "", "{\"Name\":\"prod/db\",\"SecretString\":\"\xff\"}"},
		{200, "", secret + secret},
		{200, "Content-Encoding: gzip", "\x1f\x8b\x08"},
		{200, "", `{"Name":"prod/other","SecretString":"a"}`},
		{200, "", `{"Name":"prod/db","SecretString":null,"SecretBinary":""}`},
		{200, "", `{"Name":"prod/db","SecretString":"\ufffd"}`},
		{200, "", `{"name":"prod/db","secretString":"x"}`},
		{200, "", `{"Name":"prod/db","SecretString":{"a":1}}`},
		{200, "", `{"ARN":1,"VersionStages":["x",null],"CreatedDate":1.5}`},
		{200, "", ""},
		{200, "", "null"},
		{101, "Upgrade: any\r\nConnection: Upgrade", secret},
		{103, "Link: a", ""},
		{307, "Location: https://elsewhere.test/", ""},
		{400, id, `{"__type":"com.amazonaws.secretsmanager#ResourceNotFoundException","Message":"` + canary + `"}`},
		{400, "X-Amzn-ErrorType: AccessDeniedException:http://a", `{"message":"Access to KMS is not allowed"}`},
		{400, "x-amzn-RequestId: " + canary, `{"__type":"` + canary + `"}`},
		{400, "", `{"__type":"ThrottlingException"}`},
		{400, "", `{"__type":[]}`},
		{403, "Content-Type: text/html", "<html>" + canary},
		{500, "Transfer-Encoding: chunked", "5\r\nabcde\r\n0\r\n\r\n"},
		{999, "", ""},
		{39, "", ""},
	} {
		f.Add(seed.status, seed.headers, []byte(seed.body))
	}
	var answer string
	client := clientOver(f, plainEndpoint, says(func(connection net.Conn) {
		_, _ = io.WriteString(connection, answer)
		connection.Close()
	}))
	f.Fuzz(func(t *testing.T, status uint16, headers string, body []byte) {
		defer client.Disconnect()
		status %= 1000
		answer = fmt.Sprintf("HTTP/1.1 %03d Status\r\nConnection: close\r\n%s\r\n\r\n%s", status, headers, body)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		got, err := client.Get(ctx, awssecrets.Request{Secret: "prod/db"}, 0)
		if err != nil {
			checkTold(t, asError(t, err), got)
			return
		}
		if headers == "" && status >= 200 { // what follows an interim answer is another one
			checkUnaltered(t, body, got)
		}
	})
}

// checkTold checks that an error says nothing of an answer, and brings no value.
func checkTold(t *testing.T, err *awssecrets.Error, got awssecrets.Document) {
	t.Helper()
	if !told.MatchString(err.Cause) || strings.Contains(err.Hint, canary) {
		t.Errorf("%+v", *err)
	}
	if got.Value.Len() > 0 {
		t.Error("a value came with the error")
	}
}

// checkUnaltered compares the value with the one that encoding/json reads in the body.
func checkUnaltered(t *testing.T, body []byte, got awssecrets.Document) {
	t.Helper()
	var sent struct {
		text   *string
		binary []byte
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil || !utf8.Valid(body) {
		t.Fatalf("read %q of %q", got.Value.Reveal(), body)
	}
	if text, ok := fields["SecretString"]; ok && json.Unmarshal(text, &sent.text) != nil {
		t.Fatalf("a string was read where there is %s", text)
	}
	if binary, ok := fields["SecretBinary"]; ok && json.Unmarshal(binary, &sent.binary) != nil {
		t.Fatalf("binary was read where there is %s", binary)
	}
	if strings.ContainsRune(string(got.Value.Reveal()), utf8.RuneError) && !strings.Contains(string(body), string(utf8.RuneError)) && !strings.Contains(strings.ToLower(string(body)), `\ufffd`) {
		t.Errorf("a character was replaced: %q of %q", got.Value.Reveal(), body)
	}
	want := string(sent.binary)
	if sent.text != nil {
		want = *sent.text
	}
	if string(got.Value.Reveal()) != want || got.Binary != (sent.text == nil) {
		t.Errorf("read %q, binary %v, of %q", got.Value.Reveal(), got.Binary, body)
	}
}
