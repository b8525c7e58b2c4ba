//go:build linux

package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"secretwrap/internal/awsfake"
)

// exampleClaims returns what proves the pages of examples. What TestEmulator deploys
// by a page's commands is claimed by its name; the rest runs here, in an account of
// moto's, with stand-ins for what needs the network or a container engine.
func (d documentation) exampleClaims() map[string][]claim {
	return map[string][]claim{
		"examples/sam/README.md": {
			proves(tested("TestEmulator/examples/SAM"), "sam build"),
			proves(d.checkSAM, "sam build", "sam remote invoke", "`sam delete --stack-name secretwrap-example`"),
		},
		"examples/cdk/README.md": {
			proves(checkConstruct, "secretwrap.addTo"),
			proves(d.checkNPM, "npm run deploy", "`npm run destroy`"),
			proves(d.checkInvoked, "`aws lambda invoke --function-name NAME answer.json && cat answer.json`"),
		},
		"examples/terraform/README.md": {
			proves(tested("TestEmulator/examples/Terraform"), "terraform apply"),
			proves(d.checkMade, "terraform apply"),
			proves(d.checkInvoked, "aws lambda invoke"),
			proves(d.checkDestroyed, "terraform destroy"),
		},
		"examples/image/README.md": {
			proves(tested("TestEmulator/examples/image"), "docker build"),
			proves(d.checkMade, "docker build"),
			proves(checkImageRemoved, "docker build", "aws lambda delete-function"),
			proves(d.checkInvoked, "`aws lambda invoke --function-name secretwrap-example-image answer.json && cat answer.json`"),
		},
	}
}

// example returns a sandbox with the examples, where they lie in the project, and a
// stand-in for make. Commands run in the folder of the page.
func (d documentation) example(t *testing.T, s snippet) *sandbox {
	t.Helper()
	box := d.sandbox(t, nil)
	copySources(t, "examples", box.dir)
	box.makeCommand(t)
	box.work = filepath.Join(box.dir, filepath.Dir(s.page))
	return box
}

// account returns an example whose AWS command line talks to moto.
func (d documentation) account(t *testing.T, s snippet) *sandbox {
	t.Helper()
	box := d.example(t, s)
	box.awsCommand(t, d.moto(t))
	return box
}

// shown returns all commands of a page that begin with a word, those in the text
// after the blocks; what else is in a block with one comes with it.
func shown(t *testing.T, path, word string) string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^` + word + ` `)
	var code strings.Builder
	for _, s := range snippetsOf(t, path) {
		isCode := s.language == "" || s.language == "sh"
		if isCode && line.MatchString(s.code) {
			code.WriteString(strings.TrimSuffix(s.code, "\n") + "\n")
		}
	}
	return code.String()
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

// checkNPM follows the page of the CDK's example with a stand-in for npm, which wants
// a script to be one of the package's, the packages installed, and the layer made.
func (d documentation) checkNPM(t *testing.T, s snippet) {
	box := d.example(t, s)
	var manifest struct{ Scripts map[string]string }
	if err := json.Unmarshal([]byte(page(t, "examples/cdk/package.json")), &manifest); err != nil {
		t.Fatal(err)
	}
	box.script(t, "npm", `case "$*" in
install) [ -e package.json ] && mkdir node_modules ;;
`+strings.Join(runs(manifest.Scripts), " | ")+`) [ -d node_modules ] && [ -e ../../dist/secretwrap-layer-x86_64.zip ] ;;
*) exit 2 ;;
esac
echo "npm $*"
`)
	checkPrints(t, box.sh(t, shown(t, s.page, "npm")), "npm install\nnpm run deploy\nnpm run destroy")
}

// runs returns how npm is told to run scripts.
func runs(scripts map[string]string) []string {
	var commands []string
	for name := range scripts {
		commands = append(commands, "'run "+name+"'")
	}
	return commands
}

// checkMade makes what a page has made before anything else, and checks that this is
// all of dist that the commands after it, and the other files of the example, need.
func (d documentation) checkMade(t *testing.T, s snippet) {
	box := d.example(t, s)
	make, rest, _ := strings.Cut(s.code, "\n")
	if !strings.HasPrefix(make, "make ") {
		t.Fatalf("%q makes nothing", make)
	}
	box.sh(t, make)
	needed := []string{"secretwrap-layer-x86_64.zip"}
	if strings.Contains(rest, "../../dist/secretwrap ") {
		needed = append(needed, "secretwrap")
	}
	for _, name := range needed {
		if _, err := os.Stat(box.path("dist/" + name)); err != nil {
			t.Errorf("%s does not make it: %v", make, err)
		}
	}
}

// checkInvoked checks that the command gets as far as the function that is not there,
// by the name that the example gives it.
func (d documentation) checkInvoked(t *testing.T, s snippet) {
	named := regexp.MustCompile(`--function-name (\S+)`).FindStringSubmatch(s.code)
	if named == nil {
		t.Fatal("no function is named")
	}
	sources := page(t, "examples/terraform/main.tf") + page(t, "examples/image/README.md")
	isNamed := regexp.MustCompile(`(?:create-function --function-name |function_name += ")` + named[1] + `\b`)
	if named[1] != "NAME" && !isNamed.MatchString(sources) {
		t.Errorf("no example makes a function called %s", named[1])
	}
	_, stderr, err := d.account(t, s).try(t, s.code)
	if err == nil || !strings.Contains(stderr, "ResourceNotFoundException") {
		t.Errorf("%v: %s", err, stderr)
	}
}

// checkDestroyed removes the secrets as the page does, behind a stand-in for Terraform.
func (d documentation) checkDestroyed(t *testing.T, s snippet) {
	box := d.account(t, s)
	box.script(t, "terraform", "[ \"$*\" = destroy ]\n")
	a := cloud{d.moto(t), "eu-west-1"}
	for _, name := range []string{"secretwrap-example/db", "secretwrap-example/signing-key"} {
		createSecret(t, a, name, awsfake.Version{String: new("x")})
	}
	box.sh(t, s.code)
	var listed struct{ SecretList []struct{ Name string } }
	a.json(t, "secretsmanager", "secretsmanager.ListSecrets", struct{}{}, &listed)
	for _, secret := range listed.SecretList {
		if strings.HasPrefix(secret.Name, "secretwrap-example/") {
			t.Errorf("%s is left", secret.Name)
		}
	}
}

// checkImageRemoved checks that the page removes whatever it makes. That it can be made
// and removed is what TestEmulator sees.
func checkImageRemoved(t *testing.T, s snippet) {
	undo := map[string]string{"create": "delete", "attach": "detach", "put": "delete"}
	made := regexp.MustCompile(`(?m)^aws (\S+) (create|attach|put)-(\S+) ((?:--(?:role-name|policy-name|policy-arn|repository-name|function-name) \S+ ?)+)`)
	commands := made.FindAllStringSubmatch(block(t, page(t, s.page), "sh", "docker build"), -1)
	if len(commands) < 5 {
		t.Errorf("the page makes %d things only", len(commands))
	}
	removed := block(t, page(t, s.page), "sh", "aws lambda delete-function")
	for _, command := range commands {
		if want := "aws " + command[1] + " " + undo[command[2]] + "-" + command[3] + " " + strings.TrimSpace(command[4]); !strings.Contains(removed, want) {
			t.Errorf("the page does not remove what it makes: %s", want)
		}
	}
}
