package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const embedded = "../../internal/awssecrets/roots.pem"

func TestRenewingFromABundleWithTheSameCertificatesChangesNothing(t *testing.T) {
	want, err := os.ReadFile(embedded)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "roots.pem")
	var printed bytes.Buffer
	if err := run([]string{"-from", embedded, "-o", out}, &printed); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(out); err != nil || !bytes.Equal(got, want) {
		t.Errorf("wrote %q, error %v", got, err)
	}
	const first = "8E:CD:E6:88:4F:3D:87:B1:12:5B:A3:1A:C3:FC:B1:3D:70:16:DE:7F:57:CC:90:4F:E1:CB:97:C6:AE:98:19:6E  until 2038-01-17  Amazon Root CA 1\n"
	if !strings.HasPrefix(printed.String(), first) || strings.Count(printed.String(), "\n") != len(names) {
		t.Errorf("printed\n%s", printed.String())
	}
}

func TestABundleThatLacksAnAuthorityIsRefused(t *testing.T) {
	content, err := os.ReadFile(embedded)
	if err != nil {
		t.Fatal(err)
	}
	bundle := filepath.Join(t.TempDir(), "bundle.pem")
	if err := os.WriteFile(bundle, content[:bytes.Index(content, []byte("Amazon Root CA 4"))], 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "roots.pem")
	err = run([]string{"-from", bundle, "-o", out}, new(bytes.Buffer))
	if err == nil || !strings.HasSuffix(err.Error(), `holds no "Amazon Root CA 4"`) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a file was written all the same")
	}
}
