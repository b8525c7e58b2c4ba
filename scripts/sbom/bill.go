package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"fmt"
	"maps"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// goModule is how THIRD-PARTY-LICENSES calls Go's runtime and standard library.
const goModule = "Go"

// bill returns the bill of materials of a program. It holds no time and nothing by
// chance, so that the same program has the same bill. The version of the format is the
// newest that Amazon Inspector reads.
func (r release) bill(version string) ([]byte, error) {
	info, err := buildinfo.Read(bytes.NewReader(r.program))
	if err != nil {
		return nil, err
	}
	if !bytes.Contains(r.program, []byte(version)) {
		return nil, fmt.Errorf("the program is not of version %s", version)
	}
	licences, err := moduleLicences(r.licences)
	if err != nil {
		return nil, err
	}
	components, err := componentsOf(info, licences)
	if err != nil {
		return nil, err
	}
	subject, err := r.subject(info, version)
	if err != nil {
		return nil, err
	}

	bom := cdx.NewBOM()
	bom.SerialNumber = serialNumber(r.program)
	bom.Metadata = &cdx.Metadata{
		Lifecycles: &[]cdx.Lifecycle{{Phase: cdx.LifecyclePhasePostBuild}},
		Component:  &subject,
	}
	bom.Components = &components
	var needed []string
	for _, c := range components {
		needed = append(needed, c.BOMRef)
	}
	bom.Dependencies = &[]cdx.Dependency{{Ref: subject.BOMRef, Dependencies: &needed}}
	var out bytes.Buffer
	err = cdx.NewBOMEncoder(&out, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_5)
	return out.Bytes(), err
}

// serialNumber returns a UUID of version 8, which is made of what one likes.
func serialNumber(program []byte) string {
	id := sha256.Sum256(program)
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:16])
}

// subject returns the program itself: its checksum, where it is, how it was built.
func (r release) subject(info *debug.BuildInfo, version string) (cdx.Component, error) {
	licence, err := ownLicence(r.licence)
	if err != nil {
		return cdx.Component{}, fmt.Errorf("LICENSE: %w", err)
	}
	var places []cdx.ExternalReference
	for _, a := range r.archives {
		places = append(places, cdx.ExternalReference{Type: cdx.ERTypeDistribution, URL: a.name, Hashes: hashes(a.sum)})
	}
	c := cdx.Component{
		BOMRef:             "pkg:generic/secretwrap@" + url.PathEscape(version),
		Type:               cdx.ComponentTypeApplication,
		Name:               "secretwrap",
		Version:            version,
		PackageURL:         "pkg:generic/secretwrap@" + url.PathEscape(version),
		Hashes:             hashes(fmt.Sprintf("%x", sha256.Sum256(r.program))),
		Licenses:           licenceChoices(licence),
		ExternalReferences: &places,
		Properties:         properties(info),
	}
	return c, nil
}

// properties tells how the program was built, by the names that CycloneDX registers
// for Go.
func properties(info *debug.BuildInfo) *[]cdx.Property {
	all := []cdx.Property{{Name: "cdx:gomod:build:compiler", Value: info.GoVersion}}
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "-tags":
			for tag := range strings.SplitSeq(setting.Value, ",") {
				all = append(all, cdx.Property{Name: "cdx:gomod:build:tag", Value: tag})
			}
		case strings.HasPrefix(setting.Key, "GO") || setting.Key == "CGO_ENABLED":
			all = append(all, cdx.Property{Name: "cdx:gomod:build:env:" + setting.Key, Value: setting.Value})
		}
	}
	return &all
}

// componentsOf returns Go's standard library and the modules in the program, which
// must be those whose licences lie beside it.
func componentsOf(info *debug.BuildInfo, licences map[string][]string) ([]cdx.Component, error) {
	licences = maps.Clone(licences)
	take := func(module string) (*cdx.Licenses, error) {
		names := licences[module]
		if len(names) == 0 {
			return nil, fmt.Errorf("%s is in the program, but no licence of it in THIRD-PARTY-LICENSES", module)
		}
		delete(licences, module)
		return licenceChoices(names), nil
	}
	standard := standardLibrary(info.GoVersion)
	var err error
	if standard.Licenses, err = take(goModule); err != nil {
		return nil, err
	}
	components := []cdx.Component{standard}
	for _, m := range info.Deps {
		if m.Replace != nil {
			return nil, fmt.Errorf("%s is replaced by %s, which nobody else can get", m.Path, m.Replace.Path)
		}
		c := component(m)
		if c.Licenses, err = take(m.Path + " " + m.Version); err != nil {
			return nil, err
		}
		components = append(components, c)
	}
	if rest := slices.Sorted(maps.Keys(licences)); len(rest) > 0 {
		return nil, fmt.Errorf("THIRD-PARTY-LICENSES has licences of what is not in the program: %s", strings.Join(rest, ", "))
	}
	return components, nil
}

// standardLibrary is called as scanners for vulnerabilities call it.
func standardLibrary(goVersion string) cdx.Component {
	version, _, _ := strings.Cut(strings.TrimPrefix(goVersion, "go"), " ")
	return cdx.Component{
		BOMRef:     "pkg:golang/stdlib@" + version,
		Type:       cdx.ComponentTypeLibrary,
		Name:       "stdlib",
		Version:    version,
		PackageURL: "pkg:golang/stdlib@" + version,
		CPE:        "cpe:2.3:a:golang:go:" + version + ":*:*:*:*:*:*:*",
	}
}

func component(m *debug.Module) cdx.Component {
	place := "pkg:golang/" + strings.ToLower(m.Path) + "@" + strings.ReplaceAll(m.Version, "+", "%2B")
	return cdx.Component{
		BOMRef:     place,
		Type:       cdx.ComponentTypeLibrary,
		Name:       m.Path,
		Version:    m.Version,
		PackageURL: place,
		// A checksum over checksums, which is none of CycloneDX's kinds.
		Properties: &[]cdx.Property{{Name: "secretwrap:go.sum", Value: m.Sum}},
	}
}

func licenceChoices(names []string) *cdx.Licenses {
	var all cdx.Licenses
	for _, name := range names {
		all = append(all, cdx.LicenseChoice{License: &cdx.License{ID: name}})
	}
	return &all
}

func hashes(sum string) *[]cdx.Hash {
	return &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: sum}}
}
