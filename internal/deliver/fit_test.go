package deliver_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"secretwrap/internal/deliver"
	"secretwrap/internal/environ"
	"secretwrap/internal/problem"
)

// moved writes what went to files, and why.
func moved(d deliver.Delivery) []string {
	var list []string
	for _, m := range d.Moved {
		list = append(list, fmt.Sprintf("%s: %d bytes, %s", m.Name, m.Size, m.Why))
	}
	return list
}

func names(d deliver.Delivery) []string {
	var list []string
	for _, v := range d.Variables {
		list = append(list, v.Name)
	}
	return list
}

func TestAValueThatNoVariableCanHoldGoesToAFile(t *testing.T) {
	tests := map[string]struct {
		source   deliver.Source
		maxValue int
		why      string
	}{
		"a NUL":                         {text("a\x00b"), 0, "with a NUL byte"},
		"bytes":                         {binary("ab"), 0, "binary"},
		"more than the limit":           {text("12345"), 4, "large"},
		"more than 32 KiB":              {text(strings.Repeat("x", 32<<10+1)), 0, "large"},
		"more than one entry may have":  {text(strings.Repeat("x", environ.MaxEntry-1)), 128 << 10, "large"},
		"more than a variable can take": {text(strings.Repeat("x", 200<<10)), 128 << 10, "large"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := configuration{
				environment: []string{"A=secretsmanager://s"}, maxValue: test.maxValue, sources: map[string]deliver.Source{"s": test.source},
			}.deliver(t)
			checkEqual(t, "variables", variables(got), []string{"A_FILE=/dir/A"})
			checkEqual(t, "files", files(got), []string{"A=" + string(test.source.Value.Reveal())})
			checkEqual(t, "moved", moved(got), []string{fmt.Sprintf("A: %d bytes, %s", test.source.Value.Len(), test.why)})
		})
	}
}

func TestAValueOfExactlyTheLimitStays(t *testing.T) {
	for size, maxValue := range map[int]int{
		4:                                   4,
		32 << 10:                            32 << 10,
		environ.MaxEntry - len("A="):        128 << 10,
		environ.MaxEntry - len("A=") - 1000: 128 << 10,
	} {
		value := strings.Repeat("x", size)
		got := configuration{environment: []string{"A=secretsmanager://s"}, maxValue: maxValue, sources: secrets("s", value)}.deliver(t)
		checkEqual(t, "variables", variables(got), []string{"A=" + value})
	}
}

func TestAFieldOrATemplateMovesLikeAnyOtherValue(t *testing.T) {
	got := configuration{
		environment: []string{"T=long{{secretsmanager://s#A}}"}, envFrom: []string{"s"}, maxValue: 4, sources: secrets("s", `{"A":"\u0000","B":"12345","C":"1234"}`),
	}.deliver(t)
	checkEqual(t, "variables", variables(got), []string{"T_FILE=/dir/T", "A_FILE=/dir/A", "B_FILE=/dir/B", "C=1234"})
	checkEqual(t, "files", files(got), []string{"T=long\x00", "A=\x00", "B=12345"})
}

func TestAValueForAFileHasNoLimit(t *testing.T) {
	value := strings.Repeat("\x00", 64<<10)
	got := configuration{environment: []string{"A=secretsmanager://s?file"}, files: declared("f=s"), maxValue: 1, sources: secrets("s", value)}.deliver(t)
	checkEqual(t, "files", files(got), []string{"A=" + value, "f=" + value})
	checkEqual(t, "moved", moved(got), nil)
}

func TestWhatIsInTheWayOfAFileThatNobodyDeclared(t *testing.T) {
	tests := map[string]struct {
		c    configuration
		name string
		want string
	}{
		"NAME_FILE is set":             {configuration{environment: []string{"A=secretsmanager://s", "A_FILE="}}, "A", "A_FILE is taken"},
		"NAME_FILE is declared":        {configuration{environment: []string{"A=secretsmanager://s"}, env: declared("A_FILE=t")}, "A", "A_FILE is taken"},
		"NAME_FILE is unset":           {configuration{environment: []string{"A=secretsmanager://s", "A_FILE=secretsmanager://none?optional"}}, "A", "A_FILE is taken"},
		"NAME_FILE is a field":         {configuration{environment: []string{"A=secretsmanager://s"}, envFrom: []string{"o"}}, "A", "A_FILE is taken"},
		"NAME_FILE is another's path":  {configuration{environment: []string{"A=secretsmanager://s", "A_FILE=secretsmanager://t?file"}}, "A", "A_FILE is taken"},
		"the file is declared":         {configuration{environment: []string{"A=secretsmanager://s"}, files: declared("A=t")}, "A", `the file "A" is taken`},
		"the file is another's":        {configuration{environment: []string{"A=secretsmanager://s", "B=secretsmanager://t?file=A"}}, "A", `the file "A" is taken`},
		"the file is a directory":      {configuration{environment: []string{"A=secretsmanager://s"}, files: declared("A/b=t")}, "A", `the file "A" is taken`},
		"there is no directory":        {configuration{environment: []string{"A=secretsmanager://s"}, noDir: true}, "A", "no directory is known"},
		"NAME_FILE is reserved":        {configuration{env: declared("AWS_CONFIG=s")}, "AWS_CONFIG", "AWS_CONFIG_FILE is never set from a secret"},
		"a field's file is a declared": {configuration{envFrom: []string{"g"}, files: declared("G/x=t")}, "G", `the file "G" is taken`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.c.sources = secrets("s", "CANARY\x00", "t", "t", "o", `{"A_FILE":"x"}`, "g", `{"G":"CANARY\u0000"}`)
			problems := test.c.fails(t)
			p := problems[0]
			want := "no variable can hold the value (7 bytes, with a NUL byte), and " + test.want
			if len(problems) != 1 || p.Variable != test.name || p.Class != problem.Invalid || !strings.HasPrefix(p.Cause, want) || p.Secret == "" {
				t.Errorf("problems %q, want %q", problems, want)
			}
			if p.Hint == "" || strings.Contains(shown(p), "CANARY") {
				t.Errorf("problem %q", shown(p))
			}
		})
	}
}

func TestAFieldIsSkippedIfItsFilesVariableMayNotBeSet(t *testing.T) {
	fields := `{"AWS_SHARED_CREDENTIALS":"CANARY\u0000","SSL_CERT":"CANARY\u0000","a-b":"x","B":"b"}`
	got := configuration{envFrom: []string{"s"}, sources: secrets("s", fields)}.deliver(t)
	checkEqual(t, "variables", variables(got), []string{"B=b"})
	checkEqual(t, "files", files(got), nil)
	checkEqual(t, "skipped", skipped(got), []string{"s: a-b,AWS_SHARED_CREDENTIALS,SSL_CERT"})
}

func TestANameTooLongForAFileIsAProblemOfItsVariable(t *testing.T) {
	name := strings.Repeat("A", 300)
	problems := configuration{environment: []string{name + "=secretsmanager://s"}, sources: secrets("s", "\x00")}.fails(t)
	if len(problems) != 1 || problems[0].Variable != name || !strings.Contains(problems[0].Cause, "cannot be that of a file") {
		t.Errorf("problems %q", problems)
	}
}

func TestTheOperatorMayNameWhatASecretsAuthorMayNot(t *testing.T) {
	got := configuration{env: declared("NODE_OPTIONS=s"), sources: secrets("s", "--max-old-space-size=64")}.deliver(t)
	checkEqual(t, "variables", variables(got), []string{"NODE_OPTIONS=--max-old-space-size=64"})
}

// entrySize is what execve counts of one variable.
func entrySize(entry string) int {
	return environ.Size("", nil, []string{entry}) - environ.Size("", nil, nil)
}

func TestWhatDoesNotFitTogetherGoesToFilesLargestFirst(t *testing.T) {
	c := configuration{
		environment: []string{"S=secretsmanager://small", "L=secretsmanager://large", "M=secretsmanager://middle", "F=secretsmanager://small?file=f"},
		sources:     secrets("small", strings.Repeat("s", 100), "middle", strings.Repeat("m", 200), "large", strings.Repeat("l", 300)),
	}
	entry := map[string]int{
		"F": entrySize("F=/dir/f"), "S": entrySize("S=" + strings.Repeat("s", 100)), "M": entrySize("M=" + strings.Repeat("m", 200)), "L": entrySize("L=" + strings.Repeat("l", 300)),
	}
	file := entrySize("L_FILE=/dir/L")
	tests := map[string]struct {
		room int
		want []string
	}{
		"room for all":               {entry["F"] + entry["S"] + entry["L"] + entry["M"], []string{"F", "S", "L", "M"}},
		"a byte too little":          {entry["F"] + entry["S"] + entry["L"] + entry["M"] - 1, []string{"F", "S", "L_FILE", "M"}},
		"room without the largest":   {entry["F"] + entry["S"] + file + entry["M"], []string{"F", "S", "L_FILE", "M"}},
		"a byte less":                {entry["F"] + entry["S"] + file + entry["M"] - 1, []string{"F", "S", "L_FILE", "M_FILE"}},
		"room for the smallest":      {entry["F"] + entry["S"] + 2*file, []string{"F", "S", "L_FILE", "M_FILE"}},
		"room for none":              {entry["F"] + entry["S"] + 2*file - 1, []string{"F", "S_FILE", "L_FILE", "M_FILE"}},
		"room for files and no byte": {entry["F"] + 3*file, []string{"F", "S_FILE", "L_FILE", "M_FILE"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c.room = test.room
			got := c.deliver(t)
			checkEqual(t, "variables", names(got), test.want)
			used := 0
			for _, v := range variables(got) {
				used += entrySize(v)
			}
			if used > test.room {
				t.Errorf("the variables take %d bytes of %d", used, test.room)
			}
			for _, m := range got.Moved {
				if m.Why != "too much beside the others" {
					t.Errorf("moved %+v", m)
				}
			}
		})
	}
	c.room = entry["F"] + 3*file - 1
	problems := c.fails(t)
	if len(problems) != 1 || problems[0].Class != problem.Invalid || !strings.Contains(problems[0].Cause, "1 bytes larger than") || problems[0].Hint == "" {
		t.Errorf("problems %v", problems)
	}
}

func TestPathsOfDeclaredFilesTakeRoomToo(t *testing.T) {
	var environment []string
	for i := range 100 {
		environment = append(environment, fmt.Sprintf("F%d=secretsmanager://s?file=a/path/that/is/long/%d", i, i))
	}
	problems := configuration{environment: environment, sources: secrets("s", "x"), room: 1000}.fails(t)
	if len(problems) != 1 || problems[0].Class != problem.Invalid {
		t.Errorf("problems %v", problems)
	}
}

func TestAValueThatAFileWouldNotMakeSmallerStays(t *testing.T) {
	c := configuration{environment: []string{"A=secretsmanager://s", "B=secretsmanager://t"}, sources: secrets("s", "x", "t", strings.Repeat("y", 50))}
	c.room = entrySize("A=x") + entrySize("B_FILE=/dir/B")
	checkEqual(t, "variables", variables(c.deliver(t)), []string{"A=x", "B_FILE=/dir/B"})
	c.room--
	c.fails(t)
}

func TestTheEnvironmentThatIsInheritedIsNotTouched(t *testing.T) {
	inherited := []string{"A=1", "LD_LIBRARY_PATH=/opt/lib", "x.y=z"}
	c := configuration{environment: append(slices.Clone(inherited), "S=secretsmanager://s"), sources: secrets("s", "v")}
	p := c.plan(t)
	block := c.inherited(p)
	if _, problems := deliver.Deliver(p, []deliver.Source{text("v")}, block, ample); len(problems) > 0 {
		t.Fatal(problems)
	}
	checkEqual(t, "inherited", block.Entries(), inherited)
}
