package awsfake

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fault is how one call is answered.
type Fault string

// The faults. Those that answer a value need a secret that has one.
const (
	// OK is no fault.
	OK Fault = "ok"

	// Throttled is a ThrottlingException with status 400.
	Throttled Fault = "throttled"
	// Denied is an AccessDeniedException with status 400 that names ARNs.
	Denied Fault = "denied"
	// DeniedXML is a denial with status 403 in XML, as proxies and emulators
	// answer it.
	DeniedXML Fault = "denied-xml"
	// KMSDenied is the AccessDeniedException for a secret whose key is denied.
	KMSDenied Fault = "kms-denied"
	// DecryptionFailure is a DecryptionFailure with status 400.
	DecryptionFailure Fault = "decryption-failure"
	// NotFound is the answer for a secret that does not exist.
	NotFound Fault = "not-found"
	// PendingDeletion is the InvalidRequestException for a deleted secret.
	PendingDeletion Fault = "pending-deletion"
	// ExpiredToken is an ExpiredTokenException with status 400.
	ExpiredToken Fault = "expired-token"
	// UnrecognizedClient is an UnrecognizedClientException with status 400.
	UnrecognizedClient Fault = "unrecognized-client"
	// InvalidSignature is an InvalidSignatureException with status 400.
	InvalidSignature Fault = "invalid-signature"
	// Internal is an InternalServiceError with status 500.
	Internal Fault = "internal"
	// Unavailable is a status 503 without a body.
	Unavailable Fault = "unavailable"
	// UnknownCode is a status 400 with a code that no SDK knows.
	UnknownCode Fault = "unknown-code"
	// Leaky is a ValidationException whose message holds the secret's value.
	Leaky Fault = "leaky"
	// ErrorHTML is a status 500 with a web page.
	ErrorHTML Fault = "error-html"
	// Redirect is a status 307 that leads to another host name of the same
	// server, where only Calls takes notice.
	Redirect Fault = "redirect"

	// Reset resets the connection.
	Reset Fault = "reset"
	// Close closes the connection.
	Close Fault = "close"
	// Truncated announces the whole answer, sends half and closes.
	Truncated Fault = "truncated"
	// Hang never answers, until client or server leave.
	Hang Fault = "hang"
	// Drip sends the answer at one byte a second.
	Drip Fault = "drip"

	// Empty is a status 200 without a body.
	Empty Fault = "empty"
	// Nothing is an answer without any member.
	Nothing Fault = "nothing"
	// Both is an answer with string and binary.
	Both Fault = "both"
	// WrongTypes is an answer whose string is a number.
	WrongTypes Fault = "wrong-types"
	// WrongSecret is the answer for another secret.
	WrongSecret Fault = "wrong-secret"
	// BadBase64 is an answer whose binary cannot be decoded.
	BadBase64 Fault = "bad-base64"
	// NoUnicode is an answer whose string holds half of a surrogate pair.
	NoUnicode Fault = "no-unicode"
	// HTML is a status 200 with a web page, as a captive portal answers.
	HTML Fault = "html"
	// Large is an answer of 600 KiB, where Secrets Manager's limit is 64 KiB.
	Large Fault = "large"
	// Oversized is an answer of 200 MiB.
	Oversized Fault = "oversized"
	// Gzip is the ordinary answer, compressed although nobody asked for it.
	Gzip Fault = "gzip"
)

// noSuchSecret is the answer for a secret that does not exist.
var noSuchSecret = refusal{400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret."}

// behaviours holds what each fault does.
var behaviours = map[Fault]func(*exchange){
	OK: (*exchange).ordinary,

	Throttled:          refuse(400, "ThrottlingException", "Rate exceeded"),
	Denied:             refuse(400, "AccessDeniedException", "User: arn:{partition}:sts::{account}:assumed-role/function-role/function is not authorized to perform: secretsmanager:GetSecretValue on resource: {arn} because no identity-based policy allows the secretsmanager:GetSecretValue action"),
	DeniedXML:          page(403, "text/xml", "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not authorized</Message></Error></ErrorResponse>"),
	KMSDenied:          refuse(400, "AccessDeniedException", "Access to KMS is not allowed"),
	DecryptionFailure:  refuse(400, "DecryptionFailure", "Secrets Manager can't decrypt the protected secret text using the provided KMS key."),
	NotFound:           refuse(noSuchSecret.status, noSuchSecret.code, noSuchSecret.message),
	PendingDeletion:    refuse(400, "InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion."),
	ExpiredToken:       refuse(400, "ExpiredTokenException", "The security token included in the request is expired"),
	UnrecognizedClient: refuse(400, "UnrecognizedClientException", "The security token included in the request is invalid."),
	InvalidSignature:   refuse(400, "InvalidSignatureException", "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."),
	Internal:           refuse(500, "InternalServiceError", "An error occurred on the server side."),
	Unavailable:        page(503, "text/plain", ""),
	UnknownCode:        refuse(400, "FlyingSaucerException", "Something landed."),
	Leaky:              refuse(400, "ValidationException", "1 validation error detected: Value '{value}' is not what it should be"),
	ErrorHTML:          page(500, "text/html", "<html><body>Internal Server Error</body></html>"),
	Redirect:           (*exchange).redirect,

	Reset:     (*exchange).reset,
	Close:     (*exchange).close,
	Truncated: (*exchange).truncate,
	Hang:      (*exchange).hang,
	Drip:      (*exchange).drip,

	Empty:       page(200, contentType, ""),
	Nothing:     page(200, contentType, "{}"),
	Both:        alter(func(a answer) { a["SecretString"], a["SecretBinary"] = "text", []byte("bytes") }),
	WrongTypes:  alter(func(a answer) { a["SecretString"] = 123 }),
	WrongSecret: alter(func(a answer) { a["ARN"], a["Name"], a["SecretString"] = anotherARN(a), "another", "of another secret" }),
	BadBase64:   alter(func(a answer) { delete(a, "SecretString"); a["SecretBinary"] = "%%%" }),
	NoUnicode:   alter(func(a answer) { a["SecretString"] = json.RawMessage(`"s3cr3t \ud800"`) }),
	HTML:        page(200, "text/html", "<html><body>Sign in to this network</body></html>"),
	Large:       alter(func(a answer) { a["SecretString"] = strings.Repeat("x", 600<<10) }),
	Oversized:   (*exchange).flood,
	Gzip:        (*exchange).gzip,
}

// Faults returns all faults there are, in the order of their names.
func Faults() []Fault { return slices.Sorted(maps.Keys(behaviours)) }

func (f Fault) known() bool {
	_, ok := behaviours[f]
	return ok
}

// UnmarshalText implements encoding.TextUnmarshaler; a fault that does not exist
// is an error.
func (f *Fault) UnmarshalText(text []byte) error {
	*f = Fault(text)
	if !f.known() {
		return fmt.Errorf("unknown fault %q", text)
	}
	return nil
}

func refuse(status int, code, message string) func(*exchange) {
	return func(x *exchange) { x.refuse(refusal{status, code, message}) }
}

func page(status int, contentType, body string) func(*exchange) {
	return func(x *exchange) { x.send(status, contentType, []byte(body)) }
}

// alter answers what change makes of the ordinary answer, that of an unnamed
// version if the secret has no value.
func alter(change func(answer)) func(*exchange) {
	return func(x *exchange) {
		version, _ := x.secret.version(x.call.VersionID, x.call.VersionStage)
		out := x.secret.answer(version)
		change(out)
		x.send(http.StatusOK, contentType, out.encode())
	}
}

// anotherARN returns the ARN of a secret called another, in the place of a's.
func anotherARN(a answer) string {
	arn, _ := a["ARN"].(string)
	prefix, _, _ := strings.Cut(arn, ":secret:")
	return prefix + ":secret:another-AbCdEf"
}

func (x *exchange) redirect() {
	host, port, err := net.SplitHostPort(x.r.Host)
	if err != nil {
		host, port = x.r.Host, "443"
	}
	other := "localhost"
	if host == other {
		other = "127.0.0.1"
	}
	scheme := "http"
	if x.r.TLS != nil {
		scheme = "https"
	}
	x.w.Header().Set("Location", scheme+"://"+net.JoinHostPort(other, port)+"/elsewhere")
	x.send(http.StatusTemporaryRedirect, contentType, nil)
}

// reset closes the connection under TLS without a word, over TCP with a RST.
func (x *exchange) reset() {
	c, err := x.conn()
	if err != nil {
		return
	}
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

func (x *exchange) close() {
	if c, err := x.conn(); err == nil {
		_ = c.Close()
	}
}

// truncate relies on net/http, which closes a connection on which less was sent
// than announced.
func (x *exchange) truncate() {
	body, ok := x.body()
	if !ok {
		return
	}
	x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.start(http.StatusOK, contentType)
	_, _ = x.w.Write(body[:len(body)/2])
}

func (x *exchange) hang() {
	select {
	case <-x.r.Context().Done():
	case <-x.server.closing:
	}
	x.reset()
}

func (x *exchange) drip() {
	body, ok := x.body()
	if !ok {
		return
	}
	x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.start(http.StatusOK, contentType)
	for i := range body {
		_, _ = x.w.Write(body[i : i+1])
		if http.NewResponseController(x.w).Flush() != nil || !x.wait(time.Second) {
			return
		}
	}
}

// flood sends until the client has had enough.
func (x *exchange) flood() {
	const size, piece = 200 << 20, 64 << 10
	x.start(http.StatusOK, contentType)
	if _, err := x.w.Write([]byte(`{"SecretString":"`)); err != nil {
		return
	}
	chunk := bytes.Repeat([]byte("x"), piece)
	for range size / piece {
		if _, err := x.w.Write(chunk); err != nil {
			return
		}
	}
	_, _ = x.w.Write([]byte(`"}`))
}

func (x *exchange) gzip() {
	body, ok := x.body()
	if !ok {
		return
	}
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	_, _ = writer.Write(body)
	_ = writer.Close()
	x.w.Header().Set("Content-Encoding", "gzip")
	x.send(http.StatusOK, contentType, packed.Bytes())
}
