// Package policy writes the IAM policy that lets the secrets of a plan be read.
package policy

import (
	"encoding/json"
	"slices"
	"strings"

	"secretwrap/internal/arn"
	"secretwrap/internal/plan"
)

// Options are what a plan does not tell.
type Options struct {
	// Region and Account are those of secrets that are named without them. An
	// account that is not known may be "*".
	Region, Account string
	// Keys are the ARNs of the KMS keys that encrypt the secrets. Without any the
	// policy allows whatever keys do.
	Keys []string
	// NoKeys leaves out what only secrets with a key of one's own need.
	NoKeys bool
}

// Policy is an IAM policy.
type Policy struct {
	Version   string
	Statement []Statement
}

// Statement allows actions on resources.
type Statement struct {
	Sid       string
	Effect    string
	Action    string
	Resource  []string
	Condition map[string]map[string][]string `json:",omitempty"`
}

// For returns the policy that allows to read the secrets of a plan, and nothing
// else. A secret that may be missing stands there without the suffix of its ARN
// too: of one that does not exist AWS knows no other ARN, and would answer that
// access is denied.
func For(p *plan.Plan, options Options) Policy {
	var existing, missing []string
	optional := optionalSecrets(p)
	for index, secret := range p.Secrets {
		existing = append(existing, resources(secret, options)...)
		if optional[index] {
			missing = append(missing, withoutSuffix(secret, options)...)
		}
	}
	existing, missing = distinct(existing), distinct(missing)
	policy := Policy{Version: "2012-10-17", Statement: []Statement{{
		Sid: "ReadSecrets", Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: distinct(append(slices.Clone(existing), missing...)),
	}}}
	if !options.NoKeys {
		policy.Statement = append(policy.Statement, decrypt(existing, options.Keys))
	}
	return policy
}

// JSON returns the policy as IAM takes it.
func (p Policy) JSON() []byte {
	text, _ := json.MarshalIndent(p, "", "  ") // texts alone: nothing of it can fail
	return append(text, '\n')
}

// resources returns what stands for an existing secret. Where six characters behind
// a hyphen may be a part of the name as well as a suffix, which AWS decides, both
// stand there.
func resources(secret plan.Secret, options Options) []string {
	switch {
	case !strings.HasPrefix(secret.ID, "arn:"):
		return []string{arn.Secret(secret.ID, options.Region, options.Account)}
	case !arn.IsComplete(secret.ID):
		return []string{secret.ID + arn.Any}
	case mayBeName(secret.ID[len(secret.ID)-6:]):
		return []string{secret.ID, secret.ID + arn.Any}
	}
	return []string{secret.ID}
}

// mayBeName reports whether six characters look like the end of a name, such as
// master, Master or prod01: without a capital letter but the first, as one of 15
// suffixes is.
func mayBeName(text string) bool { return text[1:] == strings.ToLower(text[1:]) }

// withoutSuffix returns what AWS checks for a secret that does not exist.
func withoutSuffix(secret plan.Secret, options Options) []string {
	if strings.HasPrefix(secret.ID, "arn:") {
		return []string{secret.ID}
	}
	return []string{strings.TrimSuffix(arn.Secret(secret.ID, options.Region, options.Account), arn.Any)}
}

// optionalSecrets returns the indexes of the secrets that may be missing for at
// least one reference.
func optionalSecrets(p *plan.Plan) map[int]bool {
	optional := make(map[int]bool)
	for _, target := range p.Targets {
		for _, part := range target.Parts {
			if part.Ref != nil && part.Ref.Optional {
				optional[part.Secret] = true
			}
		}
	}
	for _, explosion := range p.Explosions {
		if explosion.Ref.Optional {
			optional[explosion.Secret] = true
		}
	}
	return optional
}

// decrypt returns the statement that secrets with a key of one's own need. Secrets
// Manager names the secret's ARN in the encryption context of every call to KMS, so
// that the statement allows nothing but to read these secrets through it.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
func decrypt(secrets, keys []string) Statement {
	var services, all []string
	for _, secret := range secrets {
		fields := strings.SplitN(secret, ":", 6)
		services = append(services, viaServices(fields[1], fields[3])...)
		all = append(all, "arn:"+fields[1]+":kms:"+fields[3]+":"+fields[4]+":key/*")
	}
	if len(keys) == 0 {
		keys = distinct(all)
	}
	condition := map[string]map[string][]string{"StringLike": {"kms:EncryptionContext:SecretARN": secrets}}
	if !slices.Contains(services, "") {
		condition["StringEquals"] = map[string][]string{"kms:ViaService": distinct(services)}
	}
	return Statement{Sid: "DecryptSecrets", Effect: "Allow", Action: "kms:Decrypt", Resource: keys, Condition: condition}
}

// viaServices returns the names under which Secrets Manager of a region may call
// KMS: in partitions with a domain of their own either, and an empty one where the
// domain is not known.
func viaServices(partition, region string) []string {
	name := "secretsmanager." + region + "."
	switch partition {
	case "aws-cn":
		return []string{name + "amazonaws.com", name + "amazonaws.com.cn"}
	case "aws-eusc":
		return []string{name + "amazonaws.com", name + "amazonaws.eu"}
	case "aws", "aws-us-gov":
		return []string{name + "amazonaws.com"}
	}
	return []string{""}
}

// distinct returns texts without repetitions, in the order in which they come first.
func distinct(texts []string) []string {
	var kept []string
	for _, text := range texts {
		if !slices.Contains(kept, text) {
			kept = append(kept, text)
		}
	}
	return kept
}
