package reference

import (
	"strconv"
	"strings"

	"secretwrap/internal/problem"
)

// maxName is Secrets Manager's limit for the name of a secret, in characters.
const maxName = 512

// nameCharacters are what a secret's name may hold. AWS itself gives names
// with an exclamation mark, such as rds!cluster-….
const nameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_+=.@-!"

var (
	partitionForm = pattern(`^aws(-[a-z]+)*$`)
	// regionForm takes eu-west-1, us-gov-west-1 and eusc-de-east-1.
	regionForm  = pattern(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)
	accountForm = pattern(`^[0-9]{12}$`)
)

// parseID reads a name, an ARN, or an ARN with the fields that ECS adds.
func (r *Ref) parseID(id string) *problem.Problem {
	if strings.HasPrefix(id, "arn:") {
		return r.parseARN(id)
	}
	if p := checkName(id); p != nil {
		return p
	}
	r.Secret = id
	return nil
}

// checkName judges the name of a secret.
func checkName(name string) *problem.Problem {
	const allowed = "a name holds 1 to 512 of A-Z a-z 0-9 / _ + = . @ - !"
	switch {
	case name == "":
		return bad("the reference has no secret name", "write "+Scheme+"NAME#PATH")
	case len(name) > maxName:
		return bad("the secret's name has "+strconv.Itoa(len(name))+" characters", allowed)
	case strings.TrimSpace(name) != name:
		return bad("the secret's name begins or ends with a space", "remove the space: "+Scheme+"NAME#PATH")
	case schemeStart(name) >= 0:
		return bad("a second reference follows the secret's name", betweenBraces)
	}
	if at := strings.IndexFunc(name, func(c rune) bool { return !strings.ContainsRune(nameCharacters, c) }); at >= 0 {
		if strings.Contains(name, "://") {
			return bad("a scheme other than "+Scheme+" stands before the secret's name", "only secrets of AWS Secrets Manager can be referenced: "+Scheme+"NAME#PATH")
		}
		hint := allowed
		if name[at] == '$' {
			hint += "; in the manifest ${NAME} is replaced by a variable, elsewhere nothing is"
		}
		return bad("the secret's name holds "+strconv.QuoteRune([]rune(name[at:])[0]), hint)
	}
	return nil
}

// parseARN reads arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME, then
// the json-key, stage and version of ECS's valueFrom.
func (r *Ref) parseARN(id string) *problem.Problem {
	const form = "write arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX"
	fields := strings.Split(id, ":")
	if len(fields) > 2 && fields[2] != "secretsmanager" {
		return bad("the ARN belongs to another service", "only secrets of AWS Secrets Manager can be referenced; "+form)
	}
	switch {
	case len(fields) < 7:
		return bad("the ARN is not complete", form)
	case len(fields) > 10:
		return bad("the ARN has too many fields", form+", and after it at most :JSON-KEY:STAGE:VERSION")
	case !partitionForm().MatchString(fields[1]):
		return bad("the ARN has no partition that is known", form)
	case !regionForm().MatchString(fields[3]):
		return bad("the ARN has no region", form)
	case !accountForm().MatchString(fields[4]):
		return bad("the ARN has no account of 12 digits", form)
	case fields[5] != "secret":
		return bad("the ARN is not that of a secret", form)
	}
	if p := checkName(fields[6]); p != nil {
		return p
	}
	r.Secret = strings.Join(fields[:7], ":")
	r.Region = fields[3]
	return r.setECSFields(fields[7:])
}

// setECSFields takes the json-key, stage and version that follow an ARN.
func (r *Ref) setECSFields(fields []string) *problem.Problem {
	fields = append(fields, "", "", "")
	if !printable(fields[0]) {
		return r.located(bad("the ARN's json-key holds a control character or is not UTF-8", "remove that character"))
	}
	r.Member = fields[0]
	if fields[1] != "" {
		if p := r.setStage(fields[1]); p != nil {
			return r.located(p)
		}
	}
	if fields[2] != "" {
		if p := r.setVersion(fields[2]); p != nil {
			return r.located(p)
		}
	}
	return nil
}

// setStage takes a staging label, which Secrets Manager limits to 256 characters.
func (r *Ref) setStage(label string) *problem.Problem {
	switch {
	case r.Stage != "":
		return bad("the stage is given twice", "keep one of them")
	case label == "" || len(label) > 256 || !printable(label):
		return bad("the stage is not a label", "a label has 1 to 256 characters, such as AWSCURRENT or AWSPREVIOUS")
	}
	r.Stage = label
	return nil
}

// setVersion takes a version id, which Secrets Manager makes 32 to 64 characters long.
func (r *Ref) setVersion(id string) *problem.Problem {
	switch {
	case r.Version != "":
		return bad("the version is given twice", "keep one of them")
	case len(id) < 32 || len(id) > 64 || !printable(id):
		return bad("the version is not a version id", "an id has 32 to 64 characters; for a label such as AWSPREVIOUS use stage=")
	}
	r.Version = id
	return nil
}
