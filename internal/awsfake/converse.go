package awsfake

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// Converse calls answer after each request that comes on a connection, until one of
// both ends it: for answers that no HTTP server of Go's would give.
func Converse(connection net.Conn, answer func() error) {
	requests := bufio.NewReader(connection)
	for {
		request, err := http.ReadRequest(requests)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, request.Body); err != nil {
			return
		}
		if answer() != nil {
			return
		}
	}
}
