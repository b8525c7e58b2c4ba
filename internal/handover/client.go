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
type Client struct {
	conn     *net.UnixConn
	identity string
}

// Dial connects to the extension whose socket is in dir, and which must have the
// given identity. Any error is an ErrAlone that says why; it takes 250 ms at
// most.
func Dial(dir, identity string) (*Client, error) {
	conn, err := connect(dir, time.Now().Add(greetingPatience))
	if err != nil {
		return nil, alone(err)
	}
	if err := checkPeer(conn); err != nil {
		conn.Close()
		return nil, alone(err)
	}
	return &Client{conn, identity}, nil
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

// Documents asks for versions of secrets. If the extension does not greet within
// 250 ms, is another one, or breaks off, the error is an ErrAlone. Once greeted it
// waits for the budget and 200 ms; then the error is ErrLate.
func (c *Client) Documents(requests []awssecrets.Request, budget time.Duration) ([]fetch.Outcome, error) {
	// It asks without waiting for the greeting, which saves a round trip.
	if err := send(c.conn, question{c.identity, requests, budget}); err != nil {
		return nil, alone(errBrokeOff)
	}
	if err := c.greeted(); err != nil {
		return nil, alone(err)
	}
	var head answer
	body, err := c.receive(&head, maxBody, budget+spare)
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

// greeted reports what is wrong with whoever is at the other end.
func (c *Client) greeted() error {
	var hello greeting
	if _, err := receive(c.conn, &hello, maxGreeting, 0); err != nil {
		return errors.New("no greeting in time")
	}
	if hello.Identity != c.identity {
		return errors.New("the extension is another build, or asks Secrets Manager elsewhere or as somebody else")
	}
	return nil
}

// Publish has the extension publish files, exactly these, and ends the
// conversation. The problem says why that failed; an error, which is ErrLate or
// ErrAlone, that nobody knows. If there is nothing to do it does not wait.
func (c *Client) Publish(files Files) (*problem.Problem, error) {
	defer c.Close()
	if err := c.conn.SetDeadline(time.Now().Add(filesPatience)); err != nil {
		return nil, alone(errBrokeOff)
	}
	if err := send(c.conn, files); err != nil {
		return nil, lateOrAlone(err)
	}
	if !files.areWaitedFor() {
		return nil, nil
	}
	var said verdict
	if _, err := c.receive(&said, 0, filesPatience); err != nil {
		return nil, err
	}
	if said.Published != (said.Problem == nil) || said.Problem != nil && !isKnown(said.Problem.Class) {
		return nil, alone(errMalformed)
	}
	return said.Problem, nil
}

// Close ends the conversation.
func (c *Client) Close() { c.conn.Close() }

// receive waits that long for a message.
func (c *Client) receive(head any, bodyBound uint32, patience time.Duration) ([]byte, error) {
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, alone(errBrokeOff)
	}
	body, err := receive(c.conn, head, maxHead, bodyBound)
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
