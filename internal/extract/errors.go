package extract

import (
	"errors"
	"fmt"
)

// None of these errors says where in the document the mistake is: a password
// that begins with digits is JSON up to its first letter, so that a position
// would tell how it begins.
var (
	// ErrNotUTF8 is a document that is not text in UTF-8.
	ErrNotUTF8 = errors.New("not valid UTF-8")
	// ErrByteOrderMark is a document that begins with U+FEFF, which RFC 8259
	// forbids and some editors write.
	ErrByteOrderMark = errors.New("begins with a byte order mark")
	// ErrNotJSON is a document that is not exactly one JSON value.
	ErrNotJSON = errors.New("not valid JSON")
	// ErrTooDeep is a document with more than 10,000 arrays and objects inside
	// each other.
	ErrTooDeep = errors.New("nested more than 10,000 deep")
	// ErrLoneSurrogate is half a surrogate pair in a string, such as "\ud800",
	// or the two halves in the wrong order. It is no character.
	ErrLoneSurrogate = errors.New("half of a surrogate pair stands alone")
	// ErrNotObject is a document that has no members or, for a path, one that
	// is neither object nor array.
	ErrNotObject = errors.New("not a JSON object")
	// ErrAbsent is nothing, or null, where a value was looked for.
	ErrAbsent = errors.New("nothing there")
	// ErrPath is a path that gjson must not, or cannot, apply. What wraps it
	// tells why.
	ErrPath = errors.New("path cannot be applied")
)

// DuplicateKeyError is an object that has two members of the same name. Parsers
// differ in which of the two they take.
type DuplicateKeyError struct {
	// Key is the name, unescaped and whole.
	Key string
}

// Error implements error. It shows at most 64 characters of the name.
func (e *DuplicateKeyError) Error() string {
	const shown = 64
	key := []rune(e.Key)
	if len(key) > shown {
		key = append(key[:shown], '…')
	}
	return fmt.Sprintf("key %q is in one object twice", string(key))
}
