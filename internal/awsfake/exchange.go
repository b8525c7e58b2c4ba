package awsfake

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	target      = "secretsmanager.GetSecretValue"
	contentType = "application/x-amz-json-1.1"
	// maxRequest is more than any request that Secrets Manager accepts.
	maxRequest = 1 << 20
)

// refusal is an error as Secrets Manager answers it.
type refusal struct {
	status  int
	code    string
	message string
}

// answer is the body of a success.
type answer map[string]any

// exchange is one call with its answer.
type exchange struct {
	server *Server
	call   *Call
	secret Secret
	w      http.ResponseWriter
	r      *http.Request
}

// ServeHTTP implements http.Handler. Under an http.Server of the caller's the
// faults Reset and Close work with HTTP/1.1 only.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Without the end of the body the server would not notice a client that
	// leaves.
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
	if err != nil {
		return
	}
	call, malformed := newCall(r, body)
	if !s.begin(call) {
		return
	}
	defer s.end()
	x := &exchange{server: s, call: call, w: w, r: r}
	w.Header().Set("X-Amzn-Requestid", requestID())
	if refused := x.admission(malformed); refused != nil {
		x.refuse(*refused)
		return
	}
	x.reply()
}

// admission returns why the call does not even reach a secret, nil if it does.
func (x *exchange) admission(malformed error) *refusal {
	switch {
	case x.r.URL.Path != "/" || x.r.Method != http.MethodPost:
		return &refusal{404, "UnknownOperationException", ""}
	case x.r.Header.Get("X-Amz-Target") != target:
		return &refusal{400, "UnknownOperationException", ""}
	case x.r.Header.Get("Authorization") == "":
		return &refusal{400, "MissingAuthenticationTokenException", "Missing Authentication Token"}
	case malformed != nil:
		return &refusal{400, "SerializationException", ""}
	case x.call.SecretID == "":
		return &refusal{400, "ValidationException", "1 validation error detected: Value at 'secretId' failed to satisfy constraint: Member must have length greater than or equal to 1"}
	}
	return nil
}

func (x *exchange) reply() {
	secret, fault, found := x.server.take(x.call.SecretID)
	x.secret = secret
	if !x.wait(x.server.delay(secret)) {
		x.reset()
		return
	}
	if !found {
		x.refuse(noSuchSecret)
		return
	}
	behaviours[fault](x)
}

// wait returns after d, at once with false if client or server leave before.
func (x *exchange) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-x.r.Context().Done():
	case <-x.server.closing:
	}
	return false
}

// ordinary answers as Secrets Manager does.
func (x *exchange) ordinary() {
	if body, ok := x.body(); ok {
		x.send(http.StatusOK, contentType, body)
	}
}

// body returns the ordinary answer. Without one it has told the client so and
// returns false.
func (x *exchange) body() ([]byte, bool) {
	version, refused := x.secret.version(x.call.VersionID, x.call.VersionStage)
	if refused != nil {
		x.refuse(*refused)
		return nil, false
	}
	return x.secret.answer(version).encode(), true
}

// answer returns what a call for v answers.
func (s Secret) answer(v Version) answer {
	out := answer{
		"ARN":         s.ARN,
		"Name":        s.Name,
		"VersionId":   v.ID,
		"CreatedDate": float64(v.Created.UnixMilli()) / 1000,
	}
	if len(v.Stages) > 0 {
		out["VersionStages"] = v.Stages
	}
	if v.String != nil {
		out["SecretString"] = *v.String
	}
	if v.Binary != nil {
		out["SecretBinary"] = v.Binary
	}
	return out
}

// encode returns the answer as JSON. An answer holds only what JSON can.
func (a answer) encode() []byte {
	text, _ := json.Marshal(a)
	return text
}

// refuse sends an error, with the places in its message filled in.
func (x *exchange) refuse(r refusal) {
	body := map[string]string{"__type": r.code}
	if r.message != "" {
		body["Message"] = strings.NewReplacer(
			"{arn}", x.secret.ARN,
			"{partition}", x.server.config.Partition,
			"{account}", x.server.config.Account,
			"{value}", x.secret.value(),
		).Replace(r.message)
	}
	text, _ := json.Marshal(body)
	x.send(r.status, contentType, text)
}

// start sends status and headers.
func (x *exchange) start(status int, contentType string) {
	x.w.Header().Set("Content-Type", contentType)
	x.server.setAnswer(x.call, status)
	x.w.WriteHeader(status)
}

// send sends a whole answer. A client that has left is no concern of its.
func (x *exchange) send(status int, contentType string, body []byte) {
	x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.start(status, contentType)
	_, _ = x.w.Write(body)
}

// conn returns the connection under the call.
func (x *exchange) conn() (net.Conn, error) {
	if c, ok := x.r.Context().Value(connection{}).(net.Conn); ok {
		return c, nil
	}
	c, _, err := http.NewResponseController(x.w).Hijack()
	return c, err
}

// requestID returns an id in the form of a UUID.
func requestID() string {
	now := time.Now().UnixNano()
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(now>>32), uint64(now)&0xffffffffffff)
}
