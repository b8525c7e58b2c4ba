package inspect

import (
	"cmp"

	"secretwrap/internal/extract"
	"secretwrap/internal/plan"
	"secretwrap/internal/secret"
)

// references returns those of a target, in its order.
func (i *inspector) references(target plan.Target) []Reference {
	var list []Reference
	for _, part := range target.Parts {
		if part.Ref != nil {
			list = append(list, i.reference(part))
		}
	}
	return list
}

// reference returns what is known of a part that is a reference.
func (i *inspector) reference(part plan.Part) Reference {
	asked := i.plan.Secrets[part.Secret]
	known := Reference{
		Secret: asked.ID, Region: asked.Region, Stage: asked.Stage, Version: asked.Version, Path: part.Ref.Where(), Size: Unknown,
	}
	if asked.Version == "" {
		known.Stage = cmp.Or(asked.Stage, "AWSCURRENT")
	}
	if i.sources == nil || i.sources[part.Secret].Err != nil {
		return known
	}
	known.Version = i.sources[part.Secret].VersionID
	known.Kind, known.Size = i.found(part)
	return known
}

// exploded returns the object whose fields become variables.
func (i *inspector) exploded(explosion plan.Explosion) extract.Document {
	whole := i.sources[explosion.Secret].Value
	if where := explosion.Ref.Where(); where != "" {
		document, _ := extract.Parse(whole)
		whole, _ = document.Get(where)
	}
	document, _ := extract.Parse(whole)
	return document
}

// fieldOf returns what is known of one field of an exploded secret.
func fieldOf(known Reference, exploded extract.Document, name string) Reference {
	known.Path, known.Kind, known.Size = name, string(exploded.MemberKind(name)), Unknown
	if value, err := exploded.Member(name); err == nil {
		known.Size = value.Len()
	}
	return known
}

// found returns what a reference leads to: its kind, and its size.
func (i *inspector) found(part plan.Part) (kind string, size int) {
	source := i.sources[part.Secret]
	if part.Ref.Where() == "" {
		return wholeKind(source), source.Value.Len()
	}
	document, err := extract.Parse(source.Value)
	if err != nil {
		return "", Unknown
	}
	var value secret.Value
	if part.Ref.Member != "" {
		kind = string(document.MemberKind(part.Ref.Member))
		value, err = document.Member(part.Ref.Member)
	} else {
		kind = string(document.Kind(part.Ref.Path))
		value, err = document.Get(part.Ref.Path)
	}
	if err != nil {
		return kind, Unknown
	}
	return kind, value.Len()
}

// wholeKind returns what a whole secret is.
func wholeKind(source Source) string {
	if source.Binary {
		return "binary"
	}
	document, err := extract.Parse(source.Value)
	if kind := document.Kind(""); err == nil && (kind == extract.Object || kind == extract.Array) {
		return string(kind)
	}
	return "text"
}
