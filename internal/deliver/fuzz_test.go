package deliver_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"secretwrap/internal/deliver"
	"secretwrap/internal/environ"
)

// FuzzDeliver holds what a program can rely on, whatever a secret holds: every
// variable is one that execve takes, nobody but the operator names what steers a
// runtime, and what is delivered is what the secret holds.
func FuzzDeliver(f *testing.F) {
	f.Add("raw\x00", `{"NODE_OPTIONS":"x","AWS_CONFIG":"\u0000","fine":"é","n":1.50,"A_FILE":"x"}`, "", true, uint16(100), uint16(400))
	f.Add("raw", `{"PRELOAD":"x","a-b":1,"a.b":2,"":null}`, "LD_", false, uint16(3), uint16(60000))
	f.Add(strings.Repeat("x", 300), `{"OPTIONS":"x","A":{"b":[1, 2]}}`, "NODE_", true, uint16(4000), uint16(200))
	f.Fuzz(func(t *testing.T, raw, document, prefix string, upper bool, maxValue, room uint16) {
		explosion := "s?optional"
		if prefix != "" && environ.ValidName(prefix) {
			explosion += "&prefix=" + prefix
		} else {
			prefix = ""
		}
		if upper {
			explosion += "&upper"
		}
		c := configuration{
			environment: []string{"SET=literal", "A=secretsmanager://raw", "T=<{{secretsmanager://raw}}>", "F=secretsmanager://raw?file=f"},
			envFrom:     []string{explosion},
			maxValue:    int(maxValue) + 1,
			room:        int(room) + 1,
			sources:     secrets("raw", raw, "s", document),
		}
		d, problems := c.run(t)
		for _, p := range problems {
			if p.Cause == "" || p.Hint == "" || p.Class == 0 {
				t.Errorf("incomplete: %+v", *p)
			}
		}
		if len(problems) > 0 {
			return
		}
		checkEnvironment(t, c, d)
		checkContent(t, d, map[string]string{"A": raw, "T": "<" + raw + ">"}, fieldsOf(document, prefix, upper))
	})
}

// checkEnvironment checks the names, and what the program would be given.
func checkEnvironment(t *testing.T, c configuration, d deliver.Delivery) {
	t.Helper()
	block := c.inherited(c.plan(t))
	before := len(block.Names())
	size := 0
	for _, v := range d.Variables {
		if err := block.Set(v.Name, v.Value); err != nil {
			t.Errorf("%q cannot be set: %v", v.Name, err)
		}
		if environ.Reserved(v.Name) || environ.RunsCode(v.Name) {
			t.Errorf("%s is set from a secret", v.Name)
		}
		if v.Name == "SET" {
			t.Error("a variable that is set is set again")
		}
		size += entrySize(v.Name + "=" + string(v.Value.Reveal()))
	}
	if got := len(block.Names()) - before; got != len(d.Variables) {
		t.Errorf("%d variables have %d names", len(d.Variables), got)
	}
	if size > c.room {
		t.Errorf("the variables take %d bytes of %d", size, c.room)
	}
	for _, entry := range block.Entries() {
		if strings.Contains(entry, "\x00") || len(entry) > environ.MaxEntry {
			t.Errorf("execve does not take %q", entry)
		}
	}
}

// checkContent checks that each variable, or the file that it moved to, holds
// exactly what was wanted.
func checkContent(t *testing.T, d deliver.Delivery, wanted ...map[string]string) {
	t.Helper()
	contents := make(map[string]string)
	for _, file := range d.Files {
		if _, taken := contents["/dir/"+file.Path]; taken {
			t.Errorf("the file %q is written twice", file.Path)
		}
		contents["/dir/"+file.Path] = string(file.Content.Reveal())
	}
	for _, v := range d.Variables {
		name, got := v.Name, string(v.Value.Reveal())
		if content, isPath := contents[got]; isPath && strings.HasPrefix(got, "/dir/"+strings.TrimSuffix(name, "_FILE")) {
			name, got = strings.TrimSuffix(name, "_FILE"), content
		}
		for _, want := range wanted {
			if value, known := want[name]; known && got != value {
				t.Errorf("%s is %q, want %q", name, got, value)
			}
		}
	}
}

// fieldsOf reads a document with another parser, leaving out names that two
// fields have.
func fieldsOf(document, prefix string, upper bool) map[string]string {
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(document), &members) != nil {
		return nil
	}
	fields := make(map[string]string)
	twice := make(map[string]bool)
	for field, raw := range members {
		name := field
		if upper {
			name = environ.Upper(name)
		}
		name = prefix + name
		if _, known := fields[name]; known {
			twice[name] = true
		}
		fields[name] = string(bytes.TrimSpace(raw))
		var text string
		if raw[0] == '"' && json.Unmarshal(raw, &text) == nil {
			fields[name] = text
		}
	}
	for name := range twice {
		delete(fields, name)
	}
	for _, declared := range []string{"A", "T", "F", "SET"} {
		delete(fields, declared)
	}
	return fields
}
