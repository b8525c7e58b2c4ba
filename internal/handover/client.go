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
	path, err := socketPath(dir)
	if err != nil {
		return nil, alone(err)
	}
	dialer := net.Dialer{Timeout: greetingPatience}
	conn, err := dialer.Dial("unix", path)
	if err != nil {
		return nil, alone(errors.New("nobody answers"))
	}
	unix, ok := conn.(*net.UnixConn)
	if !ok {
		conn.Close()
		return nil, alone(errors.New("not a socket of the system's own"))
	}
	if err := greeted(unix, identity); err != nil {
		conn.Close()
		return nil, alone(err)
	}
	return &Client{unix}, nil
}

// greeted reports what is wrong with whoever is at the other end.
func greeted(conn *net.UnixConn, identity string) error {
	if err := checkPeer(conn); err != nil {
		return err
	}
	if err := conn.SetDeadline(time.Now().Add(greetingPatience)); err != nil {
		return err
	}
	var hello greeting
	if _, err := receive(conn, &hello); err != nil {
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
	body, err := c.exchange(question{requests, budget}, &head, budget+spare)
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
	_, err := c.exchange(files, &said, filesPatience)
	return said.Problem, err
}

// Close ends the conversation.
func (c *Client) Close() { c.conn.Close() }

func (c *Client) exchange(ask, reply any, patience time.Duration) ([]byte, error) {
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, alone(err)
	}
	err := send(c.conn, ask)
	if err == nil {
		var body []byte
		if body, err = receive(c.conn, reply); err == nil {
			return body, nil
		}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, ErrLate
	}
	return nil, alone(errors.New("the extension broke off"))
}

// alone says why there is no hand-over.
func alone(why error) error { return fmt.Errorf("%w: %w", ErrAlone, why) }
