package awssecrets_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/problem"
)

const noText = "the secret's text is not valid Unicode"

func TestATextThatIsNoUnicodeIsRefusedAndNotReplaced(t *testing.T) {
	for name, text := range map[string]string{
		"the first half of a character":    `CANARY\ud83d`,
		"the second half":                  `\udd11`,
		"halves in the wrong order":        `\uDD11\uD83D`,
		"a letter between the halves":      `\ud83dx\udd11`,
		"an escape after the first half":   `\ud83d\n`,
		"a letter's code in place of one":  `\ud83d\u0041`,
		"a half before a whole one":        `\ud83d\ud83d\udd11`,
		"a backslash before the second":    `\ud83d\\udd11`,
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

func TestWholeCharactersStayAsTheyAre(t *testing.T) {
	for _, text := range []string{`\ufffd`, "\ufffd", `\\ud83d`, `\\\\ud83d`, `\ud83d\udd11`, `\uD83D\uDD11\uD83D\uDD11`, `\u00e4\ud7ff\ue000\ufffd`} {
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
