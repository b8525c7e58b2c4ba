//go:build linux

package e2e_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"secretwrap/internal/settings"
)

// defaults returns the default of every setting: where it depends on something, the one
// that comes first.
func defaults() map[string]string {
	all := map[string]string{settings.Visit: ""}
	for _, s := range settings.All() {
		all[s.Name], _, _ = strings.Cut(s.Default, ";")
	}
	return all
}

// TestPagesNameSettings checks that every setting that a page names is one.
func TestPagesNameSettings(t *testing.T) {
	known := defaults()
	for _, path := range pages(t) {
		for _, name := range regexp.MustCompile(settings.Prefix+`[A-Z_]+`).FindAllString(page(t, path), -1) {
			if _, isKnown := known[name]; !isKnown {
				t.Errorf("%s names %s, which is no setting", path, name)
			}
		}
	}
}

// TestPagesTellDefaults checks the defaults that a page tells right behind a setting:
// "NAME, 5m unless set" or "NAME is 5s", perhaps with a word on what it is for.
func TestPagesTellDefaults(t *testing.T) {
	told := regexp.MustCompile("`(" + settings.Prefix + `[A-Z_]+)` + "`" + `(?: is|,)(?: [a-z ]+,)? (\d[0-9a-zA-Z.]*\w)`)
	known := defaults()
	found := make(map[string]bool)
	for _, path := range pages(t) {
		for _, match := range told.FindAllStringSubmatch(page(t, path), -1) {
			found[path+" "+match[1]] = true
			if want := known[match[1]]; match[2] != want {
				t.Errorf("%s says that %s is %s, it is %q", path, match[1], match[2], want)
			}
		}
	}
	for _, wanted := range []string{"docs/migrating.md SECRETWRAP_TIMEOUT", "docs/migrating.md SECRETWRAP_REFRESH"} {
		if !found[wanted] {
			t.Errorf("no default is found in %s", wanted)
		}
	}
}

// TestPublishingTellsWhatMakeDoes compares the page's table of variables with the
// Makefile's, and its names with those that come of them.
func TestPublishingTellsWhatMakeDoes(t *testing.T) {
	_, rest, _ := strings.Cut(page(t, "Makefile"), "\nPUBLISHING = ")
	rest, _, _ = strings.Cut(rest, "\n\n")
	set := make(map[string]string)
	for _, match := range regexp.MustCompile(`"\$\$\{?([A-Z_]+)(?:-([^}]*)\})?"|named,([A-Z_]+)\)`).FindAllStringSubmatch(rest, -1) {
		set[match[1]+match[3]] = match[2]
	}
	for _, own := range []string{"LAYER_VERSION", "GIVEN", "AWS_PROFILE"} { // make's, or the AWS CLI's
		delete(set, own)
	}
	text := page(t, "docs/publishing.md")
	listed := map[string]string{"PUBLISH": ""} // which stands in the text before the table
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\| ([^|]*?) *\\|").FindAllStringSubmatch(text, -1) {
		listed[row[1]] = row[2]
	}
	if !maps.Equal(listed, set) {
		t.Errorf("the page lists %q, the Makefile has %q", listed, set)
	}

	kinds := make(map[string]bool)
	for _, variant := range append(strings.Fields(set["VARIANTS"]), "wrapper") {
		for _, architecture := range strings.Fields(set["ARCHITECTURES"]) {
			kinds[variant+" "+architecture] = true
		}
	}
	names := regexp.MustCompile("[`/]([a-z]+)(?:/layer)?[-/]([a-z-]+)[-/](x86_64|arm64)(\\.zip)?").FindAllStringSubmatch(text, -1)
	if len(names) < 4 {
		t.Errorf("only %q are found", names)
	}
	for _, name := range names {
		if name[4] != "" { // the name of a zip file, which is another one
			continue
		}
		if name[1] != set["LAYER_NAME"] || !kinds[name[2]+" "+name[3]] {
			t.Errorf("%s is none of %s and %q", name[0], set["LAYER_NAME"], slices.Sorted(maps.Keys(kinds)))
		}
	}
}
