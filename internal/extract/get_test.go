package extract_test

import (
	"errors"
	"strings"
	"testing"

	"secretwrap/internal/extract"
	"secretwrap/internal/secret"
)

// isText fails the test unless a value was returned, and is want.
func isText(t *testing.T, value secret.Value, err error, want string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if got := string(value.Reveal()); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func isError(t *testing.T, value secret.Value, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
	}
	if value.Reveal() != nil {
		t.Errorf("got %q beside the error", value.Reveal())
	}
}

func TestScalarsAreDelivered(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ json, want string }{
		"string":                       {`"hunter2"`, "hunter2"},
		"empty string":                 {`""`, ""},
		"string with every escape":     {`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t"},
		"string with NUL":              {`"a\u0000b"`, "a\x00b"},
		"string with a surrogate pair": {`"\ud83d\ude00!"`, "😀!"},
		"string of a replacement":      {`"\ufffd"`, "\ufffd"},
		"string that ends in escapes":  {`"\\\""`, `\"`},
		"string of a backslash":        {`"\\u0041"`, `\u0041`},
		"string that looks like JSON":  {`"{\"a\":1}"`, `{"a":1}`},
		"string of null":               {`"null"`, "null"},
		"string of a reference":        {`"secretsmanager://a#b"`, "secretsmanager://a#b"},
		"string with shell syntax":     {`"$(id) ${HOME} %s"`, "$(id) ${HOME} %s"},
		"raw letters beyond ASCII":     {`"schlüssel 鍵"`, "schlüssel 鍵"},
		"true":                         {`true`, "true"},
		"false":                        {`false`, "false"},
		"zero":                         {`0`, "0"},
		"negative zero":                {`-0`, "-0"},
		"integer":                      {`5432`, "5432"},
		"negative integer":             {`-17`, "-17"},
		"integer beyond a float":       {`9007199254740993`, "9007199254740993"},
		"integer beyond 64 bits":       {`12345678901234567890`, "12345678901234567890"},
		"trailing zero":                {`1.10`, "1.10"},
		"point zero":                   {`1.0`, "1.0"},
		"exponent":                     {`1e3`, "1e3"},
		"capital exponent and plus":    {`1E+3`, "1E+3"},
		"exponent with leading zeros":  {`-0.0e-007`, "-0.0e-007"},
		"exponent beyond a float":      {`1e400`, "1e400"},
		"fraction of 25 digits":        {`0.1234567890123456789012345`, "0.1234567890123456789012345"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			document := parse(t, ` { "a" : `+test.json+` , "b" : [ `+test.json+` , { "c":`+test.json+`} ] } `)
			for _, path := range []string{"a", "b.0", "b.1.c", `\a`, "@this.a", "a.@this", "{a}.a", "b|0", "*"} {
				value, err := document.Get(path)
				isText(t, value, err, test.want)
			}
			value, err := document.Member("a")
			isText(t, value, err, test.want)
		})
	}
}

func TestObjectsAndArraysAreDeliveredAsWritten(t *testing.T) {
	t.Parallel()
	const object = `{ "x" :1.10,
		"y":"\u0041\/\ud800" }`
	document := parse(t, "\n{ \"a\" : "+object+` , "b":[ 1, [2 ,3] ] , "c":{ }, "d":[ ]}`+"\n")
	tests := map[string]string{
		"a":     object,
		"b":     `[ 1, [2 ,3] ]`,
		"b.1":   `[2 ,3]`,
		"c":     `{ }`,
		"d":     `[ ]`,
		"@this": "{ \"a\" : " + object + ` , "b":[ 1, [2 ,3] ] , "c":{ }, "d":[ ]}`,
	}
	for path, want := range tests {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			value, err := document.Get(path)
			isText(t, value, err, want)
		})
	}
}

func TestWhatIsNotThereIsAbsent(t *testing.T) {
	t.Parallel()
	document := parse(t, `{"a":null,"b":[null,{}],"c":{"d":null},"e.f":null,"e":{"f":1},"s":"text","n":7}`)
	for _, path := range []string{
		"a", "nope", "b.0", "b.1.x", "b.2", "b.-1", "b.x", "c.d", "c.e", "c.d.e", "s.x", "s.0", "n.x", "", ".", "a.", ".a",
		"e.f", // the member that is named so wins even if it is null
		"b.#(x).y", "nope|@this", "nope.@pretty", "nope.@tostr", "nope|@tostr", "a.@tostr", "b.0.@tostr", "nope.#", "nope.@fromstr", "a.@fromstr", "!null",
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			value, err := document.Get(path)
			isError(t, value, err, extract.ErrAbsent)
		})
	}
}

func TestProjectionsAreThereEvenWhenEmpty(t *testing.T) {
	t.Parallel()
	document := parse(t, `{"items":[{"name":"x"}],"a":null,"none":[]}`)
	tests := map[string]string{
		"items.#.nope":        `[]`,
		"items.#.name":        `["x"]`,
		"none.#.name":         `[]`,
		"none.#":              `0`,
		`items.#(name=="z")#`: `[]`,
		"{nope}":              `{}`,
		"[nope]":              `[]`,
		"{a,nope}":            `{"a":null}`,
		"items.@dig:nope":     `[]`,
	}
	for path, want := range tests {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			value, err := document.Get(path)
			isText(t, value, err, want)
		})
	}
}

func TestLoneSurrogatesAreNeverReplaced(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`\ud800`, `\udc00`, `\uDBFF`, `x\ud800y`, `\ude00\ud83d`, `\ud800\ud800`, `\ud800\u0041`, `\ud800\n`, `\ud83d\ude00\ud83d`, `\ud800\\udc00`,
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			document := parse(t, `{"a":"`+text+`","b":["`+text+`"],"c":"fine"}`)
			for _, path := range []string{"a", "b.0", "*", "a.@fromstr", "@this.a", "[a].0"} {
				value, err := document.Get(path)
				isError(t, value, err, extract.ErrLoneSurrogate)
			}
			value, err := document.Get("b")
			isText(t, value, err, `["`+text+`"]`)
			value, err = document.Get("c")
			isText(t, value, err, "fine")
		})
	}
}

// hostileNames are names of members that mean something else in a path.
func hostileNames() []string {
	return []string{
		"", ".", "..", "a.b", "a..b", ".a", "a.", "#", "#.a", "@this", "@x", "@tostr", "@fromstr", "*", "?", "a*", "|", "a|b", "!", "!x", `!"x"`, "!true",
		`\`, `a\.b`, `\\`, "[a]", "[0]", "{a}", "{a,b}", "(", "#(a)", `#(a=="b")#`, `"`, `"a"`, "0", "-1", "a:b", "a b", " ", "\n", "\x00", "ü", "😀", "%s", "~", "a,b", "@this.a", "@pretty:{}",
	}
}

// escaped writes a name so that gjson takes it literally.
func escaped(name string) string {
	var path strings.Builder
	for _, c := range []byte(name) {
		if strings.IndexByte("\\.|*?#@![]{}()\"'=<>%~,:&$;^`/+", c) >= 0 {
			path.WriteByte('\\')
		}
		path.WriteByte(c)
	}
	return path.String()
}

func TestAMemberNamedExactlyAsThePathIsMeant(t *testing.T) {
	t.Parallel()
	for _, name := range hostileNames() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			document := parse(t, `{"first":"wrong","a":{"b":"wrong"},`+quote(name)+`:"right","last":"wrong"}`)
			value, err := document.Get(name)
			isText(t, value, err, "right")
			value, err = document.Member(name)
			isText(t, value, err, "right")
		})
	}
}

func TestMemberIsNeverAPath(t *testing.T) {
	t.Parallel()
	document := parse(t, `{"x":{"y":"wrong"},"z":["wrong"]}`)
	for _, name := range append(hostileNames(), "x.y", "z.0", "z|0", "x*", "X") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			value, err := document.Member(name)
			isError(t, value, err, extract.ErrAbsent)
		})
	}
}

func TestEscapedNamesAreFound(t *testing.T) {
	t.Parallel()
	for _, name := range hostileNames() {
		if name == "@fromstr" {
			continue // refused in any form, see TestRefusedPaths
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			document := parse(t, `{"top":{"first":"wrong",`+quote(name)+`:{"in":"right"},"last":"wrong"}}`)
			value, err := document.Get("top." + escaped(name) + ".in")
			isText(t, value, err, "right")
		})
	}
}

func TestFieldsKeepTheOrderOfTheDocument(t *testing.T) {
	t.Parallel()
	fields, err := parse(t, ` { "z" : "1\n" , "\u0061":2.50,"N":null,"bad":"\ud800","o":{ "z":1 },"l":[ ],"":true } `).Fields()
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		name, text string
		err        error
	}{
		{"z", "1\n", nil},
		{"a", "2.50", nil},
		{"N", "", extract.ErrAbsent},
		{"bad", "", extract.ErrLoneSurrogate},
		{"o", `{ "z":1 }`, nil},
		{"l", "[ ]", nil},
		{"", "true", nil},
	}
	if len(fields) != len(want) {
		t.Fatalf("got %d fields, want %d", len(fields), len(want))
	}
	for i, field := range fields {
		if field.Name != want[i].name || string(field.Value.Reveal()) != want[i].text || !errors.Is(field.Err, want[i].err) {
			t.Errorf("field %d: %q, %q, %v", i, field.Name, field.Value.Reveal(), field.Err)
		}
	}
	if fields, err := parse(t, `{}`).Fields(); err != nil || len(fields) != 0 {
		t.Errorf("an empty object: %v, %v", fields, err)
	}
}

func TestNearestNamesOneMember(t *testing.T) {
	t.Parallel()
	document := parse(t, `{"username":1,"password":2,"passphrase":3,"host":{"hostname":4},"port":null}`)
	tests := map[string]string{
		"pasword":       "password",
		"Password":      "password",
		"PASSWORD":      "password",
		"passwrod":      "password",
		"user":          "",
		"hsot":          "host",
		"hostnam":       "",
		"prot":          "port",
		"":              "",
		"port":          "",
		"db.password":   "",
		"something.far": "",
	}
	for path, want := range tests {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			if got := document.Nearest(path); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	if got := parse(t, `["pasword"]`).Nearest("password"); got != "" {
		t.Errorf("an array has no members, got %q", got)
	}
}
