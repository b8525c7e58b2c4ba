package deliver_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"secretwrap/internal/deliver"
	"secretwrap/internal/environ"
	"secretwrap/internal/problem"
)

// maxSecret is how many bytes Secrets Manager takes.
const maxSecret = 65_536

// filled returns the largest object whose fields all have the same JSON.
func filled(value string) (content string, fields int) {
	var out strings.Builder
	for out.WriteByte('{'); ; fields++ {
		field := fmt.Sprintf(`"f%d":%s,`, fields, value)
		if out.Len()+len(field) > maxSecret {
			return strings.TrimSuffix(out.String(), ",") + "}", fields
		}
		out.WriteString(field)
	}
}

func TestAsManyFieldsAsFitASecretAreExploded(t *testing.T) {
	content, fields := filled("7")
	got := configuration{envFrom: []string{"s"}, sources: secrets("s", content)}.deliver(t)
	if last := got.Variables[fields-1]; fields < 5000 || len(got.Variables) != fields || last.Name != fmt.Sprint("f", fields-1) {
		t.Errorf("%d fields give %d variables", fields, len(got.Variables))
	}
}

func TestAsManyFieldsAsFitASecretMoveToFilesAndAreMadeAgain(t *testing.T) {
	content, fields := filled(`"\u0000"`)
	for name, c := range map[string]configuration{
		"a whole secret": {envFrom: []string{"s"}, sources: secrets("s", content)},
		"a part of one":  {envFrom: []string{"s#in"}, sources: secrets("s", `{"in":`+content+`}`)},
	} {
		t.Run(name, func(t *testing.T) {
			p := c.plan(t)
			var first, again deliver.Delivery
			took := allocated(func() { first = c.deliver(t) }) + allocated(func() { again, _ = deliver.Files(first.Copies, c.sourcesOf(p)) })
			if fields < 3900 || len(first.Files) != fields || len(again.Files) != fields {
				t.Errorf("%d fields give %d files, and then %d", fields, len(first.Files), len(again.Files))
			}
			if most := uint64(64 << 20); took > most {
				t.Errorf("they take %d bytes of memory: the document is read for each field", took)
			}
		})
	}
}

// allocated returns how much memory do takes.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestAFieldMovesToNoFileInTheWayOfADeclaredOne(t *testing.T) {
	for _, declaredAt := range []string{"X", "X/y", "X/y/z"} {
		problems := configuration{
			files: declared(declaredAt + "=v"), envFrom: []string{"s"}, sources: secrets("v", "value", "s", `{"X":"\u0000"}`),
		}.fails(t)
		if len(problems) != 1 || !strings.Contains(problems[0].Cause, `the file "X" is taken`) {
			t.Errorf("beside %s: %v", declaredAt, problems)
		}
	}
}

func TestASecretsAuthorCannotFloodTheLog(t *testing.T) {
	surrogates, _ := filled(`"\ud800"`)
	nuls, _ := filled(`"\u0000"`)
	long, _ := json.Marshal(map[string]string{strings.Repeat("A", 60_000): "\x00"})
	for name, c := range map[string]configuration{
		"fields that are damaged":     {envFrom: []string{"s"}, sources: secrets("s", surrogates)},
		"fields for which is no room": {envFrom: []string{"s"}, sources: secrets("s", nuls), noDir: true},
		"a field with a long name":    {envFrom: []string{"s"}, sources: secrets("s", string(long))},
	} {
		t.Run(name, func(t *testing.T) {
			problems := c.fails(t)
			size := 0
			for _, p := range problems {
				size += len(p.Error()) + len(p.Hint)
			}
			if size > 4<<10 {
				t.Errorf("%d problems of %d bytes", len(problems), size)
			}
			if last := problems[len(problems)-1]; len(problems) > 1 && !strings.HasSuffix(last.Variable, " more") {
				t.Errorf("the others are not counted: %v", last)
			}
		})
	}
}

// What a variable's name leads to when its value moves is for the operator to choose,
// not for whoever makes the value too large.
func TestAValueThatMovesSteersNoRuntime(t *testing.T) {
	for _, name := range []string{"SSL_CERT", "PYTHON_CONFIG", "GIT_CONFIG"} {
		if variable := name + "_FILE"; !environ.RunsCode(variable) {
			t.Fatalf("%s is harmless: the test sees nothing", variable)
		}
		for _, c := range []configuration{
			{environment: []string{name + "=secretsmanager://s"}},
			{env: declared(name + "=s")},
		} {
			c.sources = secrets("s", strings.Repeat("x", 40_000))
			problems := c.fails(t)
			if len(problems) != 1 || !strings.Contains(problems[0].Cause, name+"_FILE is set only where it is named") || !strings.Contains(problems[0].Hint, "?file=PATH") {
				t.Errorf("%s: %v", name, problems)
			}
		}
	}
	got := configuration{environment: []string{"GIT_CONFIG_FILE=secretsmanager://s?file"}, sources: secrets("s", "x")}.deliver(t)
	checkEqual(t, "what the operator asks for", variables(got), []string{"GIT_CONFIG_FILE=/dir/GIT_CONFIG_FILE"})
}

func TestARotationThatRenamesAllFieldsTakesLittle(t *testing.T) {
	content, _ := filled(`"\u0000"`)
	c := configuration{envFrom: []string{"s?prefix=P_"}, sources: secrets("s", content)}
	p := c.plan(t)
	copies := c.deliver(t).Copies
	c.sources = secrets("s", strings.ReplaceAll(content, `"f`, `"g`))
	var problems problem.List
	took := allocated(func() { _, problems = deliver.Files(copies, c.sourcesOf(p)) })
	if most := uint64(64 << 20); took > most {
		t.Errorf("it takes %d bytes of memory: other names are looked for", took)
	}
	if len(problems) != 6 || problems[0].Class != problem.FieldNotFound || problems[0].Secret != "s" || !strings.HasSuffix(problems[5].Variable, " more") {
		t.Errorf("%d problems: %v", len(problems), problems)
	}
}
