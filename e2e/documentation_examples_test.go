//go:build linux

package e2e_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// exampleClaims returns what proves the pages of examples. What TestEmulator deploys
// by a page's commands is claimed by its name; the rest runs here, in an account of
// moto's, with stand-ins for what needs the network or a container engine.
func (d documentation) exampleClaims() map[string][]claim {
	return map[string][]claim{
		"examples/sam/README.md": {
			proves(tested("TestEmulator/examples/SAM"), "sam build"),
			proves(d.checkSAMOptions, "sam build", "sam remote invoke", "`sam delete --stack-name secretwrap-example`"),
		},
		"examples/cdk/README.md": {
			proves(checkConstruct, "secretwrap.addTo"),
			proves(checkPackageScripts, "npm run deploy", "`npm run destroy`"),
			proves(d.checkInvoked, "`aws lambda invoke --function-name NAME answer.json && cat answer.json`"),
		},
		"examples/terraform/README.md": {
			proves(tested("TestEmulator/examples/Terraform"), "terraform apply"),
			proves(d.checkInvoked, "aws lambda invoke"),
			proves(d.checkDestroyed, "terraform destroy"),
		},
		"examples/image/README.md": {
			proves(tested("TestEmulator/examples/image"), "docker build"),
			proves(d.checkImageExample, "docker build", "aws lambda delete-function"),
			proves(d.checkInvoked, "`aws lambda invoke --function-name secretwrap-example-image answer.json && cat answer.json`"),
		},
	}
}

// example returns a sandbox with the folder of an example, where it lies in the
// project, and AWS's command line, which talks to moto.
func (d documentation) example(t *testing.T, s snippet) *sandbox {
	t.Helper()
	box := d.sandbox(t, nil)
	box.awsCommand(t, motoServerBy(t, pythonWith(t, "moto", "flask").path, "MOTO_IAM_LOAD_MANAGED_POLICIES=true"))
	directory(t, box.path("examples"), 0o755)
	if err := os.CopyFS(box.path("examples"), os.DirFS("../examples")); err != nil {
		t.Fatal(err)
	}
	box.work = box.path(strings.TrimSuffix(s.page, "/README.md"))
	return box
}

// checkSAMOptions checks that the SAM CLI knows the commands of the page, and their
// options, since what they do needs more of AWS than moto has; and runs the program as
// the page does.
func (d documentation) checkSAMOptions(t *testing.T, s snippet) {
	tools := builders(t, "sam")
	commands := regexp.MustCompile("(?m)(?:^|`)sam ([a-z]+(?: [a-z]+)?)(.*)$").FindAllStringSubmatch(page(t, s.page), -1)
	if len(commands) < 4 {
		t.Fatalf("the page has %d commands only", len(commands))
	}
	for _, match := range commands {
		help := t.TempDir() + "/help"
		tools.run(t, ".", "sh", "-euc", "sam "+match[1]+" --help >"+help)
		text, err := os.ReadFile(help)
		if err != nil {
			t.Fatal(err)
		}
		for _, option := range regexp.MustCompile(`--[a-z0-9-]+`).FindAllString(match[2], -1) {
			if !strings.Contains(string(text), option) {
				t.Errorf("sam %s has no %s", match[1], option)
			}
		}
	}
	box := d.example(t, s)
	box.work = box.path("examples/sam")
	for line := range strings.Lines(block(t, page(t, s.page), "sh", "sam build")) {
		if strings.HasPrefix(line, "../../dist/secretwrap ") {
			box.sh(t, line)
		}
	}
}

// checkConstruct checks that a block has the calls of a stack that is deployed.
func checkConstruct(t *testing.T, s snippet) {
	var sources strings.Builder
	for _, path := range []string{"bin/app.ts", "lib/secretwrap.ts", "lib/reference.ts"} {
		sources.WriteString(page(t, "examples/cdk/"+path))
	}
	for _, call := range regexp.MustCompile(`new Secretwrap\(|addTo\(|\bref\(|template`+"`").FindAllString(s.code, -1) {
		if !strings.Contains(sources.String(), call) {
			t.Errorf("the example has no %q", call)
		}
	}
}

// checkPackageScripts checks that the commands of npm's on a page are scripts.
func checkPackageScripts(t *testing.T, s snippet) {
	var manifest struct{ Scripts map[string]string }
	if err := json.Unmarshal([]byte(page(t, "examples/cdk/package.json")), &manifest); err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile(`npm run ([a-z]+)`).FindAllStringSubmatch(page(t, s.page), -1)
	for _, command := range commands {
		if manifest.Scripts[command[1]] == "" {
			t.Errorf("package.json has no script %q", command[1])
		}
	}
	if len(commands) < 2 {
		t.Errorf("the page has %d commands only", len(commands))
	}
}

// checkInvoked checks that the command gets as far as the function that is not there.
func (d documentation) checkInvoked(t *testing.T, s snippet) {
	_, stderr, err := d.example(t, s).try(t, s.code)
	if err == nil || !strings.Contains(stderr, "ResourceNotFoundException") {
		t.Errorf("%v: %s", err, stderr)
	}
}

// checkDestroyed removes a secret as the page does, behind a stand-in for Terraform.
func (d documentation) checkDestroyed(t *testing.T, s snippet) {
	box := d.example(t, s)
	box.script(t, "terraform", "[ \"$*\" = destroy ]\n")
	box.sh(t, "aws secretsmanager create-secret --name secretwrap-example/db --secret-string x\n"+s.code)
	if listed := box.sh(t, "aws secretsmanager list-secrets --query 'SecretList[].Name' --output text"); strings.TrimSpace(listed) != "" {
		t.Errorf("%s is left", listed)
	}
}

// checkImageExample makes what the page makes, and removes it. Docker is a stand-in
// that knows the commands of the page.
func (d documentation) checkImageExample(t *testing.T, s snippet) {
	toolNamed(t, "unzip")
	box := d.example(t, s)
	record := box.path("docker.txt")
	box.script(t, "docker", "echo \"$1\" >>"+record+"\ncase $1 in login) cat >/dev/null ;; build | push) ;; *) exit 2 ;; esac\n")
	box.script(t, "make", "[ \"$*\" = '-C ../.. build layer' ]\n")
	box.layers(t)
	text := page(t, s.page)
	box.sh(t, block(t, text, "sh", "docker build"))
	used, err := os.ReadFile(record)
	if err != nil || !slices.Equal(strings.Fields(string(used)), []string{"login", "build", "push"}) {
		t.Errorf("docker was asked for %q: %v", used, err)
	}
	box.sh(t, block(t, text, "sh", "aws lambda delete-function"))
	if roles := box.sh(t, "aws iam list-roles --query 'Roles[].RoleName' --output text"); strings.Contains(roles, "secretwrap") {
		t.Errorf("%s is left", roles)
	}
}
