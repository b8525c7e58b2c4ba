package extract_test

import (
	"errors"
	"strings"
	"testing"

	"secretwrap/internal/extract"
)

func TestPathsMayUseAllOfGjson(t *testing.T) {
	t.Parallel()
	document := parse(t, `{
		"db": {"host": "db.example", "ports": [5432, 5433]},
		"users": [{"name": "ann", "pw": "1"}, {"name": "bob", "pw": "2"}],
		"a.b": {"c": "dotted"},
		"nested": "{\"user\":\"ann\",\"pw\":\"x\\ny\",\"n\":1.10,\"deep\":\"{\\\"k\\\":\\\"v\\\"}\"}"
	}`)
	tests := map[string]string{
		"db.ports.1":                       "5433",
		"db.ports.#":                       "2",
		"db|host":                          "db.example",
		"d?.h*":                            "db.example",
		`a\.b.c`:                           "dotted",
		"users.#.pw":                       `["1","2"]`,
		`users.#(name=="bob").pw`:          "2",
		`users.#(pw>"0")#.name`:            `["ann","bob"]`,
		"users.#.{name}":                   `[{"name":"ann"},{"name":"bob"}]`,
		"{db.host,u:users.0.name}":         `{"host":"db.example","u":"ann"}`,
		"[db.host,users.1.pw]":             `["db.example","2"]`,
		"db.ports.@reverse":                `[5433,5432]`,
		"db.@keys":                         `["host","ports"]`,
		"db.@values|1|0":                   "5432",
		"db.ports.@tostr":                  `[5432, 5433]`,
		"{users.#.name,users.#.pw}.@group": `[{"name":"ann","pw":"1"},{"name":"bob","pw":"2"}]`,
		"db.@ugly":                         `{"host":"db.example","ports":[5432,5433]}`,
		`db.ports.@pretty:{"width":3}`:     "[\n  5432,\n  5433\n]",
		"@dig:k":                           `[]`,
		`!"literal"`:                       "literal",
		"..#":                              "1",
		"..0.db.host":                      "db.example",
		"nested.@fromstr.user":             "ann",
		"nested|@fromstr|pw":               "x\ny",
		"nested.@fromstr.n":                "1.10",
		"nested.@fromstr.deep.@fromstr.k":  "v",
		"nested.@fromstr.deep.@fromstr":    `{"k":"v"}`,
		"nested.@fromstr.@keys.#":          "4",
		"@this.nested.@fromstr.user":       "ann",
	}
	for path, want := range tests {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			value, err := document.Get(path)
			isText(t, value, err, want)
		})
	}
}

func TestTextForFromstrIsJudgedAsADocument(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want error
	}{
		"truncated":             {`{"a":12`, extract.ErrNotJSON},
		"plain text":            {`hunter2`, extract.ErrNotJSON},
		"empty":                 {``, extract.ErrNotJSON},
		"raw control character": {"{\"a\":\"x\ny\"}", extract.ErrNotJSON},
		"byte order mark":       {"\ufeff{\"a\":1}", extract.ErrByteOrderMark},
		"too deep":              {strings.Repeat("[", 10_001), extract.ErrTooDeep},
		"lone surrogate":        {`{"a":"\ud800"}`, extract.ErrLoneSurrogate},
		"a string":              {`"a"`, extract.ErrNotObject},
		"null":                  {`{"a":null}`, extract.ErrAbsent},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			value, err := parse(t, `{"s":`+quote(test.text)+`}`).Get("s.@fromstr.a")
			isError(t, value, err, test.want)
			value, err = parse(t, quote(test.text)).Get("@fromstr.a")
			isError(t, value, err, test.want)
		})
	}
	_, err := parse(t, `{"s":"{\"a\":1,\"a\":2}"}`).Get("s.@fromstr.a")
	if _, ok := errors.AsType[*extract.DuplicateKeyError](err); !ok {
		t.Errorf("duplicate key: %v", err)
	}
}

func TestRefusedPaths(t *testing.T) {
	t.Parallel()
	document := parse(t, `{"a":"{}","b":[{"c":"{}"}],"n":1,"o":{"id":1},"p":{"id":2}}`)
	tests := map[string]string{
		"fromstr in a multipath":         "{a.@fromstr}",
		"fromstr in a modifier":          "@dig:@fromstr",
		"fromstr for each":               "b.#.@fromstr",
		"fromstr in a query":             `b.#(c=="@fromstr").c`,
		"fromstr with an argument":       "a.@fromstr:1",
		"fromstr with another name":      "a.@fromstring",
		"fromstr that is escaped":        `a\.@fromstr`,
		"fromstr of a number":            "n.@fromstr",
		"fromstr of an object":           "@fromstr.a",
		"the same key twice":             "{o.id,p.id}",
		"a literal that is no JSON":      "!nan",
		"a literal with a sign":          "!+5",
		"a list of what is no JSON":      "[!nan]",
		"a literal that is not UTF-8":    "!\"\xff\"",
		"a literal without its quote":    `!"abc`,
		"a path longer than 4,096 bytes": "a|" + strings.Repeat("b", 4096),
		"multipaths that multiply":       strings.Repeat("[@this,@this]|", 40) + "0",
		"multipaths without modifiers":   strings.Repeat("[..0,..0,..0]|", 40) + "0",
		"modifiers that multiply":        "o" + strings.Repeat(".@tostr", 60),
	}
	for name, path := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			value, err := document.Get(path)
			isError(t, value, err, extract.ErrPath)
		})
	}
}

func TestPathsThatBuildTooMuchOfAHostileDocumentAreRefused(t *testing.T) {
	t.Parallel()
	deep := `{"a":"x","b":` + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000) + `}`
	long := `{"a":"x","` + strings.Repeat("k", 32<<10) + `":[` + strings.Repeat("0,", 16<<10) + `0]}`
	tests := map[string]struct{ text, path string }{
		"indents of a deep document":    {deep, "@pretty"},
		"all levels of a deep document": {deep, "@dig:0"},
		"a long key for each element":   {long, "@group"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			document := parse(t, test.text)
			value, err := document.Get(test.path)
			isError(t, value, err, extract.ErrPath)
			value, err = document.Get("*")
			isText(t, value, err, "x")
		})
	}
}

func TestPathsOnDocumentsThatAreNoObject(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`123456`, `true`, `null`, `"x"`, `"{\"a\":1}"`, `"[1,2]"`, "-0"} {
		for _, path := range []string{"a", "0", "#", "@this", "", "..0"} {
			value, err := parse(t, text).Get(path)
			isError(t, value, err, extract.ErrNotObject)
		}
		value, err := parse(t, text).Member("a")
		isError(t, value, err, extract.ErrNotObject)
	}
	list := parse(t, `[{"a":"x"},2]`)
	value, err := list.Get("0.a")
	isText(t, value, err, "x")
	value, err = list.Member("0")
	isError(t, value, err, extract.ErrNotObject)
	if _, err := list.Fields(); !errors.Is(err, extract.ErrNotObject) {
		t.Errorf("Fields of an array: %v", err)
	}
}
