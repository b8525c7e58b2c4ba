package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"secretwrap/internal/awsfake"
)

const (
	// serveArgument makes this program the Secrets Manager.
	serveArgument = "serve"
	// host is the real name of Secrets Manager in the functions' region.
	host = "secretsmanager.eu-west-1.amazonaws.com"
	// usualPort is that of HTTPS.
	usualPort = "443"
	// usualLatency is how long Secrets Manager takes to answer if nothing else is
	// said.
	usualLatency = 40 * time.Millisecond

	// Of each latency there are as many secrets as a function needs at most,
	// numbered from 0, and of large ones too.
	smallName = "bench/%v/%03d"
	largeName = "bench/large/%03d"
	// smallPassword is a field of the small ones.
	smallPassword = "an invented password"
	// largeSize is the largest secret that Secrets Manager takes.
	largeSize = 64 << 10
)

// latencies are how long Secrets Manager takes to answer.
func latencies() []time.Duration {
	return []time.Duration{5 * time.Millisecond, usualLatency, 300 * time.Millisecond}
}

// traffic is what a store has seen since it was last asked.
type traffic struct {
	// Accepted are the times of its connections, Asked those of its calls, Answered
	// those of its answers to them.
	Accepted, Asked, Answered []time.Time
}

// serve is a Secrets Manager that writes its CA to a file, prints its address,
// and then its traffic for every line that it reads.
func serve(ca string, in io.Reader, out io.Writer) error {
	address := loopback()
	listener, err := listen(address)
	if err != nil {
		return err
	}
	server, err := awsfake.New(awsfake.Config{Delay: usualLatency, Hosts: []string{host, address}, Secrets: secrets()})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer server.Close()
	watched := &watchedListener{Listener: listener}
	server.Serve(watched)
	if err := os.WriteFile(ca, server.CA(), 0o644); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, listener.Addr()); err != nil {
		return err
	}
	told := 0
	for lines := bufio.NewScanner(in); lines.Scan(); {
		calls := server.Calls()
		seen := traffic{Accepted: watched.take()}
		for _, call := range calls[told:] {
			seen.Asked = append(seen.Asked, call.Time)
			seen.Answered = append(seen.Answered, call.Answered)
		}
		told = len(calls)
		if err := json.NewEncoder(out).Encode(seen); err != nil {
			return err
		}
	}
	return nil
}

// loopback returns an address of this machine that nobody else is likely to use.
func loopback() string {
	return net.IPv4(127, byte(1+rand.N(254)), byte(rand.N(256)), byte(1+rand.N(254))).String()
}

// listen listens on Secrets Manager's port if that is allowed and free.
func listen(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address+":"+usualPort)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EADDRINUSE) {
		return net.Listen("tcp", address+":0")
	}
	return listener, err
}

// watchedListener remembers when it accepted connections.
type watchedListener struct {
	net.Listener
	mu       sync.Mutex
	accepted []time.Time
}

// Accept implements net.Listener.
func (l *watchedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.mu.Lock()
		l.accepted = append(l.accepted, time.Now())
		l.mu.Unlock()
	}
	return conn, err
}

// take returns the times since it was last called.
func (l *watchedListener) take() []time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	times := l.accepted
	l.accepted = nil
	return times
}

func secrets() []awsfake.Secret {
	var list []awsfake.Secret
	add := func(name, value string, latency time.Duration) {
		list = append(list, awsfake.Secret{Name: name, Delay: latency, Versions: []awsfake.Version{{String: new(value)}}})
	}
	for _, latency := range latencies() {
		for i := range 20 {
			add(fmt.Sprintf(smallName, latency, i), `{"username":"app","password":"`+smallPassword+`"}`, latency)
		}
	}
	for i := range 100 {
		add(fmt.Sprintf(largeName, i), strings.Repeat("invented", largeSize/8), usualLatency)
	}
	return list
}

// store is a Secrets Manager in a process of its own, so that its work is not
// done by the measured one.
type store struct {
	// ip and port are where it listens.
	ip, port string
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
	address, err := s.line()
	if err == nil {
		s.ip, s.port, err = net.SplitHostPort(address)
	}
	if err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// endpoint returns the store's address for those who do not know it by the name
// of its host.
func (s *store) endpoint() string { return "https://" + net.JoinHostPort(s.ip, s.port) }

// traffic returns what the store has seen since the last call.
func (s *store) traffic() (traffic, error) {
	text, err := s.ask()
	if err != nil {
		return traffic{}, err
	}
	var seen traffic
	return seen, json.Unmarshal([]byte(text), &seen)
}

// stop ends the process, which nobody asks any more.
func (s *store) stop() { _ = s.end() }
