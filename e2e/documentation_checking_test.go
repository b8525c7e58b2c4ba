//go:build linux

package e2e_test

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"secretwrap/internal/awsfake"
)

// checkingClaims returns what proves the page on check and policy.
func (d documentation) checkingClaims() []claim {
	return []claim{
		proves(d.checkTableShown, "dist/secretwrap check\n", "VARIABLE "),
		proves(d.onTemplate, "--function Orders --parameter Stage=prod\n"),
		proves(d.onTemplate, "> policy.json"),
	}
}

// checkTableShown checks that the page shows what the command before prints, but for
// the version, which is another one each time.
func (d documentation) checkTableShown(t *testing.T, s snippet) {
	box := d.sandbox(t, map[string]awsfake.Version{"prod/db": {String: new(`{"password":"p@ss/w0rd","port":5432}`)}})
	version := regexp.MustCompile(`\b[0-9a-f]{8}\b`)
	printed := version.ReplaceAllString(box.sh(t, s.code), "VERSION.")
	if shown := version.ReplaceAllString(block(t, page(t, s.page), "text", "VARIABLE "), "VERSION."); printed != shown {
		t.Errorf("prints:\n%s\nthe page shows:\n%s", printed, shown)
	}
}

// onTemplate runs a command on a template with a function called Orders.
func (d documentation) onTemplate(t *testing.T, s snippet) {
	box := d.sandbox(t, map[string]awsfake.Version{"prod/db": {String: new(`{"password":"` + canary + `"}`)}})
	box.write(t, "template.yaml", `
Parameters: {Stage: {Type: String, Default: prod}}
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs22.x
      Layers: [a-layer]
      Environment:
        Variables:
          AWS_LAMBDA_EXEC_WRAPPER: /opt/secretwrap
          DB_PASSWORD: !Sub "secretsmanager://${Stage}/db#password"
`)
	printed := box.sh(t, s.code+"\nif [ -e policy.json ]; then cat policy.json; fi")
	if want := "DB_PASSWORD  prod/db  AWSCURRENT"; strings.Contains(s.code, " check ") && !strings.Contains(printed, want) {
		t.Errorf("printed %q, want %q", printed, want)
	}
	if strings.Contains(s.code, " policy ") && !strings.Contains(readPolicy(t, printed), ":secret:prod/db-??????") {
		t.Errorf("printed %q", printed)
	}
}

// readPolicy returns the resources of a policy's first statement.
func readPolicy(t *testing.T, text string) string {
	t.Helper()
	var p struct{ Statement []struct{ Resource []string } }
	if err := json.Unmarshal([]byte(text), &p); err != nil || len(p.Statement) == 0 {
		t.Fatalf("%v\n%s", err, text)
	}
	return strings.Join(p.Statement[0].Resource, " ")
}

// checkPolicyPrinted checks that the page shows the policy that the command in the
// text before it prints, on other lines.
func (d documentation) checkPolicyPrinted(t *testing.T, s snippet) {
	words := regexp.MustCompile("here of `([^`]+)` with `([^`]+)`:").FindStringSubmatch(page(t, s.page))
	if words == nil {
		t.Fatal("the page does not say what the policy is of")
	}
	var printed, shown any
	if err := json.Unmarshal([]byte(d.sandbox(t, nil).sh(t, "export '"+words[1]+"'; dist/secretwrap policy "+words[2])), &printed); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(s.code), &shown); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(printed, shown) {
		t.Errorf("prints %v, the page shows %v", printed, shown)
	}
}
