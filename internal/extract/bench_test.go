package extract_test

import (
	"fmt"
	"strings"
	"testing"

	"secretwrap/internal/extract"
	"secretwrap/internal/secret"
)

const small = `{"username":"app","password":"s3cr3t-p4ssw0rd","engine":"postgres","host":"db.example.com","port":5432,"dbname":"app"}`

// large is 64 KiB with 4,000 keys.
func large() string {
	var text strings.Builder
	for n := range 4_000 {
		fmt.Fprintf(&text, `,"k%04d":"%04d"`, n, n)
	}
	return "{" + text.String()[1:] + "}"
}

func BenchmarkParse(b *testing.B) {
	for name, text := range map[string]string{
		"small":  small,
		"large":  large(),
		"string": `{"a":"` + strings.Repeat("x", 64<<10) + `"}`,
		"deep":   strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000),
	} {
		value := secret.FromString(text)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := extract.Parse(value); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkGet(b *testing.B) {
	for name, test := range map[string]struct{ text, path string }{
		"member of a small document": {small, "password"},
		"path into a small document": {small, "@this.password"},
		"member of a large document": {large(), "k3999"},
		"path into a large document": {large(), `\k3999`},
	} {
		document := parse(b, test.text)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := document.Get(test.path); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
