package awsfake

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Call is one request as it reached the server.
type Call struct {
	// Time is when the request had arrived in full.
	Time time.Time
	// Proto is "HTTP/1.1" or "HTTP/2.0".
	Proto string
	// Path is "/", but for requests that followed a redirect or are lost.
	Path string
	// Action is "GetSecretValue".
	Action       string
	SecretID     string
	VersionID    string
	VersionStage string
	Signature    Signature
	// SecurityToken reports whether a session token came along.
	SecurityToken bool
	Host          string
	UserAgent     string
	// AcceptEncoding is what the client offers to decompress.
	AcceptEncoding string
	// Status is that of the answer, 0 as long as there is none.
	Status int
	// Answered is when the answer began.
	Answered time.Time
}

// Signature is what a Signature Version 4 says about its maker. The server does
// not verify it.
type Signature struct {
	// Signed reports whether there is a signature at all.
	Signed      bool
	AccessKeyID string
	// Date is the day of the credential scope, as YYYYMMDD.
	Date    string
	Region  string
	Service string
}

// request is the body of GetSecretValue.
type request struct {
	SecretID     string `json:"SecretId"`
	VersionID    string `json:"VersionId"`
	VersionStage string `json:"VersionStage"`
}

// newCall describes r, whose body has been read.
func newCall(r *http.Request, body []byte) (*Call, error) {
	var asked request
	err := json.Unmarshal(body, &asked)
	_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return &Call{
		Time:           time.Now(),
		Proto:          r.Proto,
		Path:           r.URL.Path,
		Action:         action,
		SecretID:       asked.SecretID,
		VersionID:      asked.VersionID,
		VersionStage:   asked.VersionStage,
		Signature:      parseSignature(r.Header.Get("Authorization")),
		SecurityToken:  r.Header.Get("X-Amz-Security-Token") != "",
		Host:           r.Host,
		UserAgent:      r.UserAgent(),
		AcceptEncoding: r.Header.Get("Accept-Encoding"),
	}, err
}

// parseSignature reads an Authorization header:
//
//	AWS4-HMAC-SHA256 Credential=ID/DATE/REGION/SERVICE/aws4_request, SignedHeaders=…, Signature=…
func parseSignature(header string) Signature {
	fields, found := strings.CutPrefix(header, "AWS4-HMAC-SHA256 ")
	if !found {
		return Signature{}
	}
	var s Signature
	for field := range strings.SplitSeq(fields, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "Signature":
			s.Signed = value != ""
		case "Credential":
			s = s.withScope(value)
		}
	}
	return s
}

func (s Signature) withScope(credential string) Signature {
	if scope := strings.Split(credential, "/"); len(scope) == 5 {
		s.AccessKeyID, s.Date, s.Region, s.Service = scope[0], scope[1], scope[2], scope[3]
	}
	return s
}
