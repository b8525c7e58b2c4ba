// Package suggest finds the word that was probably meant.
package suggest

import "strings"

// shortWord is the number of letters up to which a single slip is all that a
// word may differ by: two of them would turn it into another word.
const shortWord = 4

// Nearest returns the known word that differs least from word, the first of
// them if several do, and whether there is one near enough to be what was
// meant: at most two slips away, or one for a word of up to four letters. A
// slip is a letter too many, a letter missing, a wrong letter, or two
// neighbours swapped. Upper and lower case are the same.
func Nearest(word string, known []string) (string, bool) {
	meant := []rune(strings.ToLower(word))
	limit := 2
	if len(meant) <= shortWord {
		limit = 1
	}
	// A word of which every letter is wrong resembles nothing.
	limit = min(limit, len(meant)-1)

	nearest, found := "", false
	for _, candidate := range known {
		letters := []rune(strings.ToLower(candidate))
		if slips := distance(meant, letters, limit); slips <= limit {
			nearest, found, limit = candidate, true, slips-1
		}
	}
	return nearest, found
}

// distance returns the number of slips between a and b, or limit+1 if their
// lengths alone show that there are more: a word can be as long as the file it
// stands in.
func distance(a, b []rune, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	// Each row holds the distances of a prefix of a to all prefixes of b.
	var beforeLast []int
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			substituted := last[j-1]
			if a[i-1] != b[j-1] {
				substituted++
			}
			row[j] = min(substituted, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], beforeLast[j-2]+1)
			}
		}
		beforeLast, last = last, row
	}
	return last[len(b)]
}
