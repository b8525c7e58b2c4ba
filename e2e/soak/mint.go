package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// canary is the beginning of every secret value. Its first eight characters are some
// that every encoding changes.
const canary = `Qz7"\/+x-canary-vK3mT8`

// The values that there are. A certificate belongs to the key of its version alone.
const (
	password    = "password"
	certificate = "certificate"
	privateKey  = "private-key"
)

// mint makes values, each of which tells its version and cannot be mistaken for
// another one. It remembers none of them.
type mint struct{ key []byte }

func newMint() mint { return mint{[]byte(rand.Text())} }

// value returns the value of a kind in a version.
func (m mint) value(kind string, version int) string {
	mac := hmac.New(sha256.New, m.key)
	fmt.Fprint(mac, kind, " ", version)
	return fmt.Sprintf("%s %s %d %s", canary, kind, version, hex.EncodeToString(mac.Sum(nil)))
}

// version returns the version of a value of a kind, and whether it is exactly one
// that was made.
func (m mint) version(kind, value string) (int, bool) {
	rest, found := strings.CutPrefix(value, canary+" "+kind+" ")
	if !found {
		return 0, false
	}
	digits, _, _ := strings.Cut(rest, " ")
	version, err := strconv.Atoi(digits)
	return version, err == nil && hmac.Equal([]byte(value), []byte(m.value(kind, version)))
}

// document returns the JSON of a secret that holds values of these kinds.
func (m mint) document(version int, kinds ...string) string {
	fields := make(map[string]string)
	for _, kind := range kinds {
		fields[kind] = m.value(kind, version)
	}
	text, _ := json.Marshal(fields) // a map of strings can always be one
	return string(text)
}
