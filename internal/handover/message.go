package handover

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net"
)

// What a message may hold at most, in bytes. Who asks for more works alone.
const (
	// maxGreeting bounds the JSON of a greeting.
	maxGreeting = 4 << 10
	// maxQuestion bounds the JSON of a question, which any process of the same
	// user can send: thousands of secrets.
	maxQuestion = 256 << 10
	// maxHead bounds the JSON of what follows in the one conversation.
	maxHead = 8 << 20
	// maxBody bounds the documents: a thousand of the largest secrets.
	maxBody = 64 << 20
)

var errMalformed = errors.New("malformed message")

// send writes a message: the sizes of head and bodies as four bytes each, the
// head as JSON, the bodies as they are. Secrets stay out of JSON, which would
// copy and escape them.
func send(w io.Writer, head any, bodies ...[]byte) error {
	encoded, err := json.Marshal(head)
	if err != nil {
		return errMalformed
	}
	// The encoder's substitute for what is not UTF-8, so what would arrive is not
	// what was sent.
	if bytes.Contains(encoded, []byte(`\ufffd`)) {
		return errors.New("message that is not UTF-8")
	}
	total := 0
	for _, body := range bodies {
		total += len(body)
	}
	if len(encoded) > maxHead || total > maxBody {
		return errors.New("message too large")
	}
	sizes := binary.BigEndian.AppendUint32(nil, uint32(len(encoded)))
	sizes = binary.BigEndian.AppendUint32(sizes, uint32(total))
	buffers := append(net.Buffers{sizes, encoded}, bodies...)
	_, err = buffers.WriteTo(w)
	return err
}

// receive reads a message, within the bounds, into head and returns its bodies
// as one.
func receive(r io.Reader, head any, headBound, bodyBound uint32) ([]byte, error) {
	var sizes [8]byte
	if _, err := io.ReadFull(r, sizes[:]); err != nil {
		return nil, err
	}
	encoded, total := binary.BigEndian.Uint32(sizes[:4]), binary.BigEndian.Uint32(sizes[4:])
	if encoded > headBound || total > bodyBound {
		return nil, errMalformed
	}
	// Memory for what has come, not for what was announced.
	content, err := io.ReadAll(io.LimitReader(r, int64(encoded)))
	if err != nil {
		return nil, err
	}
	// A null would leave head as it is. A decoder's message would quote what it
	// cannot read.
	if !bytes.HasPrefix(content, []byte("{")) || json.Unmarshal(content, head) != nil {
		return nil, errMalformed
	}
	body := make([]byte, total)
	_, err = io.ReadFull(r, body)
	return body, err
}
