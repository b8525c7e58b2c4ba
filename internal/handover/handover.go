// Package handover is the socket on which the extension hands secrets to the
// wrapper.
//
// One conversation is all there is for a start:
//
//	wrapper    its identity, the versions that it needs      or it leaves, and works alone
//	extension  greeting: its identity                        meanwhile
//	extension  documents and errors
//	wrapper    the files that it wants                       which the extension publishes
//	extension  what went wrong with them, if anything        unless there was nothing to do
//
// Both ends check that the other belongs to the same user and has the same
// identity. The socket lies in a directory of that user's own.
package handover

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/fetch"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/secret"
)

const (
	// greetingPatience is how long the wrapper waits until it works alone: an
	// extension that is alive greets at once.
	greetingPatience = 250 * time.Millisecond
	// askPatience is how long the extension waits for a question after its
	// greeting.
	askPatience = 10 * time.Second
	// filesPatience is how long publishing may take. The lock of the directory is
	// waited for a second at most.
	filesPatience = 3 * time.Second
	// verdictPatience is how long the extension waits until its last word is taken.
	verdictPatience = time.Second
	// spare is how much longer than the budget the wrapper waits for documents.
	spare = 200 * time.Millisecond

	// maxWaiting is how many connections may be open that have not asked yet. The
	// wrapper asks at once, so what waits is something else.
	maxWaiting = 16

	directoryName = "secretwrap.handover"
	socketName    = "socket"
	// maxPath is the longest path that a socket of Linux can have, in bytes.
	maxPath = 107
)

// ErrAlone means that there is no hand-over, and that the wrapper works alone.
// The extension then touches no file.
var ErrAlone = errors.New("no hand-over")

// ErrLate means that the extension was asked and did not answer in time.
var ErrLate = errors.New("the extension did not answer in time")

// Directory returns the directory of the socket below the one for temporary
// files.
func Directory(temporary string) string { return filepath.Join(temporary, directoryName) }

// Files are what the wrapper wants to be published, and kept fresh from then on.
type Files struct {
	// Dir is the directory of file copies.
	Dir string
	// Copies refer to secrets by their index in the versions asked for before.
	Copies Copies `json:",omitempty"`
	// Former is set when files of an earlier start are there, which have to go.
	Former bool
}

// Copies are sent only if there are any: package json would look into their types
// even for none, which costs a start 0.1 ms.
type Copies []plan.Target

// MarshalJSON implements json.Marshaler.
func (c Copies) MarshalJSON() ([]byte, error) { return json.Marshal([]plan.Target(c)) }

// UnmarshalJSON implements json.Unmarshaler.
func (c *Copies) UnmarshalJSON(text []byte) error { return json.Unmarshal(text, (*[]plan.Target)(c)) }

// areWaitedFor reports whether the wrapper waits until files are as it wants them.
func (f Files) areWaitedFor() bool { return len(f.Copies) > 0 || f.Former }

// greeting is what the extension says first.
type greeting struct{ Identity string }

// question is what the wrapper needs.
type question struct {
	Identity string
	Requests []awssecrets.Request
	// Budget is the time for fetching.
	Budget time.Duration
}

// answer is the head of what the extension has; the documents' bytes follow it.
type answer struct{ Outcomes []outcome }

// outcome is a fetch.Outcome without the bytes. It has a document or an error.
type outcome struct {
	Document *document
	Err      *awssecrets.Error
	Attempts int
}

// document is an awssecrets.Document without the bytes.
type document struct {
	Size      int
	Binary    bool
	VersionID string
}

// verdict is what became of the files.
type verdict struct {
	// Published tells success from a verdict that says nothing.
	Published bool
	Problem   *problem.Problem
}

// pack splits outcomes into head and bytes.
func pack(outcomes []fetch.Outcome) (answer, [][]byte) {
	var head answer
	var bodies [][]byte
	for _, o := range outcomes {
		packed := outcome{Err: o.Err, Attempts: o.Attempts}
		if o.Err == nil {
			content := o.Document.Value.Reveal()
			packed.Document = &document{len(content), o.Document.Binary, o.Document.VersionID}
			bodies = append(bodies, content)
		}
		head.Outcomes = append(head.Outcomes, packed)
	}
	return head, bodies
}

// unpack puts outcomes together from head and bytes.
func unpack(head answer, body []byte) ([]fetch.Outcome, error) {
	outcomes := make([]fetch.Outcome, len(head.Outcomes))
	for i, o := range head.Outcomes {
		outcomes[i] = fetch.Outcome{Err: o.Err, Attempts: o.Attempts}
		switch d := o.Document; {
		case (d == nil) == (o.Err == nil), o.Err != nil && !isKnown(o.Err.Class):
			return nil, errMalformed
		case d == nil:
		case d.Size < 0 || d.Size > len(body):
			return nil, errMalformed
		default:
			outcomes[i].Document = awssecrets.Document{Value: secret.New(body[:d.Size:d.Size]), Binary: d.Binary, VersionID: d.VersionID}
			body = body[d.Size:]
		}
	}
	if len(body) > 0 {
		return nil, errMalformed
	}
	return outcomes, nil
}

// isKnown reports whether a class is one of ours: another would end a start that
// failed with status 0.
func isKnown(class problem.Class) bool { return class.ErrorType() != "" }

// referTo reports whether the copies need nothing but the first n versions.
func (f Files) referTo(n int) bool {
	for _, target := range f.Copies {
		for _, part := range target.Parts {
			if part.Ref != nil && (part.Secret < 0 || part.Secret >= n) {
				return false
			}
		}
	}
	return true
}

// socketPath returns the path of the socket in dir.
func socketPath(dir string) (string, error) {
	path := filepath.Join(dir, socketName)
	switch {
	case !filepath.IsAbs(dir): // and "@" would begin a name without a file
		return "", fmt.Errorf("directory %q: the path is not absolute", dir)
	case len(path) > maxPath:
		return "", fmt.Errorf("directory %q: the socket's path is longer than %d bytes", dir, maxPath)
	}
	return path, nil
}

// checkDirectory refuses one that is not this user's own and private.
func checkDirectory(dir string) error {
	found, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("directory %q: %w", dir, reason(err))
	}
	owner, ok := found.Sys().(*syscall.Stat_t)
	switch {
	case found.Mode().Type() != fs.ModeDir:
		return fmt.Errorf("directory %q: it is not a directory", dir)
	case !ok || int(owner.Uid) != os.Geteuid():
		return fmt.Errorf("directory %q: it belongs to another user", dir)
	case found.Mode().Perm() != 0o700:
		return fmt.Errorf("directory %q: its mode is not 0700", dir)
	}
	return nil
}

// reason returns the operating system's reason without the path.
func reason(err error) error {
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return number
	}
	return err
}

// checkPeer refuses a peer of another user.
func checkPeer(conn *net.UnixConn) error {
	uid, err := peerUser(conn)
	if err != nil {
		return err
	}
	if uid != os.Geteuid() {
		return errors.New("the other end belongs to another user")
	}
	return nil
}
