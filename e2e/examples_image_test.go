//go:build linux

package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"secretwrap/e2e/emulator"
	"secretwrap/internal/awsfake"
)

// testImage makes and removes the example's function as its page has it, but for an
// engine for containers, in whose place a program notes what it is told. Then it runs
// the image that the Dockerfile describes.
func (x examples) testImage(t *testing.T) {
	a := cloud{x.moto, "us-east-1"}
	password, key := padded(canary+"/#?%&", 32), padded(canary, 64)
	createSecret(t, a, "secretwrap-example/db", awsfake.Version{
		String: new(toJSON(t, map[string]any{"username": "app", "password": password, "host": "db.example.internal", "port": 5432})),
	})
	createSecret(t, a, "secretwrap-example/signing-key", awsfake.Version{String: &key})
	dir := x.dir("image")
	tools, told := x.dockerless(t, a)
	tools.run(t, dir, "sh", "-ec", regionForVersion1(t)+pageCommands(t, "image", "docker build", "make "))
	const image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/secretwrap-example:1"
	checkFile(t, told, "login --username AWS --password-stdin 123456789012.dkr.ecr.us-east-1.amazonaws.com\n"+
		"build --platform linux/amd64 --provenance=false --tag "+image+" .\npush "+image+"\n", 0o644)
	checkPolicy(t, a.policies(t, a.configuration(t, "secretwrap-example-image").Role), map[string][]string{
		"secretsmanager:GetSecretValue": {
			"arn:aws:secretsmanager:us-east-1:123456789012:secret:secretwrap-example/db-??????",
			"arn:aws:secretsmanager:us-east-1:123456789012:secret:secretwrap-example/signing-key-??????",
		},
	})
	x.checkPromised(t, a.reachable(x.image(t, dir)), canary)
	tools.run(t, dir, "sh", "-ec", regionForVersion1(t)+pageCommands(t, "image", "delete-function"))
}

// regionForVersion1 returns the command that the page has for version 1 of the AWS CLI,
// which is what the tests have.
func regionForVersion1(t *testing.T) string {
	t.Helper()
	command := regexp.MustCompile("`(export AWS_DEFAULT_REGION=[^`]+)`").FindStringSubmatch(page(t, "examples/image/README.md"))
	if command == nil {
		t.Fatal("the page says nothing of version 1")
	}
	return command[1] + "\n"
}

// dockerless returns builders with a docker that builds nothing, and the file in which
// it notes its arguments.
func (x examples) dockerless(t *testing.T, a cloud) (tools toolbox, told string) {
	t.Helper()
	dir := t.TempDir()
	told = filepath.Join(dir, "told")
	write(t, filepath.Join(dir, "docker"), "#!/bin/sh\necho \"$*\" >>'"+told+"'\n", 0o755)
	tools = x.tools(t, a, "unzip", "aws")
	// The page asks for AWS_REGION alone.
	tools.env = slices.DeleteFunc(tools.env, func(entry string) bool { return name(entry) == "AWS_DEFAULT_REGION" })
	tools.env = append(tools.env, "PATH="+dir+":"+tools.path)
	return tools, told
}

// padded returns text with more characters, as many as AWS would generate.
func padded(text string, characters int) string {
	return text + strings.Repeat("x", characters-len(text))
}

// image returns the function in the image that a Dockerfile describes. It knows the
// instructions that the example has, of which AWS's base image for Python is the first.
func (x examples) image(t *testing.T, dir string) emulator.Function {
	t.Helper()
	fn := x.python(t)
	fn.Layer, fn.Task, fn.Env = t.TempDir(), t.TempDir(), nil
	context := page(t, "examples/image/.dockerignore")
	directories := map[string]string{"/opt/": fn.Layer, "${LAMBDA_TASK_ROOT}/": fn.Task}
	dockerfile, err := os.ReadFile(filepath.Join(dir, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(dockerfile)) {
		instruction, arguments, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch words := strings.Fields(arguments); instruction {
		case "FROM":
			if !strings.HasPrefix(arguments, "public.ecr.aws/lambda/python:") {
				t.Fatalf("the image begins with %s", arguments)
			}
		case "COPY":
			to, known := directories[words[len(words)-1]]
			if !known {
				t.Fatalf("files are copied to %s", words[len(words)-1])
			}
			for _, name := range words[:len(words)-1] {
				if !strings.Contains(context, "\n!"+strings.Trim(name, "/")+"\n") {
					t.Errorf(".dockerignore hides %s", name)
				}
				copyInto(t, filepath.Join(dir, name), to)
			}
		case "ENV":
			fn.Env = append(fn.Env, arguments)
		case "CMD":
			var command []string
			decode(t, []byte(arguments), &command)
			fn.Handler = command[0]
		default:
			t.Fatalf("an instruction %q", line)
		}
	}
	return baseImage(t, fn)
}

// copyInto copies a file, or what a directory holds, into a directory, as COPY does.
func copyInto(t *testing.T, from, to string) {
	t.Helper()
	info, err := os.Stat(from)
	if err != nil {
		t.Fatal(err)
	}
	if !info.IsDir() {
		copyFile(t, from, filepath.Join(to, filepath.Base(from)))
		return
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}
