package main

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// written returns the canary as it may stand in a text.
func written() map[string]string {
	value := newMint().value(password, 7)
	document := []byte(`{"password":"` + value + `"}`)
	return map[string]string{
		"raw":                           value,
		"its first eight characters":    canary[:8],
		"JSON":                          newMint().document(7, password),
		"Go":                            fmt.Sprintf("%q", value),
		"a query":                       url.QueryEscape(value),
		"a path":                        url.PathEscape(value),
		"hex":                           fmt.Sprintf("%x", document),
		"upper hex":                     fmt.Sprintf("%X", document),
		"bytes":                         fmt.Sprint(document),
		"base64":                        base64.StdEncoding.EncodeToString(document),
		"base64, one further":           base64.StdEncoding.EncodeToString(append([]byte("1"), document...)),
		"base64, two further":           base64.StdEncoding.EncodeToString(append([]byte("12"), document...)),
		"base64 for a URL":              base64.RawURLEncoding.EncodeToString(document),
		"hex, of eight characters":      fmt.Sprintf("%x", canary[:8]),
		"a path, of eight characters":   url.PathEscape(canary[:8]),
		"base64, of eight characters":   base64.StdEncoding.EncodeToString([]byte(canary[:8])),
		"a Go string of eight of these": fmt.Sprintf("%q", canary[:8]),
	}
}

// TestACanaryIsFoundHoweverItComes writes texts that hold it whole and byte by byte.
func TestACanaryIsFoundHoweverItComes(t *testing.T) {
	for name, text := range written() {
		text = "first line\nsecond line: " + text + "\nthird line\n"
		for _, piece := range []int{len(text), 1, 7} {
			s := newScanner("the log", canary)
			for rest := text; rest != ""; {
				n := min(piece, len(rest))
				if written, err := s.Write([]byte(rest[:n])); written != n || err != nil {
					t.Fatal(written, err)
				}
				rest = rest[n:]
			}
			found, count := s.sightings()
			if count == 0 || found[0].Line != 2 || found[0].Source != "the log" {
				t.Errorf("%s in pieces of %d: %v", name, piece, found)
			}
		}
	}
}

func TestACanaryIsCountedOnce(t *testing.T) {
	s := newScanner("the log", canary)
	for range 3 {
		fmt.Fprintf(s, "hex %x\n", canary)
	}
	if _, count := s.sightings(); count != 3 {
		t.Errorf("counted %d times", count)
	}
}

func TestTextsWithoutACanaryAreNotSuspected(t *testing.T) {
	s := newScanner("the log", canary)
	for i := range 1000 {
		fmt.Fprintf(s, "[secretwrap] info: 2 files written: new version of soak/tls, %d %x\n", i, newMint().key)
	}
	if found, _ := s.sightings(); len(found) > 0 {
		t.Error(found)
	}
}

func TestAScannerDoesNotGrow(t *testing.T) {
	s := newScanner("the log", canary)
	line := strings.Repeat("x", 1000) + canary + "\n"
	for range 1000 {
		fmt.Fprint(s, line)
	}
	found, count := s.sightings()
	if count < 1000 || len(found) != keptSightings || len(s.end()) > 2*keptText || len(s.window) > len(line) {
		t.Errorf("%d sightings of %d, %d bytes of text, %d of a window", len(found), count, len(s.end()), len(s.window))
	}
	if s.bytes() != int64(1000*len(line)) {
		t.Errorf("%d bytes were looked at", s.bytes())
	}
}
