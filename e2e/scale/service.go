// Package scale simulates what many execution environments ask of Secrets
// Manager when they start together, with the program's own fetching, in virtual
// time.
package scale

import (
	"context"
	"sync"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/problem"
	"secretwrap/internal/secret"
)

// answerTime is how long Secrets Manager takes for what is within its quota.
// What is over it, it turns away at once, which is the hardest on the quota.
const answerTime = 40 * time.Millisecond

// api is a way to ask for secrets.
type api struct {
	name string
	// quota is how many calls an account may make in a second.
	quota int
	// perCall is how many secrets a call brings.
	perCall int
}

// getValue and batch are the two that Secrets Manager has.
func getValue() api { return api{name: "GetSecretValue", quota: 10_000, perCall: 1} }
func batch() api    { return api{name: "BatchGetSecretValue", quota: 100, perCall: 20} }

// calls is how many calls an environment with that many secrets needs.
func (a api) calls(secrets int) int { return (secrets + a.perCall - 1) / a.perCall }

// service is Secrets Manager as all environments of an account see it.
type service struct {
	// denied is a secret that nobody may read.
	denied string

	mu        sync.Mutex
	bucket    bucket
	calls     int
	throttled int
}

func newService(a api) *service { return &service{bucket: newBucket(a.quota, time.Now())} }

// Get implements fetch.Getter. No answer takes long enough for patience to matter.
func (s *service) Get(ctx context.Context, request awssecrets.Request, _ time.Duration) (awssecrets.Document, error) {
	if !s.admit() {
		return awssecrets.Document{}, throttled()
	}
	if !passes(ctx, answerTime) {
		return awssecrets.Document{}, &awssecrets.Error{Class: problem.Timeout, Cause: "the budget ended"}
	}
	if request.Secret == s.denied {
		return awssecrets.Document{}, &awssecrets.Error{Class: problem.Denied, Cause: "access denied"}
	}
	return awssecrets.Document{Value: secret.FromString("value"), VersionID: versionOf(request)}, nil
}

// versionOf tells the secrets apart.
func versionOf(request awssecrets.Request) string { return "version of " + request.Secret }

// Renew implements fetch.Getter. There is nothing to renew.
func (s *service) Renew() {}

// admit counts a call, and reports whether it is within the quota.
func (s *service) admit() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.bucket.take(time.Now()) {
		return true
	}
	s.throttled++
	return false
}

// throttled is what package awssecrets makes of a ThrottlingException.
func throttled() *awssecrets.Error {
	return &awssecrets.Error{Class: problem.Throttled, Cause: "throttled", Retry: awssecrets.Always}
}

// passes waits. It returns false if ctx ends first.
func passes(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
