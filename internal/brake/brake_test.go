package brake_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"secretwrap/internal/brake"
	"secretwrap/internal/problem"
)

func noteOf(classes ...problem.Class) brake.Note {
	note := brake.Note{Plan: "plan", Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	for _, class := range classes {
		note.Problems = append(note.Problems, &problem.Problem{
			Class: class, Source: "m.yaml", Line: 3, Variable: "A", Secret: "prod/db", Path: "p", Cause: "a cause", Hint: "a hint",
		})
	}
	return note
}

func TestANoteHoldsForFiveSeconds(t *testing.T) {
	tests := map[string]struct {
		age  time.Duration
		want bool
	}{
		"at once":               {0, true},
		"after a second":        {time.Second, true},
		"just before the end":   {brake.Duration - 1, true},
		"at the end":            {brake.Duration, false},
		"after an hour":         {time.Hour, false},
		"out of the future":     {-1, false},
		"out of the far future": {-time.Hour, false},
	}
	note := noteOf(problem.Denied)
	for name, test := range tests {
		if got := note.Holds("plan", note.Time.Add(test.age)); got != test.want {
			t.Errorf("%s: %t, want %t", name, got, test.want)
		}
	}
	if note.Holds("another plan", note.Time) || note.Holds("", note.Time) {
		t.Error("the note holds for another plan")
	}
}

func TestANoteHoldsOnlyForWhatDoesNotPass(t *testing.T) {
	lasting := []problem.Class{problem.Denied, problem.NotFound, problem.FieldNotFound, problem.Invalid}
	for class := problem.Config; class <= problem.NoProgram; class++ {
		want := slices.Contains(lasting, class)
		note := noteOf(class)
		if got := note.Holds(note.Plan, note.Time); got != want {
			t.Errorf("%s: %t, want %t", class.ErrorType(), got, want)
		}
		note = noteOf(problem.Denied, class, problem.NotFound)
		if got := note.Holds(note.Plan, note.Time); got != want {
			t.Errorf("%s among others: %t, want %t", class.ErrorType(), got, want)
		}
	}
}

func TestANoteIsReadAsItWasWritten(t *testing.T) {
	b := brake.Brake{Path: filepath.Join(t.TempDir(), "note")}
	if _, found := b.Read(); found {
		t.Error("a note before any was written")
	}
	for _, note := range []brake.Note{noteOf(problem.Denied, problem.Invalid), noteOf(problem.Timeout)} {
		if err := b.Write(note); err != nil {
			t.Fatal(err)
		}
		got, found := b.Read()
		if !found || !reflect.DeepEqual(got, note) {
			t.Errorf("read %+v, %t, want %+v", got, found, note)
		}
	}
	info, err := os.Stat(b.Path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %o, want 600", info.Mode().Perm())
	}
	checkAlone(t, b)
}

func TestANoteOfTheClockIsComparedByTheWall(t *testing.T) {
	b := brake.Brake{Path: filepath.Join(t.TempDir(), "note")}
	note := noteOf(problem.Denied)
	note.Time = time.Now()
	if err := b.Write(note); err != nil {
		t.Fatal(err)
	}
	got, found := b.Read()
	if !found || !got.Time.Equal(note.Time.Round(0)) || !got.Holds(note.Plan, note.Time.Add(time.Second)) {
		t.Errorf("read %+v, %t, want %+v", got, found, note)
	}
}

func TestANoteAboutManyProblemsIsRead(t *testing.T) {
	b := brake.Brake{Path: filepath.Join(t.TempDir(), "note")}
	if err := b.Write(noteOf(slices.Repeat([]problem.Class{problem.Denied}, 1000)...)); err != nil {
		t.Fatal(err)
	}
	if got, found := b.Read(); !found || len(got.Problems) != 1000 {
		t.Errorf("read %d problems, %t", len(got.Problems), found)
	}
}

func TestWhatIsNoNoteIsNotBelieved(t *testing.T) {
	const problems = `{"Plan":"p","Time":"2026-03-01T12:00:00Z","Problems":`
	tests := map[string]string{
		"nothing":                 "",
		"garbage":                 "\x00\xff",
		"another JSON":            `"note"`,
		"null":                    "null",
		"an array":                "[]",
		"no problems":             `{"Plan":"p","Time":"2026-03-01T12:00:00Z"}`,
		"null for problems":       problems + `null}`,
		"an empty list":           problems + `[]}`,
		"null for a problem":      problems + `[null]}`,
		"null beside a problem":   problems + `[{"Class":2,"Cause":"x"},null]}`,
		"a problem of no cause":   problems + `[{"Class":2,"Variable":"A"}]}`,
		"a problem of no class":   problems + `[{"Cause":"x"}]}`,
		"an unknown class":        problems + `[{"Class":99,"Cause":"x"}]}`,
		"a class beyond all":      problems + `[{"Class":999,"Cause":"x"}]}`,
		"a class below all":       problems + `[{"Class":-1,"Cause":"x"}]}`,
		"a text for a class":      problems + `[{"Class":"Denied","Cause":"x"}]}`,
		"a time that is none":     `{"Plan":"p","Time":"soon","Problems":[{"Class":2,"Cause":"x"}]}`,
		"a note that is cut off":  problems + `[{"Class":2,"Cause":"x"}]`,
		"a note, then more":       problems + `[{"Class":2,"Cause":"x"}]}}`,
		"a note that is too long": problems + `[{"Class":2,"Cause":"` + strings.Repeat("x", 2<<20) + `"}]}`,
	}
	for name, content := range tests {
		t.Run(name, func(t *testing.T) {
			b := brake.Brake{Path: filepath.Join(t.TempDir(), "note")}
			if err := os.WriteFile(b.Path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if note, found := b.Read(); found {
				t.Errorf("believed: %+v", note)
			}
		})
	}
}

const believed = `{"Plan":"p","Time":"2026-03-01T12:00:00Z","Problems":[{"Class":2,"Cause":"x"}]}`

func TestANoteOfAnyoneElseIsNotBelieved(t *testing.T) {
	plant := map[string]func(path string) error{
		"a file that the group writes": func(path string) error { return plantFile(path, 0o620) },
		"a file that all write":        func(path string) error { return plantFile(path, 0o602) },
		"a link": func(path string) error {
			return errorOf(plantFile(path+".real", 0o600), os.Symlink(path+".real", path))
		},
		"a link to nothing": func(path string) error { return os.Symlink(path+".none", path) },
		"a FIFO":            func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"a directory":       func(path string) error { return os.Mkdir(path, 0o700) },
	}
	if os.Geteuid() == 0 {
		plant["another user's file"] = func(path string) error {
			return errorOf(plantFile(path, 0o600), os.Chown(path, 65534, 65534))
		}
	}
	for name, plant := range plant {
		t.Run(name, func(t *testing.T) {
			b := brake.Brake{Path: filepath.Join(t.TempDir(), "note")}
			if err := plant(b.Path); err != nil {
				t.Fatal(err)
			}
			if note, found := b.Read(); found {
				t.Errorf("believed: %+v", note)
			}
		})
	}
	b := brake.Brake{Path: filepath.Join(t.TempDir(), "note")}
	if err := plantFile(b.Path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, found := b.Read(); !found {
		t.Error("a file of our own that others may read is not believed: the test plants no note")
	}
}

func plantFile(path string, mode os.FileMode) error {
	return errorOf(os.WriteFile(path, []byte(believed), 0o600), os.Chmod(path, mode))
}

func errorOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestWriteReplacesWhatStandsThereWithoutFollowingIt(t *testing.T) {
	directory := t.TempDir()
	b := brake.Brake{Path: filepath.Join(directory, "note")}
	target := filepath.Join(t.TempDir(), "precious")
	for name, plant := range map[string]func() error{
		"a link": func() error {
			return errorOf(os.WriteFile(target, []byte("precious"), 0o600), os.Symlink(target, b.Path))
		},
		"a FIFO": func() error { return syscall.Mkfifo(b.Path, 0o600) },
		"a file": func() error { return os.WriteFile(b.Path, nil, 0o666) },
	} {
		if err := errorOf(os.RemoveAll(b.Path), plant(), b.Write(noteOf(problem.Denied))); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, found := b.Read(); !found {
			t.Errorf("%s: the note is not there", name)
		}
		checkAlone(t, b)
	}
	if content, err := os.ReadFile(target); err != nil || string(content) != "precious" {
		t.Errorf("what the link led to holds %q, %v", content, err)
	}
}

func TestAWriteThatFailsLeavesNothingBehind(t *testing.T) {
	b := brake.Brake{Path: filepath.Join(t.TempDir(), "note")}
	if err := os.Mkdir(b.Path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := b.Write(noteOf(problem.Denied)); err == nil {
		t.Error("a directory was replaced")
	}
	checkAlone(t, b)
	missing := brake.Brake{Path: filepath.Join(t.TempDir(), "none", "note")}
	if err := missing.Write(noteOf(problem.Denied)); err == nil {
		t.Error("a note in a directory that does not exist")
	}
}

// checkAlone checks that nothing but the note lies in its directory.
func checkAlone(t *testing.T, b brake.Brake) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(b.Path))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 {
		t.Errorf("beside the note lies something: %v", entries)
	}
}

// FuzzRead gives a note any content: what is read of it is a list of problems that
// can be told.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"Plan":"p","Time":"2026-03-01T12:00:00Z","Problems":[{"Class":2,"Variable":"A","Secret":"prod/db","Cause":"access denied"}]}`))
	f.Add([]byte(`{"Plan":"p","Problems":[{"Class":3,"Secret":"arn:aws:secretsmanager:"},null]}`))
	f.Add([]byte(`{"Problems":[{"Class":-1}]}`))
	f.Add([]byte(`{"Problems":[{"Class":2}]}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, content []byte) {
		b := brake.Brake{Path: filepath.Join(t.TempDir(), "note")}
		if err := os.WriteFile(b.Path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		note, found := b.Read()
		if !found {
			return
		}
		for _, p := range note.Problems {
			if p.Class.ErrorType() == "" || p.Class.Status() == 0 {
				t.Errorf("a problem of class %d is believed", p.Class)
			}
		}
		if len(note.Problems) == 0 || note.Problems.Error() == "" {
			t.Error("a note without a problem is believed")
		}
		if text := note.Problems.Public(4096); len(text) > 4096 {
			t.Errorf("%d bytes for the caller", len(text))
		}
		if note.Holds(note.Plan, note.Time.Add(-1)) || note.Holds(note.Plan, note.Time.Add(brake.Duration)) {
			t.Error("the note holds out of its time")
		}
	})
}
