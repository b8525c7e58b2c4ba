package awssecrets_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/pipenet"
	"secretwrap/internal/problem"
)

const noText = "the secret's text is not valid Unicode"

func TestATextThatIsNoUnicodeIsRefusedAndNotReplaced(t *testing.T) {
	for name, text := range map[string]string{
		"half a surrogate pair":            `CANARY\ud800`,
		"halves in the wrong order":        `\ude00\ud83d`,
		"a byte that is no UTF-8":          "CANARY\xff",
		"a byte that is none, and escapes": "\\n\xff",
		"a surrogate in UTF-8":             "\xed\xa0\x80",
	} {
		t.Run(name, func(t *testing.T) {
			endpoint := answering(t, func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, `{"Name":"prod/db","SecretString":"`+text+`"}`)
			})
			got := failure(t, clientAt(t, endpoint), "prod/db")
			wantFailure(t, got, problem.Invalid, awssecrets.Never, noText)
			if !strings.Contains(got.Hint, "SecretBinary") {
				t.Errorf("the hint is %q", got.Hint)
			}
		})
	}
}

func TestAReplacementCharacterInASecretIsItsOwn(t *testing.T) {
	for _, text := range []string{`\ufffd`, "\ufffd", `\\ud800`, `\ud83d\ude00`} {
		endpoint := answering(t, func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"Name":"prod/db","SecretString":"`+text+`"}`)
		})
		got, err := get(t, clientAt(t, endpoint), "prod/db")
		var want string
		if json.Unmarshal([]byte(`"`+text+`"`), &want) != nil || err != nil || string(got.Value.Reveal()) != want {
			t.Errorf("%s is read as %q, %v", text, got.Value.Reveal(), err)
		}
	}
}

func TestAnAnswerThatParsersReadDifferentlyIsAskedForAgain(t *testing.T) {
	for name, body := range map[string]string{
		"two texts":           `{"Name":"prod/db","SecretString":"CANARY","SecretString":"other"}`,
		"two binaries":        `{"Name":"prod/db","SecretBinary":"QQ==","SecretBinary":"Qg=="}`,
		"two names":           `{"Name":"other","SecretString":"CANARY","N\u0061me":"prod/db"}`,
		"something behind it": `{"Name":"prod/db","SecretString":"CANARY"} CANARY`,
		"two answers":         `{"Name":"prod/db","SecretString":"CANARY"}{"Name":"prod/db","SecretString":"other"}`,
		"a byte order mark":   "\ufeff" + `{"Name":"prod/db","SecretString":"CANARY"}`,
		"cut off in a letter": "{\"Name\":\"prod/db\",\"SecretString\":\"CANARY\xc3",
		"a page in Latin-1":   "<html>\xe9</html>",
		"too deep":            `{"Name":"prod/db","SecretString":"CANARY","X":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			for _, status := range []int{http.StatusOK, http.StatusNonAuthoritativeInfo} {
				endpoint := answering(t, func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(status)
					io.WriteString(w, body)
				})
				wantFailure(t, failure(t, clientAt(t, endpoint), "prod/db"), problem.Unavailable, awssecrets.Always, unreadable)
			}
		})
	}
}

// FuzzAnswer compares what is read from an answer with what encoding/json reads: it
// is that, or nothing.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		`{"Name":"a","SecretString":"s3cr3t \u00e9\ud83d\ude00\u0000"}`, `{"Name":"a","SecretBinary":"AAH/"}`, `{"Name":"a","SecretString":null,"SecretBinary":""}`,
		`{"Name":"a","SecretString":"x","SecretString":"y"}`, `{"Name":"a","SecretString":"\ud800"}`, "{\"Name\":\"a\",\"SecretString\":\"\xff\\n\"}", `{"Name":"a","SecretString":"\ufffd"}`,
		`{"name":"a","secretString":"x"}`, `{"Name":"a","SecretString":"x"} {}`, `{"Name":"a","SecretString":{"a":1}}`, `{"ARN":1,"VersionStages":["x",null],"CreatedDate":1.5}`, ``, `[]`, `null`, `{`,
	} {
		f.Add([]byte(body))
	}
	config, problems := awssecrets.Load(function(map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1"}), nil)
	if len(problems) > 0 {
		f.Fatal(problems)
	}
	listener := pipenet.Listen()
	config.Dial = listener.Dial
	client := awssecrets.New(config)
	var body []byte
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(body) })}
	go func() { _ = server.Serve(listener) }()
	f.Cleanup(func() { _ = server.Close() })
	f.Fuzz(func(t *testing.T, answer []byte) {
		body = answer
		got, err := get(t, client, "a")
		if err != nil {
			if found := asError(t, err); found.Cause == "" || found.Hint == "" || found.Class == 0 {
				t.Errorf("incomplete: %+v", *found)
			}
			return
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(answer, &want); err != nil || !utf8.Valid(answer) {
			t.Fatalf("%q is read as %q", answer, got.Value.Reveal())
		}
		var text *string
		if err := json.Unmarshal(want["SecretString"], &text); want["SecretString"] != nil && err != nil {
			t.Fatal(err)
		}
		value := string(got.Value.Reveal())
		if text != nil {
			replaced := strings.ContainsRune(value, utf8.RuneError) && !strings.Contains(strings.ToLower(string(answer)), "fffd") && !strings.ContainsRune(string(answer), utf8.RuneError)
			if got.Binary || value != *text || replaced {
				t.Errorf("%q is read as %q, binary: %v", answer, value, got.Binary)
			}
			return
		}
		var encoded string
		if err := json.Unmarshal(want["SecretBinary"], &encoded); err != nil {
			t.Fatal(err)
		}
		if raw, err := base64.StdEncoding.DecodeString(encoded); err != nil || !got.Binary || value != string(raw) {
			t.Errorf("%q is read as %q, binary: %v, want %q, %v", answer, value, got.Binary, raw, err)
		}
	})
}
