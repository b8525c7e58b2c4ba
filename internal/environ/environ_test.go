package environ_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"secretwrap/internal/environ"
	"secretwrap/internal/secret"
)

const canary = "CANARY-51d07be9"

func TestOfDuplicatesTheFirstStays(t *testing.T) {
	block := environ.New([]string{"A=first", "B=2", "A=second", "A="})
	if got, want := block.Entries(), []string{"A=first", "B=2"}; !slices.Equal(got, want) {
		t.Errorf("Entries() = %q, want %q", got, want)
	}
	if block.Dropped() != 0 {
		t.Errorf("Dropped() = %d: a duplicate is no junk", block.Dropped())
	}
}

func TestAnEntryThatIsNoneIsDroppedAndCounted(t *testing.T) {
	block := environ.New([]string{"A=1", "", "junk", "=", "=value", "B="})
	if got, want := block.Entries(), []string{"A=1", "B="}; !slices.Equal(got, want) {
		t.Errorf("Entries() = %q, want %q", got, want)
	}
	if block.Dropped() != 4 {
		t.Errorf("Dropped() = %d, want 4", block.Dropped())
	}
}

func TestWhatIsInheritedPassesThroughUnchanged(t *testing.T) {
	entries := []string{
		"BASH_FUNC_greet%%=() {  echo hi\n}",
		"a.b=c=d==",
		"1=digit",
		"LD_LIBRARY_PATH=/opt/lib",
		"RAW=\x80\xff\xfe",
		"SHELL_CODE=$(rm -rf /) `id` \"'\\|*",
		"NEW\nLINE=\r\n\t",
		"_=/usr/bin/env",
	}
	if got := environ.New(entries).Entries(); !slices.Equal(got, entries) {
		t.Errorf("Entries() = %q, want %q", got, entries)
	}
}

func TestLookupTellsEmptyFromUnset(t *testing.T) {
	block := environ.New([]string{"EMPTY=", "URL=a=b"})
	for name, want := range map[string]string{"EMPTY": "", "URL": "a=b"} {
		if got, found := block.Lookup(name); got != want || !found {
			t.Errorf("Lookup(%s) = %q, %t, want %q, true", name, got, found, want)
		}
	}
	if got, found := block.Lookup("UNSET"); got != "" || found {
		t.Errorf("Lookup(UNSET) = %q, %t", got, found)
	}
}

func TestSetKeepsThePlaceOfAVariable(t *testing.T) {
	block := environ.New([]string{"A=1", "B=2", "C=3"})
	for _, name := range []string{"B", "D"} {
		if err := block.Set(name, secret.FromString("\xffnew\n")); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := block.Entries(), []string{"A=1", "B=\xffnew\n", "C=3", "D=\xffnew\n"}; !slices.Equal(got, want) {
		t.Errorf("Entries() = %q, want %q", got, want)
	}
}

func TestUnsetRemovesAVariable(t *testing.T) {
	block := environ.New([]string{"A=1", "B=2", "B=3", "C=4"})
	block.Unset("B")
	block.Unset("NOT_THERE")
	if got, want := block.Names(), []string{"A", "C"}; !slices.Equal(got, want) {
		t.Errorf("Names() = %q, want %q", got, want)
	}
	if _, found := block.Lookup("B"); found {
		t.Error("a duplicate of the removed variable is back")
	}
}

func TestChangingTheNamesDoesNotChangeTheBlock(t *testing.T) {
	block := environ.New([]string{"A=1"})
	block.Names()[0] = "B"
	if got, want := block.Entries(), []string{"A=1"}; !slices.Equal(got, want) {
		t.Errorf("Entries() = %q, want %q", got, want)
	}
}

func TestSetRefusesWhatExecveOrLambdaCannotTake(t *testing.T) {
	tests := map[string]struct{ name, value, want string }{
		"no name":                 {"", canary, `"" is not a valid name of a variable`},
		"a name with =":           {"A=B", canary, `"A=B" is not a valid name of a variable`},
		"a name with NUL":         {"A\x00", canary, `"A\x00" is not a valid name of a variable`},
		"a reserved name":         {"LD_PRELOAD", canary, "LD_PRELOAD is reserved"},
		"a value with NUL":        {"A", canary + "\x00x", "A cannot hold a NUL byte"},
		"a value that begins NUL": {"A", "\x00" + canary, "A cannot hold a NUL byte"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			block := environ.New([]string{"A=old"})
			err := block.Set(test.name, secret.FromString(test.value))
			if err == nil || err.Error() != test.want {
				t.Errorf("Set() = %v, want %s", err, test.want)
			}
			if got, want := block.Entries(), []string{"A=old"}; !slices.Equal(got, want) {
				t.Errorf("Entries() = %q, want %q", got, want)
			}
		})
	}
}

func TestPrintingABlockPrintsNoValue(t *testing.T) {
	block := environ.New([]string{"INHERITED=" + canary})
	if err := block.Set("A", secret.FromString(canary)); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		for _, subject := range []any{block, *block} {
			printed := fmt.Sprintf(format, subject)
			if strings.Contains(printed, canary) || strings.Contains(printed, fmt.Sprintf("%x", canary)) {
				t.Errorf("%s prints %s", format, printed)
			}
		}
	}
}

func FuzzABlockHoldsNothingThatExecveRefuses(f *testing.F) {
	f.Add("A=1\nA=2\n=x\njunk", "B", "value", "LD_PRELOAD", "x")
	f.Add("PATH=/bin\nLD_PRELOAD=old", "PATH", "a\x00b", "A=B", "")
	f.Add("", "", "", "AWS_SESSION_TOKEN", "\xff")
	f.Fuzz(func(t *testing.T, inherited, name1, value1, name2, value2 string) {
		entries := strings.Split(inherited, "\n")
		block := environ.New(entries)
		before := block.Entries()
		assigned := map[string]string{name1: value1, name2: value2}
		for name, value := range assigned {
			if block.Set(name, secret.FromString(value)) != nil {
				delete(assigned, name)
			}
		}

		seen := make(map[string]bool)
		for _, entry := range block.Entries() {
			name, value, found := strings.Cut(entry, "=")
			if !found || name == "" || seen[name] {
				t.Fatalf("the entry %q has no name, or one that is given twice", entry)
			}
			seen[name] = true
			want, ours := assigned[name]
			switch {
			case ours && (value != want || strings.Contains(entry, "\x00")):
				t.Errorf("the entry %q is not what was set, %q", entry, want)
			case ours && (environ.Reserved(name) || !environ.ValidName(name)):
				t.Errorf("%q was set", name)
			case !ours && !slices.Contains(before, entry):
				t.Errorf("the inherited entry %q changed", entry)
			}
		}
		for name := range assigned {
			if !seen[name] {
				t.Errorf("%q was set but is not there", name)
			}
		}
		for _, entry := range before {
			if name, _, _ := strings.Cut(entry, "="); !seen[name] {
				t.Errorf("%q was inherited but is not there", name)
			}
		}
	})
}

func TestExportSetsWhatIsReserved(t *testing.T) {
	block := environ.New([]string{"SECRETWRAP_DIR=old", "A=1"})
	block.Export("SECRETWRAP_DIR", "/tmp/new")
	if got, want := block.Entries(), []string{"SECRETWRAP_DIR=/tmp/new", "A=1"}; !slices.Equal(got, want) {
		t.Errorf("Entries() = %q, want %q", got, want)
	}
}
