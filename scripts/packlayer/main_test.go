package main_test

import (
	"archive/zip"
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The zip files of the layer that this repository holds.
const (
	zipX86 = "secretwrap-layer-x86_64.zip"
	zipARM = "secretwrap-layer-arm64.zip"
)

func TestSameBytesFromAnyDirectoryTimeZoneUmaskAndGoSettings(t *testing.T) {
	packer, module := buildPacker(t), newModule(t)
	here := pack(t, packer, module, "umask 022", "TZ=Pacific/Kiritimati")

	// The copy is made under the other umask, as a clone of it would be.
	other := filepath.Join(t.TempDir(), "another", "place")
	shell(t, "umask 077 && mkdir -p "+other+" && cp -RP "+module+"/. "+other+" && cd "+other+" && git init -q")
	stored := filepath.Join(t.TempDir(), "env")
	shell(t, "printf 'GOFLAGS=-tags=other -race\nGOEXPERIMENT=fieldtrack\nGOARM64=v9.0\n' >"+stored)
	there := pack(t, packer, other, "umask 077", "TZ=America/Los_Angeles", "LC_ALL=C",
		"GOENV="+stored, "GOAMD64=v2", "GOFLAGS=-tags=other", "GOOS=windows", "CGO_ENABLED=1", "GODEBUG=netdns=cgo")

	names := []string{zipX86, zipARM}
	for _, platform := range platforms() {
		names = append(names, "secretwrap-"+platform+".tar.gz")
	}
	for _, name := range append(names, "SHA256SUMS") {
		if !bytes.Equal(here[name], there[name]) {
			t.Errorf("%s differs", name)
		}
	}
	for _, name := range names {
		if !bytes.Contains(here["SHA256SUMS"], []byte("  "+name+"\n")) {
			t.Errorf("SHA256SUMS has no line for %s", name)
		}
	}
}

// platforms are those of laptops.
func platforms() []string {
	return []string{"linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64"}
}

func TestLaptopsGetTheProgramWithItsLicences(t *testing.T) {
	dist := pack(t, buildPacker(t), newModule(t), "umask 077")
	for _, platform := range platforms() {
		t.Run(platform, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "archive"), dist["secretwrap-"+platform+".tar.gz"], 0o644); err != nil {
				t.Fatal(err)
			}
			shell(t, "cd "+dir+" && umask 022 && tar -xzf archive && rm archive")
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, entry := range entries {
				info, err := entry.Info()
				if err != nil {
					t.Fatal(err)
				}
				found = append(found, info.Mode().String()+" "+entry.Name())
			}
			if want := []string{"-rw-r--r-- LICENSE", "-rw-r--r-- THIRD-PARTY-LICENSES", "-rwxr-xr-x secretwrap"}; !slices.Equal(found, want) {
				t.Errorf("holds %q, want %q", found, want)
			}
			info, err := buildinfo.ReadFile(filepath.Join(dir, "secretwrap"))
			if err != nil {
				t.Fatal(err)
			}
			var built []string
			for _, setting := range info.Settings {
				if setting.Key == "GOOS" || setting.Key == "GOARCH" {
					built = append(built, setting.Value)
				}
			}
			slices.Reverse(built)
			if got := strings.Join(built, "-"); got != platform {
				t.Errorf("is built for %s", got)
			}
		})
	}
}

func TestLayerHoldsTheProgramAsTheOnlyExtensionAndLinksToIt(t *testing.T) {
	dist := pack(t, buildPacker(t), newModule(t), "umask 027", "TZ=Asia/Tokyo")
	for name, machine := range map[string]elf.Machine{zipX86: elf.EM_X86_64, zipARM: elf.EM_AARCH64} {
		t.Run(name, func(t *testing.T) {
			files := unzip(t, dist[name])
			want := []struct {
				name string
				mode fs.FileMode
			}{
				{"extensions/secretwrap", 0o755},
				{"secretwrap", fs.ModeSymlink | 0o777},
				{"share/doc/secretwrap/LICENSE", 0o644},
				{"share/doc/secretwrap/THIRD-PARTY-LICENSES", 0o644},
			}
			if len(files) != len(want) {
				t.Fatalf("%d entries, want %d", len(files), len(want))
			}
			for i, w := range want {
				if files[i].Name != w.name || files[i].Mode() != w.mode {
					t.Errorf("entry %d: %s %v, want %s %v", i, files[i].Name, files[i].Mode(), w.name, w.mode)
				}
				if at := time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC); !files[i].Modified.Equal(at) {
					t.Errorf("%s: time %v, want %v", w.name, files[i].Modified, at)
				}
			}
			if target := content(t, files[1]); string(target) != "extensions/secretwrap" {
				t.Errorf("link leads to %q", target)
			}
			program, err := elf.NewFile(bytes.NewReader(content(t, files[0])))
			if err != nil {
				t.Fatal(err)
			}
			if program.Machine != machine {
				t.Errorf("program is for %v, want %v", program.Machine, machine)
			}
			if libraries, _ := program.ImportedLibraries(); len(libraries) > 0 {
				t.Errorf("program needs %v", libraries)
			}
		})
	}
}

func TestTheWrapperAloneIsNoExtension(t *testing.T) {
	dist := pack(t, buildPacker(t), newModule(t), "umask 022")
	for _, architecture := range []string{"x86_64", "arm64"} {
		files := unzip(t, dist["secretwrap-layer-wrapper-"+architecture+".zip"])
		if files[0].Name != "bin/secretwrap" || files[0].Mode() != 0o755 {
			t.Errorf("the program is %s, %v", files[0].Name, files[0].Mode())
		}
		if files[1].Name != "secretwrap" || string(content(t, files[1])) != "bin/secretwrap" {
			t.Errorf("%s leads to %q", files[1].Name, content(t, files[1]))
		}
		whole := unzip(t, dist["secretwrap-layer-"+architecture+".zip"])
		if !bytes.Equal(content(t, files[0]), content(t, whole[0])) {
			t.Error("it is another program than that of the whole layer")
		}
	}
}

func TestTheLayersOfThisProjectHaveTheirLinks(t *testing.T) {
	links := map[string]string{
		"managed/secretwrap": "extensions/secretwrap",
		"os-only/secretwrap": "extensions/secretwrap",
		"os-only/bootstrap":  "extensions/secretwrap",
		"wrapper/secretwrap": "bin/secretwrap",
	}
	found, err := filepath.Glob("../../layer/*/*")
	if err != nil || len(found) != len(links) {
		t.Errorf("%q, want %v: %v", found, links, err)
	}
	for path, want := range links {
		if target, err := os.Readlink(filepath.Join("../../layer", path)); target != want {
			t.Errorf("%s leads to %q, want %q: %v", path, target, want, err)
		}
	}
}

func TestProgramKnowsItsVersion(t *testing.T) {
	dist := pack(t, buildPacker(t), newModule(t), "umask 022")
	program := content(t, unzip(t, dist[zipX86])[0])
	if !bytes.Contains(program, []byte("1.2.3-test")) {
		t.Error("program does not hold its version")
	}
}

func TestLicencesAreThoseOfWhatIsLinked(t *testing.T) {
	dist := pack(t, buildPacker(t), newModule(t), "umask 022")
	licences := string(content(t, unzip(t, dist[zipX86])[3]))
	for _, want := range []string{"Go Authors", "example.com/dep v1.0.0 LICENSE\n\nterms of dep", "example.com/dep v1.0.0 part/NOTICE\n\nterms of a part of dep"} {
		if strings.Count(licences, want) != 1 {
			t.Errorf("%q occurs %d times, want once", want, strings.Count(licences, want))
		}
	}
	if strings.Contains(licences, "terms of what is not linked") {
		t.Error("licence of a package that is not linked")
	}
}

func TestEveryFolderBecomesALayer(t *testing.T) {
	module := newModule(t)
	shell(t, "mkdir "+module+"/layer/other && ln -s extensions/secretwrap "+module+"/layer/other/bootstrap")
	dist := pack(t, buildPacker(t), module, "umask 022")
	for _, name := range []string{"secretwrap-layer-other-x86_64.zip", "secretwrap-layer-other-arm64.zip"} {
		if dist[name] == nil {
			t.Fatalf("no %s", name)
		}
		if first := unzip(t, dist[name])[0].Name; first != "bootstrap" {
			t.Errorf("%s begins with %s, want bootstrap", name, first)
		}
	}
}

func TestRefuses(t *testing.T) {
	packer := buildPacker(t)
	for _, test := range []struct{ name, change, want string }{
		{"a second file in extensions", "mkdir layer/managed/extensions && : >layer/managed/extensions/.gitkeep", "Lambda would start it"},
		{"an extension in the layer without one", "mkdir layer/wrapper/extensions && : >layer/wrapper/extensions/secretwrap", "Lambda would start it"},
		{"a program that is there already", "mkdir layer/managed/extensions && : >layer/managed/extensions/secretwrap", "twice"},
		{"a link that leads nowhere", "ln -s extensions/other layer/managed/wrapper", "not in the layer"},
		{"a link out of the layer", "ln -s /bin/sh layer/managed/wrapper", "not in the layer"},
		{"a pipe", "mkfifo layer/managed/pipe", "neither a file nor a link"},
		{"a dependency without a licence", "rm dep/LICENSE dep/part/NOTICE", "has no licence"},
		{"a program over its budget", `printf "package main\nvar large = [8500000]byte{1}\nfunc init() { println(large[len(version)]) }" >wrapper/large.go`, "the program for x86_64: "},
		{"a layer over its budget", "head -c 3500000 /dev/urandom >layer/managed/large", zipX86 + ": "},
		{"a program that does not compile", "echo broken >>wrapper/main.go", "go build"},
	} {
		t.Run(test.name, func(t *testing.T) {
			module := newModule(t)
			shell(t, "cd "+module+" && "+test.change)
			cmd := exec.Command(packer, "-version", "1.2.3-test")
			cmd.Dir = module
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), test.want) {
				t.Errorf("got %v with %q, want an error with %q", err, out, test.want)
			}
		})
	}
}

// newModule returns a directory with a small program, the licence and layer/
// of this repository, and a dependency with a licence.
func newModule(t *testing.T) string {
	t.Helper()
	module := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":               "module secretwrap\n\ngo 1.26\n\nrequire example.com/dep v1.0.0\n\nreplace example.com/dep => ./dep\n",
		"wrapper/main.go":      "package main\n\nimport _ \"example.com/dep/part\"\n\nvar version string\n\nfunc main() { println(version) }\n",
		"dep/go.mod":           "module example.com/dep\n\ngo 1.26\n",
		"dep/LICENSE":          "terms of dep\n",
		"dep/part/part.go":     "package part\n",
		"dep/part/NOTICE":      "terms of a part of dep\n",
		"dep/unused/unused.go": "package unused\n",
		"dep/unused/LICENSE":   "terms of what is not linked\n",
	} {
		path := filepath.Join(module, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	shell(t, "cp -RP ../../layer ../../LICENSE "+module)
	return module
}

func buildPacker(t *testing.T) string {
	t.Helper()
	packer := filepath.Join(t.TempDir(), "packlayer")
	shell(t, "go build -o "+packer+" .")
	return packer
}

// pack runs the packer in module and returns the files that it wrote.
func pack(t *testing.T, packer, module, umask string, environ ...string) map[string][]byte {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "dist")
	cmd := exec.Command("sh", "-c", umask+` && exec "$@"`, "sh", packer, "-laptop", "-version", "1.2.3-test", "-o", dir)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), environ...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	dist := make(map[string][]byte, len(files))
	for _, file := range files {
		if dist[file.Name()], err = os.ReadFile(filepath.Join(dir, file.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return dist
}

func unzip(t *testing.T, archive []byte) []*zip.File {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(r.File, func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("entries are not sorted")
	}
	return r.File
}

func content(t *testing.T, file *zip.File) []byte {
	t.Helper()
	r, err := file.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func shell(t *testing.T, script string) {
	t.Helper()
	if out, err := exec.Command("sh", "-euc", script).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
