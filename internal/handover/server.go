package handover

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync"
	"sync/atomic"
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
	// keeps them fresh from then on.
	Publish(requests []awssecrets.Request, files Files) *problem.Problem
	// Alone is called when a wrapper left before it had all that it came for: the
	// files are its own then.
	Alone()
}

// Server is the extension's end. It holds one conversation.
type Server struct {
	listener  *net.UnixListener
	identity  string
	extension Extension
	serving   sync.WaitGroup
	// taken is set when a wrapper has asked; no other one is answered.
	taken atomic.Bool
}

// Listen opens the socket in dir, which it creates if it is absent. An error
// says what is wrong with the directory.
func Listen(dir, identity string) (*Server, error) {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("directory %q: %w", dir, reason(err))
	} else if err == nil {
		// Whatever the umask.
		if err := os.Chmod(dir, 0o700); err != nil {
			return nil, fmt.Errorf("directory %q: %w", dir, reason(err))
		}
	}
	path, err := socketPath(dir)
	if err != nil {
		return nil, err
	}
	// A predecessor that was killed leaves its socket.
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("directory %q: a former socket: %w", dir, reason(err))
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("directory %q: the socket cannot be opened", dir)
	}
	return &Server{listener: listener, identity: identity}, nil
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
		s.serving.Go(func() { s.converse(conn) })
	}
	s.serving.Wait()
}

// Close closes the socket and removes it.
func (s *Server) Close() { s.listener.Close() }

// converse holds one conversation.
func (s *Server) converse(conn *net.UnixConn) {
	defer conn.Close()
	if checkPeer(conn) != nil {
		return
	}
	complete := false
	defer func() {
		_ = recover() // whatever it says may quote a value
		if !complete {
			s.extension.Alone()
		}
	}()
	complete = s.answer(conn)
}

// answer reports whether the wrapper got what it asked for.
func (s *Server) answer(conn *net.UnixConn) bool {
	if conn.SetDeadline(time.Now().Add(askPatience)) != nil || send(conn, greeting{s.identity}) != nil {
		return false
	}
	var asked question
	if _, err := receive(conn, &asked); err != nil {
		return false
	}
	if s.taken.Swap(true) {
		return true // somebody else's conversation is the one
	}
	s.Close()
	outcomes, err := s.extension.Documents(asked.Requests, asked.Budget)
	if err != nil || conn.SetDeadline(time.Now().Add(askPatience)) != nil {
		return false
	}
	head, bodies := pack(outcomes)
	if send(conn, head, bodies...) != nil {
		return false
	}
	var files Files
	if _, err := receive(conn, &files); err != nil {
		return false
	}
	found := s.extension.Publish(asked.Requests, files)
	return send(conn, verdict{found}) == nil && found == nil
}
