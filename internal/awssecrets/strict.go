package awssecrets

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"secretwrap/internal/extract"
	"secretwrap/internal/secret"
)

var (
	errNoText    = errors.New("text is not Unicode")
	errAmbiguous = errors.New("answer is not one JSON document")
)

// strictBody is an answer that is judged before any of it is given out. The SDK
// writes U+FFFD for what is no character, takes the last of two members with one
// name, and does not look at what follows the document: a credential would be
// altered, or another one, and nobody would know.
type strictBody struct {
	io.ReadCloser
	// length is how many bytes the answer promises, negative if it does not.
	length int64
	judged *bytes.Buffer
}

// Read implements io.Reader.
func (b *strictBody) Read(p []byte) (int, error) {
	if b.judged == nil {
		// Room at once for all of it, or memory grows with a hundred large secrets.
		var content bytes.Buffer
		content.Grow(int(min(max(b.length, 0), maxAnswer)) + bytes.MinRead)
		_, err := content.ReadFrom(b.ReadCloser)
		if err == nil {
			err = judge(content.Bytes())
		}
		if err != nil {
			return 0, err
		}
		b.judged = &content
	}
	return b.judged.Read(p)
}

// judge leaves it to the SDK to say what is missing.
func judge(content []byte) error {
	if len(content) == 0 {
		return nil
	}
	document, err := extract.Parse(secret.New(content))
	if err == nil && writesSurrogates(content) {
		_, err = document.Member("SecretString")
	}
	switch {
	case err == nil, errors.Is(err, extract.ErrAbsent), errors.Is(err, extract.ErrNotObject):
		return nil
	case errors.Is(err, extract.ErrLoneSurrogate), errors.Is(err, extract.ErrNotUTF8) && json.Valid(content):
		return errNoText
	}
	return errAmbiguous
}

// writesSurrogates reports whether halves of characters may be written in JSON, in
// pairs or alone, which is rare.
func writesSurrogates(content []byte) bool {
	return bytes.Contains(content, []byte(`\ud`)) || bytes.Contains(content, []byte(`\uD`))
}
