package settings_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"secretwrap/internal/problem"
	"secretwrap/internal/settings"
)

// usual are the settings of an environment that holds none.
var usual = settings.Settings{
	Refresh:     5 * time.Minute,
	MaxEnvValue: 32 << 10,
	SnapStart:   "refuse",
	Handover:    "on",
}

func TestAnEnvironmentWithoutSettingsGivesTheDefaults(t *testing.T) {
	for name, environment := range map[string]map[string]string{
		"nothing at all": nil,
		"others' variables": {
			"PATH": "/bin", "SECRETWRAPPER_THEME": "dark", "TIMEOUT": "x", "MY_SECRETWRAP_TIMEOUT": "x",
		},
	} {
		got, unknown, problems := settings.Parse(environment)
		if len(unknown)+len(problems) > 0 {
			t.Errorf("%s: unknown %q, problems %v", name, unknown, problems)
		}
		if !reflect.DeepEqual(got, usual) {
			t.Errorf("%s: %+v, want %+v", name, got, usual)
		}
	}
}

func TestASettingThatIsEmptyCountsAsNotSet(t *testing.T) {
	for _, empty := range []string{"", " \t\n"} {
		environment := make(map[string]string)
		for _, setting := range settings.All() {
			environment[setting.Name] = empty
		}
		got, unknown, problems := settings.Parse(environment)
		if len(unknown)+len(problems) > 0 {
			t.Errorf("%q: unknown %q, problems %v", empty, unknown, problems)
		}
		if len(got.EnvFrom)+len(got.Literal) > 0 {
			t.Errorf("%q: names out of nothing: %+v", empty, got)
		}
		got.EnvFrom, got.Literal = nil, nil
		if !reflect.DeepEqual(got, usual) {
			t.Errorf("%q: %+v, want %+v", empty, got, usual)
		}
	}
}

func TestEverySettingTakesItsValues(t *testing.T) {
	tests := map[string]struct {
		good func(settings.Settings) any
		// values are the texts that are taken, and what they mean.
		values map[string]any
	}{
		"MANIFEST": {func(s settings.Settings) any { return s.Manifest }, map[string]any{
			"a.yaml": "a.yaml", "/opt/a.yaml": "/opt/a.yaml", " a b ": "a b",
		}},
		"ENV_FROM": {func(s settings.Settings) any { return []string(s.EnvFrom) }, map[string]any{
			"a": []string{"a"}, "a,b": []string{"a", "b"}, "a?upper  b#c,": []string{"a?upper", "b#c"}, "a,\r\n\tb": []string{"a", "b"},
		}},
		"DIR": {func(s settings.Settings) any { return s.Dir }, map[string]any{
			"/tmp/x": "/tmp/x", " /x ": "/x", "/a//b/": "/a//b/",
		}},
		"TIMEOUT": {func(s settings.Settings) any { return s.Timeout }, map[string]any{
			"100ms": 100 * time.Millisecond, "2.5s": 2500 * time.Millisecond, "5m": 5 * time.Minute, "0.1s": 100 * time.Millisecond, " 1s ": time.Second,
		}},
		"REFRESH": {func(s settings.Settings) any { return s.Refresh }, map[string]any{
			"0": time.Duration(0), "0s": time.Duration(0), "10s": 10 * time.Second, "24h": 24 * time.Hour,
		}},
		"MAX_ENV_VALUE": {func(s settings.Settings) any { return int(s.MaxEnvValue) }, map[string]any{
			"1": 1, "1B": 1, "4096": 4096, "1KiB": 1024, "128KiB": 128 << 10, "131072": 131072,
		}},
		"EXEC_WRAPPER": {func(s settings.Settings) any { return s.ExecWrapper }, map[string]any{"/opt/otel-handler": "/opt/otel-handler"}},
		"SNAPSTART":    {func(s settings.Settings) any { return s.SnapStart }, map[string]any{"refuse": "refuse", "allow": "allow"}},
		"HANDOVER":     {func(s settings.Settings) any { return s.Handover }, map[string]any{"on": "on", "off": "off", "off\n": "off"}},
		"LITERAL": {func(s settings.Settings) any { return []string(s.Literal) }, map[string]any{
			"A": []string{"A"}, "A,B": []string{"A", "B"}, "A B\tC": []string{"A", "B", "C"},
		}},
		"LOG_LEVEL": {func(s settings.Settings) any { return s.LogLevel }, map[string]any{
			"debug": "debug", "info": "info", "warn": "warn", "error": "error",
		}},
	}
	for name, test := range tests {
		for text, want := range test.values {
			got, unknown, problems := settings.Parse(map[string]string{settings.Prefix + name: text})
			if len(unknown)+len(problems) > 0 {
				t.Errorf("%s=%q: unknown %q, problems %v", name, text, unknown, problems)
			}
			if !reflect.DeepEqual(test.good(got), want) {
				t.Errorf("%s=%q is read as %v, want %v", name, text, test.good(got), want)
			}
		}
	}
	for _, setting := range settings.All() {
		if _, tested := tests[strings.TrimPrefix(setting.Name, settings.Prefix)]; !tested {
			t.Errorf("no value of %s is tested", setting.Name)
		}
	}
}

func TestEverySettingRefusesWhatItCannotUse(t *testing.T) {
	tests := map[string][]string{
		"DIR":           {"relative", "./x", "~/x", "/", "//", "/tmp/..", "secretsmanager://prod/db"},
		"TIMEOUT":       {"0", "0s", "99ms", "5m1s", "-1", "-1s", "5", "1e9h", "NaN", "soon", "5 s", "1d", "secretsmanager://prod/db#x"},
		"REFRESH":       {"1s", "9.999s", "-1", "-10s", "-0.1s", "5", "1e9h", "NaN", "never", "10 s"},
		"MAX_ENV_VALUE": {"0", "0KiB", "-1", "+1", "129KiB", "131073", "1MiB", "1KB", "1 KiB", "1k", "KiB", "B", "1.5KiB", "0x10", "1_000", "1KiBKiB", "1BKiB", "1KiBB", "1BB", "99999999999999999999", "1048576KiB"},
		"EXEC_WRAPPER":  {"otel-handler", "./x"},
		"SNAPSTART":     {"Allow", "TRUE", "true", "yes", "1", "maybe", "refused"},
		"HANDOVER":      {"On", "TRUE", "true", "yes", "1", "0", "maybe", "offf"},
		"ENV_FROM":      {",", " , ,"},
		"LOG_LEVEL":     {"trace", "warning", "fatal", "3"},
	}
	wants := make(map[string]string)
	for _, setting := range settings.All() {
		wants[setting.Name] = setting.Want
	}
	for name, values := range tests {
		name = settings.Prefix + name
		for _, value := range values {
			_, _, problems := settings.Parse(map[string]string{name: value})
			if len(problems) != 1 {
				t.Errorf("%s=%q: %d problems, want 1: %v", name, value, len(problems), problems)
				continue
			}
			want := problem.Problem{Class: problem.Config, Variable: name, Cause: "the value cannot be used", Hint: "write " + wants[name]}
			if *problems[0] != want {
				t.Errorf("%s=%q: problem %+v, want %+v", name, value, *problems[0], want)
			}
		}
	}
}

func TestAllProblemsComeAtOnceInTheOrderOfTheTable(t *testing.T) {
	const canary = "CANARY-pw"
	environment := map[string]string{settings.Prefix + "TIMEOUTS": canary, settings.Prefix + "HAND_OVER": canary}
	var want []string
	for _, setting := range settings.All() {
		environment[setting.Name] = canary
		// Any text is a path, or a list of names.
		if !slices.Contains([]string{"MANIFEST", "ENV_FROM", "LITERAL"}, strings.TrimPrefix(setting.Name, settings.Prefix)) {
			want = append(want, setting.Name)
		}
	}
	want = append(want, settings.Prefix+"HAND_OVER", settings.Prefix+"TIMEOUTS")
	_, _, problems := settings.Parse(environment)
	var got []string
	for _, p := range problems {
		got = append(got, p.Variable)
		if shown := p.Error() + p.Hint; strings.Contains(shown, canary) {
			t.Errorf("a value is shown: %s", shown)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("problems with %q, want %q", got, want)
	}
}

func TestAProblemDoesNotDependOnTheOrderOfTheEnvironment(t *testing.T) {
	environment := map[string]string{
		"SECRETWRAP_DIRS": "", "SECRETWRAP_TIMOUT": "", "SECRETWRAP_REFRES": "", "SECRETWRAP_FUTURE_A": "", "SECRETWRAP_FUTURE_B": "",
	}
	_, unknown, problems := settings.Parse(environment)
	for range 20 {
		_, again, problemsAgain := settings.Parse(maps.Clone(environment))
		if !slices.Equal(unknown, again) || problems.Error() != problemsAgain.Error() {
			t.Fatalf("%q and %v, then %q and %v", unknown, problems, again, problemsAgain)
		}
	}
}

func TestANameNearASettingsIsAnErrorAnyOtherAWarning(t *testing.T) {
	near := map[string]string{
		"SECRETWRAP_TIMOUT":        "SECRETWRAP_TIMEOUT",
		"SECRETWRAP_TIMEOUT_":      "SECRETWRAP_TIMEOUT",
		"SECRETWRAP_ENVFROM":       "SECRETWRAP_ENV_FROM",
		"SECRETWRAP_MANFIEST":      "SECRETWRAP_MANIFEST",
		"SECRETWRAP_LITERALS":      "SECRETWRAP_LITERAL",
		"SECRETWRAP_dir":           "SECRETWRAP_DIR",
		"SECRETWRAP_LOGLEVEL":      "SECRETWRAP_LOG_LEVEL",
		"SECRETWRAP_MAX_ENV_VALUS": "SECRETWRAP_MAX_ENV_VALUE",
	}
	for name, meant := range near {
		_, unknown, problems := settings.Parse(map[string]string{name: "x"})
		if len(problems) != 1 || len(unknown) > 0 {
			t.Errorf("%s: problems %v, unknown %q", name, problems, unknown)
			continue
		}
		want := problem.Problem{Class: problem.Config, Variable: name, Cause: "no such setting", Hint: "did you mean " + meant + "?"}
		if *problems[0] != want {
			t.Errorf("%s: problem %+v, want %+v", name, *problems[0], want)
		}
	}
	far := map[string]string{"SECRETWRAP_": "x", "SECRETWRAP_CACHE": "x", "SECRETWRAP_FUTURE_FEATURE": "secretsmanager://x"}
	_, unknown, problems := settings.Parse(far)
	if want := slices.Sorted(maps.Keys(far)); !slices.Equal(unknown, want) || len(problems) > 0 {
		t.Errorf("unknown %q, want %q; problems %v", unknown, want, problems)
	}
}

func TestAllListsTheSettingsInTheOrderOfTheDocumentation(t *testing.T) {
	want := []string{
		"MANIFEST", "ENV_FROM", "DIR", "TIMEOUT", "REFRESH", "MAX_ENV_VALUE", "EXEC_WRAPPER", "SNAPSTART", "HANDOVER", "LITERAL", "LOG_LEVEL",
	}
	var got []string
	for _, setting := range settings.All() {
		got = append(got, strings.TrimPrefix(setting.Name, settings.Prefix))
		if setting.Want == "" || setting.About == "" {
			t.Errorf("%s does not say what it wants, or what it is about", setting.Name)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("All() = %q, want %q", got, want)
	}
}

func TestTheDefaultsThatAreListedAreThoseInForce(t *testing.T) {
	for _, setting := range settings.All() {
		if strings.Contains(setting.Default, " ") || setting.Default == "" {
			continue // In words: it depends on where the function runs.
		}
		got, _, problems := settings.Parse(map[string]string{setting.Name: setting.Default})
		if len(problems) > 0 || !reflect.DeepEqual(got, usual) {
			t.Errorf("%s=%s is not the default: %+v, %v", setting.Name, setting.Default, got, problems)
		}
	}
}

func TestStartBudget(t *testing.T) {
	tests := map[string]struct {
		timeout        string
		initialization string
		restarted      bool
		want           time.Duration
	}{
		"on demand":                                 {"", "on-demand", false, 5 * time.Second},
		"on demand after a failure":                 {"", "on-demand", true, 2500 * time.Millisecond},
		"outside Lambda":                            {"", "", false, 5 * time.Second},
		"a kind that is not known":                  {"", "teleported", false, 5 * time.Second},
		"a kind that is not known, after a failure": {"", "teleported", true, 2500 * time.Millisecond},
		"SnapStart":                                 {"", "snap-start", false, 5 * time.Second},
		"provisioned concurrency":                   {"", "provisioned-concurrency", false, 30 * time.Second},
		"provisioned concurrency after a failure":   {"", "provisioned-concurrency", true, 2500 * time.Millisecond},
		"managed instances":                         {"", "lambda-managed-instances", false, 30 * time.Second},
		"set by the operator":                       {"700ms", "on-demand", false, 700 * time.Millisecond},
		"set by the operator, after a failure":      {"4s", "on-demand", true, 4 * time.Second},
		"set for provisioned concurrency":           {"1s", "provisioned-concurrency", false, time.Second},
	}
	for name, test := range tests {
		s, _, problems := settings.Parse(map[string]string{settings.Prefix + "TIMEOUT": test.timeout})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		if got := s.StartBudget(test.initialization, test.restarted); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("TIMEOUT", "5m")
	f.Add("MAX_ENV_VALUE", "32KiB")
	f.Add("REFRESH", "-1s")
	f.Add("ENV_FROM", "a, b?upper")
	f.Add("DIRE", "/x")
	f.Fuzz(func(t *testing.T, name, value string) {
		const canary = "zqCANARYqz"
		_, unknown, problems := settings.Parse(map[string]string{settings.Prefix + name: value + canary})
		for _, p := range problems {
			unknown = append(unknown, p.Error(), p.Hint)
		}
		if shown := strings.Join(unknown, "\n"); !strings.Contains(name, canary) && strings.Contains(shown, canary) {
			t.Fatalf("the value is shown: %s", shown)
		}
		s, _, problems := settings.Parse(map[string]string{settings.Prefix + name: value})
		if len(problems) > 0 {
			return
		}
		if budget := s.StartBudget("", false); budget < 100*time.Millisecond || budget > 5*time.Minute {
			t.Errorf("%s=%q gives a budget of %v", name, value, budget)
		}
		if s.Refresh != 0 && s.Refresh < 10*time.Second || s.MaxEnvValue < 1 || s.MaxEnvValue > 128<<10 {
			t.Errorf("%s=%q gives %+v", name, value, s)
		}
	})
}

func TestASettingWithAnotherPrefixIsNotPassedOver(t *testing.T) {
	for _, name := range []string{"SECRET_WRAP_ENV_FROM", "SECRETSWRAP_ENV_FROM", "secretwrap_env_from", "SecretWrapEnvFrom", "SECRETWRAPPER_ENV_FROM", "SECRETS_WRAPPER_ENV_FROM", " SECRETWRAP_ENV_FROM"} {
		_, _, problems := settings.Parse(map[string]string{name: "CANARY"})
		if len(problems) != 1 || problems[0].Variable != name || problems[0].Hint != "did you mean SECRETWRAP_ENV_FROM?" {
			t.Errorf("%s: %v", name, problems)
		}
	}
	if _, _, problems := settings.Parse(map[string]string{"SECRET": "a", "WRAP_TIMEOUT": "b", "SECRET_WRAPPING_KEY": "c"}); len(problems) > 0 {
		t.Error(problems)
	}
}
