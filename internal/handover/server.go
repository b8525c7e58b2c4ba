package handover

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/fetch"
	"secretwrap/internal/problem"
)

// Extension is what the wrapper's questions are answered with.
type Extension interface {
	// Documents fetches within the budget. An error ends the conversation, and
	// the wrapper works alone.
	Documents(requests []awssecrets.Request, budget time.Duration) ([]fetch.Outcome, error)
	// Publish writes files made of the documents of the same conversation, and
	// keeps them fresh from then on. The problem says why they cannot be written;
	// an error ends the conversation, and the wrapper works alone.
	Publish(requests []awssecrets.Request, files Files) (*problem.Problem, error)
	// Alone is called when a wrapper left, or was turned away, before it had all
	// that it came for: the files are its own then. It is never called for anybody
	// else once a wrapper has asked.
	Alone()
}

// Server is the extension's end. It holds one conversation.
type Server struct {
	listener  *net.UnixListener
	identity  string
	extension Extension
	serving   sync.WaitGroup
	// turn keeps an Alone from being called beside the one conversation.
	turn sync.Mutex

	mu sync.Mutex
	// over is set when no other wrapper is answered any more.
	over bool
	// waiting are the connections that have not asked yet, the oldest first.
	waiting []*net.UnixConn
	// chosen is the connection that has asked.
	chosen *net.UnixConn
}

// Listen opens the socket in dir, which it creates if it is absent. An error
// says what is wrong with the directory.
func Listen(dir, identity string) (*Server, error) {
	path, err := socketPath(dir)
	if err != nil {
		return nil, err
	}
	if err := makeDirectory(dir); err != nil {
		return nil, fmt.Errorf("directory %q: %w", dir, reason(err))
	}
	if err := checkDirectory(dir); err != nil {
		return nil, err
	}
	// A predecessor that was killed leaves its socket.
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("directory %q: a former socket: %w", dir, reason(err))
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("directory %q: the socket cannot be opened: %w", dir, reason(err))
	}
	if err := os.Chmod(path, 0o600); err != nil { // whatever the umask
		listener.Close()
		return nil, fmt.Errorf("directory %q: the socket cannot be opened: %w", dir, reason(err))
	}
	return &Server{listener: listener, identity: identity}, nil
}

// makeDirectory creates dir if there is nothing in its place.
func makeDirectory(dir string) error {
	switch err := os.Mkdir(dir, 0o700); {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil:
		return err
	}
	return os.Chmod(dir, 0o700) // whatever the umask
}

// Serve answers until the one conversation has ended or Close is called. The
// socket is gone as soon as a wrapper has asked. A panic of the extension's ends a
// conversation, not the program.
func (s *Server) Serve(extension Extension) {
	s.extension = extension
	for {
		conn, err := s.listener.AcceptUnix()
		if err != nil {
			break
		}
		if checkPeer(conn) != nil || !s.admit(conn) {
			conn.Close()
			continue
		}
		s.serving.Go(func() { s.converse(conn) })
	}
	// If nothing can be accepted, a wrapper shall know at once.
	s.listener.Close()
	s.serving.Wait()
}

// Close ends what goes on, and removes the socket.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end(nil)
	if s.chosen != nil {
		s.chosen.Close()
	}
}

// end closes everything but one connection. The caller holds the lock.
func (s *Server) end(kept *net.UnixConn) {
	s.over = true
	s.listener.Close()
	for _, conn := range s.waiting {
		if conn != kept {
			conn.Close()
		}
	}
	s.waiting = nil
}

// admit reports whether a connection may ask. Of too many that say nothing, the
// oldest has to go.
func (s *Server) admit(conn *net.UnixConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return false
	}
	s.waiting = append(s.waiting, conn)
	if len(s.waiting) > maxWaiting {
		s.waiting[0].Close()
		s.waiting = slices.Delete(s.waiting, 0, 1)
	}
	return true
}

// choose reports whether the connection, which has asked, is the first to do so.
func (s *Server) choose(conn *net.UnixConn) bool {
	s.turn.Lock() // no Alone is under way
	defer s.turn.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.waiting, conn) {
		return false
	}
	s.end(conn)
	s.chosen = conn
	return true
}

// dismiss is for a connection that has left, or had to, before it was chosen.
func (s *Server) dismiss(conn *net.UnixConn) {
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.forget(conn) {
		s.alone()
	}
}

// forget drops a connection, and reports whether no wrapper has asked yet.
func (s *Server) forget(conn *net.UnixConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = slices.DeleteFunc(s.waiting, func(other *net.UnixConn) bool { return other == conn })
	return !s.over
}

// converse holds one conversation. The wrapper learns that it ended when the
// extension no longer holds on to files.
func (s *Server) converse(conn *net.UnixConn) {
	defer conn.Close()
	asked, err := s.greet(conn)
	if err != nil || asked.Identity != s.identity || !s.choose(conn) {
		s.dismiss(conn)
		return
	}
	if !s.answer(conn, asked) {
		s.alone()
	}
}

// greet returns what the wrapper asks.
func (s *Server) greet(conn *net.UnixConn) (question, error) {
	var asked question
	if err := conn.SetDeadline(time.Now().Add(askPatience)); err != nil {
		return asked, err
	}
	if err := send(conn, greeting{s.identity}); err != nil {
		return asked, err
	}
	_, err := receive(conn, &asked, maxQuestion, 0)
	return asked, err
}

// answer reports whether the wrapper got what it asked for.
func (s *Server) answer(conn *net.UnixConn, asked question) (complete bool) {
	defer swallow()
	outcomes, err := s.extension.Documents(asked.Requests, asked.Budget)
	if err != nil || conn.SetDeadline(time.Now().Add(askPatience)) != nil {
		return false
	}
	head, bodies := pack(outcomes)
	if send(conn, head, bodies...) != nil {
		return false
	}
	var files Files
	if _, err := receive(conn, &files, maxHead, 0); err != nil || !files.referTo(len(asked.Requests)) {
		return false
	}
	found, err := s.extension.Publish(asked.Requests, files)
	if !files.areWaitedFor() {
		return err == nil && found == nil
	}
	if err != nil || conn.SetDeadline(time.Now().Add(verdictPatience)) != nil {
		return false
	}
	return send(conn, verdict{found == nil, found}) == nil && found == nil
}

func (s *Server) alone() {
	defer swallow()
	s.extension.Alone()
}

// swallow recovers from a panic without a word: what it says may quote a value.
func swallow() { _ = recover() }
