package manifest

import (
	"fmt"
	"slices"
	"strings"
)

const (
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	digits  = "0123456789"
	// secretNameCharacters is what Secrets Manager allows in a secret's name,
	// with the ! that only AWS itself uses there, as in rds!cluster-1.
	// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
	secretNameCharacters = letters + digits + "/_+=.@-!"
)

// credentials are the variables of Lambda and of AWS's SDKs whose values give access.
var credentials = []string{
	"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_LAMBDA_METADATA_TOKEN",
}

// replaceVariables returns text with every ${NAME} replaced, and whether all
// could be.
func (p *parser) replaceVariables(entry pair, text string) (string, bool) {
	var replaced strings.Builder
	var reported []string
	for {
		literal, rest, found := strings.Cut(text, "${")
		replaced.WriteString(literal)
		if !found {
			return replaced.String(), len(reported) == 0
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			p.reportPair(entry, "${ is not closed", `close it with }; in a path write $\{ for the characters themselves`)
			return "", false
		}
		value, cause, hint := p.variable(name)
		if cause != "" && !slices.Contains(reported, name) {
			reported = append(reported, name)
			p.reportPair(entry, cause, hint)
		}
		replaced.WriteString(value)
		text = after
	}
}

// variable returns the value of a variable, or why there is none that may
// stand in a reference.
func (p *parser) variable(name string) (value, cause, hint string) {
	if !isVariableName(name) {
		return "", fmt.Sprintf("${…} holds %s, which is not the name of a variable", quoted(name)),
			"write ${NAME} with letters, digits and underscores"
	}
	value, set := p.lookup(name)
	switch {
	case slices.Contains(credentials, name):
		// As a secret's name it would be printed, and sent to whoever invokes.
		return "", fmt.Sprintf("variable %s holds credentials", quoted(name)), "name a variable whose value may be read in logs"
	case !set:
		return "", fmt.Sprintf("variable %s is not set", quoted(name)), "set it in the function's configuration"
	case value == "":
		return "", fmt.Sprintf("variable %s is empty", quoted(name)), "set it in the function's configuration"
	case strings.Trim(value, secretNameCharacters) != "":
		return "", fmt.Sprintf("variable %s holds a character that no secret's name may hold", quoted(name)),
			"use letters, digits and /_+=.@-! in its value"
	}
	return value, "", ""
}

func isVariableName(name string) bool {
	return name != "" && strings.Trim(name, letters+digits+"_") == "" && !strings.Contains(digits, name[:1])
}
