package deliver_test

import (
	"encoding/json"
	"slices"
	"testing"

	"secretwrap/internal/deliver"
	"secretwrap/internal/manifest"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
)

// everyWay puts values into files in every way there is.
func everyWay() configuration {
	return configuration{
		environment: []string{
			"CERTIFICATE=secretsmanager://tls?file=tls/client.pem&mode=0444#certificate",
			"URL=https://{{secretsmanager://db#user}}:{{secretsmanager://db?encode=url#password}}@host",
			"BINARY=secretsmanager://binary",
			"LATER=secretsmanager://later?optional&file",
			"FALLBACK=secretsmanager://db?default=none&file=fallback#nothing",
		},
		envFrom:  []string{"app?prefix=APP_", "nested#inside"},
		files:    []manifest.Entry{{Name: "tls/client.key", Text: "tls#key", Line: 1}},
		maxValue: 12,
		sources: map[string]deliver.Source{
			"tls":    text(`{"certificate":"c1","key":"k1"}`),
			"db":     text(`{"user":"app","password":"p@ss"}`),
			"binary": binary("\x00\x01"),
			"app":    text(`{"dotted.name":"skipped","long":"a value that is moved","a*":"skipped","short":"s"}`),
			"nested": text(`{"inside":{"deep":"another value that is moved"}}`),
		},
	}
}

// sourcesOf returns what a plan's secrets hold, in the plan's order.
func (c configuration) sourcesOf(p *plan.Plan) []deliver.Source {
	list := make([]deliver.Source, len(p.Secrets))
	for i, s := range p.Secrets {
		source, known := c.sources[s.ID]
		if !known {
			source = failure(problem.NotFound, "absent")
		}
		list[i] = source
	}
	return list
}

func TestCopiesMakeTheSameFilesAgain(t *testing.T) {
	c := everyWay()
	p := c.plan(t)
	first := c.deliver(t)
	if len(first.Moved) < 4 {
		t.Fatalf("moved %v", moved(first))
	}
	encoded, err := json.Marshal(first.Copies)
	if err != nil {
		t.Fatal(err)
	}
	var copies []plan.Target
	if err := json.Unmarshal(encoded, &copies); err != nil {
		t.Fatal(err)
	}
	again, problems := deliver.Files(copies, c.sourcesOf(p))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	checkEqual(t, "files", slices.Sorted(slices.Values(files(again))), slices.Sorted(slices.Values(files(first))))
	checkEqual(t, "variables", variables(again), nil)
	checkEqual(t, "moved", moved(again), nil)
	modes := make(map[string]string)
	for _, f := range first.Files {
		modes[f.Path] = f.Mode.String()
	}
	for _, f := range again.Files {
		if modes[f.Path] != f.Mode.String() {
			t.Errorf("%s: mode %v, first %s", f.Path, f.Mode, modes[f.Path])
		}
	}
}

func TestCopiesFollowNewSources(t *testing.T) {
	c := everyWay()
	p := c.plan(t)
	copies := c.deliver(t).Copies
	c.sources["tls"] = text(`{"certificate":"c2","key":"k2"}`)
	c.sources["later"] = text("here")
	c.sources["app"] = text(`{"long":"l2"}`)
	again, problems := deliver.Files(copies, c.sourcesOf(p))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	got := files(again)
	for _, want := range []string{"tls/client.pem=c2", "tls/client.key=k2", "LATER=here", "APP_long=l2"} {
		if !slices.Contains(got, want) {
			t.Errorf("no %s in %q", want, got)
		}
	}
	if len(again.Absent) != 1 || again.Absent[0].Name != "fallback" {
		t.Errorf("absent: %+v", again.Absent)
	}
}

func TestCopiesTellWhatIsNoMoreThere(t *testing.T) {
	c := everyWay()
	p := c.plan(t)
	copies := c.deliver(t).Copies
	c.sources["app"] = text(`{"short":"s"}`)
	c.sources["nested"] = text(`{"inside":[]}`)
	c.sources["tls"] = failure(problem.Denied, "access denied")
	_, problems := deliver.Files(copies, c.sourcesOf(p))
	var labels []string
	for _, one := range problems {
		labels = append(labels, one.Variable)
	}
	checkEqual(t, "problems", slices.Sorted(slices.Values(labels)), []string{"APP_long", "deep", "tls/client.pem, tls/client.key"})
}
