// Package awsfake is an AWS Secrets Manager for tests that answers the way it
// is told to.
//
// It speaks the service's wire protocol, so that a shipped binary is tested as
// it is:
//
//	server, err := awsfake.Start(awsfake.Config{Secrets: []awsfake.Secret{{
//		Name:     "prod/db",
//		Versions: []awsfake.Version{{String: new(`{"password":"open sesame"}`)}},
//		Faults:   []awsfake.Fault{awsfake.Throttled, awsfake.OK},
//	}}})
//	defer server.Close()
//	// AWS_ENDPOINT_URL_SECRETS_MANAGER=server.URL(), AWS_CA_BUNDLE=a file with server.CA()
package awsfake

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Server is a Secrets Manager. Its methods may be called by several goroutines.
type Server struct {
	config   Config
	identity identity
	http     *http.Server
	url      string
	// closing is closed by Close; every answer that takes time watches it.
	closing     chan struct{}
	listeners   sync.WaitGroup
	connections sync.WaitGroup
	handlers    sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	entries  []*entry
	calls    []*Call
	accepted int
	inFlight int
	most     int
}

// connection is the key of a request's net.Conn in its context.
type connection struct{}

// New returns a server that answers nobody yet, see Serve and ServeHTTP.
func New(config Config) (*Server, error) {
	config = config.withDefaults()
	certificate, err := newIdentity(config.Certificate, config.Hosts)
	if err != nil {
		return nil, err
	}
	s := &Server{config: config, identity: certificate, closing: make(chan struct{})}
	for _, one := range config.Secrets {
		if err := s.Put(one); err != nil {
			return nil, err
		}
	}
	s.http = &http.Server{
		Handler:   s,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate.leaf}},
		ConnState: s.watch,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connection{}, c)
		},
		// The server would log what its faults do to connections.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	return s, nil
}

// Start returns a server that answers on 127.0.0.1, on a port of the system's.
func Start(config Config) (*Server, error) {
	s, err := New(config)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for calls to Secrets Manager: %w", err)
	}
	scheme := "https"
	if config.PlainHTTP {
		scheme = "http"
	}
	s.url = scheme + "://" + listener.Addr().String()
	s.Serve(listener)
	return s, nil
}

// Serve answers on listener too, over TLS unless the Config says otherwise. It
// returns at once; Close ends it.
func (s *Server) Serve(listener net.Listener) {
	s.listeners.Go(func() {
		if s.config.PlainHTTP {
			_ = s.http.Serve(listener)
			return
		}
		_ = s.http.ServeTLS(listener, "", "")
	})
}

// URL returns the address to give to clients, empty for a server that was not
// started by Start.
func (s *Server) URL() string { return s.url }

// CA returns the certificate, in PEM, of the authority that a client is to
// trust.
func (s *Server) CA() []byte { return s.identity.caPEM }

// Close ends all answers under way, then all connections, and waits for the
// server's goroutines.
func (s *Server) Close() {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	s.mu.Unlock()
	// Connections go first: an answer that is given up must not end as an empty
	// success.
	_ = s.http.Close()
	if first {
		close(s.closing)
	}
	s.listeners.Wait()
	s.connections.Wait()
	s.handlers.Wait()
}

// Put adds a secret, or replaces the one of the same name together with its
// faults, which is how a value is rotated.
func (s *Server) Put(one Secret) error {
	added, err := newEntry(one, s.config)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, e := range s.entries {
		if e.Name == one.Name {
			s.entries[i] = added
			return nil
		}
	}
	s.entries = append(s.entries, added)
	return nil
}

// Calls returns the requests so far, or the latest of them, in the order of their arrival.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := make([]Call, len(s.calls))
	for i, c := range s.calls {
		calls[i] = *c
	}
	return calls
}

// MaxInFlight returns the largest number of calls that were under way at once.
func (s *Server) MaxInFlight() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most
}

// Connections returns how many connections were accepted, those included that
// failed their TLS handshake.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted
}

// watch counts the connections.
func (s *Server) watch(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.connections.Add(1)
		s.mu.Lock()
		s.accepted++
		s.mu.Unlock()
	case http.StateClosed, http.StateHijacked:
		s.connections.Done()
	}
}

// begin records a call. It returns false when the server is closed.
func (s *Server) begin(call *Call) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.handlers.Add(1)
	s.calls = append(s.calls, call)
	if kept := s.config.KeptCalls; kept > 0 && len(s.calls) > kept {
		s.calls = slices.Delete(s.calls, 0, len(s.calls)-kept)
	}
	s.inFlight++
	s.most = max(s.most, s.inFlight)
	return true
}

func (s *Server) end() {
	s.mu.Lock()
	s.inFlight--
	s.mu.Unlock()
	s.handlers.Done()
}

func (s *Server) setAnswer(call *Call, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	call.Status, call.Answered = status, time.Now()
}

// take returns the secret that id means and the fault of this call.
func (s *Server) take(id string) (Secret, Fault, bool) {
	one, fault, found := s.find(id)
	if found && len(one.Faults) == 0 && s.config.Choose != nil {
		fault = s.config.Choose(one.Name)
	}
	return one, fault, found
}

// find returns the secret that id means and the next one of its own faults.
func (s *Server) find(id string) (Secret, Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entries {
		if e.answersTo(id) {
			return e.Secret, e.next(), true
		}
	}
	return Secret{}, "", false
}

// delay returns how long a call for a secret takes.
func (s *Server) delay(one Secret) time.Duration {
	if one.Delay > 0 {
		return one.Delay
	}
	return s.config.Delay
}
