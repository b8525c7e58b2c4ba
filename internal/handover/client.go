package handover

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/fetch"
	"secretwrap/internal/problem"
)

// Client is the wrapper's end.
type Client struct{ conn *net.UnixConn }

// Dial connects to the extension whose socket is in dir, and which must have the
// given identity. Any error is an ErrAlone that says why; it takes 250 ms at
// most.
func Dial(dir, identity string) (*Client, error) {
	conn, err := connect(dir, time.Now().Add(greetingPatience))
	if err != nil {
		return nil, alone(err)
	}
	if err := greeted(conn, identity); err != nil {
		conn.Close()
		return nil, alone(err)
	}
	return &Client{conn}, nil
}

// connect returns a connection with the deadline, which holds for connecting too.
func connect(dir string, deadline time.Time) (*net.UnixConn, error) {
	path, err := socketPath(dir)
	if err != nil {
		return nil, err
	}
	if err := checkDirectory(dir); err != nil {
		return nil, err
	}
	dialer := net.Dialer{Deadline: deadline}
	conn, err := dialer.Dial("unix", path)
	if err != nil {
		return nil, fmt.Errorf("nobody answers: %w", reason(err))
	}
	unix, ok := conn.(*net.UnixConn)
	if !ok || unix.SetDeadline(deadline) != nil {
		conn.Close()
		return nil, errors.New("not a socket of the system's own")
	}
	return unix, nil
}

// greeted reports what is wrong with whoever is at the other end.
func greeted(conn *net.UnixConn, identity string) error {
	if err := checkPeer(conn); err != nil {
		return err
	}
	var hello greeting
	if _, err := receive(conn, &hello, maxGreeting, 0); err != nil {
		return errors.New("no greeting in time")
	}
	if hello.Identity != identity {
		return errors.New("the extension is another build, or asks Secrets Manager elsewhere or as somebody else")
	}
	return nil
}

// Documents asks for versions of secrets. It waits for the budget and 200 ms;
// then the error is ErrLate. If the extension breaks off it is an ErrAlone.
func (c *Client) Documents(requests []awssecrets.Request, budget time.Duration) ([]fetch.Outcome, error) {
	var head answer
	body, err := c.exchange(question{requests, budget}, &head, maxBody, budget+spare)
	if err != nil {
		return nil, err
	}
	if len(head.Outcomes) != len(requests) {
		return nil, alone(errMalformed)
	}
	outcomes, err := unpack(head, body)
	if err != nil {
		return nil, alone(err)
	}
	return outcomes, nil
}

// Publish has the extension publish files, exactly these, and ends the
// conversation. The problem says why that failed; an error, which is ErrLate or
// ErrAlone, that nobody knows.
func (c *Client) Publish(files Files) (*problem.Problem, error) {
	defer c.Close()
	var said verdict
	if _, err := c.exchange(files, &said, 0, filesPatience); err != nil {
		return nil, err
	}
	if said.Published != (said.Problem == nil) {
		return nil, alone(errMalformed)
	}
	return said.Problem, nil
}

// Close ends the conversation.
func (c *Client) Close() { c.conn.Close() }

// exchange asks, and waits that long for the reply.
func (c *Client) exchange(ask, reply any, bodyBound uint32, patience time.Duration) ([]byte, error) {
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, alone(errBrokeOff)
	}
	err := send(c.conn, ask)
	if err != nil {
		return nil, lateOrAlone(err)
	}
	body, err := receive(c.conn, reply, maxHead, bodyBound)
	if err != nil {
		return nil, lateOrAlone(err)
	}
	return body, nil
}

var errBrokeOff = errors.New("the extension broke off")

func lateOrAlone(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ErrLate
	}
	return alone(errBrokeOff)
}

// alone says why there is no hand-over.
func alone(why error) error { return fmt.Errorf("%w: %w", ErrAlone, why) }
