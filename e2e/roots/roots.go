// Package roots lets go build embed one more authority in the layer's program:
// nobody can sign for Amazon, whose authorities it trusts.
package roots

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// embedded is the file of the authorities, seen from the root of the module.
const embedded = "internal/awssecrets/roots.pem"

// Overlay returns the argument of go build that adds the certificate ca, in PEM, to
// the authorities embedded by the module in directory module. It keeps its files
// in dir.
func Overlay(module, dir string, ca []byte) (string, error) {
	module, err := filepath.Abs(module)
	if err != nil {
		return "", err
	}
	original, replaced := filepath.Join(module, embedded), filepath.Join(dir, "roots.pem")
	amazon, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(replaced, append(amazon, ca...), 0o600); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": {original: replaced}})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return "-overlay=" + path, os.WriteFile(path, text, 0o600)
}
