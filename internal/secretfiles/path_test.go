package secretfiles_test

import (
	"path"
	"path/filepath"
	"strings"
	"testing"

	"secretwrap/internal/secretfiles"
)

func TestCheckPathAcceptsPlainPaths(t *testing.T) {
	for _, good := range []string{
		"DB_PASSWORD", "a/b/c.pem", "tls/client.key", "a/.hidden", "a b", "ключ", "a-b_c+d=e@f", `a\b`,
		strings.Repeat("x", 255), strings.Repeat(strings.Repeat("x", 127)+"/", 7) + strings.Repeat("x", 128),
	} {
		if err := secretfiles.CheckPath(good); err != nil {
			t.Errorf("CheckPath(%q) = %v", good, err)
		}
	}
}

func TestCheckPathRefusesTheRest(t *testing.T) {
	tests := map[string]string{
		"":                               "the path is empty",
		"/etc/x":                         "the path is absolute",
		".":                              "the path begins with a dot",
		"..":                             "the path begins with a dot",
		"../x":                           "the path begins with a dot",
		"..data":                         "the path begins with a dot",
		".hidden":                        "the path begins with a dot",
		"./x":                            "the path begins with a dot",
		"a/../../x":                      "an element of the path begins with two dots",
		"a/..":                           "an element of the path begins with two dots",
		"a/..data":                       "an element of the path begins with two dots",
		"a/./b":                          `the path has a "." element`,
		"a//b":                           "the path has an empty element",
		"a/":                             "the path has an empty element",
		"a\x00b":                         "the path holds a control character",
		"a\nb":                           "the path holds a control character",
		"a\x7fb":                         "the path holds a control character",
		"a\u0085b":                       "the path holds a control character",
		"a%2fb":                          "the path holds a percent sign",
		"a\xffb":                         "the path is not UTF-8",
		strings.Repeat("x", 256):         "an element of the path is longer than 255 bytes",
		"a/" + strings.Repeat("x", 256):  "an element of the path is longer than 255 bytes",
		strings.Repeat("x/", 512) + "xx": "the path is longer than 1024 bytes",
	}
	for bad, want := range tests {
		err := secretfiles.CheckPath(bad)
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("CheckPath(%.40q) = %v, want %s", bad, err, want)
			continue
		}
		if strings.ContainsAny(err.Error(), "\n\x00\x7f\u0085") {
			t.Errorf("CheckPath(%q) prints the path unquoted: %q", bad, err)
		}
	}
}

func FuzzAnAcceptedPathStaysBelowTheDirectory(f *testing.F) {
	for _, seed := range []string{"a/b", "../x", "a/../../x", "/etc", "..data/x", "a//b", "a/\x00", "a\\..\\b", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if secretfiles.CheckPath(name) != nil {
			return
		}
		const root = "/tmp/files"
		joined := filepath.Join(root, filepath.FromSlash(name))
		if joined != root+"/"+name {
			t.Errorf("%q joined is %q", name, joined)
		}
		if !filepath.IsLocal(name) || path.Clean(name) != name || strings.ContainsRune(name, 0) {
			t.Errorf("%q is accepted", name)
		}
		if name[0] == '.' {
			t.Errorf("%q may be one of our own names", name)
		}
	})
}
