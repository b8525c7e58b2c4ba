package reference_test

import (
	"strings"
	"testing"

	"secretwrap/internal/problem"
	"secretwrap/internal/reference"
)

// written writes a value in one line, each reference in its canonical form
// between angle brackets.
func written(value *reference.Value) string {
	if value == nil {
		return "literal"
	}
	var out strings.Builder
	if value.Template {
		out.WriteString("template: ")
	}
	for _, part := range value.Parts {
		if part.Ref == nil {
			out.WriteString(part.Literal)
			continue
		}
		out.WriteString("<" + strings.TrimPrefix(part.Ref.String(), reference.Scheme) + ">")
	}
	return out.String()
}

func TestParseEnvironmentReads(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"a reference":                              {"secretsmanager://prod/db#password", "<prod/db#password>"},
		"a reference with blanks around it":        {" \t\r\nsecretsmanager://prod/db#password\n ", "<prod/db#password>"},
		"a reference by ARN":                       {"secretsmanager://" + arn + ":key::", "<" + arn + ":key>"},
		"a path that looks like a template":        {"secretsmanager://db#{{a}}", "<db#{{a}}>"},
		"a template of one reference":              {"{{secretsmanager://db#a}}", "template: <db#a>"},
		"blanks around a template":                 {" {{secretsmanager://db#a}}\n", "template:  <db#a>\n"},
		"blanks between the braces":                {"{{ \tsecretsmanager://db#a \n}}", "template: <db#a>"},
		"several references":                       {"postgres://{{secretsmanager://db#u}}:{{secretsmanager://db?encode=url#p}}@h/app", "template: postgres://<db#u>:<db?encode=url#p>@h/app"},
		"references without a text between them":   {"{{secretsmanager://a}}{{secretsmanager://b}}", "template: <a><b>"},
		"an ARN between braces":                    {"x{{secretsmanager://" + arn + "#a}}", "template: x<" + arn + "#a>"},
		"ECS's json-key between braces":            {"x{{secretsmanager://" + arn + ":key::}}", "template: x<" + arn + ":key>"},
		"other braces beside a reference":          {"{{ .Values.x }}{{secretsmanager://a}}{{y}}", "template: {{ .Values.x }}<a>{{y}}"},
		"a single brace after the reference":       {`{"p":{{secretsmanager://a#b}}}`, `template: {"p":<a#b>}`},
		"three braces before the reference":        {"{{{secretsmanager://a#b}}", "template: {<a#b>"},
		"quotes around a reference between braces": {`{"p":"{{secretsmanager://a?encode=json#b}}"}`, `template: {"p":"<a?encode=json#b>"}`},
		"braces inside the path":                   {"{{secretsmanager://a#{b,c}}}", "template: <a#{b,c}>"},
		"braces inside braces in the path":         {`{{secretsmanager://a#{b,"x":{c,d}}}}-`, `template: <a#{b,"x":{c,d}}>-`},
		"braces inside parentheses in the path":    {`{{secretsmanager://a#x.#(y=="}}").z}}!`, `template: <a#x.#(y=="}}").z>!`},
		"braces inside brackets in the path":       {"{{secretsmanager://a#[b.{c},d]}}", "template: <a#[b.{c},d]>"},
		"braces inside quotes in the path":         {`{{secretsmanager://a#"}}"}}`, `template: <a#"}}">`},
		"an escaped quote inside quotes":           {`{{secretsmanager://a#"\"}}"}}`, `template: <a#"\"}}">`},
		"an escaped bracket in the path":           {`{{secretsmanager://a#b\(c}}`, `template: <a#b\(c>`},
		"a closing bracket too many in the path":   {`{{secretsmanager://a#b)}}`, `template: <a#b)>`},
		"brackets outside the path":                {"{{secretsmanager://a?default=(#b}}", "template: <a?default=(#b>"},
		"an ordinary text":                         {"hello", "literal"},
		"an empty text":                            {"", "literal"},
		"a plain ARN":                              {arn, "literal"},
		"a plain ARN without its suffix":           {"arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db", "literal"},
		"several plain ARNs":                       {arn + "," + arn, "literal"},
		"an ARN of another service with fields":    {"arn:aws:logs:eu-west-1:123456789012:log-group:x:*", "literal"},
		"another tool's scheme":                    {"awssecretsmanager://prod/db", "literal"},
		"another tool's scheme inside a text":      {"x=berglas9secretsmanager://prod/db", "literal"},
		"the service's name without slashes":       {"secretsmanager:GetSecretValue", "literal"},
		"an action with a condition":               {"secretsmanager:ResourceTag", "literal"},
		"a resource as a policy has it":            {arn[:len(arn)-6] + "??????", "literal"},
		"a path that begins with the service":      {"secretsmanager/backup/x", "literal"},
		"Spring's own scheme":                      {"optional:aws-secretsmanager:/secrets/db", "literal"},
		"schemes of others":                        {"aws_secretsmanager://x aws+secretsmanager://x aws.secretsmanager://x", "literal"},
		"a condition of a policy":                  {"secretsmanager:ResourceTag/team", "literal"},
		"another condition of a policy":            {"secretsmanager:resource/AllowRotationLambdaArn", "literal"},
		"several actions":                          {"secretsmanager:GetSecretValue,s3:GetObject/*", "literal"},
		"a host with a port":                       {"secrets-manager:8080/health", "literal"},
		"a host":                                   {"http://secretsmanager:/health", "literal"},
		"a sentence":                               {"secretsmanager: see https://wiki/x#y", "literal"},
		"a block of another template":              {"{{#each x}}{{/each}}{{ .Values.a }}", "literal"},
		"the service's host":                       {"https://secretsmanager.eu-west-1.amazonaws.com", "literal"},
		"another template":                         {"{{ .Values.password }}", "literal"},
		"a text with ssm in its midst":             {"x ssm://y", "literal"},
		"a JSON document":                          {`{"a":{"b":1}}`, "literal"},
		"bytes that are no text":                   {"\xff\xfe", "literal"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			value, p := reference.ParseEnvironment(test.text)
			if p != nil {
				t.Fatalf("ParseEnvironment(%q): %v", test.text, p)
			}
			if got := written(value); got != test.want {
				t.Errorf("ParseEnvironment(%q) is %q, want %q", test.text, got, test.want)
			}
		})
	}
}

func TestParseEnvironmentRefuses(t *testing.T) {
	const notWritten = "the scheme is not written as secretsmanager://"
	const withoutBraces = "a reference inside a text needs braces"
	const notClosed = "{{ has no }} after its reference"
	const withoutScheme = "an ARN with a field or options after it needs the scheme"
	tests := map[string]struct{ text, cause, hint string }{
		"the scheme in capitals":                   {"SECRETSMANAGER://prod/db#p", notWritten, "write secretsmanager://prod/db#…"},
		"the scheme as AWS writes its name":        {" SecretsManager://prod/db?optional", notWritten, "write secretsmanager://prod/db?…"},
		"the scheme with one slash":                {"secretsmanager:/prod/db", notWritten, "write secretsmanager://prod/db"},
		"the scheme with one slash and an ARN":     {"secretsmanager:/" + arn + ":key::", notWritten, "write secretsmanager://" + arn},
		"the scheme in capitals between braces":    {"x{{SECRETSMANAGER://db#p}}", notWritten, "write secretsmanager://db#…"},
		"one slash between braces":                 {"x{{ secretsmanager:/db#p }}", notWritten, "write secretsmanager://db#…"},
		"the scheme with a letter missing":         {"secretmanager://prod/db#p", notWritten, "write secretsmanager://prod/db#…"},
		"the scheme with letters swapped":          {"secretsmanagre://prod/db", notWritten, "write secretsmanager://prod/db"},
		"a misspelt scheme between braces":         {"{{ secretsmanger://prod/db }}", notWritten, "write secretsmanager://prod/db"},
		"the scheme without slashes":               {"secretsmanager:prod/db#p", notWritten, "write secretsmanager://NAME#PATH"},
		"a misspelt scheme inside a text":          {"postgres://app:{{secretsmanger://prod/db#password}}@h", notWritten, "secretsmanager://prod/db#…"},
		"no slash inside a text":                   {"postgres://app:{{ secretsmanager:prod/db#password}}@h", notWritten, "secretsmanager://NAME#PATH"},
		"no colon":                                 {"secretsmanager//prod/db#password", notWritten, "secretsmanager://prod/db#…"},
		"no colon and one slash":                   {"secretsmanager/prod/db#password", notWritten, "secretsmanager://prod/db#…"},
		"no colon inside a text":                   {"x{{secretsmanager//prod/db}}", notWritten, "secretsmanager://prod/db"},
		"a semicolon":                              {"secretsmanager;//prod/db", notWritten, "secretsmanager://prod/db"},
		"a colon of another width":                 {"secretsmanager：//prod/db#p", notWritten, "secretsmanager://prod/db#…"},
		"a blank before the colon":                 {"secretsmanager ://prod/db#p", notWritten, "secretsmanager://prod/db#…"},
		"a blank before the colon, beside another": {"{{secretsmanager://a#b}} {{secretsmanager ://b#c}}", notWritten, "secretsmanager://b#…"},
		"backslashes":                              {`secretsmanager:\\prod`, notWritten, "secretsmanager://prod"},
		"an underscore in the scheme":              {"secrets_manager://prod/db#p", notWritten, "secretsmanager://prod/db#…"},
		"quotes around a misspelt one":             {`"secretmanager://prod/db#x"`, notWritten, "secretsmanager://prod/db#…"},
		"quotes around an ARN with fields":         {`"` + arn + `:password::"`, withoutScheme, "before it"},
		"quotes around an ARN with a path":         {"'" + arn + "#password'", withoutScheme, "before it"},
		"an ARN in capitals":                       {"ARN" + arn[3:] + ":password::", withoutScheme, "before it"},
		"an ARN with fields inside a text":         {"postgres://{{" + arn + ":password::}}@h", "between braces has no scheme", "NAME#PATH"},
		"a parameter inside a text":                {"x:{{ssm:///prod/pw}}@h", "parameters of Systems Manager", "keep the value"},
		"a parameter with one slash":               {"ssm:/prod/x", "parameters of Systems Manager", "keep the value"},
		"a name without scheme beside another":     {"{{secretsmanager://a#b}}:{{prod/db#password}}@h", "between braces has no scheme", "{{secretsmanager://NAME#PATH}}"},
		"names without scheme":                     {"postgres://{{prod/db#username}}:{{prod/db#password}}@h", "between braces has no scheme", "{{secretsmanager://NAME#PATH}}"},
		"a name without scheme and with a path=":   {"x:{{prod/db?path=password}}@h", "between braces has no scheme", "{{secretsmanager://NAME#PATH}}"},
		"an ARN without scheme between braces":     {"x:{{" + arn + "}}@h", "between braces has no scheme", "{{secretsmanager://NAME#PATH}}"},
		"a misspelt one in single braces":          {"{{secretsmanager://a#b}}@{secretsmanger://prod/db#host}", notWritten, "secretsmanager://prod/db#…"},
		"no slashes and no path":                   {"secretsmanager:api-key", notWritten, "write secretsmanager://NAME#PATH"},
		"no slashes and no path inside a text":     {"x{{secretsmanager:api-key}}y", notWritten, "write secretsmanager://NAME#PATH"},
		"no slashes and blanks between braces":     {"{{ secretsmanager:db }}", notWritten, "write secretsmanager://NAME#PATH"},
		"a comment behind the path":                {"secretsmanager://prod/db?default=dev#password # the password", "a space stands before or after", "?path="},
		"a blank before the path":                  {"secretsmanager://prod/db?optional# password", "a space stands before or after", "?path="},
		"single braces beside another":             {"{{secretsmanager://a#b}}:{prod/db#password}@h", "between single braces", "{{secretsmanager://NAME#PATH}}"},
		"late options with another sign":           {"secretsmanager://a#password&default=x", "options belong before the path", "?default=…#password"},
		"late options in capitals":                 {"secretsmanager://a#password?Optional", "options belong before the path", "#password"},
		"a late option with a value":               {"secretsmanager://a#password?optional=true", "options belong before the path", "#password"},
		"the scheme in three slashes":              {"secretsmanager:///prod/db://", "a scheme other than", "Secrets Manager"},
		"a reference inside a text":                {"postgres://u:secretsmanager://prod/db#p@h", withoutBraces, "write {{secretsmanager://prod/db#…}} in its place"},
		"a reference by ARN inside a text":         {"x secretsmanager://" + arn + ":key:: y", withoutBraces, "write {{secretsmanager://" + arn + "}} in its place"},
		"a reference after punctuation":            {"a: -secretsmanager://db", withoutBraces, "SECRETWRAP_LITERAL"},
		"a reference after a letter beyond ASCII":  {"ésecretsmanager://db", withoutBraces, "SECRETWRAP_LITERAL"},
		"a reference after another tool's":         {"awssecretsmanager://x,secretsmanager://db", withoutBraces, "{{secretsmanager://db}}"},
		"single braces":                            {"{secretsmanager://db#p}", withoutBraces, "{{secretsmanager://db#…}}"},
		"braces with a blank that is no ASCII":     {"{{\u00a0secretsmanager://db#p}}", withoutBraces, "{{secretsmanager://db#…}}"},
		"double quotes":                            {`"secretsmanager://db#p"`, "the reference is in quotes", "remove the quotes: secretsmanager://db#…"},
		"single quotes":                            {"'secretsmanager://db'", "the reference is in quotes", "remove the quotes: secretsmanager://db"},
		"an opening without its end":               {"x{{secretsmanager://db", notClosed, "?path="},
		"a template that a comment has cut":        {"postgres://{{secretsmanager://prod/db", notClosed, "where # begins a comment"},
		"a second opening without its end":         {"{{secretsmanager://a}}{{secretsmanager://b#c}", notClosed, "{{secretsmanager://NAME#PATH}}"},
		"a bracket that stays open":                {"{{secretsmanager://a#b.#(c==1}}", notClosed, "brackets and quotes of the path closed"},
		"a quote that stays open":                  {`{{secretsmanager://a#"b}}`, notClosed, "brackets and quotes of the path closed"},
		"a reference without braces in a text":     {"{{secretsmanager://a}}secretsmanager://b", withoutBraces, "{{secretsmanager://b}}"},
		"a misspelt one beside a reference":        {"{{SecretsManager://a}}{{secretsmanager://b}}", notWritten, "secretsmanager://a"},
		"a reference inside a reference":           {"{{secretsmanager://a#{{secretsmanager://b}}}}", withoutBraces, "{{secretsmanager://b}}"},
		"the scheme twice between braces":          {"{{secretsmanager://secretsmanager://a}}", withoutBraces, "{{secretsmanager://a}}"},
		"nothing between braces":                   {"{{secretsmanager://}}", "the reference has no secret name", "NAME"},
		"an option that braces do not take":        {"{{secretsmanager://a?file}}", "not allowed between braces", "default=TEXT"},
		"options after the path":                   {"secretsmanager://a#password?optional", "options belong before the path", "secretsmanager://a?optional#password"},
		"options after the path between braces":    {"x{{secretsmanager://a#p?encode=url}}", "options belong before the path", "secretsmanager://a?encode=url#p"},
		"an ARN with a json-key":                   {arn + ":key", withoutScheme, "write secretsmanager:// before it"},
		"an ARN with ECS's fields":                 {" " + arn + ":key:AWSCURRENT: ", withoutScheme, "SECRETWRAP_LITERAL"},
		"an ARN with empty fields":                 {arn + ":::", withoutScheme, "write secretsmanager:// before it"},
		"an ARN with a path":                       {arn + "#password", withoutScheme, "write secretsmanager:// before it"},
		"an ARN with options":                      {arn + "?optional", withoutScheme, "write secretsmanager:// before it"},
		"an ARN of China with a json-key":          {strings.Replace(arn, "aws", "aws-cn", 1) + ":key", withoutScheme, "write secretsmanager:// before it"},
		"a parameter":                              {"ssm:///prod/db/password", "parameters of Systems Manager cannot be referenced", "SECRETWRAP_LITERAL"},
		"a parameter in capitals":                  {"SSM://x", "parameters of Systems Manager cannot be referenced", "keep the value in Secrets Manager"},
		"a parameter between braces":               {"{{ ssm://x}}", "parameters of Systems Manager cannot be referenced", "keep the value in Secrets Manager"},
		"CloudFormation's reference":               {"{{resolve:secretsmanager:prod/db:SecretString:password}}", "CloudFormation has not resolved", "write {{secretsmanager://NAME#PATH}}"},
		"CloudFormation's reference in a text":     {"postgres://u:{{ resolve:secretsmanager:prod/db }}@h", "CloudFormation has not resolved", "SECRETWRAP_LITERAL"},
		"CloudFormation's reference beside ours":   {"{{secretsmanager://a}}{{resolve:secretsmanager:b}}", "CloudFormation has not resolved", "write {{"},
		"an invisible character in the scheme":     {"secrets\u200bmanager://prod/db#p", notWritten, "secretsmanager://prod/db#…"},
		"another alphabet's letter in the scheme":  {"secretsmanag\u0435r://prod/db#p", notWritten, "secretsmanager://prod/db#…"},
		"a soft hyphen between braces":             {"x{{secrets\u00admanager://prod/db}}", notWritten, "secretsmanager://prod/db"},
		"two references":                           {"secretsmanager://a secretsmanager://b", "a second reference follows the secret's name", "{{secretsmanager://…}}"},
		"two references with paths":                {"secretsmanager://a#b,secretsmanager://c#d", "a second reference stands inside the path", "{{secretsmanager://…}}"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			value, p := reference.ParseEnvironment(test.text)
			if p == nil {
				t.Fatalf("ParseEnvironment(%q) is %q", test.text, written(value))
			}
			checkProblem(t, p, test.cause, test.hint)
			if value != nil {
				t.Errorf("beside the problem stands %q", written(value))
			}
		})
	}
}

func TestACorrectionRepeatsNothingButTheName(t *testing.T) {
	const canary = "CANARY-pw"
	for _, text := range []string{
		"SECRETSMANAGER://db:" + canary + "@host",
		"secretsmanager:/db@" + canary,
		"postgres://u:" + canary + "@secretsmanager://db",
		"postgres://secretsmanager://db:" + canary + "@host",
		"redis://x:secretsmanager://" + arn + ":" + canary + "@host",
		"secretsmanager:/" + arn + "@" + canary,
		"secretsmanager:/db#" + canary,
		"secretsmanager:/db?default=" + canary,
		"secretsmanager:/db " + canary,
		arn + ":" + canary + "::",
		"ssm://" + canary,
		"{{secretsmanager://db?default=a&" + canary + "}}",
		"{{secretsmanager://db}}:" + canary + "@{{secretsmanager:/db}}",
		"{{secretsmanager://db#" + canary,
	} {
		_, p := reference.ParseEnvironment(text)
		if p == nil {
			t.Errorf("ParseEnvironment(%q): no problem", text)
			continue
		}
		if shown := p.Error() + p.Hint; strings.Contains(shown, canary) {
			t.Errorf("the canary of %q is shown: %s", text, shown)
		}
	}
}

func TestParseDeclarationReads(t *testing.T) {
	tests := map[string]struct {
		text    string
		context reference.Context
		want    string
	}{
		"a reference without the scheme":     {"prod/db#password", reference.Variable, "<prod/db#password>"},
		"a reference with the scheme":        {" secretsmanager://prod/db#password\n", reference.Variable, "<prod/db#password>"},
		"an ARN":                             {arn, reference.Variable, "<" + arn + ">"},
		"an ARN with ECS's fields":           {arn + ":key:AWSPREVIOUS:", reference.Variable, "<" + arn + ":key?stage=AWSPREVIOUS>"},
		"an ARN with a path":                 {arn + "#a", reference.File, "<" + arn + "#a>"},
		"a template without the scheme":      {"x{{prod/db#u}}:{{ secretsmanager://db#p }}", reference.Variable, "template: x<prod/db#u>:<db#p>"},
		"ECS's fields between braces":        {"x{{" + arn + ":key::}}", reference.Variable, "template: x<" + arn + ":key>"},
		"a template for a file":              {"user={{db#u}}\n", reference.File, "template: user=<db#u>\n"},
		"a reference for a file":             {"tls?mode=0400&encode=base64#key", reference.File, "<tls?encode=base64&mode=0400#key>"},
		"a secret to explode":                {"shared?prefix=SHARED_&upper", reference.EnvFrom, "<shared?prefix=SHARED_&upper>"},
		"a secret to explode, by the scheme": {"secretsmanager://shared", reference.EnvFrom, "<shared>"},
		"a path with braces, by the scheme":  {"secretsmanager://db#{{a}}", reference.Variable, "<db#{{a}}>"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			value, p := reference.ParseDeclaration(test.text, test.context)
			if p != nil {
				t.Fatalf("ParseDeclaration(%q): %v", test.text, p)
			}
			if got := written(value); got != test.want {
				t.Errorf("ParseDeclaration(%q) is %q, want %q", test.text, got, test.want)
			}
		})
	}
}

func TestParseDeclarationTakesNoLiteral(t *testing.T) {
	tests := map[string]struct {
		text    string
		context reference.Context
		cause   string
	}{
		"an empty text":                     {"", reference.Variable, "the reference has no secret name"},
		"blanks":                            {" \n", reference.EnvFrom, "the reference has no secret name"},
		"a text":                            {"hello world", reference.Variable, "the secret's name holds ' '"},
		"a URL":                             {"https://example.com", reference.Variable, "a scheme other than"},
		"quotes around a reference":         {"'prod/db'", reference.File, `the secret's name holds '\''`},
		"the scheme in capitals":            {"SECRETSMANAGER://db", reference.Variable, "the scheme is not written as"},
		"one slash":                         {"secretsmanager:/db", reference.EnvFrom, "the scheme is not written as"},
		"a parameter":                       {"ssm:///a", reference.Variable, "parameters of Systems Manager"},
		"a template in env_from":            {"{{db}}", reference.EnvFrom, "env_from takes references without braces"},
		"a template in env_from, by scheme": {"{{secretsmanager://db}}", reference.EnvFrom, "env_from takes references without braces"},
		"a template without its end":        {"x{{db", reference.Variable, "{{ has no }}"},
		"nothing between braces":            {"x{{}}", reference.Variable, "the reference has no secret name"},
		"a reference without braces":        {"x secretsmanager://db", reference.Variable, "needs braces"},
		"a reference beside a template":     {"{{a}} secretsmanager://db", reference.Variable, "needs braces"},
		"a template inside another":         {"{{a#{{secretsmanager://b}}}}", reference.Variable, "a reference inside a text"},
		"a file under files":                {"tls?file=x", reference.File, "not allowed under files"},
		"a default in env_from":             {"db?default=x", reference.EnvFrom, "not allowed in env_from"},
		"a template option in env_from":     {"db?encode=url", reference.EnvFrom, "not allowed in env_from"},
		"a mode between braces":             {"x{{tls?mode=0400}}", reference.File, "not allowed between braces"},
		"the parameter scheme in a literal": {"ssm://{{db}}", reference.Variable, "parameters of Systems Manager"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			value, p := reference.ParseDeclaration(test.text, test.context)
			if p == nil {
				t.Fatalf("ParseDeclaration(%q) is %q", test.text, written(value))
			}
			if p.Class != problem.Config || !strings.Contains(p.Cause, test.cause) || p.Hint == "" {
				t.Errorf("problem %q (%s), want %q", p.Cause, p.Hint, test.cause)
			}
		})
	}
}
