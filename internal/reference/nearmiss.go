package reference

import (
	"strings"
	"unicode/utf8"

	"secretwrap/internal/problem"
	"secretwrap/internal/suggest"
)

var (
	// anyScheme finds the scheme in any case and with any number of slashes.
	// What stands before it decides whether it is ours: awssecretsmanager:// is not.
	anyScheme = pattern(`(?i)secretsmanager:/+`)
	// schemeLike is a word with what may have been meant as :// after it. An invisible
	// character, or one of another alphabet, is a slip like any other.
	schemeLike = pattern(`^([A-Za-z](?:[A-Za-z_-]|[^\x00-\x7F：])*)\s*([:;：]*)\s*([/\\]*)`)
	// bareReference is an ARN with one of the fields that ECS adds, or with
	// options or a path. No SDK takes such a one; IAM takes name-??????.
	bareReference = pattern(`(?i)^arn:aws[a-z-]*:secretsmanager:[^:]*:[^:]*:secret:[^:\s?#}"']+(#|\?[a-z]|(:[^:}"']*){1,3}(["'}]|$))`)
	// bracedName is a reference between braces without its scheme, as the manifest
	// allows it.
	bracedName = pattern(`\{\{\s*([A-Za-z0-9/_+=.@!-]+(#|\?(path|stage|version|encode|default)=)|arn:aws[a-z-]*:secretsmanager:[^:]*:[^:]*:secret:)`)
	// unresolved is a reference of CloudFormation's own, which it resolves in its
	// templates alone.
	unresolved = pattern(`\{\{\s*resolve:(secretsmanager|ssm)`)
	// singleBraces are one brace where two were meant.
	singleBraces = pattern(`\{\s*[A-Za-z0-9/_+=.@!-]+#[^{}]*\}`)
	// slashesMissing is all of a reference but the slashes of its scheme.
	// Actions, in policies, begin with a capital letter; ports are numbers.
	slashesMissing = pattern(`^secretsmanager:[a-z][A-Za-z0-9_+=.@!-]*(\s*\}\}|$)`)
	// policyWord is what a policy has after the name of the service.
	policyWord = pattern(`^([A-Z]|ResourceTag/|resource/|[0-9]+(/|$))`)
)

// schemeStart returns where something that looks like the scheme begins in
// text, -1 if nowhere.
func schemeStart(text string) int {
	if !mayHold(text, "secretsmanager:/") {
		return -1
	}
	for _, at := range anyScheme().FindAllStringIndex(text, -1) {
		isHost := strings.HasSuffix(text[:at[0]], "//") && !strings.HasSuffix(text[:at[1]], "//")
		if !isHost && !insideOtherScheme(text[:at[0]]) {
			return at[0]
		}
	}
	return -1
}

// insideOtherScheme reports whether what follows before is the rest of a longer
// scheme, as in awssecretsmanager: or aws-secretsmanager:.
func insideOtherScheme(before string) bool {
	word := strings.TrimRight(before, "-_+.")
	return word != "" && letterOrDigit(word[len(word)-1]) && len(before)-len(word) <= 1
}

func letterOrDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// nearMiss returns the problem with a literal that was meant as a reference,
// nil if it was not. It looks at the beginning of the text, and behind every {{.
func nearMiss(text string) *problem.Problem {
	if p := misplaced(text); p != nil {
		return p
	}
	if strings.Contains(text, "{{") && bracedName().MatchString(text) {
		return bad("a reference between braces has no scheme", "write {{"+Scheme+"NAME#PATH}}")
	}
	if strings.Contains(text, "resolve:") && unresolved().MatchString(text) {
		return bad("a reference that CloudFormation has not resolved", "CloudFormation does so in its templates alone; here write {{"+Scheme+"NAME#PATH}}")
	}
	for rest := "{{" + text; ; {
		_, after, more := strings.Cut(rest, "{{")
		if !more {
			return nil
		}
		start := strings.TrimLeft(beginning(after), " \t\r\n\"'{")
		if beginsWith(start, "arn:aws") && bareReference().MatchString(start) {
			return bad("an ARN with a field or options after it needs the scheme", "write "+Scheme+" before it")
		}
		if p := misspelt(start); p != nil {
			return p
		}
		rest = after
	}
}

// beginning returns as much of a text as tells whether it was meant as a reference:
// far more than a name has. Texts of many braces are judged behind each of them.
func beginning(text string) string {
	const enough = 1 << 10
	return text[:min(len(text), enough)]
}

// misplacedOrMisspelt judges a text that is a reference, perhaps without its
// scheme.
func misplacedOrMisspelt(text string) *problem.Problem {
	if p := misplaced(text); p != nil {
		return p
	}
	return misspelt(text)
}

// misplaced returns the problem with a text in which the scheme stands where it
// must not, or not as it should, nil if there is none.
func misplaced(text string) *problem.Problem {
	start := schemeStart(text)
	if start < 0 {
		return nil
	}
	corrected := correctedReference(text[start+len(anyScheme().FindString(text[start:])):])
	switch {
	case !strings.HasPrefix(text[start:], Scheme):
		return bad(notWritten, "write "+corrected)
	case start == 1 && strings.ContainsRune(`"'`, rune(text[0])):
		return bad("the reference is in quotes", "remove the quotes: "+corrected)
	default:
		return bad("a reference inside a text needs braces", "write {{"+corrected+"}} in its place")
	}
}

// notWritten is the cause of every scheme that is misspelt.
const notWritten = "the scheme is not written as " + Scheme

// misspelt returns the problem with the beginning of a text that is a scheme but
// for a slip, nil if it is none.
func misspelt(text string) *problem.Problem {
	if beginsWith(text, "ssm:/") {
		return bad("parameters of Systems Manager cannot be referenced", "keep the value in Secrets Manager")
	}
	if !beginsLikeScheme(text) {
		return nil
	}
	found := schemeLike().FindStringSubmatch(text)
	if found == nil {
		return nil
	}
	rest := text[len(found[0]):]
	if !isReference(found[2], found[3], rest) && !slashesMissing().MatchString(text) {
		return nil
	}
	if found[3] == "" { // user:password has a colon alone as well
		return bad(notWritten, "write "+Scheme+"NAME#PATH")
	}
	return bad(notWritten, "write "+correctedReference(rest))
}

// beginsLikeScheme reports whether the first word of a text is the service's name
// but for a slip.
func beginsLikeScheme(text string) bool {
	var word []rune
	for _, c := range text {
		switch {
		case c == '_' || c == '-':
			continue
		case c < utf8.RuneSelf && (c|0x20 < 'a' || c|0x20 > 'z'), c == '：', len(word) > len(service)+2:
			_, near := suggest.Nearest(string(word), []string{service})
			return near
		}
		word = append(word, c)
	}
	_, near := suggest.Nearest(string(word), []string{service})
	return near
}

// service is the word in the scheme.
const service = "secretsmanager"

// isReference reports whether what follows the name of the service, punctuation
// with slashes, makes it a reference. secretsmanager:GetSecretValue is an action
// in a policy, and secretsmanager/backup may be anything.
func isReference(punctuation, slashes, rest string) bool {
	switch {
	case punctuation != "" && slashes == "" && policyWord().MatchString(rest):
		return false
	case punctuation != "" && slashes == "":
		name, path, _ := strings.Cut(rest, "#")
		return !strings.ContainsAny(rest, " ,") && !strings.Contains(rest, "://") &&
			(strings.ContainsAny(name, "/?") || path != "")
	case punctuation != "":
		return true
	default:
		return len(slashes) > 1 || slashes != "" && strings.Contains(rest, "#")
	}
}

// correctedReference returns a reference, of which only the scheme was wrong,
// with the right one. It stops at the end of the secret's name, or at an @ in
// it: what follows may be a part of a text that holds a password.
func correctedReference(rest string) string {
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
