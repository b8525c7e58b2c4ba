package main

import (
	"errors"
	"flag"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// request is what the user asks for. Messages call its parts by the names of the
// Makefile's variables, which is where users set them.
type request struct {
	regions       []string
	variants      []string
	architectures []string
	name          string // what the names of all layers begin with
	organization  string
	accounts      []string
	parameters    string // what the names of all parameters begin with
	version       string
	dist          string
	profile       string
	publish       bool
	check         bool // whether to look at the request and do no more
}

// variables are those of make publish.
func variables() []string {
	return []string{"REGIONS", "VARIANTS", "ARCHITECTURES", "LAYER_NAME", "ORGANIZATION", "ACCOUNTS", "SSM_PREFIX", "PUBLISH"}
}

// foreign are names of variables for others that make starts, or for the Makefile.
var foreign = regexp.MustCompile(`^(AWS_.*|GO[A-Z]*|CGO_ENABLED|CACHE|VERSION|MAKE.*)$`)

// The forms that AWS's references of the API give for these.
var (
	regionForm       = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)
	nameForm         = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,100}$`)
	organizationForm = regexp.MustCompile(`^o-[a-z0-9]{10,32}$`)
	accountForm      = regexp.MustCompile(`^[0-9]{12}$`)
	parametersForm   = regexp.MustCompile(`^(/[a-zA-Z0-9_.-]+){1,12}$`)
	reservedForm     = regexp.MustCompile(`(?i)^/(aws|ssm)`)
)

// parse reads the command line and returns all that is wrong with it at once.
func parse(args []string) (request, error) {
	var r request
	flags := flag.NewFlagSet("publish", flag.ContinueOnError)
	list := func(target *[]string, name, usage string) {
		flags.Func(name, usage, func(text string) error {
			*target = words(text)
			return nil
		})
	}
	list(&r.regions, "regions", "the regions to publish to")
	list(&r.variants, "variants", "the variants of the layer: "+strings.Join(knownVariants(), ", "))
	list(&r.architectures, "architectures", "the architectures: "+strings.Join(knownArchitectures(), ", "))
	var given []string
	list(&given, "given", "the variables on make's command line")
	list(&r.accounts, "accounts", "accounts that may use the layers")
	flags.StringVar(&r.name, "name", "secretwrap", "what the layers' names begin with")
	flags.StringVar(&r.organization, "organization", "", "an organization whose accounts may use the layers")
	flags.StringVar(&r.parameters, "parameters", "", "what the names of SSM parameters for the ARNs begin with")
	flags.StringVar(&r.version, "version", "0.1.0-dev", "the version that the layers' descriptions name")
	flags.StringVar(&r.dist, "dist", "dist", "the directory with the zip files")
	flags.StringVar(&r.profile, "profile", "", "the profile to name in printed commands")
	flags.BoolVar(&r.check, "check", false, "check what is asked for, and do no more")
	confirmed := flags.String("publish", "", "yes publishes; nothing prints the commands")
	if err := flags.Parse(args); err != nil {
		return request{}, err
	}
	r.publish = *confirmed == "yes"
	problems := append(checkGiven(given), r.problems()...)
	if *confirmed != "" && !r.publish {
		problems = append(problems, fmt.Errorf("PUBLISH is %q: yes publishes, nothing at all prints the commands", *confirmed))
	}
	return r, errors.Join(problems...)
}

// checkGiven returns which variables nothing would read.
func checkGiven(given []string) []error {
	var problems []error
	for _, name := range given {
		if !slices.Contains(variables(), name) && !foreign.MatchString(name) {
			problems = append(problems, fmt.Errorf("%s is no variable of make publish, which are %s", name, strings.Join(variables(), ", ")))
		}
	}
	return problems
}

func (r request) problems() []error {
	var problems []error
	check := func(valid bool, format string, values ...any) {
		if !valid {
			problems = append(problems, fmt.Errorf(format, values...))
		}
	}
	check(len(r.regions) > 0, `REGIONS names no region: make publish REGIONS="eu-west-1 us-east-1"`)
	for _, region := range r.regions {
		check(regionForm.MatchString(region), "REGIONS: %q is no region such as eu-west-1", region)
	}
	problems = append(problems, checkChoice("VARIANTS", r.variants, knownVariants())...)
	problems = append(problems, checkChoice("ARCHITECTURES", r.architectures, knownArchitectures())...)
	check(nameForm.MatchString(r.name), "LAYER_NAME is %q: letters, digits, - and _ only, 100 at most", r.name)
	check(r.organization == "" || organizationForm.MatchString(r.organization),
		"ORGANIZATION is %q: an organization's ID looks like o-a1b2c3d4e5; aws organizations describe-organization tells it", r.organization)
	for _, account := range r.accounts {
		check(accountForm.MatchString(account), "ACCOUNTS: %q is no account ID of 12 digits", account)
	}
	check(r.parameters == "" || parametersForm.MatchString(r.parameters),
		"SSM_PREFIX is %q: a path such as /secretwrap/layer, without a / at its end", r.parameters)
	check(!reservedForm.MatchString(r.parameters), "SSM_PREFIX is %q: AWS keeps names that begin with aws or ssm", r.parameters)
	return problems
}

// checkChoice returns what is wrong with a list of which each word must be known.
func checkChoice(variable string, chosen, known []string) []error {
	choice := strings.Join(known, ", ")
	if len(chosen) == 0 {
		return []error{fmt.Errorf("%s is empty: choose of %s", variable, choice)}
	}
	var problems []error
	for _, word := range chosen {
		if !slices.Contains(known, word) {
			problems = append(problems, fmt.Errorf("%s: %q is none of %s", variable, word, choice))
		}
	}
	return problems
}

// words splits a list at blanks and commas and leaves out what comes again, which
// would be published twice.
func words(text string) []string {
	var unique []string
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' }) {
		if !slices.Contains(unique, word) {
			unique = append(unique, word)
		}
	}
	return unique
}
