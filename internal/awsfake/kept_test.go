package awsfake_test

import (
	"strings"
	"testing"

	"secretwrap/internal/awsfake"
)

func TestOnlyTheLatestCallsAreKept(t *testing.T) {
	fake, caller := piped(t, awsfake.Config{PlainHTTP: true, KeptCalls: 2})
	for _, id := range []string{"a", "b", "c"} {
		if _, err := caller.Do(newRequest(t.Context(), "http://fake/", `{"SecretId":"`+id+`"}`)); err != nil {
			t.Fatal(err)
		}
	}
	var kept []string
	for _, call := range fake.Calls() {
		kept = append(kept, call.SecretID)
	}
	if got := strings.Join(kept, ""); got != "bc" {
		t.Errorf("kept %s", got)
	}
}
