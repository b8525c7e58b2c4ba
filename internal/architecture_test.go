package internal_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	module = "secretwrap/"
	// program is the one package that is a program, and that knows all others.
	program = "wrapper"
)

// edges returns which packages of this module each package may import. What is
// not listed may not be there: a new package, like a new arrow, is a decision.
func edges() map[string][]string {
	return map[string][]string{
		"internal": {}, // These tests alone.

		"internal/arn":     {},
		"internal/problem": {},
		"internal/secret":  {},
		"internal/suggest": {},
		"internal/visible": {},

		"internal/brake":       {"internal/problem"},
		"internal/environ":     {"internal/secret"},
		"internal/envfile":     {"internal/configfile", "internal/environ", "internal/problem"},
		"internal/extract":     {"internal/secret", "internal/suggest"},
		"internal/lambdaapi":   {},
		"internal/configfile":  {"internal/problem"},
		"internal/manifest":    {"internal/configfile", "internal/problem", "internal/suggest", "internal/yamlfile"},
		"internal/reference":   {"internal/problem", "internal/suggest"},
		"internal/report":      {"internal/problem", "internal/visible"},
		"internal/secretfiles": {"internal/secret"},
		"internal/settings":    {"internal/problem", "internal/suggest"},
		"internal/template":    {"internal/arn", "internal/configfile", "internal/problem", "internal/suggest", "internal/yamlfile"},
		"internal/yamlfile":    {"internal/problem"},

		"internal/plan": {
			"internal/environ", "internal/manifest", "internal/problem", "internal/reference", "internal/secretfiles", "internal/settings",
		},
		"internal/awssecrets": {"internal/arn", "internal/extract", "internal/problem", "internal/secret"},
		"internal/fetch":      {"internal/awssecrets", "internal/problem"},
		"internal/deliver": {
			"internal/environ", "internal/extract", "internal/plan", "internal/problem", "internal/reference", "internal/secret", "internal/secretfiles",
		},
		"internal/inspect": {
			"internal/deliver", "internal/environ", "internal/extract", "internal/plan", "internal/problem", "internal/reference", "internal/secret",
		},
		"internal/policy":   {"internal/arn", "internal/plan"},
		"internal/present":  {"internal/inspect", "internal/problem", "internal/visible"},
		"internal/handover": {"internal/awssecrets", "internal/fetch", "internal/plan", "internal/problem", "internal/secret"},
		"internal/refresh": {
			"internal/awssecrets", "internal/deliver", "internal/fetch", "internal/plan", "internal/problem", "internal/secretfiles",
		},

		// For tests, and for the programs of the nested module.
		"internal/awsfake":    {},
		"internal/lambdafake": {},
		"internal/layerbuild": {},
		"internal/pipenet":    {},

		"scripts/convertsquare": {"internal/environ", "internal/manifest", "internal/plan", "internal/settings"},
		"scripts/packlayer":     {"internal/layerbuild"},
		"scripts/publish":       {},
		"scripts/renewroots":    {},

		program: {
			"internal/awssecrets", "internal/brake", "internal/deliver", "internal/environ", "internal/fetch", "internal/handover", "internal/lambdaapi",
			"internal/manifest", "internal/plan", "internal/problem", "internal/refresh", "internal/report", "internal/secretfiles", "internal/settings", "internal/suggest",
			// Of the build for laptops alone:
			"internal/envfile", "internal/inspect", "internal/policy", "internal/present", "internal/template", "internal/visible",
		},
	}
}

// libraries returns which modules of others each package may import. No two
// packages that ship know the same one, but for the nodes of YAML that one reads
// and others walk.
func libraries() map[string][]string {
	return map[string][]string{
		"internal/awssecrets": {"github.com/aws/aws-sdk-go-v2", "github.com/aws/smithy-go"},
		"internal/extract":    {"github.com/tidwall/gjson"},
		"internal/manifest":   {"go.yaml.in/yaml/v3"},
		"internal/settings":   {"github.com/caarlos0/env/v11"},
		"internal/template":   {"go.yaml.in/yaml/v3"},
		"internal/yamlfile":   {"go.yaml.in/yaml/v3"},
		program:               {"golang.org/x/term"},

		"scripts/convertsquare": {"go.yaml.in/yaml/v3"},
	}
}

// revealers returns the packages that may take a secret out of its value: those
// that turn it into something else, or hand it to the program.
func revealers() []string {
	return []string{
		"internal/deliver",     // encodes, puts templates together, looks for NUL bytes
		"internal/environ",     // builds what execve takes
		"internal/extract",     // reads documents
		"internal/handover",    // writes them to the socket
		"internal/inspect",     // looks for what is suspicious
		"internal/secret",      // counts bytes
		"internal/secretfiles", // writes files
	}
}

// importing is what go list tells of a package.
type importing struct {
	ImportPath string
	Standard   bool
	Imports    []string
}

// list runs go list for one of the two builds.
func list(t *testing.T, build string, arguments ...string) []importing {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", append([]string{"list", "-tags", build, "-json=ImportPath,Standard,Imports"}, arguments...)...)
	command.Dir = ".."
	command.Stderr = os.Stderr
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var packages []importing
	for decoder := json.NewDecoder(output); ; {
		var one importing
		err := decoder.Decode(&one)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, one)
	}
	if err := command.Wait(); err != nil {
		t.Fatal(err)
	}
	return packages
}

func builds() []string { return []string{"plain", "lambda"} }

func TestImportsHaveTheDirectionThatTheTableStates(t *testing.T) {
	for _, build := range builds() {
		t.Run(build, func(t *testing.T) {
			t.Parallel()
			unseen := maps.Clone(edges())
			for _, one := range list(t, build, "./...") {
				name := strings.TrimPrefix(one.ImportPath, module)
				delete(unseen, name)
				allowed, known := edges()[name]
				if !known {
					t.Errorf("%s is not in the table", name)
				}
				for _, imported := range one.Imports {
					if own, isOurs := strings.CutPrefix(imported, module); isOurs && !slices.Contains(allowed, own) {
						t.Errorf("%s imports %s", name, own)
					}
				}
			}
			for name := range unseen {
				t.Errorf("%s is in the table, but not in the module", name)
			}
		})
	}
}

func TestTheTableHoldsWhatItPromises(t *testing.T) {
	for name, imported := range edges() {
		for _, other := range imported {
			switch other {
			case program, "internal/awsfake", "internal/lambdafake", "internal/pipenet":
				t.Errorf("%s may import %s", name, other)
			case "internal/report":
				if name != program {
					t.Errorf("%s may report by itself", name)
				}
			}
		}
	}
	for _, leaf := range []string{"internal/problem", "internal/secret"} {
		if len(edges()[leaf]) > 0 {
			t.Errorf("%s may import %q, though everything may import it", leaf, edges()[leaf])
		}
	}
}

func TestEachLibraryIsKnownToFewPackages(t *testing.T) {
	for _, build := range builds() {
		t.Run(build, func(t *testing.T) {
			t.Parallel()
			for _, one := range list(t, build, "./...") {
				name := strings.TrimPrefix(one.ImportPath, module)
				for _, imported := range one.Imports {
					if host, _, _ := strings.Cut(imported, "/"); !strings.Contains(host, ".") {
						continue // Go's own, or ours.
					}
					if !slices.ContainsFunc(libraries()[name], func(library string) bool { return within(imported, library) }) {
						t.Errorf("%s imports %s", name, imported)
					}
				}
			}
		})
	}
}

// within reports whether a package belongs to a module, or to one inside it.
func within(imported, library string) bool {
	return imported == library || strings.HasPrefix(imported, library+"/")
}

// TestTheLayerHoldsNothingForLaptops keeps other ways to credentials out of the
// layer's build, and what check and policy alone need.
func TestTheLayerHoldsNothingForLaptops(t *testing.T) {
	t.Parallel()
	const sdk = "github.com/aws/aws-sdk-go-v2/"
	left := []string{
		sdk + "config", sdk + "feature/ec2/imds", sdk + "service/sso", sdk + "service/ssooidc", sdk + "service/sts",
		module + "internal/envfile", module + "internal/inspect", module + "internal/policy", module + "internal/present", module + "internal/template",
		"golang.org/x/term", "flag",
	}
	for _, one := range list(t, "lambda", "-deps", "./"+program) {
		if slices.ContainsFunc(left, func(name string) bool { return within(one.ImportPath, name) }) {
			t.Errorf("the layer's build holds %s", one.ImportPath)
		}
	}
}

// source is one file of what ships, or of the fakes.
type source struct {
	// folder is the package's, as in the tables.
	folder string
	file   *ast.File
	set    *token.FileSet
}

// sources parses every file that is no test, of all builds.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	for _, root := range []string{"internal", program} {
		err := filepath.WalkDir(filepath.Join("..", root), func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
				return err
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
			folder := strings.TrimPrefix(path.Dir(filepath.ToSlash(name)), "../")
			all = append(all, source{folder, file, set})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(all) < 50 {
		t.Fatalf("only %d files were found", len(all))
	}
	return all
}

// selected calls found with each name that is selected from another in a file,
// such as os.Getenv.
func (s source) selected(found func(from, name string, at token.Position)) {
	ast.Inspect(s.file, func(node ast.Node) bool {
		if selector, ok := node.(*ast.SelectorExpr); ok {
			from, _ := selector.X.(*ast.Ident)
			if from == nil {
				from = ast.NewIdent("")
			}
			found(from.Name, selector.Sel.Name, s.set.Position(selector.Pos()))
		}
		return true
	})
}

func TestNothingRunsBeforeMain(t *testing.T) {
	for _, s := range sources(t) {
		for _, declaration := range s.file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && function.Recv == nil && function.Name.Name == "init" {
				t.Errorf("%s: a function init", s.set.Position(function.Pos()))
			}
		}
	}
}

func TestTheProcessIsReadByMainAlone(t *testing.T) {
	nowhere := []string{"Getenv", "LookupEnv", "ExpandEnv", "Setenv", "Unsetenv", "Clearenv"}
	inMain := []string{"Args", "Environ", "Exit", "Exec"}
	seen := make(map[string]bool)
	for _, s := range sources(t) {
		s.selected(func(from, name string, at token.Position) {
			if from != "os" && from != "syscall" {
				return
			}
			seen[name] = true
			if slices.Contains(nowhere, name) || slices.Contains(inMain, name) && s.folder != program {
				t.Errorf("%s: %s.%s", at, from, name)
			}
		})
	}
	for _, name := range inMain {
		if !seen[name] {
			t.Errorf("nobody uses %s: the test sees nothing", name)
		}
	}
}

func TestSecretsAreTakenOutWhereTheyMustBe(t *testing.T) {
	unseen := revealers()
	for _, s := range sources(t) {
		for _, at := range reveals(s.file) {
			if !slices.Contains(revealers(), s.folder) {
				t.Errorf("%s: a secret is taken out", s.set.Position(at))
			}
			unseen = slices.DeleteFunc(unseen, func(folder string) bool { return folder == s.folder })
		}
	}
	if len(unseen) > 0 {
		t.Errorf("%q take no secret out any more, but may", unseen)
	}
}

// reveals returns where a file names the method that takes secrets out: calls, method
// values, interfaces that have it, and texts by which reflection or a template
// finds it. Under another type's name, or embedded, it is called the same.
func reveals(file *ast.File) []token.Pos {
	const method = "Reveal"
	var places []token.Pos
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.Ident:
			if node.Name == method {
				places = append(places, node.Pos())
			}
		case *ast.BasicLit:
			if node.Kind == token.STRING && strings.Contains(node.Value, method) {
				places = append(places, node.Pos())
			}
		}
		return true
	})
	return places
}

func TestNoWayToTakeASecretOutIsOverlooked(t *testing.T) {
	ways := map[string]string{
		"a call":              `func f(v secret.Value) []byte { return v.Reveal() }`,
		"a method value":      `func f(v secret.Value) func() []byte { return v.Reveal }`,
		"a method expression": `var f = secret.Value.Reveal`,
		"an alias":            `type V = secret.Value; func f(v V) []byte { return v.Reveal() }`,
		"embedding":           `type V struct{ secret.Value }; func f(v V) []byte { return v.Reveal() }`,
		"an interface":        `type V interface{ Reveal() []byte }`,
		"a constraint":        `func f[V interface{ Reveal() []byte }](v V) {}`,
		"reflection":          `func f(v secret.Value) any { return reflect.ValueOf(v).MethodByName("Reveal") }`,
		"a template":          "var f = template.Must(template.New(\"\").Parse(`{{.Reveal}}`))",
	}
	for name, code := range ways {
		file, err := parser.ParseFile(token.NewFileSet(), "", "package p; "+code, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if len(reveals(file)) == 0 {
			t.Errorf("%s is overlooked", name)
		}
	}
}

// TestTypesKeepWhatTheyHide keeps out what reaches around a type: the bytes of a
// secret, or its method by a number, without a word of it in the source.
func TestTypesKeepWhatTheyHide(t *testing.T) {
	allowed := map[string][]string{
		"internal/settings": {"reflect"}, // reads the tags of its own struct
	}
	for _, s := range sources(t) {
		for _, imported := range s.file.Imports {
			name := strings.Trim(imported.Path.Value, `"`)
			if slices.Contains([]string{"reflect", "unsafe", "C", "plugin"}, name) && !slices.Contains(allowed[s.folder], name) {
				t.Errorf("%s: imports %s", s.set.Position(imported.Pos()), name)
			}
		}
		for _, group := range s.file.Comments {
			for _, comment := range group.List {
				if strings.HasPrefix(comment.Text, "//go:linkname") {
					t.Errorf("%s: %s", s.set.Position(comment.Pos()), comment.Text)
				}
			}
		}
	}
}

// TestTextsOfSecretsAreTakenWhereTheyMustBe holds who takes variables as texts, which
// print: once all are set, that is who measures them for execve, and who calls it.
func TestTextsOfSecretsAreTakenWhereTheyMustBe(t *testing.T) {
	takers := []string{"internal/inspect", program}
	unseen := slices.Clone(takers)
	for _, s := range sources(t) {
		ast.Inspect(s.file, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok {
				return true
			}
			if selector, ok := call.Fun.(*ast.SelectorExpr); ok && selector.Sel.Name == "Entries" {
				if !slices.Contains(takers, s.folder) {
					t.Errorf("%s: variables are taken as texts", s.set.Position(call.Pos()))
				}
				unseen = slices.DeleteFunc(unseen, func(folder string) bool { return folder == s.folder })
			}
			return true
		})
	}
	if len(unseen) > 0 {
		t.Errorf("%q take no texts any more, but may", unseen)
	}
}
