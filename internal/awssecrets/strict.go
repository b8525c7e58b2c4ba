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
	judged *bytes.Reader
}

// Read implements io.Reader.
func (b *strictBody) Read(p []byte) (int, error) {
	if b.judged == nil {
		content, err := io.ReadAll(b.ReadCloser)
		if err == nil {
			err = judge(content)
		}
		if err != nil {
			return 0, err
		}
		b.judged = bytes.NewReader(content)
	}
	return b.judged.Read(p)
}

// judge leaves it to the SDK to say what is missing.
func judge(content []byte) error {
	if len(content) == 0 {
		return nil
	}
	document, err := extract.Parse(secret.New(content))
	if err == nil {
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
