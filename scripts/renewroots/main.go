// Command renewroots takes the certificates of Amazon Trust Services out of the
// system's store and writes the file that is embedded in the program. It prints
// their fingerprints, to be compared with https://www.amazontrust.com/repository/.
//
//	go run ./scripts/renewroots [-from BUNDLE] [-o FILE]
package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// names are the common names of the authorities that sign AWS's servers.
var names = []string{
	"Amazon Root CA 1", "Amazon Root CA 2", "Amazon Root CA 3", "Amazon Root CA 4",
	"Starfield Services Root Certificate Authority - G2",
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "renewroots:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("renewroots", flag.ContinueOnError)
	from := flags.String("from", "/etc/ssl/certs/ca-certificates.crt", "the `bundle` of the package ca-certificates")
	out := flags.String("o", "internal/awssecrets/roots.pem", "the `file` to write")
	if err := flags.Parse(args); err != nil {
		return err
	}
	bundle, err := os.ReadFile(*from)
	if err != nil {
		return err
	}
	found, err := authorities(bundle)
	if err != nil {
		return err
	}
	var file bytes.Buffer
	for _, name := range names {
		certificate := found[name]
		if certificate == nil {
			return fmt.Errorf("%s holds no %q", *from, name)
		}
		fmt.Fprintf(stdout, "%s  until %s  %s\n", fingerprint(certificate), certificate.NotAfter.Format("2006-01-02"), name)
		fmt.Fprintf(&file, "%s\n%s", name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}))
	}
	return os.WriteFile(*out, file.Bytes(), 0o644)
}

// authorities returns the certificates of a bundle by their common names.
func authorities(bundle []byte) (map[string]*x509.Certificate, error) {
	found := make(map[string]*x509.Certificate)
	for block, rest := pem.Decode(bundle); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		found[certificate.Subject.CommonName] = certificate
	}
	return found, nil
}

// fingerprint returns the SHA-256 of a certificate in the usual form.
func fingerprint(certificate *x509.Certificate) string {
	sum := sha256.Sum256(certificate.Raw)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":")
}
