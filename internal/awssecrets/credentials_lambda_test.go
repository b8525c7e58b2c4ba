//go:build lambda

package awssecrets_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/awssecrets"
	"secretwrap/internal/problem"
)

// container is the environment of a function without keys, whose credentials
// come from an endpoint.
func container(t *testing.T, server *awsfake.Server, endpoint string) map[string]string {
	t.Helper()
	environment := environmentFor(t, server)
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		delete(environment, name)
	}
	environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = endpoint
	environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "token of the container"
	return environment
}

func keys(id string, expiration time.Time) string {
	return fmt.Sprintf(`{"AccessKeyId":%q,"SecretAccessKey":"key","Token":"token","Expiration":%q}`, id, expiration.UTC().Format(time.RFC3339))
}

func TestTheContainerEndpointGivesCredentials(t *testing.T) {
	var token, method atomic.Value
	endpoint := answering(t, func(w http.ResponseWriter, r *http.Request) {
		token.Store(r.Header.Get("Authorization"))
		method.Store(r.Method + " " + r.URL.Path)
		fmt.Fprint(w, keys("AKIDCONTAINER", time.Now().Add(time.Hour)))
	})
	server := holding(t)
	if _, err := get(t, newClient(t, container(t, server, endpoint+"/credentials")), "prod/db"); err != nil {
		t.Fatal(err)
	}
	if token.Load() != "token of the container" || method.Load() != "GET /credentials" {
		t.Errorf("asked %v with the token %v", method.Load(), token.Load())
	}
	call := server.Calls()[0]
	if call.Signature.AccessKeyID != "AKIDCONTAINER" || !call.SecurityToken {
		t.Errorf("call %+v", call)
	}
}

func TestManyFirstCallsAskTheContainerEndpointOnce(t *testing.T) {
	var asked atomic.Int32
	endpoint := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		fmt.Fprint(w, keys("AKIDCONTAINER", time.Now().Add(time.Hour)))
	})
	client := newClient(t, container(t, holding(t), endpoint))
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if _, err := client.Get(t.Context(), awssecrets.Request{Secret: "prod/db"}, 0); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("the endpoint was asked %d times", n)
	}
	client.Renew()
	if _, err := get(t, client, "prod/db"); err != nil || asked.Load() != 2 {
		t.Errorf("after Renew the endpoint was asked %d times, error %v", asked.Load(), err)
	}
}

func TestAContainerEndpointThatFailsMayPass(t *testing.T) {
	tests := map[string]http.HandlerFunc{
		"an error of its own": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, canary, http.StatusInternalServerError) },
		"nothing listens":     nil,
		"too many requests":   func(w http.ResponseWriter, _ *http.Request) { http.Error(w, canary, http.StatusTooManyRequests) },
		"no JSON":             func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, canary) },
		"half an answer":      func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"AccessKeyId":%q`, canary) },
		"an empty answer":     func(http.ResponseWriter, *http.Request) {},
		"no answer":           func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"null":                func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "null") },
		"an error of null": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "null")
		},
		"another protocol": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusSwitchingProtocols) },
		"too large": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, strings.Repeat(" ", 600<<10), keys("AKIDLARGE", time.Now().Add(time.Hour)))
		},
		"compressed": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			packed := gzip.NewWriter(w)
			fmt.Fprint(packed, keys("AKIDPACKED", time.Now().Add(time.Hour)))
			packed.Close()
		},
		"headers that are too long": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Header", strings.Repeat("x", 100<<10))
			fmt.Fprint(w, keys("AKIDLONG", time.Now().Add(time.Hour)))
		},
	}
	for name, handler := range tests {
		t.Run(name, func(t *testing.T) {
			endpoint := "http://" + freeAddress(t)
			if handler != nil {
				endpoint = answering(t, handler)
			}
			got := failure(t, newClient(t, container(t, holding(t), endpoint)), "prod/db")
			wantFailure(t, got, problem.Unavailable, awssecrets.Always, "the endpoint for credentials failed")
		})
	}
}

// The token of the container belongs to the endpoint alone.
func TestARedirectOfTheContainerEndpointIsNotFollowed(t *testing.T) {
	var followed atomic.Bool
	elsewhere := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		followed.Store(true)
		fmt.Fprint(w, keys("AKIDELSEWHERE", time.Now().Add(time.Hour)))
	})
	for _, status := range []int{301, 302, 303, 307, 308} {
		endpoint := answering(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere, status) })
		server := holding(t)
		got := failure(t, newClient(t, container(t, server, endpoint)), "prod/db")
		wantFailure(t, got, problem.Unavailable, awssecrets.Always, "the endpoint for credentials failed")
		if followed.Load() || len(server.Calls()) != 0 {
			t.Errorf("status %d was followed", status)
		}
	}
}

// freeAddress returns an address at which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener := listen(t)
	defer listener.Close()
	return listener.Addr().String()
}

func TestAContainerEndpointWithoutCredentialsIsDenial(t *testing.T) {
	tests := map[string]http.HandlerFunc{
		"not found": http.NotFound,
		"fails in JSON": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(403)
			fmt.Fprintf(w, `{"code":%q,"message":%[1]q}`, canary)
		},
		"no keys":       func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) },
		"half the keys": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"AccessKeyId":%q}`, canary) },
	}
	for name, handler := range tests {
		t.Run(name, func(t *testing.T) {
			server := holding(t)
			got := failure(t, newClient(t, container(t, server, answering(t, handler))), "prod/db")
			wantFailure(t, got, problem.Denied, awssecrets.Renewed, "no credentials were found")
			if strings.Contains(got.Cause+got.Hint, canary) {
				t.Errorf("the error repeats the endpoint's text: %+v", *got)
			}
			if len(server.Calls()) != 0 {
				t.Error("Secrets Manager was called without credentials")
			}
		})
	}
}

func TestExpiredCredentialsAreForSecretsManagerToJudge(t *testing.T) {
	endpoint := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, keys("AKIDOLD", time.Now().Add(-time.Hour)))
	})
	server := holding(t, awsfake.ExpiredToken)
	wantFailure(t, failure(t, newClient(t, container(t, server, endpoint)), "prod/db"), problem.Denied, awssecrets.Renewed, "the credentials were refused: ExpiredTokenException")
}

func TestASlowContainerEndpointIsWaitedForByLaterAttempts(t *testing.T) {
	answer := make(chan struct{})
	endpoint := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		<-answer
		fmt.Fprint(w, keys("AKIDCONTAINER", time.Now().Add(time.Hour)))
	})
	client := newClient(t, container(t, holding(t), endpoint))
	_, err := client.Get(t.Context(), awssecrets.Request{Secret: "prod/db"}, 30*time.Millisecond)
	got := asError(t, err)
	wantFailure(t, got, problem.Timeout, awssecrets.Always, "no credentials in time")
	if strings.Contains(got.Hint, "NAT") {
		t.Errorf("the hint is about the wrong server: %q", got.Hint)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	_, err = client.Get(ctx, awssecrets.Request{Secret: "prod/db"}, 0)
	wantFailure(t, asError(t, err), problem.Timeout, awssecrets.Never, "no credentials in time")
	close(answer)
	if _, err := get(t, client, "prod/db"); err != nil {
		t.Error(err)
	}
}

func TestAContainerEndpointThatHangsIsAskedAgain(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	leave := make(chan struct{})
	endpoint := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			<-leave
		}
		fmt.Fprint(w, keys("AKIDCONTAINER", time.Now().Add(time.Hour)))
	})
	t.Cleanup(func() { close(leave) })
	client := newClient(t, container(t, holding(t), endpoint))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	failure := asError(t, second(client.Get(ctx, awssecrets.Request{Secret: "prod/db"}, 0)))
	wantFailure(t, failure, problem.Timeout, awssecrets.Renewed, "no credentials in time")
	if _, err := client.Get(ctx, awssecrets.Request{Secret: "prod/db"}, 0); err != nil {
		t.Error(err)
	}
}

func second(_ awssecrets.Document, err error) error { return err }

func TestAContainerEndpointElsewhereIsRefused(t *testing.T) {
	for _, more := range []map[string]string{
		{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://192.0.2.1/"},
		{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/"},
		{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://localhost@example.com/"},
		{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://10.0.0.1/"},
		{"AWS_CONTAINER_CREDENTIALS_FULL_URI": canary},
		{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://[::1"},
		{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "@example.com/"},
		{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": ".example.com/"},
	} {
		environment := map[string]string{"AWS_REGION": region}
		for name, value := range more {
			environment[name] = value
		}
		_, problems := awssecrets.Load(environment, nil)
		if len(problems) != 1 || problems[0].Class != problem.Config || strings.Contains(problems[0].Error(), canary) {
			t.Errorf("%v: %v", more, problems)
		}
	}
}

func TestAContainerEndpointOnThisMachineIsAccepted(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/id",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI":     "http://localhost:1234/",
	} {
		if _, problems := awssecrets.Load(map[string]string{"AWS_REGION": region, name: value}, nil); len(problems) > 0 {
			t.Errorf("%s: %v", name, problems)
		}
	}
	for _, host := range []string{"127.0.0.1:9001", "[::1]", "169.254.170.23", "[fd00:ec2::23]"} {
		environment := map[string]string{"AWS_REGION": region, "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://" + host + "/v1/credentials"}
		if _, problems := awssecrets.Load(environment, nil); len(problems) > 0 {
			t.Errorf("%s: %v", host, problems)
		}
	}
}

func TestWithoutCredentialsNothingIsAsked(t *testing.T) {
	var asked atomic.Int32
	metadata := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(metadata.Close)
	trace := filepath.Join(t.TempDir(), "executed")
	profile := writeFile(t, []byte("[default]\ncredential_process = /usr/bin/touch "+trace+"\n"))
	environment := map[string]string{
		"AWS_REGION": region, "AWS_CONFIG_FILE": profile, "AWS_SHARED_CREDENTIALS_FILE": profile,
		"AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.URL, "AWS_ACCESS_KEY_ID": "half-of-the-keys",
	}
	for name, value := range environment {
		t.Setenv(name, value)
	}
	_, problems := awssecrets.Load(environment, []awssecrets.Request{{Secret: "prod/db"}})
	if len(problems) != 1 || problems[0].Class != problem.Denied || problems[0].Cause != "no credentials are in the environment" {
		t.Errorf("problems %v", problems)
	}
	if _, err := os.Stat(trace); err == nil {
		t.Error("credential_process was executed")
	}
	if asked.Load() != 0 {
		t.Error("an instance's metadata was asked for")
	}
}

func TestTheRegionIsTheFunctions(t *testing.T) {
	keys := map[string]string{"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
	tests := []struct{ region, fallback, want string }{
		{"eu-west-1", "us-east-1", "eu-west-1"},
		{"", "us-east-1", "us-east-1"},
		{"eusc-de-east-1", "", "eusc-de-east-1"},
		{"", "", ""},
		{"eu west", "", ""},
		{"evil.example/", "", ""},
	}
	for _, test := range tests {
		environment := map[string]string{"AWS_REGION": test.region, "AWS_DEFAULT_REGION": test.fallback}
		for name, value := range keys {
			environment[name] = value
		}
		if _, problems := awssecrets.Load(environment, []awssecrets.Request{{Secret: "a", Region: "eu-west-2"}}); len(problems) > 0 {
			t.Errorf("%q: a secret with a region of its own: %v", test.region, problems)
		}
		config, problems := awssecrets.Load(environment, []awssecrets.Request{{Secret: "a"}})
		if test.want == "" {
			if len(problems) != 1 || problems[0].Variable != "AWS_REGION" || problems[0].Secret != "a" || problems[0].Class != problem.Config {
				t.Errorf("%q: %v", test.region, problems)
			}
			continue
		}
		if len(problems) > 0 || config.Region != test.want {
			t.Errorf("%q: region %q, %v", test.region, config.Region, problems)
		}
	}
}

func TestTheContainerEndpointNeverGoesThroughAProxy(t *testing.T) {
	t.Parallel()
	proxy, asked := proxyTo(t, "")
	got := inChild(t, map[string]string{"AWS_REGION": region, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/credentials", "HTTP_PROXY": proxy})
	if !strings.HasPrefix(got, "no credentials") || asked.Load() != 0 {
		t.Errorf("%q, and the proxy was asked %d times", got, asked.Load())
	}
}
