package awsfake

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// current is the label of the version that a call without version or stage
// means.
const current = "AWSCURRENT"

// suffixLen is the length of the hyphen and the six characters that Secrets
// Manager adds to a name in an ARN.
const suffixLen = 7

// Secret is one secret with what it has in store for its callers.
type Secret struct {
	Name string
	// ARN is made from the Name when it is empty, always the same one for the
	// same name, region, account and partition.
	ARN string
	// Versions may be empty: such a secret exists and has no value.
	Versions []Version
	// Delay is how long a call takes, in place of the server's Delay; 0 means
	// the server's.
	Delay time.Duration
	// Faults are played one a call; the last one stays. None means OK.
	Faults []Fault
}

// Version is one version of a secret: String or Binary.
type Version struct {
	// ID is made from name and value when it is empty.
	ID string
	// Stages are the version's labels. In a secret's first version nil means
	// AWSCURRENT; in the others it means none, which is a deprecated version.
	Stages []string
	String *string
	Binary []byte
	// Created is the time of Start or Put when it is zero.
	Created time.Time
}

// entry is a secret on the server, with the number of faults played.
type entry struct {
	Secret
	played int
}

// newEntry returns s with everything filled in that may be left out.
func newEntry(s Secret, config Config) (*entry, error) {
	if s.Name == "" {
		return nil, errors.New("a secret needs a name")
	}
	for _, f := range s.Faults {
		if !f.known() {
			return nil, fmt.Errorf("secret %q: unknown fault %q", s.Name, f)
		}
	}
	if s.ARN == "" {
		s.ARN = config.arn(s.Name)
	}
	s.Faults = slices.Clone(s.Faults)
	s.Versions = slices.Clone(s.Versions)
	for i := range s.Versions {
		s.Versions[i] = complete(s.Versions[i], s.Name, i == 0)
	}
	return &entry{Secret: s}, nil
}

// complete returns v with everything filled in that may be left out.
func complete(v Version, name string, first bool) Version {
	if v.ID == "" {
		v.ID = versionID(name, v)
	}
	if v.Stages == nil && first {
		v.Stages = []string{current}
	}
	if v.Created.IsZero() {
		v.Created = time.Now()
	}
	return v
}

// answersTo reports whether id is the secret's name, its ARN, or its ARN without
// the characters that Secrets Manager added.
func (e *entry) answersTo(id string) bool {
	return id == e.Name || id == e.ARN || id == e.ARN[:max(0, len(e.ARN)-suffixLen)]
}

// next returns the fault of this call and moves on to the one of the next.
func (e *entry) next() Fault {
	if len(e.Faults) == 0 {
		return OK
	}
	fault := e.Faults[min(e.played, len(e.Faults)-1)]
	e.played++
	return fault
}

// version returns the version that a request means, as Secrets Manager picks
// it: by id, by stage, or by both when they agree.
func (s Secret) version(id, stage string) (Version, *refusal) {
	if id == "" && stage == "" {
		stage = current
	}
	for _, v := range s.Versions {
		staged := slices.Contains(v.Stages, stage)
		switch {
		case id != "" && v.ID != id:
		case id != "" && stage != "" && !staged:
			return Version{}, &refusal{400, "InvalidRequestException", "You provided a VersionStage that is not associated to the provided VersionId."}
		case id != "" || staged:
			return v, nil
		}
	}
	missing := "staging label: " + stage
	if id != "" {
		missing = "VersionId: " + id
	}
	return Version{}, &refusal{400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret value for " + missing}
}

// value returns the text of the first version, for a fault that betrays it.
func (s Secret) value() string {
	switch {
	case len(s.Versions) == 0:
		return ""
	case s.Versions[0].String != nil:
		return *s.Versions[0].String
	}
	return string(s.Versions[0].Binary)
}

// arn returns the ARN of the secret called name.
func (c Config) arn(name string) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	sum := sha256.Sum256([]byte(name))
	var suffix strings.Builder
	for _, b := range sum[:suffixLen-1] {
		suffix.WriteByte(letters[int(b)%len(letters)])
	}
	return fmt.Sprintf("arn:%s:secretsmanager:%s:%s:secret:%s-%s", c.Partition, c.Region, c.Account, name, suffix.String())
}

// versionID returns an id in the form of a UUID that is the same for the same
// name and value.
func versionID(name string, v Version) string {
	text := name + "\x00" + string(v.Binary)
	if v.String != nil {
		text += "\x00" + *v.String
	}
	sum := sha256.Sum256([]byte(text))
	digits := hex.EncodeToString(sum[:16])
	return strings.Join([]string{digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]}, "-")
}
