package main

// The budgets of cold starts are in ms of a machine on which a function in Go with
// the SDK in parallel takes 15.5 ms beyond Secrets Manager's time. What holds
// everywhere is their ratio to those.
const (
	beyondBudget = 10.0
	besideBudget = 5.0
	sdkOfBudgets = 15.5
	smallBudget  = 180.0
	// knownSlack lets a budget pass that is known to be missed.
	knownSlack = 2.0
)

// anyFaster is no target of a check: where ways are equally fast, half of all
// medians are on the wrong side.
const anyFaster = "cells in which another way is faster"

// targets are what cold starts should take at most.
func (r *functionReport) targets() []target {
	list := append(r.usualTargets(), r.besideTargets()...)
	if _, there := r.cell(direct, small()); there {
		list = append(list, r.smallTargets()...)
	}
	if _, there := r.cell(direct, smallWithMany()); there {
		list = append(list, inRounds("128 MB, 20 secrets, direct: added time against the Go SDK one by one", "times", r.addedAgainst(direct, sequential, smallWithMany()), 1))
	}
	return append(list,
		single(anyFaster, "cells", float64(len(r.Lost)), 0),
		single("cells in which another way is certainly faster", "cells", float64(len(r.lost(true))), 0),
		single("starts with hand-over in which the wrapper fetched alone after all", "starts", float64(r.notHandedOver()), 0),
		single("cells of ours with a start of more or fewer calls than secrets", "cells", float64(r.miscounted()), 0))
}

// usualTargets are those of three secrets on whole cores.
func (r *functionReport) usualTargets() []target {
	base := usual(golang)
	own, _ := r.cell(direct, base)
	with, _ := r.cell(extended, base)
	beyond, sdk := r.beyond(direct), spreadOf(r.beyond(parallel), itself).Median
	without, _ := r.cell(bare, base)
	list := []target{
		inRounds("3 secrets, direct: init over no secrets, beyond the server's time", "ms", spreadOf(beyond, itself), beyondBudget),
		inRounds("3 secrets, direct: the same, against that of the Go SDK in parallel", "times", spreadOf(parts(beyond, sdk), itself), beyondBudget/sdkOfBudgets).withSlack(noSlack),
		inRounds("3 secrets, direct: added time against the Go SDK one by one", "times", r.addedAgainst(direct, sequential, base), 0.38),
		inRounds("3 secrets, direct: added time against the Go SDK in parallel", "times", r.addedAgainst(direct, parallel, base), 1),
		inRounds("hand-over: init against the wrapper alone", "times", compare(with.InitRounds, own.InitRounds, ratio), 1),
		inRounds("hand-over: init beyond the server's time, against that of the Go SDK in parallel", "times", spreadOf(parts(r.beyond(extended), sdk), itself), beyondBudget/sdkOfBudgets).withSlack(noSlack),
		single("3 secrets, with the extension: resident over no secrets, at most", "MB", with.ResidentMB.Max-without.ResidentMB.Median, 16).withSlack(noSlack),
	}
	if theirs, _ := r.cell(parallel, base); with.AddedCPUMS != nil {
		list = append(list, single("3 secrets, with the extension: added CPU against the Go SDK in parallel", "times", with.AddedCPUMS.Median/theirs.AddedCPUMS.Median, 1).withSlack(noSlack))
	}
	return list
}

// besideTargets are those beside a slow extension.
func (r *functionReport) besideTargets() []target {
	over := r.initOver(extended, besides())
	with, _ := r.cell(extended, besides())
	alone, _ := r.cell(direct, besides())
	return []target{
		inRounds("hand-over beside a 100 ms extension: init over no secrets", "ms", spreadOf(over, itself), besideBudget),
		inRounds("hand-over beside a 100 ms extension: the same, against the Go SDK in parallel beyond the server's time", "times",
			spreadOf(parts(over, spreadOf(r.beyond(parallel), itself).Median), itself), besideBudget/sdkOfBudgets),
		inRounds("hand-over beside a 100 ms extension: added time against the wrapper alone", "times", compare(with.AddedRounds, alone.AddedRounds, ratio), 0.2),
	}
}

// smallTargets are those with the CPU of the smallest function.
func (r *functionReport) smallTargets() []target {
	list := []target{
		inRounds("128 MB, direct: init over no secrets", "ms", spreadOf(r.initOver(direct, small()), itself), smallBudget),
		inRounds("128 MB, direct: added time against the Go SDK one by one", "times", r.addedAgainst(direct, sequential, small()), 0.5),
	}
	if _, there := r.cell(extended, small()); !there {
		return list
	}
	return append(list, inRounds("128 MB, with the extension: added time against the Go SDK one by one", "times", r.addedAgainst(extended, sequential, small()), 0.5).withSlack(knownSlack))
}

// addedAgainst compares what two ways add under the same conditions.
func (r *functionReport) addedAgainst(own, other way, c conditions) spread {
	this, _ := r.cell(own, c)
	that, _ := r.cell(other, c)
	return compare(this.AddedRounds, that.AddedRounds, ratio)
}

// initOver returns how much longer than without secrets the init took, in each
// round.
func (r *functionReport) initOver(w way, c conditions) []float64 {
	own, _ := r.cell(w, c)
	without, _ := r.cell(bare, c.withoutSecrets())
	return pairs(own.InitRounds, without.InitRounds, difference)
}

// beyond returns what a way takes of that beside Secrets Manager's time, under the
// usual conditions.
func (r *functionReport) beyond(w way) []float64 {
	list := r.initOver(w, usual(golang))
	for i := range list {
		list[i] -= milliseconds(usualLatency)
	}
	return list
}

// notHandedOver counts the starts with hand-over in which there was none.
func (r *functionReport) notHandedOver() int {
	count := 0
	for _, c := range r.Cells {
		if c.Way == extended {
			count += r.Rounds - c.HandedOver
		}
	}
	return count
}

// miscounted counts the cells of ours in which a secret was asked for twice, or
// not at all.
func (r *functionReport) miscounted() int {
	count := 0
	for _, c := range r.Cells {
		if wanted := float64(c.Secrets); c.Way.ours() && (c.Calls.Max != wanted || c.Calls.Min != wanted) {
			count++
		}
	}
	return count
}
