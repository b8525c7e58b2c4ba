package main

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// allowed are the licences, by their SPDX names, under which code may be in the
// programs: those that ask for no more than that their text goes along.
func allowed() []string {
	return []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"}
}

// known is how much of a licence's text must be that of licences that are known, in
// percent. What is left are names of owners, and headlines.
const known = 75

// separator stands between the texts of THIRD-PARTY-LICENSES.
var separator = "\n" + strings.Repeat("=", 78) + "\n"

// ownLicence returns the licence of the programs themselves.
func ownLicence(text string) ([]string, error) {
	return identify(text, false)
}

// moduleLicences reads what packlayer has gathered, and returns the licences of each
// module and version. Every text must be known, and allowed.
func moduleLicences(gathered string) (map[string][]string, error) {
	found := make(map[string][]string)
	var problems []error
	for section := range strings.SplitSeq(gathered, separator) {
		section = strings.TrimSpace(section)
		if section == "" {
			continue
		}
		head, text, _ := strings.Cut(section, "\n\n")
		owners := strings.Split(head, "\n")
		names, err := identify(text, !slices.ContainsFunc(owners, isLicence))
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", owners[0], err))
			continue
		}
		for _, owner := range owners {
			module := owner[:strings.LastIndex(owner, " ")]
			found[module] = append(found[module], names...)
		}
	}
	for module, names := range found {
		slices.Sort(names)
		found[module] = slices.Compact(names)
	}
	return found, errors.Join(problems...)
}

// isLicence reports whether the file that a line names is a licence: a notice has
// words of its own.
func isLicence(owner string) bool {
	file := owner[strings.LastIndex(owner, " ")+1:]
	return !strings.HasPrefix(path.Base(file), "NOTICE")
}

// identify returns the licences in a text, all of which are allowed.
func identify(text string, isNotice bool) ([]string, error) {
	scanned := licensecheck.Scan([]byte(text))
	var names []string
	for _, match := range scanned.Match {
		if !slices.Contains(allowed(), match.ID) {
			return nil, fmt.Errorf("the licence %s is none of %s", match.ID, strings.Join(allowed(), ", "))
		}
		names = append(names, match.ID)
	}
	if !isNotice && scanned.Percent < known {
		return nil, fmt.Errorf("%.0f %% of the text are a licence that is known, want %d: read it, and see scripts/sbom", scanned.Percent, known)
	}
	return names, nil
}
