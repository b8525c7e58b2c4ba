package main

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/brake"
)

const (
	urlPrefix = "postgres://app:"
	urlSuffix = "@db"
	// repeated is how long before an invocation a fault may have been that makes it
	// fail: the same environment repeats some errors without asking again.
	repeated = brake.Duration + time.Second
	// perKill is how many invocations may fail because the extension was killed: one
	// that was under way, and the next one, which Lambda tells of the crash.
	perKill = 2
	// extensionKilled and handlerCrashed are causes of failures.
	extensionKilled = "the extension was killed"
	handlerCrashed  = "the handler crashed"
	// spoiled stands for the type of error of an answer of the handler's that the
	// emulator gives with an error's status, because an extension has ended meanwhile.
	spoiled = "an answer with an error's status"
	// keptExamples are enough to find a cause; the rest are counted.
	keptExamples = 10
)

// sight is what the handler has seen.
type sight struct {
	ErrorType string     `json:"errorType"`
	Password  string     `json:"DB_PASSWORD"`
	URL       string     `json:"DATABASE_URL"`
	File      string     `json:"PASSWORD_PATH"`
	Plain     [][]string `json:"plain"`
	Pinned    [][]string `json:"pinned"`
}

// reading is a sight as versions. It holds no values.
type reading struct {
	// altered are the places of what is no value that was ever made.
	altered []string
	// mixed are versions of a certificate and a key that were read together.
	mixed [][2]int
	// variable is the version in the environment, file and pair are the oldest ones
	// in the files; newest is the newest of all.
	variable, file, pair, newest int
	// torn is set if two variables that are made of one secret differ.
	torn bool
}

// read finds out which versions the handler has seen.
func (s sight) read(m mint) reading {
	var r reading
	r.variable = r.version(m, password, s.Password, "DB_PASSWORD")
	escaped := strings.TrimSuffix(strings.TrimPrefix(s.URL, urlPrefix), urlSuffix)
	unescaped, err := url.PathUnescape(escaped)
	if err != nil || s.URL != urlPrefix+escaped+urlSuffix {
		unescaped = ""
	}
	r.torn = r.version(m, password, unescaped, "DATABASE_URL") != r.variable
	r.file = r.version(m, password, s.File, "PASSWORD_PATH")
	for _, pair := range s.Pinned {
		if seen, whole := r.versions(m, pair, "a pinned "); whole && seen[0] != seen[1] {
			r.mixed = append(r.mixed, seen)
		} else if whole && (r.pair == 0 || seen[0] < r.pair) {
			r.pair = seen[0]
		}
	}
	if len(s.Pinned) == 0 {
		r.altered = append(r.altered, "the pair")
	}
	for _, pair := range s.Plain {
		_, _ = r.versions(m, pair, "a ")
	}
	return r
}

// versions returns those of a certificate and a key, and whether both are whole.
func (r *reading) versions(m mint, pair []string, how string) ([2]int, bool) {
	if len(pair) != 2 {
		r.altered = append(r.altered, how+"pair")
		return [2]int{}, false
	}
	seen := [2]int{r.version(m, certificate, pair[0], how+certificate), r.version(m, privateKey, pair[1], how+privateKey)}
	return seen, seen[0] > 0 && seen[1] > 0
}

func (r *reading) version(m mint, kind, value, place string) int {
	version, made := m.version(kind, value)
	if !made {
		r.altered = append(r.altered, place)
		return 0
	}
	r.newest = max(r.newest, version)
	return version
}

// failure is an invocation that failed.
type failure struct {
	errorType string
	began     time.Time
}

// causes is what may make an invocation fail.
type causes struct {
	// crash is set if the handler was told to crash in it.
	crash bool
	// kills is how many invocations may fail still because the extension was killed.
	kills int
	// full is set if the disk was full meanwhile.
	full bool
	// faults are those that Secrets Manager played, also shortly before.
	faults []awsfake.Fault
}

// final are the types of error of a start that meets a fault once. All other faults
// pass: the call is repeated, and the start goes on.
var final = map[awsfake.Fault]string{
	awsfake.Denied:      "Runtime.SecretAccessDenied",
	awsfake.NotFound:    "Runtime.SecretNotFound",
	awsfake.Leaky:       "Runtime.SecretInvalid",
	awsfake.WrongSecret: "Runtime.SecretInvalid",
	awsfake.Large:       "Runtime.SecretUnavailable",
	awsfake.Oversized:   "Runtime.SecretUnavailable",
	awsfake.Gzip:        "Runtime.SecretUnavailable",
	awsfake.Hang:        "Runtime.SecretTimeout",
}

// explain returns the cause of a failure with this type of error, none if it is ours.
func (c causes) explain(errorType string) (cause string, found bool) {
	switch {
	case c.crash && isExit(errorType):
		return handlerCrashed, true
	case c.kills > 0 && (isExit(errorType) || errorType == spoiled):
		return extensionKilled, true
	case c.full && errorType == "Runtime.SecretFileFailed":
		return "the disk was full at a start", true
	}
	for _, fault := range c.faults {
		if ends, known := final[fault]; known && ends == errorType {
			return "a start met the fault " + string(fault), true
		}
	}
	return "", false
}

// isExit reports whether Lambda says that a process has ended.
func isExit(errorType string) bool {
	return slices.Contains([]string{"Extension.Crash", "Runtime.ExitError", "Runtime.Unknown"}, errorType)
}

// ledger holds what became of the invocations of one function.
type ledger struct {
	mu                     sync.Mutex
	invocations, successes int
	kills, crashes         int
	// excuses is how many invocations may fail still for a kill, killedAt its time.
	excuses  int
	killedAt time.Time
	// explained are the failures by cause.
	explained map[string]int
	// Examples of what is broken, with how many there are.
	failures, altered, mixed examples
	// last is what the last successful invocation has read.
	last reading
	// files is how many versions of the pair were seen.
	files int
}

func newLedger() *ledger { return &ledger{explained: make(map[string]int)} }

// examples are the first different ones of what may be many.
type examples struct {
	count int
	first []string
}

func (x *examples) add(format string, args ...any) {
	x.count++
	if one := fmt.Sprintf(format, args...); len(x.first) < keptExamples && !slices.Contains(x.first, one) {
		x.first = append(x.first, one)
	}
}

// killed notes that the extension is about to be killed.
func (l *ledger) killed(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kills++
	l.excuses, l.killedAt = perKill, at
}

// spared takes back the last kill.
func (l *ledger) spared() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kills--
	l.excuses = 0
}

// failed notes a failure, and returns it.
func (l *ledger) failed(f failure, c causes) *failure {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.invocations++
	if c.crash {
		l.crashes++
	}
	c.kills = l.excuses
	cause, found := c.explain(f.errorType)
	if !found {
		l.failures.add("%s", cmp.Or(f.errorType, "an answer without a type of error"))
		return &f
	}
	if cause == extensionKilled {
		l.excuses--
	}
	l.explained[cause]++
	return &f
}

// succeeded notes an answer to an invocation that began then, when versions up to the
// latest existed.
func (l *ledger) succeeded(began time.Time, r reading, latest int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.invocations++
	l.successes++
	if began.After(l.killedAt) {
		l.excuses = 0 // the environment has started anew
	}
	for _, place := range r.altered {
		l.altered.add("%s holds what was never a value", place)
	}
	if r.torn {
		l.altered.add("two variables hold different versions of one secret")
	}
	if r.newest > latest {
		l.altered.add("version %d was read when %d was the latest", r.newest, latest)
	}
	for _, pair := range r.mixed {
		l.mixed.add("versions %d and %d", pair[0], pair[1])
	}
	if r.pair != l.last.pair {
		l.files++
	}
	l.last = r
}

// snapshot returns the ledger's numbers, apart from its lock.
func (l *ledger) snapshot() counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	explained := make(map[string]int, len(l.explained))
	for cause, n := range l.explained {
		explained[cause] = n
	}
	return counts{
		invocations: l.invocations, successes: l.successes, kills: l.kills, crashes: l.crashes, files: l.files,
		explained: explained, failures: l.failures, altered: l.altered, mixed: l.mixed, last: l.last,
	}
}

// counts are the numbers of a ledger.
type counts struct {
	invocations, successes, kills, crashes, files int
	explained                                     map[string]int
	failures, altered, mixed                      examples
	last                                          reading
}
