package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"secretwrap/internal/awsfake"
)

const (
	// serveArgument makes this program the Secrets Manager.
	serveArgument = "serve"
	// serverDelay is how long Secrets Manager takes to answer.
	serverDelay = 40 * time.Millisecond

	// Of each kind there are as many secrets as a cell needs, numbered from 0.
	smallName = "bench/small-%03d"
	largeName = "bench/large-%03d"
	// smallPassword is a field of the small ones.
	smallPassword = "an invented password"
	// largeSize is the largest secret that Secrets Manager takes.
	largeSize = 64 << 10
)

// serve is a Secrets Manager that writes its CA to a file, prints its address,
// and then the number of calls so far for every line that it reads.
func serve(ca string, in io.Reader, out io.Writer) error {
	server, err := awsfake.Start(awsfake.Config{Delay: serverDelay, Secrets: secrets()})
	if err != nil {
		return err
	}
	defer server.Close()
	if err := os.WriteFile(ca, server.CA(), 0o600); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, server.URL()); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if _, err := fmt.Fprintln(out, len(server.Calls())); err != nil {
			return err
		}
	}
	return nil
}

func secrets() []awsfake.Secret {
	var list []awsfake.Secret
	add := func(name, value string) {
		list = append(list, awsfake.Secret{Name: name, Versions: []awsfake.Version{{String: new(value)}}})
	}
	for i := range 20 {
		add(fmt.Sprintf(smallName, i), `{"username":"app","password":"`+smallPassword+`"}`)
	}
	for i := range 100 {
		add(fmt.Sprintf(largeName, i), strings.Repeat("invented", largeSize/8))
	}
	return list
}

// store is a Secrets Manager in a process of its own, so that its work is not
// done by the measured one.
type store struct {
	url string
	// ca is the file with the certificate of its authority.
	ca string
	*dialogue
}

func startStore(ctx context.Context, ca string) (*store, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	d, err := startDialogue(exec.CommandContext(ctx, self, serveArgument, ca))
	if err != nil {
		return nil, err
	}
	s := &store{ca: ca, dialogue: d}
	if s.url, err = s.line(); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// calls returns how many calls the store has got.
func (s *store) calls() (int, error) {
	text, err := s.ask()
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}

// stop ends the process, which nobody asks any more.
func (s *store) stop() { _ = s.end() }
