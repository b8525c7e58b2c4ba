package main

import (
	"strings"
	"testing"
)

// lived returns a life in which each sample is what the function says of its number.
func lived(samples int, each func(int) sample) *life {
	l := new(life)
	for i := range samples {
		l.add(each(i))
	}
	return l
}

func TestALifeThatGrewIsTold(t *testing.T) {
	const mib = 1 << 20
	cases := map[string]struct {
		each func(int) sample
		grew bool
	}{
		"flat": {func(int) sample { return sample{12 * mib, 11} }, false},
		"with what is needed for a moment": {func(i int) sample {
			if i%5 == 0 {
				return sample{40 * mib, 15}
			}
			return sample{12 * mib, 11}
		}, false},
		"more while it starts":     {func(i int) sample { return sample{12*mib + max(0, 8-i)*mib, 11 + max(0, 8-i)} }, false},
		"less while it starts":     {func(i int) sample { return sample{min(12, 4+i) * mib, min(11, 3+i)} }, false},
		"memory, little by little": {func(i int) sample { return sample{12*mib + i*mib/25, 11} }, true},
		"a descriptor that stays":  {func(i int) sample { return sample{12 * mib, 11 + i/60} }, true},
	}
	for name, c := range cases {
		for _, samples := range []int{120, 3 * thinned} {
			if err := lived(samples, c.each).grew(); (err != nil) != c.grew {
				t.Errorf("%s, %d samples: %v", name, samples, err)
			}
		}
	}
}

func TestAllThatGrewIsTold(t *testing.T) {
	err := lived(120, func(i int) sample { return sample{i << 20, i} }).grew()
	if err == nil || !strings.Contains(err.Error(), "descriptors") || !strings.Contains(err.Error(), "memory") {
		t.Error(err)
	}
}

func TestALongLifeKeepsItsShape(t *testing.T) {
	const samples = 10 * thinned
	l := lived(samples, func(i int) sample { return sample{i, 1} })
	if len(l.samples) >= thinned {
		t.Errorf("%d samples are kept", len(l.samples))
	}
	if first, last := l.first().resident, l.last().resident; first < samples/10 || first > samples/6 || last < samples*5/6 || last > samples*9/10 {
		t.Errorf("the middle of the first quarter is %d, of the last one %d, of %d", first, last, samples)
	}
}

func TestAShortLifeIsNotJudged(t *testing.T) {
	for samples, want := range map[int]bool{shortLife - 1: false, shortLife: true} {
		if got := lived(samples, func(int) sample { return sample{} }).isLong(); got != want {
			t.Errorf("a life of %d samples is long: %t", samples, got)
		}
	}
}
