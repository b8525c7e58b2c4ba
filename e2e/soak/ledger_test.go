package main

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"secretwrap/internal/awsfake"
)

// seen returns what a handler sees whose variables, files and pairs have versions.
func seen(m mint, variable, file, certificates, keys int) sight {
	pair := []string{m.value(certificate, certificates), m.value(privateKey, keys)}
	value := m.value(password, variable)
	return sight{
		Password: value, URL: urlPrefix + url.PathEscape(value) + urlSuffix, File: m.value(password, file),
		Pinned: [][]string{pair}, Plain: [][]string{pair},
	}
}

func TestASightIsReadAsVersions(t *testing.T) {
	m := newMint()
	r := seen(m, 1, 3, 2, 2).read(m)
	if len(r.altered) > 0 || len(r.mixed) > 0 || r.torn || r.variable != 1 || r.file != 3 || r.pair != 2 || r.newest != 3 {
		t.Errorf("read as %+v", r)
	}
}

func TestAMixedPairIsToldOnlyIfItWasPinned(t *testing.T) {
	m := newMint()
	mixed := seen(m, 1, 1, 4, 5)
	if r := mixed.read(m); !slices.Equal(r.mixed, [][2]int{{4, 5}}) {
		t.Errorf("mixed is %v", r.mixed)
	}
	mixed.Pinned = seen(m, 1, 1, 5, 5).Pinned
	if r := mixed.read(m); len(r.mixed) > 0 || len(r.altered) > 0 {
		t.Errorf("read as %+v", r)
	}
}

func TestWhatWasNeverAValueIsTold(t *testing.T) {
	m := newMint()
	cases := map[string]func(*sight){
		"a variable that is cut":      func(s *sight) { s.Password = s.Password[:len(s.Password)-1] },
		"a variable of another's":     func(s *sight) { s.Password = newMint().value(password, 1) },
		"a reference":                 func(s *sight) { s.Password = "secretsmanager://soak/db#password" },
		"a URL that is not escaped":   func(s *sight) { s.URL = urlPrefix + "%zz" + urlSuffix },
		"a URL without its end":       func(s *sight) { s.URL = strings.TrimSuffix(s.URL, urlSuffix) },
		"a file that is empty":        func(s *sight) { s.File = "" },
		"a key for a certificate":     func(s *sight) { s.Plain[0][0] = m.value(privateKey, 1) },
		"a pinned file with a blank":  func(s *sight) { s.Pinned[0][1] += " " },
		"a pair of one":               func(s *sight) { s.Pinned[0] = s.Pinned[0][:1] },
		"no pair":                     func(s *sight) { s.Pinned = nil },
		"a version that is no number": func(s *sight) { s.File = canary + " password x " },
	}
	for name, change := range cases {
		one := seen(m, 1, 1, 1, 1)
		one.Pinned = [][]string{slices.Clone(one.Pinned[0])}
		change(&one)
		l := newLedger()
		l.succeeded(time.Now(), one.read(m), 1)
		if l.snapshot().altered.count == 0 {
			t.Errorf("%s is not told", name)
		}
		for _, text := range l.snapshot().altered.first {
			if strings.Contains(text, canary[:8]) {
				t.Errorf("%s: what is told holds a value", name)
			}
		}
	}
}

func TestVersionsThatCannotBeAreTold(t *testing.T) {
	m := newMint()
	torn := seen(m, 1, 1, 1, 1)
	torn.URL = seen(m, 2, 1, 1, 1).URL
	for name, one := range map[string]sight{"of the future": seen(m, 1, 9, 1, 1), "of one secret, different in two variables": torn} {
		l := newLedger()
		l.succeeded(time.Now(), one.read(m), 8)
		if l.snapshot().altered.count != 1 {
			t.Errorf("versions %s are not told", name)
		}
	}
}

func TestFailuresAreExplainedByWhatWasDoneAlone(t *testing.T) {
	denied := []awsfake.Fault{awsfake.Denied}
	cases := []struct {
		errorType string
		causes    causes
		explained bool
	}{
		{"Runtime.ExitError", causes{crash: true}, true},
		{"Runtime.ExitError", causes{}, false},
		{"Extension.Crash", causes{kills: 1}, true},
		{"Extension.Crash", causes{faults: denied, full: true}, false},
		{spoiled, causes{kills: 1}, true},
		{spoiled, causes{crash: true}, false},
		{"Runtime.SecretFileFailed", causes{full: true}, true},
		{"Runtime.SecretFileFailed", causes{kills: 1}, false},
		{"Runtime.SecretAccessDenied", causes{faults: denied}, true},
		{"Runtime.SecretAccessDenied", causes{faults: []awsfake.Fault{awsfake.Throttled}, kills: 1}, false},
		{"Runtime.SecretNotFound", causes{faults: denied}, false},
		{"Runtime.SecretNotFound", causes{faults: []awsfake.Fault{awsfake.NotFound}}, true},
		{"Runtime.SecretTimeout", causes{faults: []awsfake.Fault{awsfake.Hang}}, true},
		{"Runtime.SecretTimeout", causes{faults: denied}, false},
		{"Runtime.SecretInvalid", causes{faults: []awsfake.Fault{awsfake.Throttled, awsfake.WrongSecret}}, true},
		{"Runtime.SecretInvalid", causes{faults: []awsfake.Fault{awsfake.Large}}, false},
		{"Runtime.SecretUnavailable", causes{faults: []awsfake.Fault{awsfake.Large}}, true},
		{"Runtime.SecretUnavailable", causes{faults: []awsfake.Fault{awsfake.Empty, awsfake.Reset, awsfake.Throttled}}, false},
		{"", causes{faults: []awsfake.Fault{awsfake.Empty, awsfake.OK}}, false},
		{"Runtime.SecretUnavailable", causes{crash: true, kills: 1, full: true, faults: []awsfake.Fault{awsfake.Internal}}, false},
		{"no answer", causes{crash: true, kills: 1, full: true, faults: denied}, false},
	}
	for _, c := range cases {
		if cause, explained := c.causes.explain(c.errorType); explained != c.explained {
			t.Errorf("%s with %+v: %q", c.errorType, c.causes, cause)
		}
	}
}

// TestAfterAKillTheNextInvocationSucceeds has a kill, and one invocation more fail
// than it explains.
func TestAfterAKillTheNextInvocationSucceeds(t *testing.T) {
	l := newLedger()
	l.killed(time.Now())
	for range perKill + 1 {
		l.failed(failure{errorType: "Extension.Crash"}, causes{})
	}
	if c := l.snapshot(); c.explained[extensionKilled] != perKill || c.failures.count != 1 {
		t.Errorf("%+v", c)
	}
	l = newLedger()
	m := newMint()
	l.killed(time.Now())
	l.succeeded(time.Now().Add(time.Second), seen(m, 1, 1, 1, 1).read(m), 1)
	l.failed(failure{errorType: "Extension.Crash"}, causes{})
	if c := l.snapshot(); c.failures.count != 1 {
		t.Error("a kill explains a failure after a success")
	}
}
