package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// requested returns a command line without fault, with changes at its end, which
// prevail.
func requested(changes ...string) []string {
	return append([]string{"-regions", "eu-west-1", "-variants", "managed", "-architectures", "x86_64 arm64"}, changes...)
}

func TestWhatIsWrongIsSaidBeforeAnythingRuns(t *testing.T) {
	tests := map[string]struct {
		args []string
		want []string
	}{
		"no region":               {requested("-regions", " "), []string{"REGIONS names no region"}},
		"half a region":           {requested("-regions", "eu-west-1,eu-west"), []string{`REGIONS: "eu-west" is no region`}},
		"option for a region":     {requested("-regions", "--debug"), []string{`"--debug" is no region`}},
		"unknown variant":         {requested("-variants", "mangaed os-only"), []string{`VARIANTS: "mangaed" is none of managed, os-only, wrapper`}},
		"no variant":              {requested("-variants", ""), []string{"VARIANTS is empty"}},
		"Go's architecture":       {requested("-architectures", "amd64"), []string{`"amd64" is none of x86_64, arm64`}},
		"no architecture":         {requested("-architectures", ","), []string{"ARCHITECTURES is empty"}},
		"name with a blank":       {requested("-name", "my layer"), []string{`LAYER_NAME is "my layer"`}},
		"no name":                 {requested("-name", ""), []string{`LAYER_NAME is ""`}},
		"root for organization":   {requested("-organization", "r-a1b2"), []string{`ORGANIZATION is "r-a1b2"`}},
		"short organization":      {requested("-organization", "o-short"), []string{`ORGANIZATION is "o-short"`}},
		"everybody as account":    {requested("-accounts", "*"), []string{`ACCOUNTS: "*" is no account ID`}},
		"account of 11 digits":    {requested("-accounts", "123456789012 12345678901"), []string{`"12345678901" is no account ID`}},
		"parameters without root": {requested("-parameters", "secretwrap/layer"), []string{`SSM_PREFIX is "secretwrap/layer"`}},
		"parameters with end":     {requested("-parameters", "/secretwrap/"), []string{`without a / at its end`}},
		"parameters of AWS":       {requested("-parameters", "/AWS/layer"), []string{"AWS keeps names"}},
		"half a confirmation":     {requested("-publish", "y"), []string{`PUBLISH is "y"`}},
		"singular":                {requested("-given", "REGIONS ARCHITECTURE AWS_PROFILE VERSION"), []string{"ARCHITECTURE is no variable of make publish"}},
		"much": {
			[]string{"-regions", "here", "-variants", "all", "-architectures", "all", "-publish", "no"},
			[]string{"REGIONS:", "VARIANTS:", "ARCHITECTURES:", "PUBLISH is"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := run(t.Context(), test.args, &out, &out)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if out.Len() > 0 {
				t.Errorf("printed %q", &out)
			}
		})
	}
}

func TestRequestsOfEveryKindAreAccepted(t *testing.T) {
	r, err := parse(requested(
		"-regions", "us-gov-west-1, us-isob-east-1 cn-north-1 cn-north-1", "-variants", "wrapper os-only managed",
		"-organization", "o-a1b2c3d4e5", "-accounts", "123456789012", "-parameters", "/team.a/layer_1", "-publish", "yes"))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"us-gov-west-1", "us-isob-east-1", "cn-north-1"}; !slices.Equal(r.regions, want) {
		t.Errorf("regions are %q, want %q", r.regions, want)
	}
	if !r.publish {
		t.Error("yes does not publish")
	}
}

func TestEveryMissingArchiveIsNamed(t *testing.T) {
	dist := t.TempDir()
	if err := os.WriteFile(filepath.Join(dist, "secretwrap-layer-x86_64.zip"), []byte(aZip), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err := run(t.Context(), requested("-variants", "managed os-only", "-dist", dist), &out, &out)
	if err == nil {
		t.Fatal("went on without archives")
	}
	for _, name := range []string{"secretwrap-layer-arm64.zip", "secretwrap-layer-os-only-x86_64.zip", "secretwrap-layer-os-only-arm64.zip"} {
		if !strings.Contains(err.Error(), filepath.Join(dist, name)+" is not there: run make layer") {
			t.Errorf("%q does not name %s", err, name)
		}
	}
	if strings.Contains(err.Error(), "secretwrap-layer-x86_64.zip") {
		t.Errorf("%q names what is there", err)
	}
}

// aZip is what stands for a zip file.
const aZip = "a zip file"

// newDist returns a directory with what stands for zip files.
func newDist(t *testing.T) string {
	t.Helper()
	dist := t.TempDir()
	for _, architecture := range knownArchitectures() {
		if err := os.WriteFile(filepath.Join(dist, zipName(managed, architecture)), []byte(aZip), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dist
}

func TestWithoutTheCommandItIsNamed(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	var out bytes.Buffer
	err := run(t.Context(), requested("-dist", newDist(t)), &out, &out)
	if err == nil || !strings.Contains(err.Error(), "there is no aws command: install the AWS CLI") {
		t.Errorf("says %v", err)
	}
}

// interruption interrupts once something is published.
type interruption struct{ interrupt func() }

func (i interruption) Write(progress []byte) (int, error) {
	if bytes.Contains(progress, []byte("published version")) {
		i.interrupt()
	}
	return len(progress), nil
}

// TestInterruptedItListsWhatIsPublished publishes with a command that finds nothing
// and then publishes whatever it is given.
func TestInterruptedItListsWhatIsPublished(t *testing.T) {
	const arn = "arn:aws:lambda:eu-west-1:123456789012:layer:secretwrap-managed-x86_64:17"
	tools := t.TempDir()
	sum := sha256.Sum256([]byte(aZip))
	answers := "#!/bin/sh\ncase $2 in get-caller-identity) echo '\"123456789012\"' ;; list-*) echo null ;; get-layer-version) echo '\"" +
		base64.StdEncoding.EncodeToString(sum[:]) + "\"' ;; *) echo " + arn + " ;; esac\n"
	if err := os.WriteFile(filepath.Join(tools, "aws"), []byte(answers), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", tools)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out bytes.Buffer
	err := run(ctx, requested("-dist", newDist(t), "-publish", "yes"), &out, interruption{cancel})
	if err == nil {
		t.Fatal("succeeds")
	}
	for _, want := range []string{"eu-west-1 secretwrap-managed-arm64: interrupted", "1 of 2 layers are published"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if !strings.Contains(out.String(), arn) {
		t.Errorf("the table does not list what is published:\n%s", &out)
	}
}

// TestShellsReadPrintedWordsAsTheyWere lets a shell print what it makes of words.
func TestShellsReadPrintedWordsAsTheyWere(t *testing.T) {
	words := []string{
		"plain", "", "two words", "it's", "*", "$HOME", "`id`", "$(id)", `back\slash`, `"`, "a\nb", "~", "~root", "a;b", "a&b", "#a",
		"=ls", "!1", "{a,b}", "[a]", "-n", "Grüße", "fileb://dist/a.zip", "arn:aws:lambda:eu-west-1:123456789012:layer:a:1",
	}
	command := exec.CommandContext(t.Context(), "sh", "-c", `printf '%s\0' `+line(words))
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); !slices.Equal(got, words) {
		t.Errorf("the shell reads %q, want %q", got, words)
	}
}

// TestPrintedCommandsUseWhatIsPublished runs printed commands with a function in
// place of aws that prints an ARN, or the arguments it is given.
func TestPrintedCommandsUseWhatIsPublished(t *testing.T) {
	const arn = "arn:aws:lambda:eu-west-1:123456789012:layer:secretwrap-managed-x86_64:17"
	r := request{name: "secretwrap", organization: "o-a1b2c3d4e5", parameters: "/layer", version: "1.2.3"}
	p := newPublication(r, "eu-west-1", archive{variant: managed, architecture: "x86_64", path: "dist/a.zip", sum: "c3Vt+/="})
	dir := filepath.Join(t.TempDir(), "it's here")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	fake := `aws() { case "$*" in *publish-*) echo ` + arn + `;; *get-layer-version*--version-number\ 17*) echo "$SUM";; *) printf '%s\n' "$PWD" "$AWS_PROFILE" "$@";; esac; }` + "\n"
	paste := func(sum string) (stdout []byte, err error) {
		command := exec.CommandContext(t.Context(), "sh", "-c", fake+inSubshell(dir, "my profile", script([]publication{p})))
		command.Env = append(os.Environ(), "SUM="+sum)
		return command.Output()
	}
	out, err := paste(p.sum)
	if err != nil {
		t.Fatal(err)
	}
	place := []string{dir, "my profile"}
	want := slices.Concat([]string{arn}, place, p.shareCommand(p.shares[0], "17")[1:], place, p.parameterCommand(arn)[1:])
	if got := strings.Split(strings.TrimSpace(string(out)), "\n"); !slices.Equal(got, want) {
		t.Errorf("aws is given\n%q, want\n%q", got, want)
	}
	out, err = paste("another")
	failed, isExit := errors.AsType[*exec.ExitError](err)
	if !isExit || !strings.Contains(string(failed.Stderr), "another checksum than dist/a.zip: another") || string(out) != arn+"\n" {
		t.Errorf("after another checksum: %v, %q", err, out)
	}
}
