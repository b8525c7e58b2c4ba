package handover

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net"
)

const (
	// maxHead bounds the JSON of a message, in bytes: far more than any
	// configuration of 4 KB with a manifest of 256 KiB can ask for.
	maxHead = 8 << 20
	// maxBody bounds what follows it: a thousand of the largest secrets.
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

// receive reads a message into head and returns its bodies as one.
func receive(r io.Reader, head any) ([]byte, error) {
	var sizes [8]byte
	if _, err := io.ReadFull(r, sizes[:]); err != nil {
		return nil, err
	}
	encoded, total := binary.BigEndian.Uint32(sizes[:4]), binary.BigEndian.Uint32(sizes[4:])
	if encoded > maxHead || total > maxBody {
		return nil, errMalformed
	}
	content := make([]byte, encoded)
	if _, err := io.ReadFull(r, content); err != nil {
		return nil, err
	}
	// A decoder's message would quote what it cannot read.
	if json.Unmarshal(content, head) != nil {
		return nil, errMalformed
	}
	body := make([]byte, total)
	_, err := io.ReadFull(r, body)
	return body, err
}
