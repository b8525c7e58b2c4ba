//go:build linux

package e2e_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/problem"
	"secretwrap/internal/report"
)

const operations = "docs/operations.md"

// operationsClaims returns what proves the page on operations.
func (d documentation) operationsClaims() []claim {
	claims := []claim{
		proves(d.checkPatterns, "a start failed "),
		proves(checkAlarm, "AWS::CloudWatch::Alarm"),
		proves(d.checkInsights, "stats count(*) as lines, max(@timestamp) as last by code, problem"),
		proves(d.checkInsightsJSON, "ispresent(code)"),
		proves(tested("shared", "throttled", "brake", "TestEmulator/hands over", "a pair for a Go handler"), "calls at start"),
		proves(checkPeak, "peak of a scale-out"),
		proves(d.onAccount(""), "pending=$("),
		proves(d.onAccount(""), "aws lambda wait function-updated"),
		proves(d.onAccount("aws secretsmanager delete-secret --secret-id prod/db >/dev/null"), "restore-secret --secret-id"),
		proves(d.onAccount("aws kms disable-key --key-id $KEY"), "enable-key"),
		proves(d.onAccount(""), "describe-vpc-endpoints"),
		proves(d.onAccount(""), "put-function-concurrency"),
		proves(d.onAccount(""), "list-attached-role-policies"),
		proves(d.onAccount(""), "previous=$("),
		proves(d.onAccount(""), "dist/secretwrap check"),
		proves(d.onAccount(""), "--ephemeral-storage"),
		proves(d.onAccount(""), "replicate-secret-to-regions"),
		proves(d.checkReplica, "${SECRETS_REGION}:"),
		proves(d.onTemplate, "`secretwrap policy --template template.yaml`"),
		proves(d.checkCancelled, "`aws kms cancel-key-deletion`"),
	}
	return append(claims, d.incidentClaims()...)
}

// rows returns the cells of the table of a page that has this head.
func rows(t *testing.T, page, head string) [][]string {
	t.Helper()
	_, rest, found := strings.Cut(page, "\n"+head+"\n")
	_, rest, ruled := strings.Cut(rest, "\n")
	table, _, _ := strings.Cut(rest, "\n\n")
	if !found || !ruled {
		t.Fatalf("the page has no table %q", head)
	}
	var all [][]string
	for line := range strings.Lines(table + "\n") {
		cells := strings.Split(strings.Trim(line, "|\n"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		all = append(all, cells)
	}
	return all
}

// severities are what a row of an alarm may say.
var severities = []string{"page", "ticket", "look", "ticket; page if it lasts for 5 minutes"}

func TestOperationsListsTheErrorTypes(t *testing.T) {
	want := make(map[string]string) // exit statuses
	var order []string
	for class := problem.Config; class.ErrorType() != ""; class++ {
		name, status := "`"+class.ErrorType()+"`", strconv.Itoa(class.Status())
		switch {
		case want[name] == "":
			order, want[name] = append(order, name), status
		case !strings.Contains(want[name], status):
			both := []string{want[name], status}
			slices.Sort(both)
			want[name] = strings.Join(both, ", ")
		}
	}
	var listed []string
	for _, row := range rows(t, page(t, operations), "| error type | exit status | severity | what it means | the first thing to do |") {
		listed = append(listed, row[0])
		if row[1] != want[row[0]] || !slices.Contains(severities, row[2]) || row[3] == "" || row[4] == "" {
			t.Errorf("%q; the statuses are %q", row, want[row[0]])
		}
	}
	if !slices.Equal(listed, order) {
		t.Errorf("the page lists %q, the program has %q", listed, order)
	}
}

func TestOperationsListsTheCodes(t *testing.T) {
	want := eventCodes(t)
	listed := make(map[string]bool)
	for _, row := range rows(t, page(t, operations), "| code | levels | severity | what it tells | the first thing to do |") {
		code := strings.Trim(row[0], "`")
		if listed[code] {
			t.Errorf("%s is listed twice", code)
		}
		listed[code] = true
		levels := strings.Join(levelNames(want[code]), ", ")
		if row[1] != levels || !slices.Contains(severities, row[2]) || row[3] == "" {
			t.Errorf("%q; the levels are %q", row, levels)
		}
	}
	if codes := slices.Sorted(maps.Keys(want)); !slices.Equal(slices.Sorted(maps.Keys(listed)), codes) {
		t.Errorf("the page lists %q, the program prints %q", slices.Sorted(maps.Keys(listed)), codes)
	}
}

// levelNames returns how lines of text call levels, the most important one first.
func levelNames(levels []report.Level) []string {
	var names []string
	for _, level := range []report.Level{report.Error, report.Warn, report.Info, report.Debug} {
		if slices.Contains(levels, level) {
			names = append(names, levelName(level))
		}
	}
	// Where a line is usual, and only sometimes more, the usual comes first.
	if slices.Equal(names, []string{"warning", "info"}) {
		slices.Reverse(names)
	}
	return names
}

func levelName(level report.Level) string {
	if level == report.Warn {
		return "warning"
	}
	return strings.ToLower(level.String())
}

// eventCodes returns the code of each event in the program's source, with its levels.
func eventCodes(t *testing.T) map[string][]report.Level {
	t.Helper()
	values := make(map[string]string) // of constants
	for _, match := range regexp.MustCompile(`(?m)^\t(Code\w+) += "(\w+)"$`).FindAllStringSubmatch(page(t, "internal/report/report.go"), -1) {
		values[match[1]] = match[2]
	}
	levels := map[string]report.Level{"Debug": report.Debug, "Info": report.Info, "Warn": report.Warn, "Error": report.Error}
	found := make(map[string][]report.Level)
	for _, function := range functionsOf(t, "../wrapper") {
		ast.Inspect(function, func(node ast.Node) bool {
			call, isCall := node.(*ast.CallExpr)
			if !isCall || selected(call.Fun) != "Event" {
				return true
			}
			code := values[ofReport(call.Args[1], "Code")]
			if code == "" { // a warning about a problem, which has its error type
				return true
			}
			if name := ofReport(call.Args[0], ""); name != "" {
				found[code] = append(found[code], levels[name])
				return true
			}
			ast.Inspect(function, func(node ast.Node) bool { // a variable
				if expression, isExpression := node.(ast.Expr); isExpression {
					if level, isLevel := levels[ofReport(expression, "")]; isLevel {
						found[code] = append(found[code], level)
					}
				}
				return true
			})
			return true
		})
	}
	for name, code := range values {
		if len(found[code]) == 0 {
			t.Errorf("nothing prints %s", name)
		}
	}
	return found
}

// functionsOf returns the functions of a directory's Go files, without its tests.
func functionsOf(t *testing.T, dir string) []*ast.FuncDecl {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var functions []*ast.FuncDecl
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range parsed.Decls {
			if function, isFunction := declaration.(*ast.FuncDecl); isFunction {
				functions = append(functions, function)
			}
		}
	}
	return functions
}

// selected returns the name that an expression selects.
func selected(expression ast.Expr) string {
	if selector, isSelector := expression.(*ast.SelectorExpr); isSelector {
		return selector.Sel.Name
	}
	return ""
}

// ofReport returns the name of what an expression takes from package report, if it
// begins with prefix.
func ofReport(expression ast.Expr, prefix string) string {
	selector, isSelector := expression.(*ast.SelectorExpr)
	if !isSelector {
		return ""
	}
	if from, isName := selector.X.(*ast.Ident); !isName || from.Name != "report" || !strings.HasPrefix(selector.Sel.Name, prefix) {
		return ""
	}
	return selector.Sel.Name
}

// line is a line of the log in both formats, and what it says.
type line struct {
	level         report.Level
	code, message string
	text, object  string
}

// logLines returns a line for every level and code that the program can print.
func logLines(t *testing.T) []line {
	t.Helper()
	var lines []line
	for code, levels := range eventCodes(t) {
		for _, level := range levels {
			lines = append(lines, lineOf(level, code, "prod/db: throttled or not", func(r *report.Reporter) { r.Event(level, code, "prod/db: throttled or not") }))
		}
	}
	for class := problem.Config; class.ErrorType() != ""; class++ {
		p := &problem.Problem{Class: class, Variable: "A", Secret: "prod/db", Cause: class.Words()}
		lines = append(lines, lineOf(report.Error, class.ErrorType(), p.Error(), func(r *report.Reporter) { r.Problems(problem.List{p}) }),
			lineOf(report.Warn, class.ErrorType(), "the caller could not be told", func(r *report.Reporter) { r.Event(report.Warn, class.ErrorType(), "the caller could not be told") }))
	}
	return lines
}

// lineOf has the program's own reporter write a line.
func lineOf(level report.Level, code, message string, write func(*report.Reporter)) line {
	as := func(format bool) string {
		var out strings.Builder
		write(&report.Reporter{Out: &out, JSON: format, Lambda: true, Now: time.Now})
		return out.String()
	}
	return line{level: level, code: code, message: message, text: as(false), object: as(true)}
}

// printed returns lines that the program prints while functions start, well or not,
// with what they say, in text or as JSON.
func (d documentation) printed(t *testing.T, format string) string {
	t.Helper()
	var log strings.Builder
	for _, i := range []incident{
		{faults: []awsfake.Fault{awsfake.Throttled}, env: []string{"SECRETWRAP_TIMEOUT=1500ms"}},
		{faults: []awsfake.Fault{awsfake.Denied}},
		{env: []string{"KEY=secretsmanager://prod/db?file#password", "OPTIONAL=secretsmanager://prod/absent?optional", "SECRETWRAP_NOVELTY=1"}},
	} {
		i.env = append(i.env, "AWS_LAMBDA_LOG_FORMAT="+format)
		log.WriteString(d.starts(t, i).log)
	}
	return log.String()
}

// meanings are what the patterns of the page shall find.
var meanings = map[string]func(line) bool{
	"a start failed": func(l line) bool { return l.level == report.Error && strings.HasPrefix(l.code, "Runtime.") },
	"a start was throttled": func(l line) bool {
		return l.code == "Runtime.SecretUnavailable" && strings.Contains(l.message, "throttled")
	},
	"files are too old":   func(l line) bool { return l.code == report.CodeStale },
	"the extension fails": func(l line) bool { return l.level == report.Error && l.code == report.CodeExtension },
	"a start is slow":     func(l line) bool { return l.code == report.CodeWaiting },
}

// patterns returns the patterns of a block, for text and for JSON, by what they find.
func patterns(t *testing.T, block string) (text, object map[string]string) {
	t.Helper()
	text, object = make(map[string]string), make(map[string]string)
	name := ""
	for l := range strings.Lines(block) {
		match := regexp.MustCompile(`^(.*?) +(text|JSON)  (.*)\n$`).FindStringSubmatch(l)
		if match == nil {
			t.Fatalf("no pattern: %q", l)
		}
		if match[2] == "text" {
			name = match[1]
			text[name] = match[3]
			continue
		}
		object[name] = match[3]
	}
	return text, object
}

// checkPatterns checks that each pattern finds what it says, among all lines that the
// program can print, in either format, and something among those that it prints.
func (d documentation) checkPatterns(t *testing.T, s snippet) {
	text, object := patterns(t, s.code)
	if names := slices.Sorted(maps.Keys(meanings)); !slices.Equal(slices.Sorted(maps.Keys(text)), names) || !slices.Equal(slices.Sorted(maps.Keys(object)), names) {
		t.Fatalf("the patterns are %q", text)
	}
	lines := logLines(t)
	textLog, objectLog := d.printed(t, "Text"), d.printed(t, "JSON")
	for name, means := range meanings {
		found := 0
		for _, l := range lines {
			inText, inObject := matchesText(t, text[name], l.text), matchesObject(t, object[name], l.object)
			if want := means(l); inText != want || inObject != want {
				t.Errorf("%s: finds %s: in text %v, in JSON %v, want %v", name, l.text, inText, inObject, want)
			}
			if inText {
				found++
			}
		}
		if found == 0 || found == len(lines) {
			t.Errorf("%s: finds %d of %d lines", name, found, len(lines))
		}
		if name == "the extension fails" {
			continue // which a start alone does not show
		}
		inText := slices.ContainsFunc(slices.Collect(strings.Lines(textLog)), func(l string) bool { return matchesText(t, text[name], l) })
		inObject := slices.ContainsFunc(slices.Collect(strings.Lines(objectLog)), func(l string) bool { return matchesObject(t, object[name], l) })
		if !inText || !inObject {
			t.Errorf("%s: finds nothing in what the program prints: in text %v, in JSON %v", name, inText, inObject)
		}
	}
}

// matchesText evaluates a pattern of phrases, all of which a line must hold.
func matchesText(t *testing.T, pattern, line string) bool {
	t.Helper()
	phrases := regexp.MustCompile(`"[^"]+"`).FindAllString(pattern, -1)
	if strings.Join(phrases, " ") != pattern {
		t.Fatalf("these are no phrases: %s", pattern)
	}
	return !slices.ContainsFunc(phrases, func(phrase string) bool { return !strings.Contains(line, strings.Trim(phrase, `"`)) })
}

var fieldCondition = regexp.MustCompile(`^\$\.([a-zA-Z]+) = "([^"]+)"$`)

// matchesObject evaluates a pattern of fields, with asterisks for any text, all of
// which an object must have.
func matchesObject(t *testing.T, pattern, object string) bool {
	t.Helper()
	var fields map[string]any
	if json.Unmarshal([]byte(object), &fields) != nil {
		t.Fatalf("no JSON: %s", object)
	}
	inner := strings.TrimSuffix(strings.TrimPrefix(pattern, "{ "), " }")
	if "{ "+inner+" }" != pattern {
		t.Fatalf("no pattern for JSON: %s", pattern)
	}
	for one := range strings.SplitSeq(inner, " && ") {
		match := fieldCondition.FindStringSubmatch(one)
		if match == nil {
			t.Fatalf("no condition: %s", one)
		}
		wanted := "^" + strings.ReplaceAll(regexp.QuoteMeta(match[2]), `\*`, ".*") + "$"
		value, isText := fields[match[1]].(string)
		if !isText || !regexp.MustCompile(wanted).MatchString(value) {
			return false
		}
	}
	return true
}

// checkAlarm checks that the alarm's pattern is the one above it, and that AWS's linter
// has nothing against the template.
func checkAlarm(t *testing.T, s snippet) {
	text, _ := patterns(t, block(t, page(t, operations), "text", "a start failed "))
	if want := "FilterPattern: '" + text["a start failed"] + "'\n"; !strings.Contains(s.code, want) {
		t.Errorf("the template has no %s", want)
	}
	linter := cached(t, "builders/venv/bin/cfn-lint")
	if _, err := os.Stat(linter); err != nil {
		need(t, "no cfn-lint: scripts/install-builders.sh installs it")
	}
	template := filepath.Join(t.TempDir(), "alarm.yaml")
	write(t, template, s.code, 0o644)
	if out, err := exec.CommandContext(t.Context(), linter, "--", template).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// checkInsights checks that the query's filter lets exactly warnings and errors pass,
// and that its parser reads level and code of each.
func (d documentation) checkInsights(t *testing.T, s snippet) {
	expressions := regexp.MustCompile(`(?m)^\| (?:filter|parse) @message (?:like )?/(.*)/$`).FindAllStringSubmatch(s.code, -1)
	if len(expressions) != 2 {
		t.Fatalf("the query has the expressions %q", expressions)
	}
	filter, parse := regexp.MustCompile(expressions[0][1]), regexp.MustCompile(expressions[1][1])
	for _, l := range logLines(t) {
		if important := l.level >= report.Warn; filter.MatchString(l.text) != important {
			t.Errorf("the filter is wrong about %s", l.text)
		}
		if got := parse.FindStringSubmatch(l.text); got == nil || got[1] != levelName(l.level) || got[2] != l.message || got[3] != l.code {
			t.Errorf("%q is parsed as %q", l.text, got)
		}
	}
	for l := range strings.Lines(d.printed(t, "Text")) {
		if filter.MatchString(l) && !parse.MatchString(l) {
			t.Errorf("is not parsed: %s", l)
		}
	}
	if names := parse.SubexpNames(); !slices.Equal(names, []string{"", "level", "problem", "code"}) {
		t.Errorf("the fields are %q", names)
	}
}

// checkInsightsJSON checks that the query names fields that objects have.
func (d documentation) checkInsightsJSON(t *testing.T, s snippet) {
	known := make(map[string]bool)
	for l := range strings.Lines(d.printed(t, "JSON")) {
		var fields map[string]any
		decode(t, []byte(l), &fields)
		for name := range fields {
			known[name] = true
		}
	}
	first, _, _ := strings.Cut(s.code, "\n")
	for _, name := range strings.Split(strings.TrimPrefix(first, "fields @timestamp, "), ", ") {
		if !known[name] {
			t.Errorf("no line has the field %q", name)
		}
	}
	if want := fmt.Sprintf("level in [%q, %q]", report.Error, report.Warn); !strings.Contains(s.code, want) {
		t.Errorf("the query has no %s", want)
	}
}

// onAccount returns what proves commands: they succeed in an account that moto plays,
// with the function orders and the secret prod/db, after what else goes wrong there.
func (d documentation) onAccount(broken string) func(*testing.T, snippet) {
	return func(t *testing.T, s snippet) {
		box := d.broughtUp(t)
		box.sh(t, ". ./account.sh\n"+broken)
		code := s.code
		if lookup := regexp.MustCompile(`(?m)^aws cloudtrail lookup-events .*\n`).FindString(code); lookup != "" {
			code = strings.Replace(code, lookup, "", 1) // which moto does not play
			box.checkRequest(t, strings.TrimSpace(lookup), "LookupEvents")
		}
		box.sh(t, ". ./account.sh\n"+code)
		box.checkMended(t, s.code)
	}
}

// motoRegions are regions that moto knows, without that of the replica and that of other
// proofs.
var motoRegions = []string{
	"eu-west-2", "eu-west-3", "eu-north-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
	"ca-central-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "ap-northeast-2", "sa-east-1",
}

// broughtUp returns a sandbox with an account in which all is well: in a region of its
// own, since all share one moto_server.
func (d documentation) broughtUp(t *testing.T) *sandbox {
	t.Helper()
	box := d.sandbox(t, nil)
	box.awsCommand(t, d.moto(t))
	a := cloud{d.moto(t), motoRegions[d.regions.Add(1)-1]}
	box.unset("AWS_REGION", "AWS_DEFAULT_REGION")
	box.env = append(box.env, "AWS_REGION="+a.region, "AWS_DEFAULT_REGION="+a.region, "AWS_ENDPOINT_URL_SECRETS_MANAGER="+a.url, "DB_PASSWORD=secretsmanager://prod/db#password")
	box.write(t, "new.json", `{"password":"new"}`)
	var key struct{ KeyMetadata struct{ KeyID string } }
	a.json(t, "kms", "TrentService.CreateKey", map[string]any{}, &key)
	box.write(t, "account.sh", "KEY="+key.KeyMetadata.KeyID+"\n")
	var ignored struct{}
	a.json(t, "secretsmanager", "secretsmanager.CreateSecret", map[string]any{"Name": "prod/db", "KmsKeyId": key.KeyMetadata.KeyID, "SecretString": `{"password":"old"}`}, &ignored)
	a.json(t, "secretsmanager", "secretsmanager.PutSecretValue", map[string]any{"SecretId": "prod/db", "SecretString": `{"password":"current"}`}, &ignored)
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	role := url.Values{"Action": {"CreateRole"}, "RoleName": {"orders"}, "AssumeRolePolicyDocument": {trust}}
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	if answer, status := a.send(t, "iam", http.MethodPost, "/", form, []byte(role.Encode())); status != http.StatusOK && status != http.StatusConflict {
		t.Fatalf("moto answers %d: %s", status, answer) // it is there, if another region was the first
	}
	var code bytes.Buffer
	if err := zip.NewWriter(&code).Close(); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		path string
		body any
	}{
		{"/2015-03-31/functions", map[string]any{"FunctionName": "orders", "Runtime": "python3.13", "Handler": "app.handler", "Role": "arn:aws:iam::" + accountID + ":role/orders", "Code": map[string]any{"ZipFile": code.Bytes()}}},
		{"/2015-03-31/functions/orders/versions", map[string]any{}},
		{"/2015-03-31/functions/orders/aliases", map[string]any{"Name": "live", "FunctionVersion": "1"}},
	} {
		a.call(t, "lambda", http.MethodPost, step.path, map[string]string{"Content-Type": "application/json"}, []byte(mustJSON(t, step.body)))
	}
	return box
}

// checkRequest checks that the command line understands a command, and sends that
// request, whatever the answer is.
func (s *sandbox) checkRequest(t *testing.T, command, operation string) {
	t.Helper()
	_, stderr, err := s.try(t, "AWS_MAX_ATTEMPTS=1 "+command)
	if err != nil && !strings.Contains(stderr, "when calling the "+operation+" operation") {
		t.Errorf("%s\n%v\n%s", command, err, stderr)
	}
}

// checkMended checks what commands have changed.
func (s *sandbox) checkMended(t *testing.T, code string) {
	t.Helper()
	const password = "aws secretsmanager get-secret-value --secret-id prod/db --version-stage AWSCURRENT --query SecretString --output text"
	for change, question := range map[string][2]string{
		"restore-secret --secret-id": {password, `{"password":"current"}`},
		"enable-key":                 {". ./account.sh; aws kms describe-key --key-id $KEY --query KeyMetadata.KeyState --output text", "Enabled"},
		"pending=$(":                 {password, `{"password":"new"}`},
		"previous=$(":                {password, `{"password":"old"}`},
		"update-alias":               {"aws lambda get-alias --function-name orders --name live --query FunctionVersion --output text", "2"},
	} {
		if !strings.Contains(code, change) {
			continue
		}
		if answer := strings.TrimSpace(s.sh(t, question[0])); answer != question[1] {
			t.Errorf("after %s the answer is %s, want %s", change, answer, question[1])
		}
	}
}

// checkCancelled checks that the command takes a key back whose deletion is scheduled.
func (d documentation) checkCancelled(t *testing.T, s snippet) {
	box := d.broughtUp(t)
	if state := box.sh(t, ". ./account.sh; aws kms schedule-key-deletion --key-id $KEY >/dev/null; "+s.code+" --key-id $KEY >/dev/null; aws kms describe-key --key-id $KEY --query KeyMetadata.KeyState --output text"); state != "Disabled\n" {
		t.Errorf("the key is %s", state)
	}
}

// checkReplica checks that the manifest's reference leads to the replica.
func (d documentation) checkReplica(t *testing.T, s snippet) {
	box := d.sandbox(t, nil)
	box.unset("AWS_ENDPOINT_URL_SECRETS_MANAGER")
	box.write(t, "secretwrap.yaml", s.code)
	region := regexp.MustCompile("`SECRETS_REGION`, set to `([^`]+)`").FindStringSubmatch(page(t, s.page))
	if region == nil {
		t.Fatal("the page does not say what SECRETS_REGION is")
	}
	box.env = append(box.env, "SECRETS_REGION="+region[1])
	out := box.sh(t, "dist/secretwrap check --offline; dist/secretwrap policy --kms-key none")
	if want := "arn:aws:secretsmanager:" + region[1] + ":123456789012:secret:prod/db-AbCdEf"; !strings.Contains(out, want) || !strings.Contains(out, "DB_PASSWORD") {
		t.Errorf("it leads to %s, want %s", out, want)
	}
}

// numberOf reads a number of a table.
func numberOf(t *testing.T, text string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", ""), 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// grouped writes a number with commas between the thousands.
func grouped(n float64) string {
	text := strconv.FormatFloat(float64(int64(n+0.5)), 'f', 0, 64)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// prices returns what a unit of each thing costs, by the page.
func prices(t *testing.T) map[string]float64 {
	t.Helper()
	all := make(map[string]float64)
	for _, row := range rows(t, page(t, operations), "| what | dollars | per | from |") {
		per := 1.0
		if count := regexp.MustCompile(`^[\d,]+`).FindString(row[2]); count != "" {
			per = numberOf(t, count)
		}
		all[row[0]] = numberOf(t, row[1]) / per
	}
	return all
}

func TestOperationsComputesCosts(t *testing.T) {
	price := prices(t)
	table := rows(t, page(t, operations), "| starts | secrets | environments that refresh all month | refresh | calls | Secrets Manager | KMS, own key | each further trail |")
	for _, row := range table {
		calls := numberOf(t, row[0]) * numberOf(t, row[1])
		if row[3] != "" {
			age, err := time.ParseDuration(row[3])
			if err != nil {
				t.Fatal(err)
			}
			calls += numberOf(t, row[2]) * numberOf(t, row[1]) * (30 * 24 * time.Hour).Hours() / age.Hours()
		}
		want := []string{
			grouped(calls), fmt.Sprintf("%.2f", calls*price["GetSecretValue"]), fmt.Sprintf("%.2f", calls*price["Decrypt with a key of your own"]),
			fmt.Sprintf("%.2f", calls*price["management events in a further trail"]),
		}
		if !slices.Equal(row[4:], want) {
			t.Errorf("%q, want %q", row, want)
		}
	}
	if len(table) < 3 {
		t.Errorf("%d examples", len(table))
	}
}

func TestOperationsComputesWhatStartsCost(t *testing.T) {
	_, small, _ := strings.Cut(page(t, "docs/performance.md"), "| **Go, 128 MB of memory** |")
	price := prices(t)["duration on x86"]
	table := rows(t, page(t, operations), "| way | added, ms | GB-seconds | dollars |")
	for _, row := range table {
		measured := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(row[0]) + ` \| [^|]+ \| [^|]+ \| ([\d.]+) \|`).FindStringSubmatch(small)
		if measured == nil {
			t.Fatalf("nothing is measured of %q", row[0])
		}
		used := numberOf(t, measured[1]) / 1000 * 128 / 1024 * 1_000_000
		if want := []string{measured[1], grouped(used), fmt.Sprintf("%.2f", used*price)}; !slices.Equal(row[1:], want) {
			t.Errorf("%q, want %q", row, want)
		}
	}
	if len(table) < 2 {
		t.Errorf("%d ways", len(table))
	}
}

// checkPeak compares what the page says of the quota with the simulated fleets, and
// its example of refreshes with the formula.
func checkPeak(t *testing.T, s snippet) {
	text := page(t, operations)
	quota := numberOf(t, rows(t, text, "| quota | a second | whose | |")[0][1])
	var simulated struct {
		Fleets []struct {
			API                           string
			Environments, Secrets, Needed int
			WithinMS                      int64 `json:"within_ms"`
			Throttled                     int
		}
	}
	decode(t, []byte(page(t, "docs/scale.json")), &simulated)
	below, above := 0, 0
	for _, fleet := range simulated.Fleets {
		switch peak := float64(fleet.Environments*fleet.Secrets) / (time.Duration(fleet.WithinMS) * time.Millisecond).Seconds(); {
		case fleet.API != "GetSecretValue":
		case peak > quota:
			above++
		default:
			below++
			if fleet.Throttled > 0 {
				t.Errorf("throttled although below the quota: %+v", fleet)
			}
		}
	}
	if below == 0 || above == 0 {
		t.Errorf("%d fleets below the quota, %d above it", below, above)
	}
	example := regexp.MustCompile(`([\d,]+) environments with (\d+) secrets in files make ([\d,]+) calls a second, and ([\d,]+) at first`).FindStringSubmatch(text)
	if example == nil {
		t.Fatal("the page has no example of refreshes")
	}
	refreshes := numberOf(t, example[1]) * numberOf(t, example[2]) / (5 * time.Minute).Seconds()
	if numberOf(t, example[3]) != refreshes || numberOf(t, example[4]) != refreshes/0.4 {
		t.Errorf("%q, want %v and %v", example[0], refreshes, refreshes/0.4)
	}
}

// TestOperationsNamesTests checks that the tests are there which show how long a value
// lives.
func TestOperationsNamesTests(t *testing.T) {
	sources, err := testSources()
	if err != nil {
		t.Fatal(err)
	}
	table := rows(t, page(t, operations), "| initialization type | a variable | a file, or `NAME_FILE` | test, below `TestEmulator/refreshes` |")
	for _, row := range table {
		if !isTest(sources, row[3]) {
			t.Errorf("no test is called %q", row[3])
		}
	}
	if len(table) != 4 {
		t.Errorf("%d initialization types", len(table))
	}
}

// TestOperationsQuotesCauses checks that what the page quotes of errors in its text is
// what the program says.
func TestOperationsQuotesCauses(t *testing.T) {
	causes := page(t, "internal/awssecrets/error.go")
	quotes := regexp.MustCompile(`"(the [a-z ]+)"`).FindAllStringSubmatch(page(t, operations), -1)
	for _, quote := range quotes {
		if !strings.Contains(causes, `Cause: "`+quote[1]+`"`) && !strings.Contains(causes, `Cause = "`+quote[1]+`"`) {
			t.Errorf("the program does not say %q", quote[1])
		}
	}
	if len(quotes) == 0 {
		t.Error("nothing is quoted")
	}
}

// TestOperationsLinksLead checks that every link within the page leads to a heading.
func TestOperationsLinksLead(t *testing.T) {
	text := page(t, operations)
	headings := make(map[string]bool)
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		kept := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		headings[strings.ReplaceAll(kept, " ", "-")] = true
	}
	links := regexp.MustCompile(`\]\(#([^)]*)\)`).FindAllStringSubmatch(text, -1)
	for _, link := range links {
		if !headings[link[1]] {
			t.Errorf("no heading is called #%s", link[1])
		}
	}
	if len(links) == 0 {
		t.Error("nothing is linked")
	}
}
