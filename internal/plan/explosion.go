package plan

import (
	"slices"

	"secretwrap/internal/manifest"
	"secretwrap/internal/reference"
	"secretwrap/internal/settings"
)

// envFromSetting is the variable that names secrets to explode.
const envFromSetting = settings.Prefix + "ENV_FROM"

// settingExplosions plans what SECRETWRAP_ENV_FROM names; a later one wins.
func (b *builder) settingExplosions(texts []string) {
	before := len(b.plan.Explosions)
	for _, text := range texts {
		b.addExplosion(text, envFromSetting, Origin{})
	}
	slices.Reverse(b.plan.Explosions[before:])
}

// manifestExplosions plans the manifest's env_from; a later one wins.
func (b *builder) manifestExplosions(m manifest.Manifest) {
	before := len(b.plan.Explosions)
	for _, entry := range m.EnvFrom {
		b.addExplosion(entry.Text, "env_from", Origin{m.Source, entry.Line})
	}
	slices.Reverse(b.plan.Explosions[before:])
}

func (b *builder) addExplosion(text, label string, origin Origin) {
	value, p := reference.ParseDeclaration(text, reference.EnvFrom)
	if p != nil {
		b.fail(p, label, origin)
		return
	}
	ref := *value.Parts[0].Ref
	b.plan.Explosions = append(b.plan.Explosions, Explosion{Ref: ref, Secret: b.secret(ref), Origin: origin})
}
