package extract_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"secretwrap/internal/extract"
	"secretwrap/internal/secret"
)

// quote writes a JSON string as encoding/json does.
func quote(text string) string {
	quoted, _ := json.Marshal(text) // cannot fail for a string
	return string(quoted)
}

func documents() []string {
	return []string{
		`{"username":"app","password":"p\"\\\u00e9\n","port":5432,"tls":true,"replicas":[{"host":"a"},{"host":"b"}],"none":null}`,
		`{"a":{"b":{"c":"x"}},"a.b":{"c":"y"},"":{"":1}}`,
		`{"#":1,"@this":2,"*":3,"?":4,"|":5,"!":6,"\\":7,"[":8,"{":9}`,
		`{"n":[0,-0,1.10,1e3,1E+3,1e400,9007199254740993]}`,
		`{"a":1,"\u0061":2}`, `{"x":{"a":1,"a":2}}`, `{"\ud800":1}`, `{"a":"\ud83d\ude00\ud83d"}`,
		`{"s":"{\"a\":\"{\\\"b\\\":1}\"}"}`, `"{\"a\":1}"`, `"[1]"`,
		`[[[[]]],{}]`, `123456`, `null`, `true`, ``, ` `, `hunter2`, `{"a":12`, `{"a":"secr`, `{}x`, `{} {}`, `[01]`, `["\q"]`, `["\u12"]`, "[\"\n\"]", "[\"\xff\"]", "\ufeff{}", `{"a":1,}`,
		strings.Repeat("[", 200) + strings.Repeat("]", 200),
	}
}

// duplicate reports whether an object of a valid document has a key twice, as
// encoding/json reads keys.
func duplicate(t *testing.T, text string) bool {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	type level struct {
		keys   map[string]bool // nil in an array
		isName bool
	}
	levels := []level{{}}
	for {
		token, err := decoder.Token()
		if err != nil {
			return false
		}
		inner := &levels[len(levels)-1]
		name, isText := token.(string)
		if inner.keys != nil && inner.isName && isText {
			if inner.keys[name] {
				return true
			}
			inner.keys[name] = true
			inner.isName = false
			continue
		}
		inner.isName = true
		switch token {
		case json.Delim('{'):
			levels = append(levels, level{map[string]bool{}, true})
		case json.Delim('['):
			levels = append(levels, level{})
		case json.Delim('}'), json.Delim(']'):
			levels = levels[:len(levels)-1]
		}
	}
}

func FuzzParseAgreesWithEncodingJSON(f *testing.F) {
	for _, text := range documents() {
		f.Add(text)
	}
	surrogate := regexp.MustCompile(`\\u[dD][89a-fA-F]`)
	f.Fuzz(func(t *testing.T, text string) {
		document, err := extract.Parse(secret.FromString(text))
		if err != nil {
			if fields, _ := document.Fields(); fields != nil {
				t.Error("a document that was refused has fields")
			}
			for _, path := range []string{"a", "@this", "*", "0", "#", "@fromstr"} {
				if value, err := document.Get(path); err == nil {
					t.Errorf("Get(%q) yields %q of a document that was refused", path, value.Reveal())
				}
			}
		}
		if !json.Valid([]byte(text)) || !utf8.ValidString(text) {
			if err == nil {
				t.Error("accepted")
			}
			return
		}
		if surrogate.MatchString(text) {
			return
		}
		_, isDuplicate := errors.AsType[*extract.DuplicateKeyError](err)
		if err != nil && !isDuplicate {
			t.Errorf("refused: %v", err)
		}
		if isDuplicate != duplicate(t, text) {
			t.Errorf("duplicate keys: %v", err)
		}
	})
}

// agrees fails the test unless value is what encoding/json reads from raw.
func agrees(t *testing.T, value secret.Value, err error, raw json.RawMessage) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var decoded any
	if err := decoder.Decode(&decoded); err != nil {
		t.Fatal(err)
	}
	got := string(value.Reveal())
	switch want := decoded.(type) {
	case nil:
		isError(t, value, err, extract.ErrAbsent)
		return
	case string:
		if errors.Is(err, extract.ErrLoneSurrogate) && strings.ContainsRune(want, utf8.RuneError) {
			return
		}
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	case json.Number:
		if got != want.String() {
			t.Errorf("got %q, want %q", got, want)
		}
	default:
		if got != string(bytes.TrimSpace(raw)) {
			t.Errorf("got %q, want %q", got, raw)
		}
	}
	if err != nil {
		t.Error(err)
	}
}

// descend returns the names of the members that lead down into raw, one for
// each byte of choices, and what they lead to.
func descend(t *testing.T, raw json.RawMessage, choices []byte) ([]string, json.RawMessage) {
	t.Helper()
	var names []string
	for _, choice := range choices {
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil || len(object) == 0 {
			break
		}
		keys := make([]string, 0, len(object))
		for key := range object {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		name := keys[int(choice)%len(keys)]
		names = append(names, name)
		raw = object[name]
	}
	return names, raw
}

func FuzzDottedPathsAgreeWithEncodingJSON(f *testing.F) {
	for _, text := range documents() {
		f.Add(text, []byte{0})
		f.Add(text, []byte{1, 1, 1})
	}
	f.Fuzz(func(t *testing.T, text string, choices []byte) {
		document, err := extract.Parse(secret.FromString(text))
		if err != nil {
			return
		}
		names, want := descend(t, json.RawMessage(text), choices)
		if len(names) == 0 {
			return
		}
		parts := make([]string, len(names))
		for i, name := range names {
			parts[i] = escaped(name)
		}
		path := strings.Join(parts, ".")
		if strings.HasPrefix(path, "..") || strings.Contains(path, "@fromstr") || len(path) > 4096 {
			return // has another meaning, or is refused
		}
		if _, err := document.Get(path); errors.Is(err, extract.ErrPath) && strings.ContainsAny(path, "@[{,|") {
			return // too many of what could be modifiers
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &object); err != nil {
			t.Fatal(err)
		}
		if literal, ok := object[path]; ok {
			want = literal
		}
		value, err := document.Get(path)
		agrees(t, value, err, want)

		value, err = document.Member(names[0])
		agrees(t, value, err, object[names[0]])
	})
}

func FuzzFieldsAgreeWithEncodingJSON(f *testing.F) {
	for _, text := range documents() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		document, err := extract.Parse(secret.FromString(text))
		if err != nil {
			return
		}
		fields, err := document.Fields()
		if !strings.HasPrefix(strings.TrimSpace(text), "{") {
			if !errors.Is(err, extract.ErrNotObject) {
				t.Errorf("Fields: %v", err)
			}
			return
		}
		decoder := json.NewDecoder(strings.NewReader(text))
		if _, err := decoder.Token(); err != nil {
			t.Fatal(err)
		}
		for _, field := range fields {
			name, err := decoder.Token()
			if err != nil || name != field.Name {
				t.Fatalf("got name %q, want %v", field.Name, name)
			}
			var raw json.RawMessage
			if err := decoder.Decode(&raw); err != nil {
				t.Fatal(err)
			}
			agrees(t, field.Value, field.Err, raw)
		}
		if decoder.More() {
			t.Errorf("there are more than %d fields", len(fields))
		}
	})
}

func FuzzNoPathYieldsBrokenText(f *testing.F) {
	paths := []string{
		"a", "a.b.c", "*", "#", "..0", "s.@fromstr.a.@fromstr.b", "@this|@tostr|@fromstr", "{a,username}", "[a,*]", `replicas.#(host=="a")#.host`, "@dig:host", `@pretty:{"indent":"\ud800"}`, "@flatten:{\"deep\":true}", "@join", "@group", "@values|#", "!nan", `!"\ud800"`, "{\xff:a}", `\`, "a|", "#(", "[", "{a:", "@", "!", "@pretty:", "..", "#.#", "#[a]",
	}
	for _, text := range documents() {
		for _, path := range paths {
			f.Add(text, path)
		}
	}
	f.Fuzz(func(t *testing.T, text, path string) {
		document, err := extract.Parse(secret.FromString(text))
		if err != nil {
			return
		}
		value, err := document.Get(path)
		if err != nil {
			if strings.Contains(err.Error(), "evaluate") {
				t.Error("gjson panics")
			}
			isError(t, value, err, err)
			return
		}
		got := string(value.Reveal())
		if !utf8.ValidString(got) {
			t.Errorf("got %q, which is not UTF-8", got)
		}
		const replacement = "fffd"
		written := strings.Contains(strings.ToLower(text+path), replacement) || strings.ContainsRune(text+path, utf8.RuneError)
		if strings.ContainsRune(got, utf8.RuneError) && !written && utf8.ValidString(path) {
			t.Errorf("got %q, with a replacement character out of nowhere", got)
		}
	})
}
