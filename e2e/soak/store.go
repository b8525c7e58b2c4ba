package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"secretwrap/internal/awsfake"
)

const (
	tlsSecret      = "soak/tls"
	databaseSecret = "soak/db"
	// One answer of block, drawn at random, is a fault: five in a hundred, and some
	// even in half a minute.
	block = 20
	// slowShare is how many versions take slowAnswer to be answered.
	slowShare  = 0.05
	slowAnswer = 700 * time.Millisecond
	// rotationPause is the longest time between two rotations.
	rotationPause = 500 * time.Millisecond
	// remembered is how long it is known which faults were played.
	remembered = time.Minute
)

// faults are what is drawn from.
var faults = []awsfake.Fault{
	awsfake.Internal, awsfake.Unavailable, awsfake.Throttled, awsfake.Throttled, awsfake.Reset, awsfake.Close,
	awsfake.Truncated, awsfake.Denied, awsfake.NotFound, awsfake.Empty, awsfake.HTML, awsfake.WrongTypes,
	awsfake.WrongSecret, awsfake.Large, awsfake.Oversized, awsfake.Leaky, awsfake.ErrorHTML, awsfake.Gzip, awsfake.Hang,
}

// store is the Secrets Manager of one function.
type store struct {
	*awsfake.Server
	mint mint

	mu      sync.Mutex
	version int
	calls   int
	faulty  bool
	// drawn is the number of the next answer that is a fault, or was one.
	drawn  int
	played map[awsfake.Fault]int
	// recent are the faults of the last minute.
	recent []playedFault
}

// playedFault is a fault with its time.
type playedFault struct {
	at    time.Time
	fault awsfake.Fault
}

func startStore() (*store, error) {
	s := &store{mint: newMint(), played: make(map[awsfake.Fault]int)}
	server, err := awsfake.Start(awsfake.Config{KeptCalls: 1, Choose: s.choose})
	if err != nil {
		return nil, err
	}
	s.Server = server
	if err := s.rotate(0); err != nil {
		server.Close()
		return nil, err
	}
	return s, nil
}

// choose draws how a call is answered.
func (s *store) choose(string) awsfake.Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls%block == 0 {
		s.drawn = s.calls + rand.N(block)
	}
	s.calls++
	if !s.faulty || s.calls-1 != s.drawn {
		return awsfake.OK
	}
	fault, now := faults[rand.N(len(faults))], time.Now()
	s.played[fault]++
	s.recent = append(s.recent, playedFault{now, fault})
	s.recent = slices.DeleteFunc(s.recent, func(p playedFault) bool { return now.Sub(p.at) > remembered })
	return fault
}

// setFaulty says whether answers may be faults.
func (s *store) setFaulty(faulty bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faulty = faulty
}

// rotate replaces all secrets by their next version, whose answers take a while.
func (s *store) rotate(delay time.Duration) error {
	s.mu.Lock()
	s.version++ // before anybody can see it
	version := s.version
	s.mu.Unlock()
	for name, kinds := range map[string][]string{tlsSecret: {certificate, privateKey}, databaseSecret: {password}} {
		text := s.mint.document(version, kinds...)
		one := awsfake.Secret{Name: name, Delay: delay, Versions: []awsfake.Version{{ID: fmt.Sprintf("version-%025d", version), String: &text}}}
		if err := s.Put(one); err != nil {
			return err
		}
	}
	return nil
}

// latest returns the number of the latest version.
func (s *store) latest() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

// playedSince returns the faults that were played since then, a minute at most.
func (s *store) playedSince(began time.Time) []awsfake.Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []awsfake.Fault
	for _, p := range s.recent {
		if !p.at.Before(began) {
			list = append(list, p.fault)
		}
	}
	return list
}

// traffic returns how many calls were answered, and how many of them with which
// fault.
func (s *store) traffic() (calls int, played map[awsfake.Fault]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls, maps.Clone(s.played)
}
