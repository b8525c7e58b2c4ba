package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Texts by which a licence is known.
const (
	gpl = "This program is free software: you can redistribute it and/or modify it under the terms of the GNU General " +
		"Public License as published by the Free Software Foundation, either version 3 of the License, or (at your option) " +
		"any later version.\n"
	isc = "Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby " +
		"granted, provided that the above copyright notice and this permission notice appear in all copies.\n\n" +
		"THE SOFTWARE IS PROVIDED \"AS IS\" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING " +
		"ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, " +
		"DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, " +
		"WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE " +
		"USE OR PERFORMANCE OF THIS SOFTWARE.\n"
	own = "Whoever uses this owes the author a postcard, which may show whatever the sender likes, and must be stamped.\n"
)

func TestLicencesThatAreNotAllowed(t *testing.T) {
	tests := map[string]struct{ gathered, want string }{
		"GPL":               {"example.com/dep v1.0.0 LICENSE\n\n" + gpl, "example.com/dep v1.0.0 LICENSE: the licence GPL-3.0"},
		"GPL behind ISC":    {"example.com/dep v1.0.0 LICENSE\n\n" + isc + gpl, "the licence GPL-3.0"},
		"GPL in a notice":   {"example.com/dep v1.0.0 NOTICE.txt\n\n" + gpl, "the licence GPL-3.0"},
		"unknown":           {"example.com/dep v1.0.0 COPYING\n\n" + own, "0 % of the text are a licence that is known"},
		"half of it known":  {"example.com/dep v1.0.0 LICENSE\n\n" + isc + strings.Repeat(own, 5), "% of the text are a licence that is known"},
		"the second module": {"example.com/a v1.0.0 LICENSE\n\n" + isc + separator + "\nexample.com/b v1.0.0 LICENSE\n\n" + own, "example.com/b v1.0.0 LICENSE"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			found, err := moduleLicences(test.gathered)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("found %v, %v, want an error with %q", found, err, test.want)
			}
		})
	}
}

func TestLicencesThatAreAllowed(t *testing.T) {
	found, err := moduleLicences("example.com/dep v1.0.0 LICENSE\nexample.com/other v2.0.0 part/LICENSE\n\n" + isc +
		separator + "\nexample.com/dep v1.0.0 NOTICE\n\n" + own + separator)
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range []string{"example.com/dep v1.0.0", "example.com/other v2.0.0"} {
		if got := strings.Join(found[module], " "); got != "ISC" {
			t.Errorf("%s has the licences %q", module, got)
		}
	}
}

// TestBillOfALayer packs a layer whose program needs a module, and reads the bill of it.
func TestBillOfALayer(t *testing.T) {
	dist := newRelease(t, isc)
	if err := run([]string{"-dist", dist, "-version", "1.2.3-test"}); err != nil {
		t.Fatal(err)
	}
	shell(t, "cd "+dist+" && sha256sum --check --strict SHA256SUMS && test $(wc -l <SHA256SUMS) = 8")
	first := read(t, dist, "secretwrap-layer-x86_64.cdx.json")
	var bill struct {
		Components []struct {
			Name, Version, Purl string
			Licenses            []struct{ License struct{ ID string } }
		}
	}
	if err := json.Unmarshal(first, &bill); err != nil {
		t.Fatal(err)
	}
	if len(bill.Components) != 2 || bill.Components[0].Name != "stdlib" {
		t.Fatalf("the components are %+v", bill.Components)
	}
	dep := bill.Components[1]
	if dep.Name != "example.com/dep" || dep.Version != "v1.0.0" || dep.Purl != "pkg:golang/example.com/dep@v1.0.0" || dep.Licenses[0].License.ID != "ISC" {
		t.Errorf("the module is %+v", dep)
	}
	for _, name := range []string{"secretwrap-layer-x86_64.zip", "secretwrap-layer-os-only-x86_64.zip", "secretwrap-layer-wrapper-x86_64.zip"} {
		if !bytes.Contains(first, []byte(`"`+name+`"`)) {
			t.Errorf("it does not name %s", name)
		}
	}

	// A second run finds the bills of the first, and writes the same.
	if err := run([]string{"-dist", dist, "-version", "1.2.3-test"}); err != nil {
		t.Fatal(err)
	}
	if again := read(t, dist, "secretwrap-layer-x86_64.cdx.json"); !bytes.Equal(first, again) {
		t.Error("the bill is another one the second time")
	}
}

func TestRefuses(t *testing.T) {
	dist := newRelease(t, isc)
	tests := map[string]struct {
		change  func(t *testing.T, dist string)
		version string
		want    string
	}{
		"another version": {func(*testing.T, string) {}, "1.2.4", "not of version 1.2.4"},
		"another file": {func(t *testing.T, dist string) {
			shell(t, "echo >>"+dist+"/secretwrap-layer-arm64.zip")
		}, "1.2.3-test", "secretwrap-layer-arm64.zip has the checksum"},
		"a licence that is missing": {func(t *testing.T, dist string) {
			rewrite(t, dist, func(text string) string { return text[:strings.Index(text, "example.com/dep")] })
		}, "1.2.3-test", "example.com/dep v1.0.0 is in the program, but no licence of it"},
		"a licence of something else": {func(t *testing.T, dist string) {
			rewrite(t, dist, func(text string) string { return text + "example.com/more v1.0.0 LICENSE\n\n" + isc })
		}, "1.2.3-test", "not in the program: example.com/more v1.0.0"},
		"nothing": {func(t *testing.T, dist string) {
			shell(t, ": >"+dist+"/SHA256SUMS")
		}, "1.2.3-test", "lists no archive"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			copied := t.TempDir()
			shell(t, "cp "+dist+"/* "+copied)
			test.change(t, copied)
			err := run([]string{"-dist", copied, "-version", test.version})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestModuleUnderTheGPLIsRefused(t *testing.T) {
	err := run([]string{"-dist", newRelease(t, gpl), "-version", "1.2.3-test"})
	if err == nil || !strings.Contains(err.Error(), "example.com/dep v1.0.0 LICENSE: the licence GPL-3.0") {
		t.Errorf("got %v", err)
	}
}

// rewrite changes the licences in one archive, which is then the only one.
func rewrite(t *testing.T, dist string, change func(string) string) {
	t.Helper()
	const name = "secretwrap-layer-x86_64.zip"
	files, err := readZip(read(t, dist, name))
	if err != nil {
		t.Fatal(err)
	}
	files["THIRD-PARTY-LICENSES"] = []byte(change(string(files["THIRD-PARTY-LICENSES"])))
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for name, content := range files {
		w, err := archive.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dist, name), out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	shell(t, "cd "+dist+" && sha256sum "+name+" >SHA256SUMS")
}

// newRelease packs the layers of a small program that needs a module with a licence,
// which comes from a module proxy that is a directory.
func newRelease(t *testing.T, licence string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"proxy/example.com/dep/@v/v1.0.0.info": `{"Version":"v1.0.0","Time":"2020-01-01T00:00:00Z"}`,
		"proxy/example.com/dep/@v/v1.0.0.mod":  "module example.com/dep\n\ngo 1.26\n",
		"proxy/example.com/dep/@v/list":        "v1.0.0\n",
		"module/go.mod":                        "module secretwrap\n\ngo 1.26\n\nrequire example.com/dep v1.0.0\n",
		"module/wrapper/main.go":               "package main\n\nimport _ \"example.com/dep\"\n\nvar version string\n\nfunc main() { println(version) }\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var module bytes.Buffer
	archive := zip.NewWriter(&module)
	for name, text := range map[string]string{
		"go.mod": "module example.com/dep\n\ngo 1.26\n", "dep.go": "package dep\n", "LICENSE": licence, "NOTICE": own,
	} {
		w, err := archive.Create("example.com/dep@v1.0.0/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "proxy/example.com/dep/@v/v1.0.0.zip"), module.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	dist := filepath.Join(root, "dist")
	shell(t, `
		(cd ../.. && go build -o `+root+`/packlayer ./scripts/packlayer)
		cp -RP ../../layer ../../LICENSE `+root+`/module
		cd `+root+`/module
		export GOPROXY=file://`+root+`/proxy GOSUMDB=off GOMODCACHE=`+root+`/modules
		GOFLAGS=-modcacherw go mod tidy
		../packlayer -version 1.2.3-test -o `+dist)
	return dist
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func shell(t *testing.T, script string) {
	t.Helper()
	if out, err := exec.Command("sh", "-euc", script).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
