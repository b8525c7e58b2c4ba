//go:build lambda

package fetch_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/awssecrets"
	"secretwrap/internal/fetch"
	"secretwrap/internal/problem"
)

func TestExpiredCredentialsOfTheContainerAreReplaced(t *testing.T) {
	for name, faults := range map[string][]awsfake.Fault{
		"in time":  {awsfake.ExpiredToken, awsfake.OK},
		"for good": {awsfake.ExpiredToken},
	} {
		var asked atomic.Int32
		endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"AccessKeyId":"AKID%d","SecretAccessKey":"key","Token":"token","Expiration":%q}`,
				asked.Add(1), time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
		}))
		t.Cleanup(endpoint.Close)
		server := start(t, map[string][]awsfake.Fault{"a": faults})
		bundle := filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(bundle, server.CA(), 0o600); err != nil {
			t.Fatal(err)
		}
		config, problems := awssecrets.Load(map[string]string{
			"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": server.URL(), "AWS_CA_BUNDLE": bundle, "AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint.URL,
		}, nil)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		outcome := fetch.All(t.Context(), awssecrets.New(config), named("a"), fetch.Options{Budget: 30 * time.Second, Connections: 4})[0]
		switch good := len(faults) > 1; {
		case good:
			wantValue(t, outcome, "a", 2)
		case outcome.Err == nil || outcome.Err.Class != problem.Denied:
			t.Errorf("%s: error %+v", name, outcome.Err)
		}
		calls := server.Calls()
		if len(calls) != 2 || calls[0].Signature.AccessKeyID != "AKID1" || calls[1].Signature.AccessKeyID != "AKID2" || asked.Load() != 2 {
			t.Errorf("%s: the endpoint was asked %d times for %d calls", name, asked.Load(), len(calls))
		}
	}
}
