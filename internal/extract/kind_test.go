package extract_test

import (
	"testing"

	"secretwrap/internal/extract"
	"secretwrap/internal/secret"
)

func TestKind(t *testing.T) {
	t.Parallel()
	document, err := extract.Parse(secret.FromString(` {"s":"1","n":-1.50,"t":true,"f":false,"o":{"a":[1]},"a":[],"z":null,"a.b":"x"} `))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]extract.Kind{
		"": extract.Object, "s": extract.String, "n": extract.Number, "t": extract.Boolean, "f": extract.Boolean, "o": extract.Object,
		"a": extract.Array, "z": extract.Null, "a.b": extract.String, "o.a": extract.Array, "o.a.0": extract.Number, "absent": "",
	} {
		if got := document.Kind(path); got != want {
			t.Errorf("at %q: %q, want %q", path, got, want)
		}
	}
	for name, want := range map[string]extract.Kind{"s": extract.String, "a.b": extract.String, "o.a": ""} {
		if got := document.MemberKind(name); got != want {
			t.Errorf("member %q: %q, want %q", name, got, want)
		}
	}
	if got := (extract.Document{}).Kind(""); got != "" {
		t.Errorf("no document is %q", got)
	}
}
