//go:build lambda

package awssecrets_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// FuzzWhatTheCredentialsEndpointAnswers has the endpoint for credentials answer anything:
// the call succeeds with keys that were there, or fails and repeats nothing.
func FuzzWhatTheCredentialsEndpointAnswers(f *testing.F) {
	for _, seed := range []struct {
		status int
		body   string
	}{
		{200, keys("AKIDCONTAINER", time.Now().Add(time.Hour))},
		{200, keys("AKIDCONTAINER", time.Now().Add(-time.Hour))},
		{200, keys("AKID\r\nX-Injected: 1", time.Now().Add(time.Hour))},
		{200, `{"AccessKeyId":"A","SecretAccessKey":"` + canary + `"}`},
		{200, `{"AccessKeyId":"A","SecretAccessKey":"\ud800","Expiration":"never"}`},
		{200, `{"AccessKeyId":null}`}, {200, `null`}, {200, `[]`}, {200, ""}, {200, canary},
		{400, `{"code":"` + canary + `","message":"` + canary + `"}`}, {404, "<html>" + canary}, {500, "null"}, {302, ""}, {204, ""},
	} {
		f.Add(seed.status, seed.body)
	}
	var answer atomic.Pointer[func(http.ResponseWriter)]
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { (*answer.Load())(w) }))
	f.Cleanup(endpoint.Close)
	f.Fuzz(func(t *testing.T, status int, body string) {
		status = 200 + (status%400+400)%400
		reply := func(w http.ResponseWriter) {
			w.Header().Set("Connection", "close") // or each client would keep one
			w.Header().Set("Location", "http://"+canary+".invalid/")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body)) // which some statuses may not have
		}
		answer.Store(&reply)
		_, err := get(t, newClient(t, container(t, holding(t), endpoint.URL)), "prod/db")
		if err == nil {
			if status/100 != 2 || !strings.Contains(body, `"`) {
				t.Errorf("status %d and %q are credentials", status, body)
			}
			return
		}
		if got := asError(t, err); got.Class.Status() == 0 || strings.Contains(got.Cause+got.Hint, canary) {
			t.Errorf("class %d, %s, %s", got.Class, got.Cause, got.Hint)
		}
	})
}
