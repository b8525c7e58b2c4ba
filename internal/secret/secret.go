// Package secret holds bytes that cannot be printed.
package secret

import (
	"fmt"
	"io"
)

// Redacted is what every way of printing a Value yields.
const Redacted = "[redacted]"

// Value holds the bytes of a secret. Printing it, logging it and encoding it
// yield Redacted. The zero Value holds no bytes.
//
// The bytes are captured by a function rather than stored in a field, so that
// printers that walk unexported fields by reflection find an address, not the
// secret.
type Value struct {
	reveal func() []byte
}

// New returns a Value that holds b. It keeps b itself, not a copy: the caller
// must not change it afterwards.
func New(b []byte) Value {
	return Value{reveal: func() []byte { return b }}
}

// FromString returns a Value that holds the bytes of s.
func FromString(s string) Value { return New([]byte(s)) }

// Reveal returns the bytes of the secret. It is the only way to them, so that
// a search for its name finds every place where a secret is taken out. The
// caller must not change the bytes.
func (v Value) Reveal() []byte {
	if v.reveal == nil {
		return nil
	}
	return v.reveal()
}

// Len returns the number of bytes.
func (v Value) Len() int { return len(v.Reveal()) }

// String implements fmt.Stringer.
func (v Value) String() string { return Redacted }

// GoString implements fmt.GoStringer.
func (v Value) GoString() string { return Redacted }

// Format implements fmt.Formatter for every verb.
func (v Value) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// MarshalText implements encoding.TextMarshaler, which the encoders of JSON, XML
// and YAML and the handlers of log/slog use too.
func (v Value) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// MarshalBinary implements encoding.BinaryMarshaler, which gob uses.
func (v Value) MarshalBinary() ([]byte, error) { return []byte(Redacted), nil }
