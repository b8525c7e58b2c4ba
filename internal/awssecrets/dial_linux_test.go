package awssecrets_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"syscall"
	"testing"
	"time"

	"secretwrap/internal/awssecrets"
)

// serveAt answers with a secret at an address, and returns its port.
func serveAt(t *testing.T, address string) int {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("this machine has no such address: %v", err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"Name":"prod/db","SecretString":%q}`, canary)
	}))
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	return listener.Addr().(*net.TCPAddr).Port
}

// makeDead lets every further connection to an address of this machine wait, as one
// to a machine that is gone does: the queue of those nobody accepts is full.
func makeDead(t *testing.T, ip [4]byte, port int) {
	t.Helper()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(socket) })
	if err := syscall.Bind(socket, &syscall.SockaddrInet4{Addr: ip, Port: port}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(socket, 0); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		waiting, err := net.DialTimeout("tcp", net.JoinHostPort(net.IP(ip[:]).String(), strconv.Itoa(port)), time.Second)
		if err != nil {
			return
		}
		t.Cleanup(func() { waiting.Close() })
	}
	t.Fatal("the address answers all the time: the test proves nothing")
}

func TestADeadAddressIsPassedOver(t *testing.T) {
	tests := []struct {
		name, listen, host string
		dead               [][4]byte
	}{
		{"two of three zones", "127.0.0.1:0", "zones.test", [][4]byte{{127, 0, 0, 2}, {127, 0, 0, 3}}},
		{"nobody at two of three", "127.0.0.1:0", "zones.test", nil},
		{"IPv6 alone", "[::1]:0", "six.test", nil},
		{"IPv4 where nobody is at IPv6", "127.0.0.1:0", "both.test", nil},
		{"IPv6 of both", "[::1]:0", "both.test", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			port := serveAt(t, test.listen)
			for _, ip := range test.dead {
				makeDead(t, ip, port)
			}
			client := clientAt(t, fmt.Sprintf("http://%s:%d", test.host, port))
			got, err := client.Get(t.Context(), awssecrets.Request{Secret: "prod/db"}, 5*time.Second)
			if err != nil || string(got.Value.Reveal()) != canary {
				t.Errorf("read %q, error %v", got.Value.Reveal(), err)
			}
		})
	}
}
