package reference

import (
	"regexp"
	"strings"
	"sync"
)

// pattern returns a regular expression that is compiled when it is first needed:
// most starts need few of them, and every start pays for the others.
func pattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

// mayHold reports whether text holds word, which is in lower case, in any case of
// letters. It is a quick look before a pattern that needs word.
func mayHold(text, word string) bool {
	for i := 0; i+len(word) <= len(text); i++ {
		if text[i]|0x20 == word[0] && strings.EqualFold(text[i:i+len(word)], word) {
			return true
		}
	}
	return false
}

// beginsWith reports whether text begins with word, in any case of letters.
func beginsWith(text, word string) bool {
	return len(text) >= len(word) && strings.EqualFold(text[:len(word)], word)
}
