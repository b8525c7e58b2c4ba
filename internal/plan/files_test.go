package plan_test

import (
	"testing"

	"secretwrap/internal/environ"
	"secretwrap/internal/manifest"
	"secretwrap/internal/plan"
	"secretwrap/internal/settings"
)

func TestFilesAreAPlanOfTheirOwn(t *testing.T) {
	environment := environ.New([]string{
		"A=secretsmanager://first#a",
		"B=secretsmanager://second?file=b&mode=0444#b",
		"C={{secretsmanager://first#c}}:{{secretsmanager://second#c}}",
	})
	m := manifest.Manifest{Source: "m.yaml", Files: []manifest.Entry{{Name: "d", Text: "third", Line: 3}, {Name: "e", Text: "second#e", Line: 4}}}
	p, problems := plan.Make(environment, settings.Settings{Dir: "/dir", EnvFrom: []string{"fourth"}}, m)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	files := p.Files()
	if len(files.Secrets) != 2 || files.Secrets[0].ID != "second" || files.Secrets[1].ID != "third" {
		t.Errorf("secrets %+v", files.Secrets)
	}
	want := []struct {
		file   string
		secret int
	}{{"b", 0}, {"d", 1}, {"e", 0}}
	if len(files.Targets) != len(want) || len(files.Explosions) > 0 || files.Dir != "/dir" {
		t.Fatalf("plan %+v", files)
	}
	for i, target := range files.Targets {
		if target.Name != "" || target.File != want[i].file || target.Parts[0].Secret != want[i].secret {
			t.Errorf("target %+v, want %+v", target, want[i])
		}
	}
	if files.Targets[0].Mode != 0o444 {
		t.Errorf("mode %v", files.Targets[0].Mode)
	}
	if got := p.Targets[1]; got.Name != "B" || got.Parts[0].Secret != 1 {
		t.Errorf("the plan itself is changed: %+v", got)
	}
}
