package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// bundles is where systems keep the certificates of all authorities.
func bundles() []string {
	return []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}
}

// systemBundle returns this machine's authorities.
func systemBundle() ([]byte, error) {
	for _, path := range bundles() {
		if text, err := os.ReadFile(path); err == nil {
			return text, nil
		}
	}
	return nil, errors.New("this machine has no bundle of certificates: install ca-certificates")
}

// layOutEtc makes what the functions see as /etc: the store's address under the
// real name of Secrets Manager, and this machine's authorities, the store's one
// among them, where Amazon Linux keeps its own.
func layOutEtc(dir string, ip string, ca []byte) error {
	system, err := systemBundle()
	if err != nil {
		return err
	}
	all := bytes.Join([][]byte{system, ca}, []byte("\n"))
	// OpenSSL's own form, in which the same authorities lie beside the others.
	trusted := bytes.ReplaceAll(all, []byte(" CERTIFICATE--"), []byte(" TRUSTED CERTIFICATE--"))
	for name, content := range map[string][]byte{
		"hosts":         []byte("127.0.0.1 localhost\n" + ip + " " + host + "\n"),
		"nsswitch.conf": []byte("hosts: files dns\n"),
		"passwd":        []byte("root:x:0:0:root:/root:/bin/sh\n"),
		"pki/ca-trust/extracted/pem/tls-ca-bundle.pem":       all,
		"pki/ca-trust/extracted/openssl/ca-bundle.trust.crt": trusted,
		"store.pem": ca,
	} {
		if err := writeFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	for link, target := range map[string]string{
		"pki/tls/certs/ca-bundle.crt":       "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
		"pki/tls/certs/ca-bundle.trust.crt": "/etc/pki/ca-trust/extracted/openssl/ca-bundle.trust.crt",
		"pki/tls/cert.pem":                  "certs/ca-bundle.crt",
		"ssl/certs":                         "../pki/tls/certs",
	} {
		path := filepath.Join(dir, link)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.Symlink(target, path); err != nil {
			return err
		}
	}
	return copyLoader(dir)
}

// copyLoader copies what the dynamic loader of this machine's interpreters reads.
func copyLoader(etc string) error {
	for _, name := range []string{"ld.so.cache", "ld.so.conf", "ssl/openssl.cnf"} {
		content, err := os.ReadFile(filepath.Join("/etc", name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := writeFile(filepath.Join(etc, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// writeFile writes a file, and makes its directory.
func writeFile(path string, content []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, mode)
}

// pythonBundle returns the authorities that Python's SDK brings along, with the
// store's.
func pythonBundle(botocore string, ca []byte) ([]byte, error) {
	own, err := os.ReadFile(filepath.Join(botocore, "cacert.pem"))
	if err != nil {
		return nil, fmt.Errorf("the authorities of Python's SDK: %w", err)
	}
	return []byte(strings.Join([]string{string(own), string(ca)}, "\n")), nil
}
