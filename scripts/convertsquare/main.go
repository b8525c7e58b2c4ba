// Command convertsquare reads the config.yaml of Square's lambda-secrets-prefetch
// and prints a secretwrap.yaml that declares the same files.
//
//	go run ./scripts/convertsquare <config.yaml >secretwrap.yaml
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"secretwrap/internal/environ"
	"secretwrap/internal/manifest"
	"secretwrap/internal/plan"
	"secretwrap/internal/settings"
)

// config is what config.yaml may hold. The extension documents SecretsHome, but what
// it reads is secretshome: a mistake in its code.
type config struct {
	Documented string `yaml:"SecretsHome"`
	Home       string `yaml:"secretshome"`
	Groups     []struct {
		Prefix  string `yaml:"prefix"`
		Secrets []struct {
			Name string `yaml:"secretname"`
			File string `yaml:"filename"`
		} `yaml:"secrets"`
	} `yaml:"SecretManagers"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "convertsquare:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	var c config
	decoder := yaml.NewDecoder(in)
	decoder.KnownFields(true)
	if err := decoder.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	files, err := c.files()
	if err != nil {
		return err
	}
	text := fmt.Sprintf("# %s=%s in the function's configuration keeps the paths.\nfiles:\n%s", settings.Dir, c.directory(), files)
	if err := c.check(text); err != nil {
		return err
	}
	_, err = io.WriteString(out, text)
	return err
}

// directory returns the directory where the extension has put the files, which is
// not always the one that its configuration names.
func (c config) directory() string {
	if c.Home == "" {
		return "/tmp/secrets"
	}
	return c.Home
}

// check judges a manifest as the layer does at a start: the extension took names of
// secrets and files that secretwrap refuses.
func (c config) check(text string) error {
	chosen, _, problems := settings.Parse(map[string]string{settings.Dir: c.directory()})
	declared, more := manifest.Parse("", []byte(text), func(string) (string, bool) { return "", false })
	problems = append(problems, more...)
	_, more = plan.Make(environ.New(nil), chosen, declared)
	problems = append(problems, more...)
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("%w; %s", problems[0], problems[0].Hint)
}

// files returns a line for each file.
func (c config) files() (string, error) {
	var lines strings.Builder
	declared := make(map[string]bool)
	for _, group := range c.Groups {
		for _, secret := range group.Secrets {
			file := secret.File
			if file == "" {
				file = secret.Name
			}
			if secret.Name == "" {
				return "", fmt.Errorf("a secret below prefix %q has no secretname", group.Prefix)
			}
			if declared[file] {
				return "", fmt.Errorf("two secrets go to the file %q", file)
			}
			declared[file] = true
			fmt.Fprintf(&lines, "  %q: %q\n", file, group.Prefix+secret.Name)
		}
	}
	if lines.Len() == 0 {
		return "", errors.New("no secret is below SecretManagers")
	}
	return lines.String(), nil
}
