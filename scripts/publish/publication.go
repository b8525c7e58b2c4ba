package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// publication is what is to be done for one archive in one region.
type publication struct {
	archive
	region      string
	layer       string
	description string
	intent      string // would or will, for messages
	// arn is that of the newest version if it holds this archive already, and
	// empty if a version is to be published.
	arn string
	// shares are the permissions that are missing, parameter the one that is to
	// be written.
	shares    []share
	parameter string
}

// share is a permission for others to use a version.
type share struct {
	statement    string // the ID by which it is known again
	principal    string
	organization string
	with         string // for messages
}

// version is a version that is there.
type version struct {
	region, layer, arn string
	isNew              bool
}

func newPublication(r request, region string, a archive) publication {
	p := publication{
		archive:     a,
		region:      region,
		layer:       strings.Join([]string{r.name, a.variant, a.architecture}, "-"),
		description: fmt.Sprintf("secretwrap %s, %s, %s", r.version, a.variant, a.architecture),
		intent:      "would",
	}
	if r.publish {
		p.intent = "will"
	}
	if id := r.organization; id != "" {
		p.shares = append(p.shares, share{"organization-" + id, "*", id, "organization " + id})
	}
	for _, id := range r.accounts {
		p.shares = append(p.shares, share{"account-" + id, id, "", "account " + id})
	}
	if r.parameters != "" {
		p.parameter = strings.Join([]string{r.parameters, a.variant, a.architecture, "arn"}, "/")
	}
	return p
}

func (p publication) label() string { return p.region + " " + p.layer }

// compare looks at what is there, leaves out what is as it should be, and tells
// what is left.
func (p *publication) compare(ctx context.Context, c cli, progress io.Writer) error {
	newest, err := c.newest(ctx, p.region, p.layer)
	if err != nil {
		return err
	}
	if newest == "" {
		fmt.Fprintf(progress, "%s: %s publish the first version\n", p.label(), p.intent)
	} else if err := p.compareNewest(ctx, c, newest, progress); err != nil {
		return err
	}
	for _, s := range p.shares {
		fmt.Fprintf(progress, "%s: %s share with %s\n", p.label(), p.intent, s.with)
	}
	if p.parameter != "" {
		fmt.Fprintf(progress, "%s: %s write the ARN to %s\n", p.label(), p.intent, p.parameter)
	}
	return nil
}

// compareNewest looks at the newest version, whose permissions and parameter
// matter only if it is this archive.
func (p *publication) compareNewest(ctx context.Context, c cli, newest string, progress io.Writer) error {
	number := numberOf(newest)
	sum, err := c.sum(ctx, p.region, p.layer, number)
	if err != nil {
		return err
	}
	if sum != p.sum {
		fmt.Fprintf(progress, "%s: %s publish a version, since version %s differs\n", p.label(), p.intent, number)
		return nil
	}
	fmt.Fprintf(progress, "%s: version %s is there already\n", p.label(), number)
	p.arn = newest
	if err := p.leaveOutShares(ctx, c, number); err != nil {
		return err
	}
	return p.leaveOutParameter(ctx, c)
}

func (p *publication) leaveOutShares(ctx context.Context, c cli, number string) error {
	if len(p.shares) == 0 {
		return nil
	}
	there, err := c.statements(ctx, p.region, p.layer, number)
	if err != nil {
		return err
	}
	p.shares = slices.DeleteFunc(p.shares, func(s share) bool { return slices.Contains(there, s.statement) })
	return nil
}

func (p *publication) leaveOutParameter(ctx context.Context, c cli) error {
	if p.parameter == "" {
		return nil
	}
	value, err := c.parameter(ctx, p.region, p.parameter)
	if err != nil {
		return err
	}
	if value == p.arn {
		p.parameter = ""
	}
	return nil
}

// numberOf returns the number at the end of a version's ARN.
func numberOf(arn string) string { return arn[strings.LastIndex(arn, ":")+1:] }

// publishCommand returns the command that publishes the archive and prints the ARN
// of the version. It names no runtimes: Lambda does not hold anybody to them, and
// the list would be too short with the next runtime.
func (p publication) publishCommand() []string {
	return []string{
		"aws", "lambda", "publish-layer-version", "--region", p.region, "--layer-name", p.layer,
		"--description", p.description, "--license-info", "Apache-2.0", "--compatible-architectures", p.architecture,
		"--zip-file", "fileb://" + p.path, "--query", "LayerVersionArn", "--output", "text",
	}
}

// sumCommand returns the command that asks for the checksum of a version.
func (p publication) sumCommand(number string) []string {
	return []string{
		"aws", "lambda", "get-layer-version", "--region", p.region, "--layer-name", p.layer, "--version-number", number,
		"--query", "Content.CodeSha256", "--output", "text",
	}
}

// shareCommand returns the command that lets others use a version.
func (p publication) shareCommand(s share, number string) []string {
	argv := []string{
		"aws", "lambda", "add-layer-version-permission", "--region", p.region, "--layer-name", p.layer, "--version-number", number,
		"--statement-id", s.statement, "--action", "lambda:GetLayerVersion", "--principal", s.principal,
	}
	if s.organization != "" {
		argv = append(argv, "--organization-id", s.organization)
	}
	return append(argv, "--output", "json")
}

// parameterCommand returns the command that writes the ARN of a version.
func (p publication) parameterCommand(arn string) []string {
	return []string{
		"aws", "ssm", "put-parameter", "--region", p.region, "--name", p.parameter, "--type", "String", "--overwrite",
		"--value", arn, "--output", "json",
	}
}

// carryOut does what is left to do, and returns the version, even if something
// after its publication fails.
func (p publication) carryOut(ctx context.Context, c cli, progress io.Writer) (version, error) {
	v := version{p.region, p.layer, p.arn, p.arn == ""}
	if v.isNew {
		out, err := c.run(ctx, p.publishCommand())
		if err != nil {
			return version{}, err
		}
		v.arn = string(out)
		sum, err := c.sum(ctx, p.region, p.layer, numberOf(v.arn))
		if err != nil {
			return v, err
		}
		if sum != p.sum {
			return version{}, fmt.Errorf("%s was published, but has the checksum %s, and not %s as %s had: let no function use it", v.arn, sum, p.sum, p.path)
		}
		fmt.Fprintf(progress, "%s: published version %s\n", p.label(), numberOf(v.arn))
	}
	for _, s := range p.shares {
		if _, err := c.run(ctx, p.shareCommand(s, numberOf(v.arn))); err != nil {
			return v, err
		}
		fmt.Fprintf(progress, "%s: shared with %s\n", p.label(), s.with)
	}
	if p.parameter != "" {
		if _, err := c.run(ctx, p.parameterCommand(v.arn)); err != nil {
			return v, err
		}
		fmt.Fprintf(progress, "%s: wrote the ARN to %s\n", p.label(), p.parameter)
	}
	return v, nil
}

// writeTable lists versions.
func writeTable(out io.Writer, versions []version) error {
	if len(versions) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "REGION\tLAYER\tSTATE\tARN")
	for _, v := range versions {
		state := "unchanged"
		if v.isNew {
			state = "published"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", v.region, v.layer, state, v.arn)
	}
	return table.Flush()
}
