package plan_test

import (
	"slices"
	"strings"
	"testing"

	"secretwrap/internal/environ"
	"secretwrap/internal/manifest"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/settings"
)

func TestAllProblemsComeAtOnceInTheOrderOfDeclaration(t *testing.T) {
	_, problems := configuration{
		environment: []string{
			"E1=secretsmanager:/a", "E2=secretsmanager://a?file=../x", "E3=secretsmanager://a?bogus", "AWS_REGION=secretsmanager://a", "E4=secretsmanager://fine",
		},
		settings: settings.Settings{EnvFrom: settings.Names{"a?file", "fine", "b c"}},
		manifest: manifest.Manifest{
			Source:  "m.yaml",
			Env:     entries("M1=a#", "1M=a", "M2=fine"),
			Files:   entries("f1=a?upper", "/f2=a", "f3=fine"),
			EnvFrom: entries("=a?default=x", "=fine", "=:"),
		},
	}.plan()
	want := []string{
		`E1: the scheme is not written as secretsmanager://`,
		`E2: file "../x": the path begins with a dot`,
		`E3: secret "a": option "bogus" is not known`,
		`AWS_REGION: the variable is never set from a secret`,
		`m.yaml:10: M1: secret "a": the path is empty`,
		`m.yaml:11: 1M: the name cannot be that of a variable`,
		`m.yaml:10: f1: secret "a": option upper is not allowed under files`,
		`m.yaml:11: /f2: file "/f2": the path is absolute`,
		`SECRETWRAP_ENV_FROM: secret "a": option file is not allowed in env_from`,
		`SECRETWRAP_ENV_FROM: the secret's name holds ' '`,
		`m.yaml:10: env_from: secret "a": option default is not allowed in env_from`,
		`m.yaml:12: env_from: the secret's name holds ':'`,
	}
	var got []string
	for _, p := range problems {
		got = append(got, p.Error())
		if p.Class != problem.Config || p.Hint == "" {
			t.Errorf("incomplete: %+v", *p)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("problems\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestWhatThisProgramObeysItselfIsNoReference(t *testing.T) {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "NO_PROXY", "HTTP_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"} {
		_, problems := configuration{environment: []string{name + "=secretsmanager://a"}}.plan()
		if len(problems) != 1 || problems[0].Variable != name || !strings.Contains(problems[0].Cause, "secretwrap itself obeys") {
			t.Errorf("%s: %v", name, problems)
		}
		configuration{manifest: manifest.Manifest{Source: "m", Env: entries(name + "=a")}}.make(t)
	}
}

func TestAReservedOrInvalidNameIsRefusedWhoeverDeclaresIt(t *testing.T) {
	tests := map[string]string{
		"AWS_LAMBDA_RUNTIME_API": "never set from a secret",
		"AWS_SECRET_ACCESS_KEY":  "never set from a secret",
		"AWS_ENDPOINT_URL":       "never set from a secret",
		"LD_PRELOAD":             "never set from a secret",
		"_HANDLER":               "never set from a secret",
		"a.b":                    "cannot be that of a variable",
		"1A":                     "cannot be that of a variable",
		"BASH_FUNC_x%%":          "cannot be that of a variable",
	}
	for name, cause := range tests {
		for where, c := range map[string]configuration{
			"the environment": {environment: []string{name + "=secretsmanager://a"}},
			"the manifest":    {manifest: manifest.Manifest{Source: "m", Env: entries(name + "=a")}},
			"the manifest, for a variable that is set": {
				environment: []string{name + "=literal"}, manifest: manifest.Manifest{Source: "m", Env: entries(name + "=a")},
			},
		} {
			_, problems := c.plan()
			if len(problems) != 1 || problems[0].Variable != name || !strings.Contains(problems[0].Cause, cause) {
				t.Errorf("%s in %s: %v, want %q", name, where, problems, cause)
			}
		}
	}
}

func TestANameThatRunsCodeMayBeDeclared(t *testing.T) {
	for _, name := range []string{"NODE_OPTIONS", "PATH", "ALL_PROXY", "JAVA_TOOL_OPTIONS"} {
		configuration{environment: []string{name + "=secretsmanager://a"}}.make(t)
	}
}

func TestAReservedOrInvalidNameOfALiteralIsNobodysBusiness(t *testing.T) {
	configuration{environment: []string{"LD_LIBRARY_PATH=/opt/lib", "AWS_REGION=eu-west-1", "a.b=c", "BASH_FUNC_x%%=() { :; }", "1=2"}}.make(t)
}

func TestFilesInEachOthersWayAreRefused(t *testing.T) {
	tests := map[string]struct {
		c       configuration
		label   string
		problem string
	}{
		"one path in two variables": {
			configuration{environment: []string{"A=secretsmanager://a?file=x", "B=secretsmanager://b?file=x"}},
			"B", `the file "x" is in the way of "x", which A declares`,
		},
		"one path in a variable and the manifest": {
			configuration{environment: []string{"A=secretsmanager://a?file=x/y"}, manifest: manifest.Manifest{Source: "m", Files: entries("x/y=b")}},
			"x/y", `the file "x/y" is in the way of "x/y", which A declares`,
		},
		"a file inside another": {
			configuration{manifest: manifest.Manifest{Source: "m", Files: entries("x=a", "x/y/z=b")}},
			"x/y/z", `the file "x/y/z" is in the way of "x", which x declares`,
		},
		"a file where a directory is": {
			configuration{manifest: manifest.Manifest{Source: "m", Files: entries("x/y/z=a", "x/y=b")}},
			"x/y", `the file "x/y" is in the way of "x/y/z", which x/y/z declares`,
		},
		"a variable's name for a path that is taken": {
			configuration{environment: []string{"A=secretsmanager://a?file=B", "B=secretsmanager://b?file"}},
			"B", `the file "B" is in the way of "B", which A declares`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, problems := test.c.plan()
			if len(problems) != 1 || problems[0].Variable != test.label || problems[0].Cause != test.problem || problems[0].Hint == "" {
				t.Errorf("problems %+v, want one of %s: %s", problems, test.label, test.problem)
			}
		})
	}
}

func TestNoShellReadsThePathOfAFile(t *testing.T) {
	for _, path := range []string{"~/.aws/key", "$HOME/key", "tls/${STAGE}.key"} {
		for where, c := range map[string]configuration{
			"a variable":   {environment: []string{"A=secretsmanager://a?file=" + path}},
			"the manifest": {manifest: manifest.Manifest{Source: "m", Files: entries(path + "=a")}},
		} {
			_, problems := c.plan()
			if len(problems) != 1 || !strings.Contains(problems[0].Cause, "no shell replaces") || problems[0].Hint == "" {
				t.Errorf("%s in %s: %v", path, where, problems)
			}
		}
	}
}

func TestFilesBesideEachOtherAreFine(t *testing.T) {
	configuration{
		environment: []string{"A=secretsmanager://a?file", "AB=secretsmanager://a?file", "C=secretsmanager://a?file=x.y"},
		manifest:    manifest.Manifest{Source: "m", Files: entries("x/y=a", "x/yz=a", "x/y.z=a", "a=a")},
	}.make(t)
}

func TestAFileNeedsADirectory(t *testing.T) {
	c := configuration{environment: []string{"A=secretsmanager://a?file", "B=secretsmanager://b"}}
	_, problems := plan.Make(environ.New(c.environment), settings.Settings{MaxEnvValue: 1}, manifest.Manifest{Source: "m", Files: entries("x=a")})
	if len(problems) != 2 || problems[0].Variable != "A" || problems[1].Variable != "x" {
		t.Fatalf("problems %v", problems)
	}
	for _, p := range problems {
		if !strings.Contains(p.Cause, "no directory is known") || !strings.Contains(p.Hint, "SECRETWRAP_DIR") {
			t.Errorf("problem %v (%s)", p, p.Hint)
		}
	}
}
