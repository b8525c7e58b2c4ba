//go:build linux

package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// testSAM deploys the example for SAM as its page has it, up to `sam deploy`, for which
// moto would have to translate the template.
func (x examples) testSAM(t *testing.T) {
	a := cloud{x.moto, "eu-west-2"}
	a.makeBucket(t, "packages")
	tools := x.tools(t, a, "sam", "cfn-lint")
	dir := x.dir("sam")
	tools.run(t, dir, "cfn-lint", "template.yaml")
	tools.run(t, dir, "sam", "validate", "--lint")
	tools.run(t, dir, "sh", "-ec", pageCommands(t, "sam", "sam build", "make ", "sam deploy"))
	t.Run("with the zip as built", func(t *testing.T) {
		t.Parallel()
		s := readStack(t, a, tools.translated(t, dir, ".aws-sam/build/template.yaml"))
		d := s.deploy(t)
		d.layer = x.checkAsBuilt(t, d.layer)
		checkPolicy(t, s.policies(t), map[string][]string{"secretsmanager:GetSecretValue": s.arns})
		x.checkAnswer(t, d, s.values...)
	})
	t.Run("with a folder, whose links become copies", func(t *testing.T) {
		t.Parallel()
		x.testRepacked(t, tools, dir)
	})
}

// testRepacked has SAM pack the layer, of a folder with what its zip holds.
func (x examples) testRepacked(t *testing.T, tools toolbox, dir string) {
	a := cloud{x.moto, "eu-north-1"}
	tools.env = append(tools.env, a.access()...)
	folder := unpacked(t, x.zip())
	changed := strings.Replace(page(t, "examples/sam/template.yaml"), "../../dist/secretwrap-layer-x86_64.zip", folder, 1)
	write(t, filepath.Join(dir, "folder.yaml"), changed, 0o644)
	s := readStack(t, a, tools.translated(t, dir, "folder.yaml"))
	d := s.deploy(t)
	d.layer = unzip(t, d.layer)
	if info, err := os.Lstat(filepath.Join(d.layer, "secretwrap")); err != nil || !info.Mode().IsRegular() {
		t.Fatalf("secretwrap is no copy: %v", err)
	}
	x.checkAnswer(t, d, s.values...)
}

// tools returns builders that work on an account.
func (x examples) tools(t *testing.T, a cloud, names ...string) toolbox {
	t.Helper()
	tools := builders(t, names...)
	tools.env = append(tools.env, a.access()...)
	return tools
}

// translated uploads what a SAM template needs, and returns the template as
// CloudFormation has it.
func (b toolbox) translated(t *testing.T, dir, template string) []byte {
	t.Helper()
	packaged := filepath.Join(t.TempDir(), "packaged.yaml")
	b.run(t, dir, "sam", "package", "--s3-bucket", "packages", "--template-file", template, "--output-template-file", packaged)
	return b.output(t, "builders", "python", "translate.py", packaged)
}
