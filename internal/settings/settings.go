// Package settings reads the SECRETWRAP_ variables.
package settings

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/caarlos0/env/v11"

	"secretwrap/internal/problem"
	"secretwrap/internal/suggest"
)

// Prefix begins the name of every setting.
const Prefix = "SECRETWRAP_"

// Dir is the one setting that the program sees too: it names the directory of
// file copies.
const Dir = Prefix + "DIR"

// Visit is no setting: a start leaves it in the environment for the next one.
const Visit = Prefix + "VISIT"

// Size is a number of bytes.
type Size int

// UnmarshalText implements encoding.TextUnmarshaler: digits, then KiB, B or
// nothing.
func (s *Size) UnmarshalText(text []byte) error {
	digits, unit := string(text), 1
	if before, found := strings.CutSuffix(digits, "KiB"); found {
		digits, unit = before, 1<<10
	} else {
		digits = strings.TrimSuffix(digits, "B")
	}
	n, err := strconv.ParseUint(digits, 10, 20)
	if err != nil {
		return errors.New("not a size")
	}
	*s = Size(int(n) * unit)
	return nil
}

// Names is a list of words, separated by blanks or commas.
type Names []string

// UnmarshalText implements encoding.TextUnmarshaler.
func (n *Names) UnmarshalText(text []byte) error {
	*n = strings.FieldsFunc(string(text), func(c rune) bool { return c == ',' || unicode.IsSpace(c) })
	return nil
}

// Settings are what the SECRETWRAP_ variables say. README and help are checked
// against the tags here: want is what a value must be, about what it does.
type Settings struct {
	Manifest    string        `env:"SECRETWRAP_MANIFEST" default:"secretwrap.yaml in the function's root, else in the working directory, if there" want:"a path" about:"path of the manifest; when set, it must exist"`
	EnvFrom     Names         `env:"SECRETWRAP_ENV_FROM" want:"references, separated by blanks or commas" about:"secrets whose fields all become variables, separated by blanks or commas"`
	Dir         string        `env:"SECRETWRAP_DIR" default:"/tmp/secretwrap in Lambda, none elsewhere" want:"an absolute path" about:"directory of file copies; absolute"`
	Timeout     time.Duration `env:"SECRETWRAP_TIMEOUT" default:"5s; 30s for provisioned concurrency and managed instances; 2.5s when the environment starts again" want:"a duration from 100ms to 5m" about:"budget for fetching at start"`
	Refresh     time.Duration `env:"SECRETWRAP_REFRESH" envDefault:"5m" want:"0, or a duration of at least 10s" about:"age at which a file copy is fetched again at the next invocation; at least 10s, 0 = never"`
	MaxEnvValue Size          `env:"SECRETWRAP_MAX_ENV_VALUE" envDefault:"32KiB" want:"a size from 1B to 128KiB" about:"a larger value goes to a file, NAME_FILE holds its path"`
	ExecWrapper string        `env:"SECRETWRAP_EXEC_WRAPPER" want:"an absolute path" about:"the next wrapper in the chain, such as /opt/otel-handler"`
	SnapStart   string        `env:"SECRETWRAP_SNAPSTART" envDefault:"refuse" want:"refuse or allow" about:"allow lets secrets be kept in a SnapStart snapshot"`
	Handover    string        `env:"SECRETWRAP_HANDOVER" envDefault:"on" want:"on or off" about:"off lets wrapper and extension each work alone"`
	Literal     Names         `env:"SECRETWRAP_LITERAL" want:"names of variables, separated by commas" about:"variables that are passed on unexamined"`
	LogLevel    string        `env:"SECRETWRAP_LOG_LEVEL" default:"Lambda's own, else info" want:"debug, info, warn or error" about:"least important line that is logged"`
}

// Setting describes one variable.
type Setting struct {
	Name, Default, Want, About string
}

// All returns the settings in the order of the documentation.
func All() []Setting {
	var all []Setting
	for field := range reflect.TypeFor[Settings]().Fields() {
		usual := field.Tag.Get("default") + field.Tag.Get("envDefault")
		all = append(all, Setting{field.Tag.Get("env"), usual, field.Tag.Get("want"), field.Tag.Get("about")})
	}
	return all
}

// Parse reads the settings from an environment, where a variable that is set
// and empty counts as not set. It returns every problem, and the names of
// unknown variables that are no near misses: a newer version may know them, and
// a layer rolled back must not stop the function.
func Parse(environment map[string]string) (Settings, []string, problem.List) {
	own := make(map[string]string)
	for name, value := range environment {
		if strings.HasPrefix(name, Prefix) {
			own[name] = strings.TrimSpace(value)
		}
	}
	var settings Settings
	failed := failedFields(env.ParseWithOptions(&settings, env.Options{Environment: own}))
	settings.validate(own, failed)

	var problems problem.List
	for field := range reflect.TypeFor[Settings]().Fields() {
		if failed[field.Name] {
			problems = append(problems, &problem.Problem{
				Class:    problem.Config,
				Variable: field.Tag.Get("env"),
				Cause:    "the value cannot be used",
				Hint:     "write " + field.Tag.Get("want"),
			})
		}
	}
	unknown, misspelt := unknownNames(own)
	problems = append(problems, misspelt...)
	return settings, unknown, append(problems, otherPrefixes(environment)...)
}

// failedFields returns the Go fields that could not be parsed. The library's
// messages quote the value, so nothing else of them is kept.
func failedFields(err error) map[string]bool {
	failed := make(map[string]bool)
	aggregate, _ := errors.AsType[env.AggregateError](err)
	for _, one := range aggregate.Errors {
		if parse, ok := errors.AsType[env.ParseError](one); ok {
			failed[parse.Name] = true
		}
	}
	return failed
}

// validate marks the fields whose values are out of range. A timeout of 0 is
// one, unless the variable is not set.
func (s *Settings) validate(own map[string]string, failed map[string]bool) {
	within := map[string]bool{
		"Dir":         s.Dir == "" || filepath.IsAbs(s.Dir) && filepath.Clean(s.Dir) != "/",
		"Timeout":     own[Prefix+"TIMEOUT"] == "" || s.Timeout >= 100*time.Millisecond && s.Timeout <= 5*time.Minute,
		"Refresh":     s.Refresh == 0 || s.Refresh >= 10*time.Second,
		"MaxEnvValue": s.MaxEnvValue >= 1 && s.MaxEnvValue <= 128<<10,
		"ExecWrapper": s.ExecWrapper == "" || filepath.IsAbs(s.ExecWrapper),
		"SnapStart":   slices.Contains([]string{"refuse", "allow"}, s.SnapStart),
		"Handover":    slices.Contains([]string{"on", "off"}, s.Handover),
		"EnvFrom":     own[Prefix+"ENV_FROM"] == "" || len(s.EnvFrom) > 0,
		"LogLevel":    slices.Contains([]string{"", "debug", "info", "warn", "error"}, strings.ToLower(s.LogLevel)),
	}
	for field, ok := range within {
		failed[field] = failed[field] || !ok
	}
}

// unknownNames sorts the variables that are no settings into those that may
// belong to another version and those that are misspelt.
func unknownNames(own map[string]string) (unknown []string, misspelt problem.List) {
	var known []string
	for _, setting := range All() {
		known = append(known, setting.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(own)) {
		if slices.Contains(known, name) || name == Visit {
			continue
		}
		near, found := suggest.Nearest(name, known)
		if !found {
			unknown = append(unknown, name)
			continue
		}
		misspelt = append(misspelt, &problem.Problem{
			Class: problem.Config, Variable: name, Cause: "no such setting", Hint: fmt.Sprintf("did you mean %s?", near),
		})
	}
	return unknown, misspelt
}

// otherPrefixes finds settings that would be passed over because their prefix is
// misspelt, such as SECRET_WRAP_TIMEOUT.
func otherPrefixes(environment map[string]string) (misspelt problem.List) {
	joined := func(name string) string { return strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(name), "_", "")) }
	names := make(map[string]string)
	for _, setting := range All() {
		names[joined(setting.Name)] = setting.Name
	}
	known := slices.Sorted(maps.Keys(names))
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		if word := joined(name); !strings.HasPrefix(name, Prefix) && strings.HasPrefix(word, "SECRET") && strings.Contains(word, "WRAP") {
			for _, wrapper := range []string{"SECRETWRAPPER", "SECRETSWRAPPER"} {
				if setting, misnamed := strings.CutPrefix(word, wrapper); misnamed {
					word = joined(Prefix) + setting
				}
			}
			if near, found := suggest.Nearest(word, known); found {
				misspelt = append(misspelt, &problem.Problem{Class: problem.Config, Variable: name, Cause: "no such setting", Hint: fmt.Sprintf("did you mean %s?", names[near])})
			}
		}
	}
	return misspelt
}

// StartBudget returns the time for fetching at start, for a kind of
// initialization that Lambda names in AWS_LAMBDA_INITIALIZATION_TYPE. After a
// start that failed, a crash or a timeout Lambda starts the same environment again
// inside the function's own timeout, 3 s by default; the error must be out before
// that ends.
func (s Settings) StartBudget(initializationType string, restarted bool) time.Duration {
	switch {
	case s.Timeout != 0:
		return s.Timeout
	case restarted:
		return 2500 * time.Millisecond
	case initializationType == "provisioned-concurrency" || initializationType == "lambda-managed-instances":
		return 30 * time.Second
	default:
		return 5 * time.Second
	}
}
