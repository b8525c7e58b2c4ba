package reference

import (
	"regexp"
	"strings"

	"secretwrap/internal/problem"
	"secretwrap/internal/suggest"
)

var (
	// anyScheme finds the scheme in any case and with any number of slashes.
	// What stands before it decides whether it is ours: awssecretsmanager:// is not.
	anyScheme = regexp.MustCompile(`(?i)secretsmanager:/+`)
	// bareReference is an ARN with one of the fields that ECS adds, or with
	// options or a path. No SDK takes such a one.
	bareReference = regexp.MustCompile(`^arn:aws[a-z-]*:secretsmanager:[^:]*:[^:]*:secret:[^:\s?#]+([?#]|(:[^:\s]*){1,3}$)`)
	// otherScheme is the scheme at the beginning of a text.
	otherScheme = regexp.MustCompile(`^(?:\{\{\s*)?([A-Za-z][A-Za-z-]*):/`)
	// noSlash is a reference without any slash in its scheme; secretsmanager:Word
	// is an action in a policy.
	noSlash = regexp.MustCompile(`^(?:\{\{\s*)?(?i:secretsmanager):[^/\s][^\s]*[/#?]`)
	// parameterStore begins a reference to another service's parameter.
	parameterStore = regexp.MustCompile(`(?i)^(\{\{\s*)?ssm://`)
)

// schemeStart returns where something that looks like the scheme begins in
// text, -1 if nowhere.
func schemeStart(text string) int {
	for _, at := range anyScheme.FindAllStringIndex(text, -1) {
		if at[0] == 0 || !letterOrDigit(text[at[0]-1]) {
			return at[0]
		}
	}
	return -1
}

func letterOrDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// nearMiss returns the problem with a literal that was meant as a reference,
// nil if it was not.
func nearMiss(text string) *problem.Problem {
	if bareReference.MatchString(text) {
		return bad("an ARN with a field or options after it stands without a scheme", "write "+Scheme+" before it, or name the variable in SECRETWRAP_LITERAL")
	}
	return misspelt(text)
}

// misspelt returns the problem with a text in which a scheme stands that is
// none, or stands where it must not, nil if there is none.
func misspelt(text string) *problem.Problem {
	if parameterStore.MatchString(text) {
		return bad("parameters of Systems Manager cannot be referenced", "keep the value in Secrets Manager, or name the variable in SECRETWRAP_LITERAL")
	}
	start := schemeStart(text)
	if start < 0 && (noSlash.MatchString(text) || isNearScheme(text)) {
		return bad("the scheme is not written as "+Scheme, "write "+Scheme+"NAME#PATH, or name the variable in SECRETWRAP_LITERAL")
	}
	if start < 0 {
		return nil
	}
	corrected := correctedReference(text[start:])
	switch {
	case !strings.HasPrefix(text[start:], Scheme):
		return bad("the scheme is not written as "+Scheme, "write "+corrected)
	case start == 1 && strings.ContainsRune(`"'`, rune(text[0])):
		return bad("quotes stand around the reference", "take the quotes away: "+corrected)
	default:
		return bad("a reference inside a text stands without braces", "write {{"+corrected+"}} in its place, or name the variable in SECRETWRAP_LITERAL")
	}
}

// isNearScheme reports whether text begins with a scheme that is ours but for a
// slip or two.
func isNearScheme(text string) bool {
	found := otherScheme.FindStringSubmatch(text)
	if found == nil {
		return false
	}
	_, near := suggest.Nearest(found[1], []string{"secretsmanager"})
	return near
}

// correctedReference returns a misspelt reference with its scheme put right. It
// stops at the end of the secret's name, or at an @ in it: what follows may be a
// part of a text that holds a password.
func correctedReference(text string) string {
	rest := text[len(anyScheme.FindString(text)):]
	colons := 0
	if strings.HasPrefix(rest, "arn:") {
		colons = 6
	}
	end := strings.IndexFunc(rest, func(c rune) bool {
		if c == ':' {
			colons--
			return colons < 0
		}
		return c == '@' || !strings.ContainsRune(nameCharacters, c)
	})
	switch {
	case end < 0:
		return Scheme + rest
	case rest[end] == '#' || rest[end] == '?':
		return Scheme + rest[:end] + rest[end:end+1] + "…"
	default:
		return Scheme + rest[:end]
	}
}
