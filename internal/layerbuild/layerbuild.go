// Package layerbuild says how go build makes the program of the layers, so that
// what is tested and measured is what is shipped.
package layerbuild

// Source is the package of the program, seen from the root of its module.
const Source = "./wrapper"

// Tags are those of the build for Lambda: without the credentials of laptops, and
// without HTTP/2, which is not used.
const Tags = "lambda,nethttpomithttp2"

// Arguments returns those of go build for everything but where the program goes
// and what it is made of. An empty version leaves the program's own.
func Arguments(version string) []string {
	// What only debuggers need is left out, and functions are padded on amd64 to
	// 16 bytes as on arm64, not to 32.
	linker := "-ldflags=-s -w -buildid= -funcalign=16"
	if version != "" {
		linker += " -X main.version=" + version
	}
	return []string{
		"-tags=" + Tags, "-trimpath", "-buildvcs=false", linker,
		// In the modules of others nothing is inlined, nor in what prints, in JSON of our
		// own, and in what opens a connection: little of that code runs, and none of it
		// often. What encrypts is in other packages.
		"-gcflags=github.com/...=-l", "-gcflags=go.yaml.in/...=-l", "-gcflags=fmt=-l", "-gcflags=encoding/json=-l",
		"-gcflags=net=-l", "-gcflags=net/http=-l", "-gcflags=crypto/tls=-l", "-gcflags=crypto/x509=-l",
	}
}
