module secretwrap/scripts/sbom

go 1.26.5

require (
	github.com/CycloneDX/cyclonedx-go v0.12.0
	github.com/google/licensecheck v0.3.1
)
