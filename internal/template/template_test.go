package template_test

import (
	"fmt"
	"strings"
	"testing"

	"secretwrap/internal/template"
)

// one returns a template in YAML with one function, whose variable A is value.
func one(value string) string {
	return `
Parameters:
  Stage: {Type: String, Default: dev}
  Bare: {Type: String}
  Kept: {Type: "AWS::SSM::Parameter::Value<String>", Default: /path}
  Names: {Type: CommaDelimitedList, Default: "app, prod/db"}
Mappings:
  Names: {dev: {db: dev/db}, prod: {db: prod/db}, v: {plain: 1.10, quoted: "1.10", account: 012345678901}}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsDev: !Not [!Condition IsProd]
  Both: !And [{Condition: IsProd}, {Condition: IsDev}]
  Any: !Or [!Condition IsProd, !Condition IsDev]
  Loop: !Not [!Condition Loop]
Resources:
  Table: {Type: AWS::DynamoDB::Table}
  Db: {Type: AWS::SecretsManager::Secret, Properties: {Name: !Sub "${Stage}/made"}}
  Random: {Type: AWS::SecretsManager::Secret}
  Attached: {Type: AWS::SecretsManager::SecretTargetAttachment, Properties: {SecretId: !Ref Db}}
  Fn:
    Type: AWS::Lambda::Function
    Properties:
      Environment:
        Variables:
          A: ` + value + "\n"
}

// read returns the only function of a template.
func read(t *testing.T, data string, options template.Options) template.Function {
	t.Helper()
	parsed, problems := template.Parse("template.yaml", []byte(data), options)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	function, problems := parsed.Function("")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return function
}

func TestIntrinsics(t *testing.T) {
	t.Parallel()
	const gone = "(no variable)"
	tests := []struct{ value, want, unresolved string }{
		{"text", "text", ""},
		{"5432", "5432", ""},
		{"!Ref Stage", "dev", ""},
		{"{Ref: Stage}", "dev", ""},
		{"!Ref AWS::Region", "eu-west-1", ""},
		{"!Ref AWS::Partition", "aws", ""},
		{"!Ref AWS::NoValue", gone, ""},
		{"!Sub 'x/${Stage}/${ AWS::Region }/${!Stage}$'", "x/dev/eu-west-1/${Stage}$", ""},
		{"!Sub ['${a}-${Stage}', {a: !Ref AWS::Region}]", "eu-west-1-dev", ""},
		{"{'Fn::Sub': '${Given}'}", "given", ""},
		{"!Sub '${open'", "${open", ""},
		{"!Join ['/', [a, !Ref Stage]]", "a/dev", ""},
		{"!Select [1, !Split ['/', 'a/b']]", "b", ""},
		{"!Select [0, [!Ref Stage]]", "dev", ""},
		{"!FindInMap [Names, !Ref Stage, db]", "dev/db", ""},
		{"!FindInMap [Names, none, db, {DefaultValue: !Ref Stage}]", "dev", ""},
		{"!Join [',', !Ref Names]", "app,prod/db", ""},
		{"!Select [1, !Ref Names]", "prod/db", ""},
		{"!Sub ['x${a}', {a: !FindInMap [Names, v, quoted]}]", "x1.10", ""},
		{"!Sub ['x${a}', {a: !FindInMap [Names, v, plain]}]", "x${a}aNamesvplain", "how the value is read, which is not quoted"},
		{"!FindInMap [Names, v, account]", "Namesvaccount", "how the value is read, which is not quoted"},
		{"!Sub {a: b}", "ab", "Fn::Sub"},
		{"!Ref [a]", "a", "Ref"},
		{"secretsmanager://a #b", "secretsmanager://a", template.Comment},
		{"secretsmanager://a # b", "secretsmanager://a", ""},
		{"!If [IsProd, p, !If [IsDev, d, x]]", "d", ""},
		{"!If [Both, p, n]", "n", ""},
		{"!If [Any, p, n]", "p", ""},
		{"!If [IsProd, p, !Ref AWS::NoValue]", gone, ""},
		{"!Ref Db", "dev/made", ""},
		{"!Ref Attached", "dev/made", ""},
		{"!GetAtt Db.Id", "dev/made", ""},
		{"!Sub '${Db.Id}'", "dev/made", ""},
		{"{'Fn::GetAtt': [Db, Id]}", "dev/made", ""},
		{"!GetAtt Table.Arn", "table-arn", ""},
		{"!ImportValue {'Fn::Sub': '${Stage}-export'}", "exported", ""},

		{"!Ref Bare", "Bare", "the parameter Bare, which has no default"},
		{"!Ref Kept", "Kept", "the parameter Kept, whose value is in Parameter Store"},
		{"!Ref Table", "Table", "the resource Table"},
		{"!Ref Random", "Random", "the resource Random"},
		{"!Ref Nobody", "Nobody", "the resource Nobody"},
		{"!Sub '${Stge}'", "${Stge}", "Stge, which is no parameter or resource of the template: did you mean Stage?"},
		{"!Ref AWS::AccountId", "AWS::AccountId", "AWS::AccountId"},
		{"!Sub 'x${Table.Name}'", "x${Table.Name}", "Fn::GetAtt Table.Name"},
		{"!ImportValue x", "x", "Fn::ImportValue x"},
		{"!Join ['', [a, !ImportValue x]]", "ax", "Fn::ImportValue x"},
		{"!Join [a]", "a", "Fn::Join"},
		{"!Join [',', !Ref Stage]", ",Stage", "what is no list"},
		{"!Ref Names", "Names", "a list or map, which is no value"},
		{"off", "off", "how the value is read, which is not quoted"},
		{"'off'", "off", ""},
		{"010", "010", "how the value is read, which is not quoted"},
		{"1.10", "1.10", "how the value is read, which is not quoted"},
		{"1.15", "1.15", ""},
		{"true", "true", ""},
		{"2026-01-31", "2026-01-31", "how the value is read, which is not quoted"},
		{"'secretsmanager://{{resolve:ssm:/stage}}/db'", "secretsmanager:///db", "a dynamic reference"},
		{"!Split ['', a]", "a", "Fn::Split"},
		{"!Split ['/', a/b]", "/a/b", "a list or map, which is no value"},
		{"!Select [x, [a]]", "xa", "Fn::Select"},
		{"!Select [2, [a]]", "2a", "Fn::Select"},
		{"!FindInMap [Names, x, db]", "Namesxdb", "Fn::FindInMap, which finds nothing"},
		{"!If [Nothing, a, b]", "Nothingab", "the condition Nothing, which is not there"},
		{"!If [Loop, a, b]", "Loopab", "a condition that depends on itself, or on too much"},
		{"!Cidr [a]", "a", "Fn::Cidr"},
		{"{a: b}", "ab", "a list or map, which is no value"},
		{"{'Fn::Transform': x}", "Fn::Transformx", "Fn::Transform"},
	}
	options := template.Options{Region: "eu-west-1", Values: map[string]string{"Given": "given", "Table.Arn": "table-arn", "dev-export": "exported"}}
	for _, test := range tests {
		t.Run(test.value, func(t *testing.T) {
			t.Parallel()
			function := read(t, one(test.value), options)
			got, reason := gone, ""
			if len(function.Variables) > 0 {
				got, reason = function.Variables[0].Value, function.Variables[0].Unresolved
			}
			if reason != test.unresolved || got != test.want {
				t.Errorf("got %q, depends on %q; want %q, %q", got, reason, test.want, test.unresolved)
			}
		})
	}
}

func TestParametersReplaceDefaults(t *testing.T) {
	t.Parallel()
	const value = "!Sub '${Stage}/${Bare}'"
	parsed, _ := template.Parse("t", []byte(one(value)), template.Options{Values: map[string]string{"Stage": "prod", "Bare": "b"}})
	function, problems := parsed.Function("Fn")
	if len(problems) > 0 || function.Variables[0].Value != "prod/b" || len(parsed.Defaults()) > 0 {
		t.Errorf("got %+v, %v, defaults %q", function, problems, parsed.Defaults())
	}
	parsed, _ = template.Parse("t", []byte(one("!Ref Stage")), template.Options{})
	if _, _ = parsed.Function("Fn"); fmt.Sprint(parsed.Defaults()) != "[Stage]" {
		t.Errorf("defaults %q", parsed.Defaults())
	}
}

func TestSAM(t *testing.T) {
	t.Parallel()
	function := read(t, `
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: python3.13
    Handler: global
    Environment: {Variables: {A: global, B: global}}
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      CodeUri: src/
      SnapStart: {ApplyOn: PublishedVersions}
      Environment: &environment
        Variables: {B: own, C: own}
  Other: {Type: AWS::SNS::Topic}
`, template.Options{})
	got := fmt.Sprint(function.Handler, " ", function.Runtime, " ", function.Code, " ", function.SnapStart, " ", function.Image, function.Line)
	for _, v := range function.Variables {
		got += " " + v.Name + "=" + v.Value
	}
	if want := "app.handler python3.13 src/ true false 9 B=own C=own A=global"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	function := read(t, "{\n\t\"Resources\": {\"Fn\": {\"Type\": \"AWS::Lambda::Function\",\n\"Properties\": {\"PackageType\": \"Image\", \"Code\": {}, \"Environment\": {\"Variables\": {\n\t\"A\": {\"Fn::Join\": [\"\", [\"\\ud83d\\ude00\", {\"Ref\": \"AWS::Region\"}]]},\n\"B\": 1.50, \"C\": true, \"D\": null}}}}}}", template.Options{Region: "eu-west-1"})
	var got []string
	for _, v := range function.Variables {
		got = append(got, fmt.Sprint(v.Line, v.Name, "=", v.Value))
	}
	if want := "4A=😀eu-west-1 5B=1.50 5C=true 5D="; strings.Join(got, " ") != want || !function.Image || function.Line == 0 {
		t.Errorf("got %q, want %s; %+v", got, want, function)
	}
}

func TestAFunctionIsKnownByTheBeginningOfItsID(t *testing.T) {
	t.Parallel()
	const data = "Resources: {Orders4F2A: {Type: AWS::Lambda::Function}, Other: {Type: AWS::Lambda::Function, Properties: {Layers: [x]}}, OtherOne: {Type: AWS::Lambda::Function}}"
	parsed, _ := template.Parse("t", []byte(data), template.Options{})
	for id, want := range map[string]string{"Orders": "Orders4F2A", "Orders4F2A": "Orders4F2A", "Other": "Other", "OtherO": "OtherOne"} {
		got, problems := parsed.Function(id)
		if len(problems) > 0 || got.ID != want || got.NoLayer != (want != "Other") {
			t.Errorf("%s: got %+v, %v", id, got, problems)
		}
	}
}

func TestGlobalsThatAreIgnored(t *testing.T) {
	t.Parallel()
	const globals = "Globals: {Function: {Runtime: python3.13, Layers: [x], Environment: {Variables: {G: g}}}}\n"
	for ignored, want := range map[string]string{"'*'": " true 0", "[Environment]": "python3.13 false 0", "[Layers, Runtime]": " true 1", "[]": "python3.13 false 1"} {
		function := read(t, globals+"Resources: {Fn: {Type: AWS::Serverless::Function, IgnoreGlobals: "+ignored+"}}", template.Options{})
		if got := fmt.Sprint(function.Runtime, " ", function.NoLayer, " ", len(function.Variables)); got != want {
			t.Errorf("%s: got %s, want %s", ignored, got, want)
		}
	}
}

func TestWhereTheCodeLies(t *testing.T) {
	t.Parallel()
	for properties, want := range map[string]string{
		"Properties: {CodeUri: src}": "src", "Properties: {Code: src}": "src", "Properties: {CodeUri: {Bucket: b}}": "", "Properties: {Code: {S3Bucket: b}}": "",
		"Properties: {Code: {S3Bucket: b}}, Metadata: {'aws:asset:path': asset.1}": "asset.1", "Properties: {Code: {ZipFile: x}}": "inline", "Properties: {InlineCode: x}": "inline",
	} {
		function := read(t, "Resources: {Fn: {Type: AWS::Serverless::Function, "+properties+"}}", template.Options{})
		if got := function.Code; got != want && !(want == "inline" && function.Inline && got == "") {
			t.Errorf("%s: got %q, want %q", properties, got, want)
		}
	}
}

func TestValuesForNothing(t *testing.T) {
	t.Parallel()
	values := map[string]string{"Stgae": "x", "Table": "x", "AWS::StackName": "x", "Db.Arn": "x", "export": "x", "elsewhere": "x"}
	parsed, _ := template.Parse("t", []byte(one("!ImportValue export")), template.Options{Values: values})
	_, _ = parsed.Function("")
	got := parsed.Misnamed()
	if len(got) != 2 || got[0].Hint != "did you mean Stage?" || !strings.Contains(got[1].Cause, `"elsewhere"`) {
		t.Errorf("got %v", got)
	}
}

func TestTextsThatStandForTooMuch(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 60000)
	for _, value := range []string{
		"!Sub ['" + strings.Repeat("${b}", 20000) + "', {b: " + long + "}]",
		"!Join ['', [" + strings.Repeat(long+", ", 3) + "x]]",
		"!Join ['', !Split ['x', " + long + long + "]]",
	} {
		function := read(t, one(value), template.Options{})
		if got := function.Variables[0]; got.Unresolved != "too long a text" || len(got.Value) > 1<<20 {
			t.Errorf("depends on %q, %d bytes", got.Unresolved, len(got.Value))
		}
	}
}

func TestManyValuesThatStandForTooMuch(t *testing.T) {
	t.Parallel()
	var data strings.Builder
	data.WriteString("Parameters: {P: {Type: String, Default: " + strings.Repeat("x", 30000) + "}}\nResources:\n  Fn:\n    Type: AWS::Lambda::Function\n    Properties:\n      Environment:\n        Variables:\n          A: &x !Sub '${P}${P}'\n")
	for i := range 5000 {
		fmt.Fprintf(&data, "          V%d: *x\n", i)
	}
	function := read(t, data.String(), template.Options{})
	all := 0
	for _, v := range function.Variables {
		all += len(v.Value)
	}
	if all > 8<<20 || function.Variables[5000].Unresolved == "" {
		t.Errorf("%d bytes, the last depends on %q", all, function.Variables[5000].Unresolved)
	}
}

func TestManyNamesThatAreNowhere(t *testing.T) {
	t.Parallel()
	var data strings.Builder
	data.WriteString("Parameters:\n")
	for i := range 690 {
		fmt.Fprintf(&data, "  AParameterOfThatName%d: {Type: String}\n", i)
	}
	data.WriteString("Resources:\n  Fn:\n    Type: AWS::Lambda::Function\n    Properties:\n      Environment:\n        Variables:\n")
	for i := range 5000 {
		fmt.Fprintf(&data, "          V%d: !Ref APrameterOfThatName%d\n", i, i)
	}
	variables := read(t, data.String(), template.Options{}).Variables
	if first, last := variables[0].Unresolved, variables[4999].Unresolved; !strings.Contains(first, "did you mean AParameterOfThatName0?") || last != "itself, or on too much" {
		t.Errorf("the first depends on %q, the last on %q", first, last)
	}
}

func TestAFunctionOfAMergeIsOne(t *testing.T) {
	t.Parallel()
	function := read(t, "X: &x {Fn: {Type: AWS::Lambda::Function}}\nResources: {<<: *x, Fn: {Type: AWS::Lambda::Function, Properties: {Handler: own}}}\n", template.Options{})
	if function.Handler != "own" {
		t.Errorf("got %+v", function)
	}
}

func TestNoTextOfAHiddenParameter(t *testing.T) {
	t.Parallel()
	const parameters = "Parameters: {Pw: {Type: String, NoEcho: true, Default: CANARY}}\n"
	for _, value := range []string{"!ImportValue {'Fn::Sub': '${Pw}-x'}", "!Sub '{{resolve:secretsmanager:${Pw}:SecretString:a}}'"} {
		function := read(t, parameters+"Resources: {Fn: {Type: AWS::Lambda::Function, Properties: {Environment: {Variables: {A: "+value+"}}}}}", template.Options{})
		v := function.Variables[0]
		if text := v.Unresolved + v.Hint() + v.Instead + v.Missing; strings.Contains(text, "CANARY") || text == "" {
			t.Errorf("%s: got %+v", value, v)
		}
	}
}

func TestMergesWithoutEnd(t *testing.T) {
	t.Parallel()
	var data strings.Builder
	data.WriteString("X0: &x0 {A: a}\n")
	for i := range 40 {
		fmt.Fprintf(&data, "X%d: &x%d {<<: [*x%d, *x%d]}\n", i+1, i+1, i, i)
	}
	data.WriteString("Resources: {Fn: {Type: AWS::Lambda::Function, Properties: {Environment: {Variables: {<<: *x40, B: b}}}}}\n")
	if got := read(t, data.String(), template.Options{}).Variables; got[0].Name != "B" {
		t.Errorf("got %v", got)
	}
}

func TestMergesOfMerges(t *testing.T) {
	t.Parallel()
	function := read(t, `
X: &x {A: x, B: x}
Y: &y {<<: *x, B: y, C: y}
Z: &z {D: z}
Resources:
  Fn:
    Type: AWS::Lambda::Function
    Properties:
      Environment: {Variables: {<<: [*z, *y], D: own}}
`, template.Options{})
	got := ""
	for _, v := range function.Variables {
		got += v.Name + "=" + v.Value + " "
	}
	if got != "D=own B=y C=y A=x " {
		t.Errorf("got %s", got)
	}
}

func TestHints(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"!Ref Bare": "--parameter Bare=VALUE", "!Sub '${Random}'": "--parameter Random=VALUE", "!GetAtt Table.Arn": "--parameter Table.Arn=VALUE",
		"!ImportValue x": "--parameter x=VALUE", "!Sub 'x${AWS::AccountId}'": "--parameter AWS::AccountId=VALUE", "!Cidr [a]": "a deployment alone",
		"!Ref Stge": "correct the name", "off": "quote the value", "'{{resolve:ssm:x}}'": "a deployment alone", "'{{resolve:secretsmanager:x}}'": "keep one of them",
		"{{secretsmanager://a}}": "quote one that begins with a brace", "!Join ['', [!Ref Stage, !Base64 x]]": "a deployment alone",
		"!Join ['', [!Ref AWS::NoValue]]": "a deployment alone", "!FindInMap [Names, !Ref AWS::Region, x]": "a deployment alone",
	} {
		if got := read(t, one(value), template.Options{Region: "eu-west-1"}).Variables[0].Hint(); !strings.Contains(got, want) {
			t.Errorf("%s: got %q", value, got)
		}
	}
}

func TestAHintThatIsFollowedHelps(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"!Ref Bare", "!Sub '${Random}'", "!GetAtt Random.Id", "!GetAtt Table.Id", "!GetAtt Table.Arn", "!ImportValue x", "!Ref AWS::AccountId", "!Ref AWS::Region"} {
		missing := read(t, one(value), template.Options{}).Variables[0].Missing
		again := read(t, one(value), template.Options{Values: map[string]string{missing: "given"}}).Variables[0]
		if again.Unresolved != "" || again.Value != "given" {
			t.Errorf("%s with %s: got %+v", value, missing, again)
		}
	}
}

func TestSecretsThatTheTemplateMakes(t *testing.T) {
	t.Parallel()
	parsed, _ := template.Parse("t", []byte(one("!Ref Attached")), template.Options{})
	if _, problems := parsed.Function(""); len(problems) > 0 || !parsed.Makes("dev/made") || parsed.Makes("prod/db") {
		t.Errorf("makes dev/made: %t, prod/db: %t, %v", parsed.Makes("dev/made"), parsed.Makes("prod/db"), problems)
	}
}

func TestAliases(t *testing.T) {
	t.Parallel()
	function := read(t, `
X: &shared {A: a, B: b}
Resources:
  Fn:
    Type: AWS::Lambda::Function
    Properties:
      Environment: {Variables: {<<: *shared, B: own}}
`, template.Options{})
	got := ""
	for _, v := range function.Variables {
		got += v.Name + "=" + v.Value + " "
	}
	if got != "B=own A=a " {
		t.Errorf("got %s", got)
	}
}

func TestAliasesThatStandForTooMuch(t *testing.T) {
	t.Parallel()
	var data strings.Builder
	data.WriteString("X0: &x0 ''\n")
	for i := range 30 {
		fmt.Fprintf(&data, "X%d: &x%d !Join ['', [*x%d, *x%d, *x%d]]\n", i+1, i+1, i, i, i)
	}
	data.WriteString("Resources: {Fn: {Type: AWS::Lambda::Function, Properties: {Environment: {Variables: {A: *x30}}}}}\n")
	function := read(t, data.String(), template.Options{})
	if reason := function.Variables[0].Unresolved; reason != "itself, or on too much" {
		t.Errorf("depends on %q", reason)
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	const function = "{Type: AWS::Lambda::Function, Properties: {Environment: {Variables: {A: a}}}}"
	tests := []struct{ name, data, id, want, hint string }{
		{"an empty file", "", "", "t:1: the file is no template", "Resources"},
		{"a text", "hello", "", "t:1: the file is no template", ""},
		{"no YAML", "a: b: c", "", "t:1: a colon stands where none may", ""},
		{"no JSON", "{\n\"A\": 1\n\"B\": 2}", "", "t:3: is not valid JSON", "comma"},
		{"no resources", "A: 1", "", "t: the template has no function", "AWS::Serverless::Function or AWS::Lambda::Function"},
		{"no function", "Resources: {A: {Type: AWS::SNS::Topic}, B: 1, C: []}", "", "t: the template has no function", ""},
		{"several functions", "Resources: {One: " + function + ", Two: " + function + "}", "", "t: the template has 2 functions", "choose one with --function: One, Two"},
		{"a function that is near", "Resources: {Fetch: " + function + "}", "Ftech", `t: the template has no function "Ftech"`, "did you mean Fetch?"},
		{"a function that is not there", "Resources: {Fetch: " + function + "}", "X", `t: the template has no function "X"`, "its functions are Fetch"},
		{"several functions of one beginning", "Resources: {FnA1: " + function + ", FnB2: " + function + "}", "Fn", `t: 2 functions begin with "Fn"`, "choose one with --function: FnA1, FnB2"},
		{"a variable twice", "Resources:\n  Fn:\n    Type: AWS::Lambda::Function\n    Properties:\n      Environment: {Variables: {A: a,\n B: b,\n A: c}}", "", "t:7: A: is given twice", "keep one"},
		{"a second document", "Resources: {}\n---\nResources: {}\n", "", "t:2: a second document begins", "remove"},
		{
			"variables of a macro", "Resources: {Fn: {Type: AWS::Lambda::Function, Properties: {Environment: !ImportValue x}}}", "",
			"t:1: the variables of Fn are known after a deployment only: Fn::ImportValue x", "write them out",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			parsed, problems := template.Parse("t", []byte(test.data), template.Options{})
			if len(problems) == 0 {
				_, problems = parsed.Function(test.id)
			}
			if len(problems) != 1 || !strings.HasPrefix(problems[0].Error(), test.want) || !strings.Contains(problems[0].Hint, test.hint) || problems[0].Hint == "" {
				t.Errorf("got %v (%s)", problems, problems[0].Hint)
			}
		})
	}
}

func TestDynamicSecret(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdE1"
	tests := []struct{ value, want string }{
		{"plain", ""},
		{"secretsmanager://prod/db", ""},
		{"'{{resolve:ssm:/path}}'", ""},
		{"'x{{resolve:secretsmanager:prod/db:SecretString:password}hunter2'", "{{secretsmanager://NAME#FIELD}}"},
		{"'{{resolve:secretsmanager:prod/db:SecretString:hunter2 x}}'", "secretsmanager://NAME#FIELD"},
		{"'{{resolve:secretsmanager:prod/db}}'", "secretsmanager://prod/db"},
		{"'{{resolve:secretsmanager:prod/db:SecretString:password}}'", "secretsmanager://prod/db#password"},
		{"'{{resolve:secretsmanager:prod/db:SecretString:password:AWSPREVIOUS:}}'", "secretsmanager://prod/db?stage=AWSPREVIOUS#password"},
		{"'{{resolve:secretsmanager:prod/db:SecretString:::v1}}'", "secretsmanager://prod/db?version=v1"},
		{"'x{{resolve:secretsmanager:" + arn + ":SecretString:password}}y'", "{{secretsmanager://" + arn + "#password}}"},
		{"'{{resolve:secretsmanager:" + arn + "}}'", "secretsmanager://" + arn},
		{"!Sub '{{resolve:secretsmanager:${Stage}/db:SecretString:password}}'", "secretsmanager://dev/db#password"},
		{"!Sub '{{resolve:secretsmanager:${Random}:SecretString:password}}'", "secretsmanager://NAME#FIELD"},
		{"!Join ['', ['{{resolve:secretsmanager:', !Ref Random, ':SecretString:password::}}']]", "secretsmanager://NAME#FIELD"},
		{"'{{resolve:secretsmanager:'", "secretsmanager://NAME#FIELD"},
	}
	for _, test := range tests {
		function := read(t, one(test.value), template.Options{})
		got := function.Variables[0]
		if got.Instead != test.want || strings.Contains(got.Value, "resolve") || strings.Contains(test.value, "resolve") != (got.Unresolved != "") {
			t.Errorf("%s: got %+v, want %q", test.value, got, test.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"!Ref Stage", "!Sub '${Stage}${X.Y}'", "!If [IsProd, a, b]", "!Join ['', [a, !Select [0, [b]]]]", "&a {<<: *a}", "{Ref: [x]}", "!Sub"} {
		f.Add([]byte(one(seed)))
	}
	f.Add([]byte(`{"Resources":{"F":{"Type":"AWS::Lambda::Function","Properties":{"Environment":{"Variables":{"A":{"Ref":null}}}}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		parsed, problems := template.Parse("t", data, template.Options{Region: "eu-west-1"})
		if len(problems) == 0 {
			var function template.Function
			function, problems = parsed.Function("")
			for _, v := range function.Variables {
				if len(v.Value) > 1<<20 {
					t.Errorf("%d bytes", len(v.Value))
				}
			}
		}
		for _, p := range problems {
			if p.Cause == "" || p.Hint == "" {
				t.Errorf("incomplete: %+v", *p)
			}
		}
	})
}
