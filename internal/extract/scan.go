package extract

import (
	"strings"
	"unicode/utf8"
)

const (
	// maxDepth is that of encoding/json.
	maxDepth = 10_000

	blanks        = " \t\r\n"
	byteOrderMark = "\ufeff"
)

// scanner reads a document once, from left to right, up to the first mistake.
// encoding/json could judge the grammar but neither duplicate keys nor lone
// surrogates, and does not tell a deep document from a broken one.
type scanner struct {
	text string
	at   int // of the byte to read next

	depth, deepest int

	// objects counts the objects so far, the current one's number stands
	// before its keys in seen.
	objects int
	seen    map[key]struct{}

	members []member
}

type key struct {
	object int
	name   string
}

// scan reads text, which must be a valid document.
func scan(text string) (*scanner, error) {
	switch {
	case !utf8.ValidString(text):
		return nil, ErrNotUTF8
	case strings.HasPrefix(text, byteOrderMark):
		return nil, ErrByteOrderMark
	}
	s := &scanner{text: text}
	if err := s.value(); err != nil {
		return nil, err
	}
	if s.next(); s.at < len(text) {
		return nil, ErrNotJSON
	}
	return s, nil
}

// next skips blanks and returns the byte after them, or 0 at the end. JSON has
// no byte 0 between its tokens, so that both are wrong in the same places.
func (s *scanner) next() byte {
	for s.at < len(s.text) {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) value() error {
	switch s.next() {
	case '{':
		s.objects++
		return s.list('}', s.objects)
	case '[':
		return s.list(']', 0)
	case '"':
		_, err := s.quoted()
		return err
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	}
	return s.number()
}

// list reads an array, or the object of that number, from its opening bracket
// up to end.
func (s *scanner) list(end byte, object int) error {
	s.at++
	s.depth++
	if s.depth > maxDepth {
		return ErrTooDeep
	}
	s.deepest = max(s.deepest, s.depth)
	for more := s.next() != end; more; {
		if err := s.item(object); err != nil {
			return err
		}
		switch s.next() {
		case ',':
			s.at++
		case end:
			more = false
		default:
			return ErrNotJSON
		}
	}
	s.at++
	s.depth--
	return nil
}

// item reads an element of an array, or a member of the object of that number.
func (s *scanner) item(object int) error {
	if object == 0 {
		return s.value()
	}
	name, err := s.key(object)
	if err != nil {
		return err
	}
	if s.next() != ':' {
		return ErrNotJSON
	}
	s.at++
	s.next()
	start := s.at
	if err := s.value(); err != nil {
		return err
	}
	if s.depth == 1 {
		s.members = append(s.members, member{name, s.text[start:s.at]})
	}
	return nil
}

// key reads the name of a member, which must be new in the object of that
// number.
func (s *scanner) key(object int) (string, error) {
	if s.next() != '"' {
		return "", ErrNotJSON
	}
	quoted, err := s.quoted()
	if err != nil {
		return "", err
	}
	name, err := unquote(quoted)
	if err != nil {
		return "", err
	}
	if s.seen == nil {
		s.seen = make(map[key]struct{})
	}
	k := key{object, name}
	if _, twice := s.seen[k]; twice {
		return "", &DuplicateKeyError{name}
	}
	s.seen[k] = struct{}{}
	return name, nil
}

// quoted reads a string and returns it as written, with its quotes.
func (s *scanner) quoted() (string, error) {
	start := s.at
	for s.at++; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '"':
			s.at++
			return s.text[start:s.at], nil
		case c < ' ':
			return "", ErrNotJSON
		case c == '\\':
			size := escape(s.text[s.at+1:])
			if size == 0 {
				return "", ErrNotJSON
			}
			s.at += size
		}
	}
	return "", ErrNotJSON
}

func (s *scanner) literal(word string) error {
	if !strings.HasPrefix(s.text[s.at:], word) {
		return ErrNotJSON
	}
	s.at += len(word)
	return nil
}

func (s *scanner) number() error {
	s.accept('-')
	if !s.accept('0') && !s.digits() {
		return ErrNotJSON
	}
	if s.accept('.') && !s.digits() {
		return ErrNotJSON
	}
	if !s.accept('e') && !s.accept('E') {
		return nil
	}
	if !s.accept('+') {
		s.accept('-')
	}
	if !s.digits() {
		return ErrNotJSON
	}
	return nil
}

// accept reads the byte c if it comes next.
func (s *scanner) accept(c byte) bool {
	if s.at == len(s.text) || s.text[s.at] != c {
		return false
	}
	s.at++
	return true
}

// digits reads all digits that come next and reports whether there is one.
func (s *scanner) digits() bool {
	start := s.at
	for s.at < len(s.text) && '0' <= s.text[s.at] && s.text[s.at] <= '9' {
		s.at++
	}
	return s.at > start
}
