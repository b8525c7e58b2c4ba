//go:build linux

package e2e_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// workflow is what the tests read of a workflow of GitHub Actions.
type workflow struct {
	On          yaml.Node
	Permissions *map[string]string
	Jobs        map[string]struct {
		Permissions *map[string]string
		Uses        string
		Steps       []struct{ Uses, Run string }
	}
}

// pinned is an action at a commit, with the version that this is. Steps of a job, and
// workflows of this repository, are at the commit of the workflow anyway.
var pinned = regexp.MustCompile(`(?m)^ *(?:- )?uses: ([\w.-]+/[\w./-]+@[0-9a-f]{40}) # v\d+\.\d+\.\d+$`)

// writers are the jobs that may write something, by workflow.
func writers() map[string]map[string]string {
	return map[string]map[string]string{
		"release.yml/sign":    {"id-token": "write", "attestations": "write"},
		"release.yml/sbom":    {"id-token": "write", "attestations": "write"},
		"release.yml/publish": {"contents": "write"},
	}
}

// faults returns what lets a workflow do more than it must, or what somebody else could
// change in it.
func faults(name, text string) []string {
	var w workflow
	if err := yaml.Unmarshal([]byte(text), &w); err != nil {
		return []string{err.Error()}
	}
	var found []string
	fault := func(format string, values ...any) { found = append(found, name+": "+fmt.Sprintf(format, values...)) }
	if w.Permissions == nil {
		fault("has no permissions of its own, so that its jobs have the repository's")
	} else if granted := writing(*w.Permissions); len(granted) > 0 {
		fault("lets every job write: %v", granted)
	}
	if strings.Contains(text, "pull_request_target") {
		fault("runs on pull_request_target, with the rights of the repository and the code of somebody else")
	}
	if strings.Contains(text, "secrets.") || strings.Contains(text, "secrets: inherit") {
		fault("reads a secret, which can be lost")
	}
	var known []string
	for _, match := range pinned.FindAllStringSubmatch(text, -1) {
		known = append(known, match[1])
	}
	for _, title := range slices.Sorted(maps.Keys(w.Jobs)) {
		job := w.Jobs[title]
		used := []string{job.Uses}
		for _, step := range job.Steps {
			used = append(used, step.Uses)
			if strings.Contains(step.Run, "${{") {
				fault("%s: a shell reads an expression in %q", title, step.Run)
			}
		}
		for _, action := range used {
			if action != "" && !strings.HasPrefix(action, "./") && !slices.Contains(known, action) {
				fault("%s: %s is not pinned by a commit, with its version behind it", title, action)
			}
		}
		if job.Permissions != nil {
			if granted := writing(*job.Permissions); !maps.Equal(granted, writers()[name+"/"+title]) {
				fault("%s: may write %v, which this test does not know of", title, granted)
			}
		}
	}
	return found
}

// writing returns the permissions that are more than to read.
func writing(permissions map[string]string) map[string]string {
	granted := make(map[string]string)
	for name, level := range permissions {
		if level != "read" && level != "none" {
			granted[name] = level
		}
	}
	return granted
}

func TestWorkflowsDoNoMoreThanTheyMust(t *testing.T) {
	paths, err := filepath.Glob("../.github/workflows/*")
	if err != nil || len(paths) < 3 {
		t.Fatalf("%q: %v", paths, err)
	}
	commits := make(map[string]string)
	for _, path := range paths {
		text := page(t, strings.TrimPrefix(path, "../"))
		for _, fault := range faults(filepath.Base(path), text) {
			t.Error(fault)
		}
		for _, match := range pinned.FindAllStringSubmatch(text, -1) {
			action, commit, _ := strings.Cut(match[1], "@")
			if before := commits[action]; before != "" && before != commit {
				t.Errorf("%s is %s in one place, %s in another", action, before, commit)
			}
			commits[action] = commit
		}
	}
}

func TestFaultsOfWorkflowsAreFound(t *testing.T) {
	const commit = "3d3c42e5aac5ba805825da76410c181273ba90b1"
	sound := "on: push\npermissions: {}\njobs:\n  a:\n    steps:\n      - uses: actions/checkout@" + commit + " # v7.0.1\n      - run: make\n"
	if found := faults("sound.yml", sound); len(found) > 0 {
		t.Errorf("a sound workflow has faults: %q", found)
	}
	for name, change := range map[string][2]string{
		"no permissions":    {"permissions: {}\n", ""},
		"everybody writes":  {"permissions: {}", "permissions: {contents: write}"},
		"a job writes":      {"  a:\n", "  a:\n    permissions: {packages: write}\n"},
		"a tag":             {"@" + commit + " # v7.0.1", "@v7"},
		"a short commit":    {"@" + commit, "@" + commit[:7]},
		"no version":        {" # v7.0.1", ""},
		"another's trigger": {"on: push", "on: pull_request_target"},
		"a secret":          {"run: make", "run: make\n        env: {TOKEN: '${{ secrets.TOKEN }}'}"},
		"an expression":     {"run: make", "run: make ${{ github.head_ref }}"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(sound, change[0], change[1], 1)
			if found := faults("changed.yml", changed); len(found) != 1 {
				t.Errorf("found %q in\n%s", found, changed)
			}
		})
	}
}

// TestDependabotKnowsEveryManifest looks for what names dependencies in the repository.
func TestDependabotKnowsEveryManifest(t *testing.T) {
	var file struct {
		Updates []struct {
			Ecosystem   string `yaml:"package-ecosystem"`
			Directory   string
			Directories []string
			Cooldown    struct {
				Days int `yaml:"default-days"`
			}
		}
	}
	if err := yaml.Unmarshal([]byte(page(t, ".github/dependabot.yml")), &file); err != nil {
		t.Fatal(err)
	}
	configured := map[string]bool{}
	for _, update := range file.Updates {
		if update.Cooldown.Days != 7 {
			t.Errorf("%s waits %d days, not the 7 of the policy", update.Ecosystem, update.Cooldown.Days)
		}
		for _, directory := range append(update.Directories, update.Directory) {
			if directory != "" {
				configured[update.Ecosystem+" "+directory] = true
			}
		}
	}
	wanted := manifests(t)
	wanted["github-actions /"] = true
	if !maps.Equal(configured, wanted) {
		t.Errorf("dependabot.yml has\n%q, want\n%q", slices.Sorted(maps.Keys(configured)), slices.Sorted(maps.Keys(wanted)))
	}
}

// manifests returns the directories with files that name dependencies, by the names that
// Dependabot has for their kinds.
func manifests(t *testing.T) map[string]bool {
	t.Helper()
	kinds := map[string]string{
		"go.mod": "gomod", "*requirements*.txt": "pip", "package.json": "npm", "Cargo.toml": "cargo", "pom.xml": "maven", "Gemfile": "bundler",
	}
	built := []string{".git", "dist", "node_modules", "target", "build", "cdk.out", ".aws-sam", "testdata"}
	found := make(map[string]bool)
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains(built, entry.Name()) {
			return filepath.SkipDir
		}
		for pattern, kind := range kinds {
			if matches, _ := filepath.Match(pattern, entry.Name()); matches && !entry.IsDir() {
				found[kind+" "+strings.TrimPrefix(filepath.Dir(path)+"/", "..")] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	cleaned := make(map[string]bool)
	for place := range found {
		kind, directory, _ := strings.Cut(place, " ")
		cleaned[kind+" "+filepath.Clean(directory)] = true
	}
	return cleaned
}

func TestReleaseNotesAreThoseOfTheTag(t *testing.T) {
	dir := t.TempDir()
	directory(t, filepath.Join(dir, "scripts"), 0o755)
	copyFile(t, "../scripts/release-notes.sh", filepath.Join(dir, "scripts/release-notes.sh"))
	notes := func(tag, changes string) (string, error) {
		write(t, filepath.Join(dir, "CHANGELOG.md"), "# Changes\n\nIn general.\n\n"+changes, 0o644)
		out, err := exec.CommandContext(t.Context(), filepath.Join(dir, "scripts/release-notes.sh"), tag).Output()
		return string(out), err
	}
	const older = "## 1.1.0\n\n- Something old.\n"
	for _, heading := range []string{"1.2.0", "[1.2.0] - 2026-01-31", "1.2.0 (2026-01-31)"} {
		out, err := notes("v1.2.0", "## "+heading+"\n\n- Something new.\n\n### Mended\n\n- A fault.\n\n"+older)
		if err != nil || strings.TrimSpace(out) != "- Something new.\n\n### Mended\n\n- A fault." {
			t.Errorf("below %q: %v\n%s", heading, err, out)
		}
	}
	for name, wrong := range map[string][2]string{
		"an older version":   {"v1.1.0", "## 1.2.0\n\n- Something new.\n\n" + older},
		"what is unreleased": {"v1.1.0", "## Unreleased\n\n- Something new.\n\n" + older},
		"that there is more": {"vUnreleased", "## Unreleased\n\n- Something new.\n\n" + older},
		"no v":               {"1.1.0", older},
		"no notes":           {"v1.2.0", "## 1.2.0\n\n" + older},
		"no heading":         {"v1.2.0", ""},
	} {
		if out, err := notes(wrong[0], wrong[1]); err == nil || out != "" {
			t.Errorf("%s: %v, %q", name, err, out)
		}
	}
}

func TestWhatIsUnreleasedDoesNotCallItselfAfterARelease(t *testing.T) {
	dir := t.TempDir()
	directory(t, filepath.Join(dir, "scripts"), 0o755)
	copyFile(t, "../scripts/version.sh", filepath.Join(dir, "scripts/version.sh"))
	for changes, want := range map[string]string{
		"## 1.2.0\n\n## 1.1.0\n":                       "1.2.0",
		"## [1.2.0] - 2026-01-31\n\n## 1.1.0\n":        "1.2.0",
		"## v1.2.0-rc.1\n":                             "1.2.0-rc.1",
		"## Unreleased\n\n- New.\n\n## 1.1.0\n":        "1.1.0+dev",
		"## [Unreleased]\n\n## [1.1.0] - 2026-01-31\n": "1.1.0+dev",
		"## Unreleased\n":                              "0.1.0-dev",
		"":                                             "0.1.0-dev",
	} {
		write(t, filepath.Join(dir, "CHANGELOG.md"), "# Changes\n\n"+changes, 0o644)
		out, err := exec.CommandContext(t.Context(), filepath.Join(dir, "scripts/version.sh")).Output()
		if err != nil || string(out) != want+"\n" {
			t.Errorf("%q: %v, %q, want %q", changes, err, out, want)
		}
	}
}
