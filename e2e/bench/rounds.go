package main

import (
	"context"
	"math/rand/v2"
)

// enoughRounds is how many it takes to judge anything.
const enoughRounds = 8

// interleaved samples every cell once a round. The first round, which warms the
// machine's caches, does not count. The order is another one in each round, so
// that no cell always follows the same one.
func interleaved[C, S any](ctx context.Context, p progress, what string, cells []C, rounds int, take func(context.Context, C) (S, error), keep func(C, S)) error {
	defer p.done()
	for round := range rounds + 1 {
		for i, next := range rand.Perm(len(cells)) {
			p.count(what, round*len(cells)+i, (rounds+1)*len(cells))
			sample, err := take(ctx, cells[next])
			if err != nil {
				return err
			}
			if round > 0 {
				keep(cells[next], sample)
			}
		}
	}
	p.count(what, (rounds+1)*len(cells), (rounds+1)*len(cells))
	return nil
}
