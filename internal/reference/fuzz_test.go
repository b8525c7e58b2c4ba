package reference_test

import (
	"regexp"
	"strings"
	"testing"

	"secretwrap/internal/reference"
)

var seeds = []string{
	"secretsmanager://prod/db#password",
	"secretsmanager://" + arn + ":key:AWSPREVIOUS:" + versionID + "?optional",
	"db?stage=X&version=" + versionID + "&path=a%20&default=%00&encode=url&file=a/b&mode=0400",
	"db?prefix=A_&upper&optional#a.#(b==\"}}\").{c,d}",
	"x{{ secretsmanager://db?default=a&b#p }}{{secretsmanager://db}}",
	"postgres://u:SecretsManager:/db:pw@secretsmanager://h",
	arn + ":key::",
	"{{db#a?encode=url}}",
	"ſecretsmanager://x awssecretsmanager://x",
	"secretsmanager://db#\u00a0a\u2003",
}

// FuzzParse holds that a reference and its canonical text say the same.
func FuzzParse(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for where, context := range contexts {
			ref, p := reference.Parse(text, context)
			if p != nil {
				if p.Cause == "" || p.Hint == "" {
					t.Fatalf("in %s Parse(%q) has an incomplete problem: %+v", where, text, *p)
				}
				continue
			}
			canonical := ref.String()
			again, p := reference.Parse(canonical, context)
			if p != nil {
				t.Fatalf("in %s Parse(%q) gives %+v, and its String %q: %v", where, text, ref, canonical, p)
			}
			if again != ref {
				t.Fatalf("in %s Parse(%q)\n= %+v, and of its String %q\n  %+v", where, text, ref, canonical, again)
			}
			if again.String() != canonical {
				t.Fatalf("in %s %q becomes %q", where, canonical, again.String())
			}
		}
	})
}

// joined is the beginning of a longer scheme.
var joined = regexp.MustCompile(`[0-9A-Za-z][-_+.]?$`)

// holdsScheme is told without what it tests: whether the scheme, or what looks
// like it, stands in text as its own word.
func holdsScheme(text string) bool {
	const like = "secretsmanager:/"
	for at := range len(text) - len(like) + 1 {
		if !strings.EqualFold(text[at:at+len(like)], like) {
			continue
		}
		// A host is followed by one slash, a longer scheme is joined by one sign.
		if strings.HasSuffix(text[:at], "//") && !strings.HasPrefix(text[at+len(like):], "/") {
			continue
		}
		if before := text[:at]; !joined.MatchString(before) {
			return true
		}
	}
	return false
}

// FuzzParseEnvironment holds that what was meant as a reference never becomes a
// literal, and that the literals of a template with what its references hold
// are the whole text.
func FuzzParseEnvironment(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		value, p := reference.ParseEnvironment(text)
		switch {
		case p != nil:
			if value != nil || p.Cause == "" || p.Hint == "" {
				t.Fatalf("ParseEnvironment(%q) = %q, %+v", text, written(value), *p)
			}
		case value == nil:
			if holdsScheme(text) {
				t.Fatalf("ParseEnvironment takes %q for a literal", text)
			}
		default:
			checkParts(t, text, value)
		}
	})
}

func checkParts(t *testing.T, text string, value *reference.Value) {
	t.Helper()
	references := 0
	rest := text
	for _, part := range value.Parts {
		if part.Ref != nil {
			references++
			if holdsScheme(part.Ref.Default) || holdsScheme(part.Ref.Path) {
				t.Fatalf("%q: a reference inside a reference", text)
			}
			continue
		}
		if part.Literal == "" || holdsScheme(part.Literal) {
			t.Fatalf("%q: the literal %q", text, part.Literal)
		}
		_, after, found := strings.Cut(rest, part.Literal)
		if !found {
			t.Fatalf("%q: the literal %q does not stand where it should", text, part.Literal)
		}
		rest = after
	}
	if references == 0 || !value.Template && len(value.Parts) != 1 {
		t.Fatalf("%q: %d references in %d parts", text, references, len(value.Parts))
	}
}

// FuzzProblems holds that no problem repeats a password, wherever one stands in
// a text that was meant as a reference.
func FuzzProblems(f *testing.F) {
	const canary = "zqCANARYqz"
	places := []string{":", "@", "?default=", "&default=", "?default=a&", "?optional&default=a:"}
	for place := range places {
		f.Add("secretsmanager:/db?optional", uint8(place), "&encode=x#a")
		f.Add("postgres://u", uint8(place), "@secretsmanager://h/db")
		f.Add("x{{secretsmanager://db", uint8(place), "}}")
		f.Add("secretsmanag", uint8(place), "#x")
	}
	f.Fuzz(func(t *testing.T, before string, place uint8, after string) {
		head := before + places[int(place)%len(places)]
		if endsInShown(head) {
			t.Skip("problems show names and paths")
		}
		text := head + canary + after
		_, p := reference.ParseEnvironment(text)
		if p == nil {
			return
		}
		if shown := p.Error() + "\n" + p.Hint; strings.Contains(shown, canary) {
			t.Fatalf("the canary of %q is shown: %s", text, shown)
		}
	})
}

// endsInShown reports whether text ends in a reference's path, or in its name,
// where an @ may stand.
func endsInShown(text string) bool {
	at := strings.LastIndex(text, reference.Scheme)
	if at < 0 {
		return false
	}
	return strings.ContainsAny(text[at:], "#") || !strings.Contains(text[at:], "?") && strings.HasSuffix(text, "@")
}
