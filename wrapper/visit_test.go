package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// FuzzReadVisit gives the variable that a start leaves for the next one any text: it
// is refused, or the chain goes on and is counted.
func FuzzReadVisit(f *testing.F) {
	f.Add(`{"number":1,"pid":1,"began":"1","manifest":"/tmp/x","settings":{"SECRETWRAP_TIMEOUT":"1s"}}`)
	f.Add(fmt.Sprintf(`{"number":1,"pid":%d,"manifest":"/dev/zero","dirs":["/tmp"],"literal":{"A":"b"},"kept":{"A":"b"}}`, os.Getpid()))
	f.Add(`{"number":9223372036854775807,"pid":1}`)
	f.Add(`{"number":9,"pid":1}`)
	f.Add(`{"number":10,"pid":1}`)
	f.Add(`{"number":9,"pid":-1}`)
	f.Add(`{"number":1e1,"pid":1}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "\x00") {
			return // no environment holds it
		}
		launched, status, _, log := called([]string{"secretwrap", "/bin/sh"}, "SECRETWRAP_VISIT="+text, "SECRETWRAP_DIR=/nonexistent")
		if launched == nil {
			if status != 64 || !strings.Contains(log, "hint: ") {
				t.Errorf("status %d, %s", status, log)
			}
			return
		}
		for _, entry := range launched.env {
			left, isVisit := strings.CutPrefix(entry, "SECRETWRAP_VISIT=")
			if !isVisit {
				continue
			}
			var next visit
			if err := json.Unmarshal([]byte(left), &next); err != nil || next.Number < 1 || next.Number > maxVisits || next.PID != os.Getpid() {
				t.Errorf("leaves %q, error %v", left, err)
			}
		}
	})
}
