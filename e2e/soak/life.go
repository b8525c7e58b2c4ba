package main

import (
	"errors"
	"fmt"
	"slices"
)

const (
	// warmUp is how many samples at the beginning of a life do not count: what a
	// process needs once.
	warmUp = 8
	// shortLife is how many samples a life must have to be judged, 10 seconds' worth.
	shortLife = 40
	// thinned is how many samples make a life drop every second one.
	thinned = 4096
	// allowance is by how much of the resident size at the beginning, and by how many
	// bytes more, it may be larger at the end.
	allowance      = 0.15
	allowanceBytes = 1 << 20
)

// sample is what a process held at one time.
type sample struct {
	// resident is in bytes.
	resident, descriptors int
}

// life is what a process held from its beginning on.
type life struct {
	samples []sample
	// skip is how many samples go by for each that is kept, skipped how many did.
	skip, skipped int
}

// add keeps a sample, fewer and fewer of a long life.
func (l *life) add(s sample) {
	if l.skipped < l.skip {
		l.skipped++
		return
	}
	l.skipped = 0
	l.samples = append(l.samples, s)
	if len(l.samples) < thinned {
		return
	}
	for i := range thinned / 2 {
		l.samples[i] = l.samples[2*i]
	}
	l.samples = l.samples[:thinned/2]
	l.skip = 2*l.skip + 1
}

func (l *life) isLong() bool { return len(l.samples) >= shortLife }

// first and last are what the process held in the first and in the last quarter of
// its life: medians, which tell no lie of what it needs for a moment.
func (l *life) first() sample {
	counted := l.samples[warmUp:]
	return median(counted[:len(counted)/4])
}

func (l *life) last() sample {
	counted := l.samples[warmUp:]
	return median(counted[len(counted)-len(counted)/4:])
}

// grew returns what the process holds more of at the end than at the beginning.
func (l *life) grew() error {
	var more []error
	first, last := l.first(), l.last()
	if last.descriptors > first.descriptors {
		more = append(more, fmt.Errorf("%d descriptors became %d", first.descriptors, last.descriptors))
	}
	if float64(last.resident) > float64(first.resident)*(1+allowance)+allowanceBytes {
		more = append(more, fmt.Errorf("%s of memory became %s", mebibytes(first.resident), mebibytes(last.resident)))
	}
	return errors.Join(more...)
}

// median returns the medians of samples.
func median(samples []sample) sample {
	var resident, descriptors []int
	for _, s := range samples {
		resident, descriptors = append(resident, s.resident), append(descriptors, s.descriptors)
	}
	slices.Sort(resident)
	slices.Sort(descriptors)
	return sample{resident[len(resident)/2], descriptors[len(descriptors)/2]}
}

func mebibytes(n int) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
