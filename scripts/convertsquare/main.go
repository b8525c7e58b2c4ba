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
	_, err = fmt.Fprintf(out, "# %s in the function's configuration keeps the paths.\nfiles:\n%s", c.directory(), files)
	return err
}

// directory returns the setting for the directory where the extension has put the
// files, which is not always the one that its configuration names.
func (c config) directory() string {
	home := c.Home
	if home == "" {
		home = "/tmp/secrets"
	}
	return "SECRETWRAP_DIR=" + home
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
