package extract_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"secretwrap/internal/extract"
)

func TestNestingIsLimited(t *testing.T) {
	t.Parallel()
	arrays := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	objects := func(n int) string {
		return strings.Repeat(`{"a":`, n-1) + "{}" + strings.Repeat("}", n-1)
	}
	tests := map[string]struct {
		text string
		want error
	}{
		"9,999 arrays":                       {arrays(9_999), nil},
		"10,000 arrays":                      {arrays(10_000), nil},
		"10,001 arrays":                      {arrays(10_001), extract.ErrTooDeep},
		"65,536 brackets":                    {strings.Repeat("[", 65_536), extract.ErrTooDeep},
		"10,000 objects":                     {objects(10_000), nil},
		"10,001 objects":                     {objects(10_001), extract.ErrTooDeep},
		"10,000 open brackets":               {strings.Repeat("[", 10_000), extract.ErrNotJSON},
		"10,001 arrays, then garbage":        {arrays(10_001) + "x", extract.ErrTooDeep},
		"garbage before 10,001 arrays":       {"[x," + arrays(10_001) + "]", extract.ErrNotJSON},
		"20,000 arrays beside each other":    {"[" + strings.Repeat("[],", 20_000) + "[]]", nil},
		"10,000 arrays twice, one after one": {"[" + arrays(9_999) + "," + arrays(9_999) + "]", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := parseError(test.text); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

func TestAValueIsFoundTenThousandDeep(t *testing.T) {
	t.Parallel()
	const depth = 10_000
	document := parse(t, strings.Repeat(`{"a":`, depth)+`"deep"`+strings.Repeat("}", depth))
	path := strings.Repeat("a.", 2_000) + "a"
	value, err := document.Get(path)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Repeat(`{"a":`, depth-2_001) + `"deep"` + strings.Repeat("}", depth-2_001)
	if string(value.Reveal()) != want {
		t.Errorf("got %d bytes, want %d", value.Len(), len(want))
	}
}

func TestLargeDocuments(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("k", 64<<10)
	var many strings.Builder
	for n := range 20_000 {
		fmt.Fprintf(&many, `,"field%d":%d`, n, n)
	}
	tests := map[string]struct{ text, name, want string }{
		"64 KiB of one key":   {`{"` + key + `":"x"}`, key, "x"},
		"64 KiB of one value": {`{"a":"` + key + `"}`, "a", key},
		"64 KiB of escapes":   {`{"a":"` + strings.Repeat(`\u006b`, 64<<10) + `"}`, "a", key},
		"20,000 fields":       {"{" + many.String()[1:] + "}", "field19999", "19999"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			document := parse(t, test.text)
			fields, err := document.Fields()
			if err != nil {
				t.Fatal(err)
			}
			last := fields[len(fields)-1]
			if last.Name != test.name || string(last.Value.Reveal()) != test.want {
				t.Error("the last field is not the one written last")
			}
			value, err := document.Get(test.name)
			if err != nil || string(value.Reveal()) != test.want {
				t.Errorf("Get does not find it: %v", err)
			}
		})
	}
}

func TestNothingPrintsADocument(t *testing.T) {
	t.Parallel()
	document := parse(t, `{"a":"`+canary+`"}`)
	fields, err := document.Fields()
	if err != nil {
		t.Fatal(err)
	}
	for _, subject := range []any{document, &document, fields, []extract.Document{document}} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			printed := fmt.Sprintf(format, subject)
			if strings.Contains(printed, canary) || strings.Contains(printed, fmt.Sprintf("%x", canary)) {
				t.Errorf("%s prints the secret", format)
			}
		}
	}
}

func TestErrorsDoNotQuoteTheDocument(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		canary,
		`"` + canary,
		`{"a":"` + canary + `"`,
		`{"a":"` + canary + `\q"}`,
		`{"a":"` + canary + `","b":1,"b":2}`,
		`{"a":"` + canary + `","\ud800":2}`,
		"\ufeff" + canary,
		canary + "\xff",
	} {
		if err := parseError(text); err == nil || strings.Contains(err.Error(), canary[:4]) {
			t.Errorf("Parse(%q): %v", text, err)
		}
	}
	document := parse(t, `{"a":"`+canary+`\ud800","b":"{\"a\":\"`+canary+`","c":null,"d":"`+canary+`"}`)
	for _, path := range []string{"a", "b.@fromstr.a", "c", "d.@fromstr", "{a:d,a:d}", "nope"} {
		if _, err := document.Get(path); err == nil || strings.Contains(err.Error(), canary[:4]) {
			t.Errorf("Get(%q): %v", path, err)
		}
	}
}

func TestTheZeroDocumentHoldsNothing(t *testing.T) {
	t.Parallel()
	var document extract.Document
	if _, err := document.Get("a"); !errors.Is(err, extract.ErrNotObject) {
		t.Errorf("Get: %v", err)
	}
	if _, err := document.Get("@fromstr"); err == nil {
		t.Error("Get finds a text")
	}
	if _, err := document.Member("a"); !errors.Is(err, extract.ErrNotObject) {
		t.Errorf("Member: %v", err)
	}
	if _, err := document.Fields(); !errors.Is(err, extract.ErrNotObject) {
		t.Errorf("Fields: %v", err)
	}
	if got := document.Nearest("a"); got != "" {
		t.Errorf("Nearest: %q", got)
	}
}
