package awsfake_test

import (
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/pipenet"
)

func TestCallsUnderWayAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, dial := piped(t, awsfake.Config{PlainHTTP: true, Delay: time.Minute})
		var callers sync.WaitGroup
		for range 3 {
			callers.Go(func() { _, _ = dial.Do(newRequest(t.Context(), "http://fake/", `{"SecretId":"a"}`)) })
		}
		callers.Wait()
		if got := fake.MaxInFlight(); got != 3 {
			t.Errorf("MaxInFlight() = %d", got)
		}
	})
}

func TestADelayIsTheSecretsElseTheServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, dial := piped(t, awsfake.Config{PlainHTTP: true, Delay: 40 * time.Second, Secrets: []awsfake.Secret{
			{Name: "own", Delay: 10 * time.Second}, {Name: "server's"},
		}})
		for id, want := range map[string]time.Duration{"own": 10 * time.Second, "server's": 40 * time.Second, "unknown": 40 * time.Second} {
			before := time.Now()
			if _, err := dial.Do(newRequest(t.Context(), "http://fake/", `{"SecretId":"`+id+`"}`)); err != nil {
				t.Fatal(err)
			}
			if got := time.Since(before); got != want {
				t.Errorf("%s: answered after %v, want %v", id, got, want)
			}
			calls := fake.Calls()
			if last := calls[len(calls)-1]; last.Answered.Sub(last.Time) != want {
				t.Errorf("%s: the call's own times are %v and %v", id, last.Time, last.Answered)
			}
		}
	})
}

// A synctest bubble fails when a goroutine is left in it.
func TestCloseEndsEveryAnswerAndLeavesNoGoroutine(t *testing.T) {
	for _, over := range []string{"http", "https"} {
		for _, fault := range []awsfake.Fault{awsfake.Hang, awsfake.Drip, awsfake.OK} {
			t.Run(over+" "+string(fault), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					fake, dial := piped(t, awsfake.Config{PlainHTTP: over == "http", Delay: time.Second, Hosts: []string{"fake"}, Secrets: []awsfake.Secret{
						{Name: "a", Versions: []awsfake.Version{{String: new("value")}}, Faults: []awsfake.Fault{fault}, Delay: time.Millisecond},
					}})
					var caller sync.WaitGroup
					caller.Go(func() {
						if got, err := dial.Do(newRequest(t.Context(), over+"://fake/", `{"SecretId":"a"}`)); err == nil {
							_, _ = io.Copy(io.Discard, got.Body)
						}
					})
					time.Sleep(5 * time.Second)
					fake.Close()
					fake.Close()
					caller.Wait()
					if len(fake.Calls()) != 1 {
						t.Errorf("%d calls", len(fake.Calls()))
					}
				})
			})
		}
	}
}

func TestHangNeverEndsAsAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, dial := piped(t, awsfake.Config{PlainHTTP: true, Secrets: []awsfake.Secret{{Name: "a", Faults: []awsfake.Fault{awsfake.Hang}}}})
		result := make(chan error, 1)
		go func() {
			_, err := dial.Do(newRequest(t.Context(), "http://fake/", `{"SecretId":"a"}`))
			result <- err
		}()
		synctest.Wait()
		fake.Close()
		if err := <-result; err == nil {
			t.Error("the call was answered")
		}
		if calls := fake.Calls(); len(calls) != 1 || calls[0].Status != 0 {
			t.Errorf("calls = %+v", calls)
		}
	})
}

// piped returns a server without a network, and a client of it.
func piped(t *testing.T, config awsfake.Config) (*awsfake.Server, *http.Client) {
	t.Helper()
	fake, err := awsfake.New(config)
	if err != nil {
		t.Fatal(err)
	}
	listener := pipenet.Listen()
	fake.Serve(listener)
	t.Cleanup(fake.Close)
	caller := client(fake)
	transport := caller.Transport.(*http.Transport)
	transport.DialContext = listener.Dial
	return fake, caller
}
