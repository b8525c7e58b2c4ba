package awssecrets

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Identity stands for where Secrets Manager is and as whom it is asked: two
// environments with the same Identity get the same answers. It is a hash, of
// keys too, and can be shown. SSL_CERT_FILE is no part of it, because Lambda's
// .NET runtime exports one without certificates.
func Identity(environment map[string]string) string {
	sum := sha256.New()
	// Of two names for one thing the first has precedence.
	for _, names := range [][2]string{
		{"AWS_REGION", "AWS_DEFAULT_REGION"},
		{"AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL"}, {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"},
		{"AWS_USE_FIPS_ENDPOINT"}, {"AWS_USE_DUALSTACK_ENDPOINT"},
		{"HTTPS_PROXY", "https_proxy"}, {"NO_PROXY", "no_proxy"},
		{"AWS_CA_BUNDLE"},
		{"AWS_ACCESS_KEY_ID"}, {"AWS_SECRET_ACCESS_KEY"}, {"AWS_SESSION_TOKEN"},
		{"AWS_CONTAINER_CREDENTIALS_FULL_URI"}, {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"}, {"AWS_CONTAINER_AUTHORIZATION_TOKEN"},
	} {
		fmt.Fprintf(sum, "%s=%q\n", names[0], cmp.Or(environment[names[0]], environment[names[1]]))
	}
	return hex.EncodeToString(sum.Sum(nil))
}
