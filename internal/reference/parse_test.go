package reference_test

import (
	"strings"
	"testing"

	"secretwrap/internal/problem"
	"secretwrap/internal/reference"
)

const (
	arn       = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf"
	versionID = "0123456789abcdef0123456789abcdef"
)

var contexts = map[string]reference.Context{
	"a variable": reference.Variable,
	"braces":     reference.Template,
	"env_from":   reference.EnvFrom,
	"a file":     reference.File,
}

func TestParseReads(t *testing.T) {
	longest := strings.Repeat("n", 512)
	fromARN := func(ref reference.Ref) reference.Ref {
		ref.Secret, ref.Region = arn, "eu-west-1"
		return ref
	}
	tests := map[string]struct {
		text string
		want reference.Ref
	}{
		"a name":                                 {"prod/db", reference.Ref{Secret: "prod/db"}},
		"a name after the scheme":                {"secretsmanager://prod/db", reference.Ref{Secret: "prod/db"}},
		"every character of a name":              {"azAZ09/_+=.@-!", reference.Ref{Secret: "azAZ09/_+=.@-!"}},
		"a name that AWS gives":                  {"rds!cluster-1a2b", reference.Ref{Secret: "rds!cluster-1a2b"}},
		"a name that ends like an ARN's":         {"prod/db-AbCdEf", reference.Ref{Secret: "prod/db-AbCdEf"}},
		"a name of 512 characters":               {longest, reference.Ref{Secret: longest}},
		"an ARN":                                 {arn, fromARN(reference.Ref{})},
		"an ARN with a path":                     {arn + "#a.b", fromARN(reference.Ref{Path: "a.b"})},
		"an ARN with a json-key":                 {arn + ":key", fromARN(reference.Ref{Member: "key"})},
		"a json-key that is not a gjson path":    {arn + ":a.b.*", fromARN(reference.Ref{Member: "a.b.*"})},
		"an ARN with a json-key and empty rest":  {arn + ":key::", fromARN(reference.Ref{Member: "key"})},
		"an ARN with nothing in ECS's fields":    {arn + ":::", fromARN(reference.Ref{})},
		"an ARN with a stage":                    {arn + "::AWSPREVIOUS:", fromARN(reference.Ref{Stage: "AWSPREVIOUS"})},
		"an ARN with a version":                  {arn + ":::" + versionID, fromARN(reference.Ref{Version: versionID})},
		"an ARN with all of ECS's fields":        {arn + ":key:AWSCURRENT:" + versionID, fromARN(reference.Ref{Member: "key", Stage: "AWSCURRENT", Version: versionID})},
		"ECS's fields and options":               {arn + ":key?optional&stage=X", fromARN(reference.Ref{Member: "key", Optional: true, Stage: "X"})},
		"a path":                                 {"db#password", reference.Ref{Secret: "db", Path: "password"}},
		"a path with a second #":                 {"db#items.#.id", reference.Ref{Secret: "db", Path: "items.#.id"}},
		"a path with wildcards":                  {"db#pass?ord*", reference.Ref{Secret: "db", Path: "pass?ord*"}},
		"a path with all of gjson's syntax":      {`db#list.#(name=="x & y").{id,"n":name}|@pretty:{"width":80}`, reference.Ref{Secret: "db", Path: `list.#(name=="x & y").{id,"n":name}|@pretty:{"width":80}`}},
		"a path with a percent sign":             {"db#a%20b", reference.Ref{Secret: "db", Path: "a%20b"}},
		"a path in another script":               {"db#пароль", reference.Ref{Secret: "db", Path: "пароль"}},
		"a path as an option":                    {"db?path=password", reference.Ref{Secret: "db", Path: "password"}},
		"a path as an option, percent-encoded":   {"db?path=items.%23(a%3D%3D%22b%26%22)", reference.Ref{Secret: "db", Path: `items.#(a=="b&")`}},
		"a plus sign in an option":               {"db?default=a+b", reference.Ref{Secret: "db", HasDefault: true, Default: "a+b", Optional: true}},
		"an equals sign in an option":            {"db?default=a=b", reference.Ref{Secret: "db", HasDefault: true, Default: "a=b", Optional: true}},
		"a question mark in an option":           {"db?default=a?b", reference.Ref{Secret: "db", HasDefault: true, Default: "a?b", Optional: true}},
		"a default of no characters":             {"db?default=", reference.Ref{Secret: "db", HasDefault: true, Optional: true}},
		"a default with a line break":            {"db?default=a%0Ab", reference.Ref{Secret: "db", HasDefault: true, Default: "a\nb", Optional: true}},
		"a default that looks like a template":   {"db?default=%7B%7Bx%7D%7D", reference.Ref{Secret: "db", HasDefault: true, Default: "{{x}}", Optional: true}},
		"optional beside default":                {"db?optional&default=x", reference.Ref{Secret: "db", HasDefault: true, Default: "x", Optional: true}},
		"a file without a path":                  {"db?file#key", reference.Ref{Secret: "db", ToFile: true, Path: "key"}},
		"a file with a path and a mode":          {"db?file=tls/client.key&mode=0440", reference.Ref{Secret: "db", ToFile: true, File: "tls/client.key", Mode: 0o440}},
		"a mode before its file":                 {"db?mode=0600&file", reference.Ref{Secret: "db", ToFile: true, Mode: 0o600}},
		"a stage and a version":                  {"db?stage=AWSPENDING&version=" + versionID, reference.Ref{Secret: "db", Stage: "AWSPENDING", Version: versionID}},
		"a stage of 256 characters":              {"db?stage=" + longest[:256], reference.Ref{Secret: "db", Stage: longest[:256]}},
		"a version of 64 characters":             {"db?version=" + longest[:64], reference.Ref{Secret: "db", Version: longest[:64]}},
		"encode=url":                             {"db?encode=url", reference.Ref{Secret: "db", Encode: reference.URL}},
		"encode=base64":                          {"db?encode=base64", reference.Ref{Secret: "db", Encode: reference.Base64}},
		"encode=json":                            {"db?encode=json", reference.Ref{Secret: "db", Encode: reference.JSON}},
		"an awkward path that ends like options": {"db#a?b=c", reference.Ref{Secret: "db", Path: "a?b=c"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, p := reference.Parse(test.text, reference.Variable)
			if p != nil {
				t.Fatalf("Parse(%q): %v", test.text, p)
			}
			if got != test.want {
				t.Errorf("Parse(%q)\n= %+v, want\n  %+v", test.text, got, test.want)
			}
		})
	}
}

func TestTheRegionComesFromTheARN(t *testing.T) {
	for partition, region := range map[string]string{
		"aws":        "ap-southeast-2",
		"aws-cn":     "cn-northwest-1",
		"aws-us-gov": "us-gov-east-1",
		"aws-iso":    "us-iso-east-1",
		"aws-iso-b":  "us-isob-east-1",
		"aws-eusc":   "eusc-de-east-1",
	} {
		text := "arn:" + partition + ":secretsmanager:" + region + ":123456789012:secret:x-AbCdEf"
		got, p := reference.Parse(text, reference.Variable)
		if p != nil {
			t.Errorf("%s: %v", text, p)
		}
		if got.Region != region || got.Secret != text {
			t.Errorf("Parse(%q) = secret %q in region %q", text, got.Secret, got.Region)
		}
	}
}

func TestWhereNamesTheField(t *testing.T) {
	for text, want := range map[string]string{
		"db": "", "db#a.b": "a.b", "db?path=a": "a", arn + ":key": "key", arn + "::AWSCURRENT": "",
	} {
		ref, p := reference.Parse(text, reference.Variable)
		if p != nil {
			t.Fatal(p)
		}
		if got := ref.Where(); got != want {
			t.Errorf("Where() of %q = %q, want %q", text, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const nameHint = "a name holds 1 to 512 of A-Z a-z 0-9 / _ + = . @ - !"
	const onlySecrets = "only secrets of AWS Secrets Manager can be referenced"
	tests := map[string]struct{ text, cause, hint string }{
		"no name":                            {"", "the reference has no secret name", "secretsmanager://NAME#PATH"},
		"no name before the path":            {"#password", "the reference has no secret name", "secretsmanager://NAME#PATH"},
		"no name before the options":         {"?optional", "the reference has no secret name", "secretsmanager://NAME#PATH"},
		"a name of 513 characters":           {strings.Repeat("n", 513), "has 513 characters", nameHint},
		"a blank in a name":                  {"prod db", "holds ' '", nameHint},
		"a blank before the path":            {"prod/db #password", "begins or ends with a space", "secretsmanager://NAME#PATH"},
		"a blank before a name":              {" prod/db", "begins or ends with a space", "secretsmanager://NAME#PATH"},
		"a line break in a name":             {"prod\ndb", `holds '\n'`, nameHint},
		"an escape sequence in a name":       {"prod\x1b[2Jdb", `holds '\x1b'`, nameHint},
		"an umlaut in a name":                {"pröd", "holds 'ö'", nameHint},
		"a character that turns the text":    {"prod\u202edb", `holds '\u202e'`, nameHint},
		"a name that is not UTF-8":           {"prod\xff", "holds", nameHint},
		"a colon in a name":                  {"prod:db", "holds ':'", nameHint},
		"a percent sign in a name":           {"prod%2Fdb", "holds '%'", nameHint},
		"a backslash in a name":              {`prod\db`, "holds '\\\\'", nameHint},
		"the scheme twice":                   {"secretsmanager://secretsmanager://db", "a second reference follows", "between braces"},
		"another scheme":                     {"vault://prod/db", "a scheme other than", onlySecrets},
		"an ARN of another service":          {"arn:aws:ssm:eu-west-1:123456789012:parameter/x", "belongs to another service", onlySecrets},
		"an ARN cut after its account":       {"arn:aws:secretsmanager:eu-west-1:123456789012", "not complete", "arn:aws:secretsmanager:REGION"},
		"an ARN cut after arn":               {"arn:", "not complete", "arn:aws:secretsmanager:REGION"},
		"an ARN with a field too many":       {arn + ":a:b:" + versionID + ":d", "too many fields", ":JSON-KEY:STAGE:VERSION"},
		"an ARN of an unknown partition":     {strings.Replace(arn, "aws", "azure", 1), "no partition", "arn:aws:secretsmanager"},
		"an ARN with a strange partition":    {strings.Replace(arn, "aws", "aws{}", 1), "no partition", "arn:aws:secretsmanager"},
		"an ARN without a region":            {strings.Replace(arn, "eu-west-1", "", 1), "no region", "REGION"},
		"an ARN with a host for a region":    {strings.Replace(arn, "eu-west-1", "evil.example/", 1), "no region", "REGION"},
		"an ARN without an account":          {strings.Replace(arn, "123456789012", "", 1), "no account", "ACCOUNT"},
		"an ARN with a short account":        {strings.Replace(arn, "123456789012", "12345678901", 1), "no account", "ACCOUNT"},
		"an ARN of something else":           {strings.Replace(arn, ":secret:", ":policy:", 1), "not that of a secret", ":secret:NAME"},
		"an ARN without a name":              {"arn:aws:secretsmanager:eu-west-1:123456789012:secret:", "the reference has no secret name", "NAME"},
		"a control character in a json-key":  {arn + ":a\tb", "json-key holds a control character", "remove that character"},
		"a json-key and a path":              {arn + ":a#b", "both the ARN's json-key and a path", "keep one"},
		"a json-key and a path option":       {arn + ":a?path=b", "both the ARN's json-key and a path", "keep one"},
		"two stages":                         {arn + "::A?stage=A", "the stage is given twice", "keep one"},
		"two versions":                       {arn + ":::" + versionID + "?version=" + versionID, "the version is given twice", "keep one"},
		"an ECS version that is none":        {arn + ":::short", "not a version id", "stage="},
		"a path after # that is missing":     {"db#", "the path is empty", "?path="},
		"two paths":                          {"db?path=a#b", "both ?path= and # give a path", "keep one"},
		"two equal paths":                    {"db?path=a#a", "both ?path= and # give a path", "keep one"},
		"a control character in a path":      {"db#a\x00b", "the path holds a control character", "remove that character"},
		"a control character by path=":       {"db?path=a%0Ab", "the path holds a control character", "remove that character"},
		"a path that is not UTF-8":           {"db#a\xff", "is not UTF-8", "remove that character"},
		"a reference in the path":            {"db#a,secretsmanager://db#b", "a second reference stands inside the path", "{{secretsmanager://…}}"},
		"a misspelt reference in the path":   {"db#a SecretsManager:/db#b", "a second reference stands inside the path", "{{secretsmanager://…}}"},
		"no option after the question mark":  {"db?", `option "" is not known`, "allowed in"},
		"no option between ampersands":       {"db?optional&&upper", `option "" is not known`, "allowed in"},
		"an option that is near a known one": {"db?optinal", `option "optinal" is not known`, "did you mean optional?"},
		"an option in another case":          {"db?Stage=X", `option "Stage" is not known`, "did you mean stage?"},
		"an option like nothing":             {"db?frobnicate=1", `option "frobnicate" is not known`, "stage=LABEL"},
		"an option with a control character": {"db?a\x1bb", "an option is not known", "stage=LABEL"},
		"an option that holds a password":    {"db?x:pw@host", "an option is not known", "stage=LABEL"},
		"an option that is a long text":      {"db?" + strings.Repeat("a", 33), "an option is not known", "stage=LABEL"},
		"an option twice":                    {"db?stage=A&stage=A", "option stage is given twice", "keep one"},
		"a % that encodes nothing":           {"db?default=50%", "holds a % that two hexadecimal digits do not follow", "%25"},
		"a NUL in an option":                 {"db?default=a%00b", "option default holds a NUL", "remove that character"},
		"an option that is not UTF-8":        {"db?default=%ff", "is not UTF-8", "remove that character"},
		"a word for yes after optional":      {"db?optional=yes", "option optional is malformed", "write optional"},
		"a 1 after optional":                 {"db?optional=1", "option optional is malformed", "write optional"},
		"optional in capitals":               {"db?OPTIONAL", `option "OPTIONAL" is not known`, "did you mean optional?"},
		"a value for optional":               {"db?optional=true", "option optional is malformed", "write optional"},
		"no value for default":               {"db?default", "option default is malformed", "default=TEXT"},
		"no value for stage":                 {"db?stage", "option stage is malformed", "stage=LABEL"},
		"an empty stage":                     {"db?stage=", "the stage is not a label", "1 to 256"},
		"a stage of 257 characters":          {"db?stage=" + strings.Repeat("s", 257), "the stage is not a label", "1 to 256"},
		"a label for a version":              {"db?version=AWSPREVIOUS", "not a version id", "stage="},
		"a version of 65 characters":         {"db?version=" + strings.Repeat("v", 65), "not a version id", "32 to 64"},
		"an unknown encoding":                {"db?encode=URL", "the encoding is not known", "encode=base64"},
		"an empty file":                      {"db?file=", "option file names no path", "RELATIVE/PATH"},
		"a mode without a file":              {"db?mode=0400", "mode needs file", "add file"},
		"a mode that is too open":            {"db?file&mode=0777", "the mode is not one of those allowed", "0400"},
		"a mode with setuid":                 {"db?file&mode=04755", "the mode is not one of those allowed", "0400"},
		"a mode as Go writes it":             {"db?file&mode=0o400", "the mode is not one of those allowed", "0400"},
		"a mode without its zero":            {"db?file&mode=400", "the mode is not one of those allowed", "0400"},
		"a reference for a default":          {"db?default=secretsmanager://other#x", "the default holds a reference", "remove the option"},
		"a misspelt reference for a default": {"db?default=SecretsManager:/other", "the default holds a reference", "remove the option"},
		"a field as an option":               {"db?field=password", `option "field" is not known`, "did you mean path?"},
		"a key as an option":                 {"db?key=password", `option "key" is not known`, "did you mean path?"},
		"ECS's json-key as an option":        {"db?json-key=password", "an option is not known", "did you mean path?"},
		"the API's name of the stage":        {"db?versionStage=AWSPREVIOUS", `option "versionStage" is not known`, "did you mean stage?"},
		"the API's name of the version":      {"db?version_id=1", "an option is not known", "did you mean version?"},
		"a path of JSONPath":                 {`db#["password"]`, "names a field in brackets", "write the field's name alone"},
		"a path of JSONPath, single quotes":  {"db#['password']", "names a field in brackets", "write the field's name alone"},
		"a variable of a shell in a name":    {"$STAGE/db", "holds '$'", "in the manifest ${NAME} is replaced by a variable"},
		"a variable of the manifest's":       {"${STAGE}/db", "holds '$'", "in the manifest ${NAME} is replaced by a variable"},
		"options after the path":             {"db#password?optional", "options belong before the path", "write secretsmanager://db?optional#password"},
		"several options after the path":     {"db#a.b?file=x&mode=0400", "options belong before the path", "write secretsmanager://db?file=x&mode=0400#a.b"},
		"a default after the path":           {"db#a?stage=X&default=hidden", "options belong before the path", "write secretsmanager://db?stage=X&default=…#a"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			ref, p := reference.Parse(test.text, reference.Variable)
			if p == nil {
				t.Fatalf("Parse(%q) = %+v", test.text, ref)
			}
			checkProblem(t, p, test.cause, test.hint)
			if ref != (reference.Ref{}) {
				t.Errorf("beside the problem stands %+v", ref)
			}
		})
	}
}

func TestAProblemNamesTheSecretOnceItIsKnown(t *testing.T) {
	for text, want := range map[string]string{
		"prod/db?bogus=1": "prod/db", "prod/db#": "prod/db", arn + ":key#path": arn, "prod db?optional": "",
	} {
		_, p := reference.Parse(text, reference.Variable)
		if p == nil || p.Secret != want {
			t.Errorf("Parse(%q): problem %+v, want one about secret %q", text, p, want)
		}
	}
}

func checkProblem(t *testing.T, p *problem.Problem, cause, hint string) {
	t.Helper()
	if p == nil {
		t.Fatal("no problem")
	}
	if p.Class != problem.Config {
		t.Errorf("class %d, want Config", p.Class)
	}
	if !strings.Contains(p.Cause, cause) {
		t.Errorf("cause %q, want %q in it", p.Cause, cause)
	}
	if !strings.Contains(p.Hint, hint) || p.Hint == "" {
		t.Errorf("hint %q, want %q in it", p.Hint, hint)
	}
	if p.Variable != "" || p.Source != "" || p.Line != 0 {
		t.Errorf("the problem says where it is, which only its caller knows: %+v", *p)
	}
}
