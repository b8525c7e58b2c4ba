package deliver_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"secretwrap/internal/deliver"
	"secretwrap/internal/problem"
)

const document = `{
  "string": "a \"quoted\" \\ line\nwith é, \u00e9 and \ud83d\ude00",
  "empty": "",
  "money": 1.10,
  "big": 9007199254740993,
  "tiny": -1.0E-400,
  "yes": true,
  "no": false,
  "nothing": null,
  "object": { "a" : 1 ,  "b": [ ] },
  "array": [1,  2 ],
  "spring.datasource.password": "dotted",
  "spring": {"datasource": {"password": "nested"}},
  "replicas": [{"host": "h1"}, {"host": "h2"}],
  "reference": "secretsmanager://other#x"
}`

func TestWhatIsDeliveredForAPath(t *testing.T) {
	tests := map[string]string{
		"string":                     "a \"quoted\" \\ line\nwith é, é and 😀",
		"empty":                      "",
		"money":                      "1.10",
		"big":                        "9007199254740993",
		"tiny":                       "-1.0E-400",
		"yes":                        "true",
		"no":                         "false",
		"object":                     `{ "a" : 1 ,  "b": [ ] }`,
		"array":                      "[1,  2 ]",
		"object.a":                   "1",
		"spring.datasource.password": "dotted",
		"spring.datasource":          `{"password": "nested"}`,
		"replicas.0.host":            "h1",
		"replicas.#.host":            `["h1","h2"]`,
		"replicas.#.none":            "[]",
		"replicas.#":                 "2",
		"reference":                  "secretsmanager://other#x",
	}
	for path, want := range tests {
		got := configuration{environment: []string{"A=secretsmanager://s#" + path}, sources: secrets("s", document)}.deliver(t)
		checkEqual(t, path+" is", variables(got), []string{"A=" + want})
	}
}

func TestWithoutAPathTheSecretIsDeliveredByteForByte(t *testing.T) {
	for _, whole := range []string{
		"plain", " blanks \r\n", "", document, `{"not": json`, "\ufeffmark", "\xff\xfe\x80", "secretsmanager://a", "$(id) `id` '\"\\ | \t  *",
	} {
		got := configuration{
			environment: []string{"A=secretsmanager://s", "T=<{{secretsmanager://s}}>", "F=secretsmanager://s?file"},
			sources:     secrets("s", whole),
		}.deliver(t)
		checkEqual(t, "variables", variables(got), []string{"F=/dir/F", "A=" + whole, "T=<" + whole + ">"})
		checkEqual(t, "files", files(got), []string{"F=" + whole})
	}
}

func TestTemplatesPutTheirPartsTogether(t *testing.T) {
	got := configuration{
		environment: []string{
			"URL=postgres://{{secretsmanager://db#user}}:{{secretsmanager://db?encode=url#pw}}@{{secretsmanager://db#host}}/app",
			"TWICE={{secretsmanager://db#user}}{{secretsmanager://db#user}}",
			"NUMBER=n={{secretsmanager://db#port}};",
			`JSON={"p":"{{secretsmanager://db?encode=json#pw}}","o":{{secretsmanager://db#o}}}`,
			"FALLBACK=x{{secretsmanager://db?default=d%20e&encode=url#none}}y",
		},
		files:   declared("app.conf=user={{db#user}}\n"),
		sources: secrets("db", `{"user":"u","pw":"p@ss:w/o#r?d \"&%+","host":"h","port":5432,"o":{"a":1}}`),
	}.deliver(t)
	checkEqual(t, "variables", variables(got), []string{
		"URL=postgres://u:p%40ss%3Aw%2Fo%23r%3Fd%20%22%26%25%2B@h/app",
		"TWICE=uu",
		"NUMBER=n=5432;",
		`JSON={"p":"p@ss:w/o#r?d \"&%+","o":{"a":1}}`,
		"FALLBACK=xd%20ey",
	})
	checkEqual(t, "files", files(got), []string{"app.conf=user=u\n"})
}

func TestEncodeURLLeavesNothingButUnreservedCharacters(t *testing.T) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	encoded := encodedAs(t, "url", string(every))
	const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	if strings.Trim(encoded, unreserved+"%") != "" {
		t.Errorf("%q holds more than %s and %%", encoded, unreserved)
	}
	if want := len(unreserved) + 3*(256-len(unreserved)); len(encoded) != want {
		t.Errorf("%d bytes, want %d", len(encoded), want)
	}
	decoded, err := url.PathUnescape(encoded)
	if err != nil || decoded != string(every) {
		t.Errorf("PathUnescape gives %q, %v", decoded, err)
	}
	if decoded, err := url.QueryUnescape(encoded); err != nil || decoded != string(every) {
		t.Errorf("QueryUnescape gives %q, %v", decoded, err)
	}
}

func TestAnEncodedPasswordComesBackOutOfAURL(t *testing.T) {
	const password = "p@ss:w/o#r?d &%+é\n[]"
	parsed, err := url.Parse("postgres://u:" + encodedAs(t, "url", password) + "@h/app")
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := parsed.User.Password(); got != password {
		t.Errorf("the password is %q, want %q", got, password)
	}
}

func TestEncodeJSONWritesTheInsideOfAString(t *testing.T) {
	tests := map[string]string{
		"":                "",
		"plain":           "plain",
		`"`:               `\"`,
		`\`:               `\\`,
		`"quoted"`:        `\"quoted\"`,
		"a\nb\tc\x00\x7f": `a\nb\tc\u0000` + "\x7f",
		"<&>":             "<&>",
		"é😀":              "é😀",
		"\n":              `\n`,
	}
	for content, want := range tests {
		if got := encodedAs(t, "json", content); got != want {
			t.Errorf("%q becomes %q, want %q", content, got, want)
		}
	}
}

// encodedAs delivers content into a file, which takes every byte.
func encodedAs(t testing.TB, encoding, content string) string {
	t.Helper()
	got := configuration{
		files: declared("f=s?encode=" + encoding), sources: secrets("s", content),
	}.deliver(t)
	return string(got.Files[0].Content.Reveal())
}

func TestBinaryContent(t *testing.T) {
	const content = "\x00\xff\x80binary"
	encoded := base64.StdEncoding.EncodeToString([]byte(content))
	got := configuration{
		environment: []string{
			"A=secretsmanager://b?encode=base64", "T=<{{secretsmanager://b?encode=base64}}>", "F=secretsmanager://b?file", "G=secretsmanager://b",
		},
		files:   declared("f=b", "g=b?encode=base64"),
		sources: map[string]deliver.Source{"b": binary(content)},
	}.deliver(t)
	checkEqual(t, "variables", variables(got), []string{"F=/dir/F", "A=" + encoded, "T=<" + encoded + ">", "G_FILE=/dir/G"})
	checkEqual(t, "files", files(got), []string{"F=" + content, "f=" + content, "g=" + encoded, "G=" + content})
}

func TestBinaryContentIsReadAsJSONWhereAPathIsGiven(t *testing.T) {
	got := configuration{
		environment: []string{"A=secretsmanager://b#a"}, envFrom: []string{"b?prefix=B_"},
		sources: map[string]deliver.Source{"b": binary(`{"a":"x"}`)},
	}.deliver(t)
	checkEqual(t, "variables", variables(got), []string{"A=x", "B_a=x"})
}

func TestBinaryContentIsNoText(t *testing.T) {
	for _, reference := range []string{
		"{{secretsmanager://b}}", "x{{secretsmanager://b}}", "{{secretsmanager://b?encode=url}}", "secretsmanager://b?encode=url", "secretsmanager://b?encode=json",
	} {
		problems := configuration{
			environment: []string{"A=" + reference}, sources: map[string]deliver.Source{"b": binary("CANARY\xff")},
		}.fails(t)
		if len(problems) != 1 || problems[0].Class != problem.Invalid || problems[0].Variable != "A" || !strings.Contains(problems[0].Hint, "base64") {
			t.Errorf("%s: %v", reference, problems)
		}
	}
}

func TestAModeGoesToItsFile(t *testing.T) {
	got := configuration{
		environment: []string{"A=secretsmanager://s?file=a&mode=0440", "B=secretsmanager://s?file"},
		files:       declared("c=s?mode=0644", "d=s"),
		sources:     secrets("s", "x"),
	}.deliver(t)
	for i, want := range []uint32{0o440, 0, 0o644, 0} {
		if mode := uint32(got.Files[i].Mode); mode != want {
			t.Errorf("file %s has mode %o, want %o", got.Files[i].Path, mode, want)
		}
	}
}

func TestWhatCannotBeReadAtAPath(t *testing.T) {
	tests := map[string]struct {
		content, path string
		class         problem.Class
		cause, hint   string
	}{
		"no JSON":                  {"CANARY", "a", problem.Invalid, "not valid JSON", "store a JSON document"},
		"JSON and more":            {`{"a":1} CANARY`, "a", problem.Invalid, "not valid JSON", "store a JSON document"},
		"JSON that is cut off":     {`{"a":"CANARY`, "a", problem.Invalid, "not valid JSON", "store a JSON document"},
		"bytes that are no text":   {"{\"a\":\"\xff\"}", "a", problem.Invalid, "not valid UTF-8", "store a JSON document"},
		"a key twice":              {`{"a":"CANARY","b":{"c":1,"c":2}}`, "a", problem.Invalid, "in one object twice", "keep one of the two"},
		"half a surrogate pair":    {`{"a":"\ud800"}`, "a", problem.Invalid, "surrogate", "fix"},
		"no such field":            {`{"user":"CANARY"}`, "a", problem.FieldNotFound, "no such field", "null counts as absent"},
		"null":                     {`{"a":null,"b":"CANARY"}`, "a", problem.FieldNotFound, "no such field", "null counts as absent"},
		"a field that is mistyped": {`{"password":"CANARY"}`, "pasword", problem.FieldNotFound, "no such field", `did you mean "password"?`},
		"a string at the top":      {`"CANARY"`, "a", problem.Invalid, "not a JSON object", "fix"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			problems := configuration{environment: []string{"A=secretsmanager://s#" + test.path}, sources: secrets("s", test.content)}.fails(t)
			p := problems[0]
			if len(problems) != 1 || p.Class != test.class || p.Variable != "A" || p.Secret != "s" {
				t.Errorf("problems %+v", *p)
			}
			if !strings.Contains(p.Cause, test.cause) || !strings.Contains(p.Hint, test.hint) {
				t.Errorf("problem %q, want %q and %q", shown(p), test.cause, test.hint)
			}
			if strings.Contains(shown(p), "CANARY") {
				t.Errorf("content is shown: %s", shown(p))
			}
		})
	}
}

func FuzzEncode(f *testing.F) {
	f.Add("p@ss:w/o#r?d \"&%+\\\x00\xff\u2028")
	f.Add(`ends with a quote"`)
	f.Fuzz(func(t *testing.T, content string) {
		decoded, err := url.PathUnescape(encodedAs(t, "url", content))
		if err != nil || decoded != content {
			t.Errorf("encode=url of %q comes back as %q, %v", content, decoded, err)
		}
		raw, err := base64.StdEncoding.DecodeString(encodedAs(t, "base64", content))
		if err != nil || string(raw) != content {
			t.Errorf("encode=base64 of %q comes back as %q, %v", content, raw, err)
		}
		var inside string
		err = json.Unmarshal([]byte(`"`+encodedAs(t, "json", content)+`"`), &inside)
		if err != nil || !sameText(inside, content) {
			t.Errorf("encode=json of %q comes back as %q, %v", content, inside, err)
		}
	})
}

// sameText compares by characters, so that any two bytes that are no text are
// the same.
func sameText(a, b string) bool { return slices.Equal([]rune(a), []rune(b)) }
