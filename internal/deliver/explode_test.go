package deliver_test

import (
	"slices"
	"strings"
	"testing"

	"secretwrap/internal/deliver"
	"secretwrap/internal/problem"
)

// skipped writes what each exploded secret could not give.
func skipped(d deliver.Delivery) []string {
	var list []string
	for _, s := range d.Skipped {
		list = append(list, s.Secret+": "+strings.Join(s.Names, ","))
	}
	return list
}

func TestEveryFieldOfAnExplodedSecretBecomesAVariable(t *testing.T) {
	got := configuration{
		envFrom: []string{"s"},
		sources: secrets("s", `{"A":"text","B":1.50,"C":true,"D":{"x": 1},"E":[ ],"F":null,"lower_case":"l","G":"","H":"secretsmanager://x"}`),
	}.deliver(t)
	checkEqual(t, "variables", variables(got), []string{
		"A=text", "B=1.50", "C=true", `D={"x": 1}`, "E=[ ]", "lower_case=l", "G=", "H=secretsmanager://x",
	})
	if len(got.Skipped)+len(got.Files) > 0 {
		t.Errorf("skipped %q, files %q", skipped(got), files(got))
	}
}

func TestPrefixAndUpperShapeTheNames(t *testing.T) {
	const content = `{"user":"u","api-key":"k","a.b c":"d","9":"n","ü":"x"}`
	tests := map[string]struct{ variables, skipped []string }{
		"s":                  {[]string{"user=u"}, []string{"s: api-key,a.b c,9,ü"}},
		"s?upper":            {[]string{"USER=u", "API_KEY=k", "A_B_C=d", "_=x"}, []string{"s: 9"}},
		"s?prefix=My_":       {[]string{"My_user=u", "My_9=n"}, []string{"s: My_api-key,My_a.b c,My_ü"}},
		"s?prefix=my_&upper": {[]string{"my_USER=u", "my_API_KEY=k", "my_A_B_C=d", "my_9=n", "my__=x"}, nil},
	}
	for reference, want := range tests {
		got := configuration{envFrom: []string{reference}, sources: secrets("s", content)}.deliver(t)
		checkEqual(t, reference+": variables", variables(got), want.variables)
		checkEqual(t, reference+": skipped", skipped(got), want.skipped)
	}
}

func TestWhatNoSecretsAuthorMayNameIsSkipped(t *testing.T) {
	got := configuration{
		envFrom: []string{"s", "p?prefix=LD_", "q?prefix=node_options&upper", "r?prefix=A&upper"},
		sources: secrets(
			"s", `{"NODE_OPTIONS":"x","AWS_REGION":"x","LD_PRELOAD":"x","PATH":"x","SECRETWRAP_DIR":"x","https_proxy":"x","BASH_ENV":"x","AWS_LAMBDA_RUNTIME_API":"x","FINE":"f","A=B":"x","":"x","A\u0000B":"x","A\nB":"x"}`,
			"p", `{"PRELOAD":"x"}`,
			"q", `{"":"lower case is another name"}`,
			"r", `{"WS_profile":"x"}`,
		),
	}.deliver(t)
	checkEqual(t, "variables", variables(got), []string{"node_options=lower case is another name", "FINE=f"})
	checkEqual(t, "skipped", skipped(got), []string{
		"r: AWS_PROFILE", "p: LD_PRELOAD",
		"s: NODE_OPTIONS,AWS_REGION,LD_PRELOAD,PATH,SECRETWRAP_DIR,https_proxy,BASH_ENV,AWS_LAMBDA_RUNTIME_API,A=B,,A\x00B,A\nB",
	})
}

func TestTwoFieldsNeverBecomeOneVariable(t *testing.T) {
	got := configuration{envFrom: []string{"s?upper"}, sources: secrets("s", `{"a-b":"first","A_B":"second","a.b":"third","c":"c"}`)}.deliver(t)
	checkEqual(t, "variables", variables(got), []string{"A_B=first", "C=c"})
	checkEqual(t, "skipped", skipped(got), []string{"s: A_B,A_B"})
}

func TestAFieldGivesWayToWhatIsThere(t *testing.T) {
	const content = `{"SET":"s","EMPTY":"s","DECLARED":"s","REF":"s","FILE":"s","FREE":"free"}`
	got := configuration{
		environment: []string{"SET=literal", "EMPTY=", "REF=secretsmanager://v", "FILE=secretsmanager://v?file"},
		env:         declared("DECLARED=v"), envFrom: []string{"s"},
		sources: secrets("s", content, "v", "value"),
	}.deliver(t)
	checkEqual(t, "variables", variables(got), []string{"FILE=/dir/FILE", "REF=value", "DECLARED=value", "FREE=free"})
	checkEqual(t, "skipped", skipped(got), nil)
}

func TestOfTwoExplodedSecretsTheLaterDeclaredWins(t *testing.T) {
	got := configuration{
		envFrom: []string{"first", "second"},
		sources: secrets("first", `{"A":"1","B":"1","C":"1"}`, "second", `{"B":"2","C":null}`),
	}.deliver(t)
	checkEqual(t, "variables", variables(got), []string{"B=2", "A=1", "C=1"})
}

func TestAnObjectInsideASecretIsExploded(t *testing.T) {
	got := configuration{envFrom: []string{"s?prefix=DB_&upper#db"}, sources: secrets("s", `{"db":{"user":"u"},"other":1}`)}.deliver(t)
	checkEqual(t, "variables", variables(got), []string{"DB_USER=u"})
}

func TestWhatCannotBeExploded(t *testing.T) {
	tests := map[string]struct {
		reference string
		source    deliver.Source
		class     problem.Class
		want      string
	}{
		"no JSON":                   {"s", text("CANARY"), problem.Invalid, "env_from needs a JSON object: not valid JSON"},
		"an array":                  {"s", text(`["CANARY"]`), problem.Invalid, "env_from needs a JSON object: not a JSON object"},
		"a field that is a text":    {"s#f", text(`{"f":"CANARY"}`), problem.Invalid, `path "f": env_from needs a JSON object: not valid JSON`},
		"a field that is no object": {"s#f", text(`{"f":[1]}`), problem.Invalid, `path "f": env_from needs a JSON object: not a JSON object`},
		"a key twice":               {"s", text(`{"a":1,"a":"CANARY"}`), problem.Invalid, `env_from needs a JSON object: key "a" is in one object twice`},
		"bytes that are no text":    {"s", binary("\xffCANARY"), problem.Invalid, "env_from needs a JSON object: not valid UTF-8"},
		"a path in what is no JSON": {"s#f", text("CANARY"), problem.Invalid, "cannot be read as JSON: not valid JSON"},
		"no such field":             {"s#f", text(`{"g":1}`), problem.FieldNotFound, `path "f": no such field`},
		"no such secret":            {"s", failure(problem.NotFound, "no such secret"), problem.NotFound, "no such secret"},
		"denied":                    {"s?optional", failure(problem.Denied, "access denied"), problem.Denied, "access denied"},
		"no JSON, though optional":  {"s?optional", text("CANARY"), problem.Invalid, "not valid JSON"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			problems := configuration{envFrom: []string{test.reference}, sources: map[string]deliver.Source{"s": test.source}}.fails(t)
			p := problems[0]
			if len(problems) != 1 || p.Class != test.class || p.Variable != "env_from" || p.Secret != "s" || !strings.Contains(p.Error(), test.want) {
				t.Errorf("problems %v, want %q of class %s", problems, test.want, test.class.ErrorType())
			}
			if p.Hint == "" || strings.Contains(shown(p), "CANARY") {
				t.Errorf("problem %q", shown(p))
			}
		})
	}
}

func TestOptionalToleratesASecretToExplodeThatIsAbsent(t *testing.T) {
	for reference, sources := range map[string]map[string]deliver.Source{
		"none?optional": nil,
		"s?optional#f":  secrets("s", `{"g":1}`),
	} {
		got := configuration{envFrom: []string{reference}, sources: sources}.deliver(t)
		if len(got.Variables)+len(got.Skipped) > 0 {
			t.Errorf("%s gives %q, skipped %q", reference, variables(got), skipped(got))
		}
	}
}

func TestAFieldThatIsDamagedIsAProblemOfItsVariable(t *testing.T) {
	c := configuration{envFrom: []string{"s?prefix=P_"}, sources: secrets("s", `{"a":"\ud800","b":"fine"}`)}
	problems := c.fails(t)
	if len(problems) != 1 || problems[0].Variable != "P_a" || problems[0].Path != "a" || problems[0].Class != problem.Invalid {
		t.Errorf("problems %v", problems)
	}
	c.environment = []string{"P_a=set"}
	checkEqual(t, "variables beside one that is set", variables(c.deliver(t)), []string{"P_b=fine"})
}

func TestExplodedSecretsAreSkippedInOneEntryEach(t *testing.T) {
	got := configuration{envFrom: []string{"a", "b"}, sources: secrets("a", `{"PATH":"","LD_X":""}`, "b", `{"TZ":""}`)}.deliver(t)
	if list := skipped(got); !slices.Equal(list, []string{"b: TZ", "a: PATH,LD_X"}) {
		t.Errorf("skipped %q", list)
	}
}
