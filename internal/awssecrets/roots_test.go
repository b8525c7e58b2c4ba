package awssecrets_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"secretwrap/internal/awsfake"
)

// The fingerprints are those of https://www.amazontrust.com/repository/.
func TestTheEmbeddedAuthoritiesAreAmazons(t *testing.T) {
	want := []string{
		"Amazon Root CA 1 8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
		"Amazon Root CA 2 1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
		"Amazon Root CA 3 18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
		"Amazon Root CA 4 e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
		"Starfield Services Root Certificate Authority - G2 568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
	}
	rest, err := os.ReadFile("roots.pem")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if err := certificate.CheckSignatureFrom(certificate); err != nil || !certificate.IsCA {
			t.Errorf("%s is no authority: %v", certificate.Subject, err)
		}
		got = append(got, fmt.Sprintf("%s %x", certificate.Subject.CommonName, sha256.Sum256(certificate.Raw)))
	}
	if !slices.Equal(got, want) || strings.TrimSpace(string(rest)) != "" {
		t.Errorf("embedded are\n%s\nthen %q\nwant\n%s", strings.Join(got, "\n"), rest, strings.Join(want, "\n"))
	}
}

// A server that none of Amazon's authorities signed is met behind a proxy that
// opens TLS. The count of connections tells whether they were asked first: the
// one on which they were ends with the certificate.
func TestWhoIsTrusted(t *testing.T) {
	const (
		host       = "secretsmanager.eu-west-1.amazonaws.com"
		chinaHost  = "secretsmanager.cn-north-1.amazonaws.com.cn"
		dualHost   = "secretsmanager.eu-west-1.api.aws"
		vpcHost    = "vpce-0123-abcd.secretsmanager.eu-west-1.vpce.amazonaws.com"
		notTrusted = "the server's certificate cannot be verified"
	)
	tests := []struct {
		name        string
		certificate awsfake.Certificate
		// environment names the server's authority by CA, its directory by STORE.
		environment map[string]string
		want        string
		connections int
	}{
		{"the system's store after Amazon's authorities", awsfake.Valid, map[string]string{storeVariable: "STORE"}, canary, 2},
		{"neither", awsfake.Valid, nil, notTrusted, 2},
		{"an interface endpoint", awsfake.Valid, map[string]string{storeVariable: "STORE", "AWS_ENDPOINT_URL": "https://" + vpcHost}, canary, 2},
		{"an endpoint in capitals", awsfake.Valid, map[string]string{storeVariable: "STORE", "AWS_ENDPOINT_URL": "https://VPCE-0123-abcd.secretsmanager.eu-west-1.vpce.AmazonAWS.com"}, canary, 2},
		{"China", awsfake.Valid, map[string]string{storeVariable: "STORE", "AWS_ENDPOINT_URL": "https://" + chinaHost}, canary, 2},
		{"an endpoint of both protocols", awsfake.Valid, map[string]string{storeVariable: "STORE", "AWS_ENDPOINT_URL": "https://" + dualHost}, canary, 2},
		{"an endpoint of somebody else's", awsfake.Valid, map[string]string{storeVariable: "STORE", "AWS_ENDPOINT_URL": "https://gateway.test"}, canary, 1},
		{"a host that ends like Amazon's", awsfake.Valid, map[string]string{storeVariable: "STORE", "AWS_ENDPOINT_URL": "https://notamazonaws.com"}, canary, 1},
		{"AWS_CA_BUNDLE", awsfake.Valid, map[string]string{"AWS_CA_BUNDLE": "CA"}, canary, 1},
		{"SSL_CERT_FILE", awsfake.Valid, map[string]string{"SSL_CERT_FILE": "CA"}, canary, 1},
		{"SSL_CERT_DIR", awsfake.Valid, map[string]string{"SSL_CERT_DIR": "STORE"}, canary, 1},
		{"SSL_CERT_FILE without a file, as .NET has it", awsfake.Valid, map[string]string{storeVariable: "STORE", "SSL_CERT_FILE": "/tmp/no such file"}, canary, 2},
		{"SSL_CERT_FILE without a certificate", awsfake.Valid, map[string]string{storeVariable: "STORE", "SSL_CERT_FILE": os.DevNull}, canary, 2},
		{"the system's store where an expired certificate comes along", awsfake.ExpiredAbove, map[string]string{storeVariable: "STORE"}, canary, 2},
		{"an interface endpoint with a port", awsfake.Valid, map[string]string{storeVariable: "STORE", "AWS_ENDPOINT_URL": "https://" + vpcHost + ":443"}, canary, 2},
		{"a host that begins like Amazon's", awsfake.Valid, map[string]string{storeVariable: "STORE", "AWS_ENDPOINT_URL": "https://x.amazonaws.com.test"}, canary, 1},
		{"an expired certificate", awsfake.Expired, map[string]string{storeVariable: "STORE"}, notTrusted, 1},
		{"a certificate for another host", awsfake.WrongHost, map[string]string{storeVariable: "STORE"}, notTrusted, 1},
		{"a certificate that nobody signed", awsfake.SelfSigned, map[string]string{storeVariable: "STORE"}, notTrusted, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := start(t, awsfake.Config{
				Hosts: []string{host, vpcHost, chinaHost, dualHost, "gateway.test", "notamazonaws.com", "x.amazonaws.com.test"}, Certificate: test.certificate,
				Secrets: []awsfake.Secret{{Name: "prod/db", Versions: []awsfake.Version{{String: new(canary)}}}},
			})
			proxy, _ := proxyTo(t, strings.TrimPrefix(server.URL(), "https://"))
			ca := writeFile(t, server.CA())
			environment := function(map[string]string{"HTTPS_PROXY": proxy, "SSL_CERT_FILE": os.DevNull})
			for name, value := range test.environment {
				environment[name] = strings.NewReplacer("CA", ca, "STORE", filepath.Dir(ca)).Replace(value)
			}
			if got := inChild(t, environment); got != test.want || server.Connections() != test.connections {
				t.Errorf("%q with %d connections, want %q with %d", got, server.Connections(), test.want, test.connections)
			}
		})
	}
}
