//go:build linux

package e2e_test

import "maps"

// claims returns what proves the snippets of each page. A snippet that an existing
// test runs is claimed by the test's name, see tested; another one by a function that
// runs it, or compares it with what the program prints.
func (d documentation) claims() map[string][]claim {
	claims := map[string][]claim{
		"README.md": {
			proves(tested("TestReadmeExample"), "AWS_LAMBDA_EXEC_WRAPPER  /opt/secretwrap"),
			proves(runByCI, "make demo "),
			proves(tested("TestEmulator/examples/SAM"), "sam build"),
			proves(d.checkSAM, "sam build"),
			proves(tested("TestPublishing"), "`make publish REGIONS=eu-west-1`"),
			proves(d.onTemplate, "`secretwrap check --template template.yaml`"),
			proves(d.onTemplate, "`secretwrap policy --template template.yaml`"),
			proves(d.printsPassword(exported), "`secretwrap exec -- npm start`"),
			proves(tested("receives/a Go handler behind a bootstrap of its own"), "`exec /opt/secretwrap /var/task/app`"),
			proves(dryRun, "`make bench`"),
			proves(tested("TestParseReads", "TestParseEnvironmentReads", "TestEveryOptionInEveryContext", "arn"), "reference = "),
			proves(tested("TestReadmeManifestIsOne"), "env_from:"),
			proves(d.checkErrorShown, "[secretwrap] error:"),
			proves(d.checkPolicyPrinted, "secretsmanager:GetSecretValue"),
		},
		"CONTRIBUTING.md": {
			proves(runByCI, "make test "),
			proves(dryRun, "`make bench`"),
			proves(dryRun, "`make scale`"),
			proves(checkMakeHelp, "`make help`"),
			proves(checkDrawn, "`go run ./bench -draw ../docs`"),
		},
		"SECURITY.md": {
			proves(tested("TestRenewingFromABundleWithTheSameCertificatesChangesNothing"), "`go run ./scripts/renewroots`"),
		},
		"docs/ARCHITECTURE.md": {
			proves(tested("TestEmulator/hands over", "several-problems", "budget", "answer", "files", "process"), "all have registered"),
			proves(checkPackages, "wrapper ─┬─>"),
		},
		"docs/neighbours.md": {
			proves(tested("TestEmulator/neighbours", "chain"), "fetches, execs"),
			proves(recipeTested, "DD_API_KEY_SECRET_ARN"),
			proves(recipeTested, "DD_SERVERLESS_APPSEC_ENABLED"),
			proves(recipeTested, "OTEL_EXPORTER"),
			proves(recipeTested, "SECRETWRAP_EXEC_WRAPPER=/opt/bootstrap"),
			proves(recipeTested, "ldk_wrapper"),
			proves(recipeTested, "NEW_RELIC_LICENSE_KEY_SECRET"),
			proves(recipeTested, "LUMIGO"),
			proves(tested("TestEmulator/neighbours"), "`exec \"$@\"`"),
			proves(d.checkTwoWrappers, "`exec /opt/one /opt/two \"$@\"`"),
		},
		"docs/performance.md": {
			proves(dryRun, "`make bench`"),
			proves(dryRun, "`make bench QUICK=1`"),
		},
		"docs/publishing.md": {
			proves(tested("TestPublishing"), "`make publish`"),
			proves(tested("TestPublishingPage"), "us-east-1\" PUBLISH=yes", "ORGANIZATION=o-", "SecretwrapLayer: {", "fromLayerVersionArn", "aws_ssm_parameter", "arn=$("),
		},
		"docs/runtimes.md": {
			proves(tested("TestEmulator/builders", "receives/a Go handler behind the layer's bootstrap"), "with a program called bootstrap"),
			proves(d.checkLayersOption, "`aws lambda update-function-configuration --layers`"),
			proves(tested("TestRuntimesShowWhatIsBuilt", "builders/SAM, Go"), "GOARCH=amd64 go build"),
			proves(tested("TestRuntimesShowWhatIsBuilt", "builders/SAM, Rust"), "--flatten app"),
			proves(tested("builders/SAM, Go"), "`sam build --build-in-source`"),
			proves(tested("TestRuntimesShowWhatIsBuilt", "builders/CDK, Go", "builders/CDK, Rust"), "commandHooks"),
			proves(tested("builders/cargo-lambda"), "cargo lambda build --release\n"),
			proves(checkCargoLambda, "`cargo lambda deploy`"),
			proves(tested("TestRuntimesShowWhatIsBuilt", "receives/a Go handler behind a bootstrap of its own"), "exec /opt/secretwrap /var/task/app"),
			proves(d.checkRuntimeOfALayer, "exec /opt/secretwrap /opt/bootstrap"),
			proves(checkUnzipped, "`unzip -d opt dist/secretwrap-layer-x86_64.zip`"),
			proves(checkImage("receives/a Python handler in AWS's base image"), "FROM public.ecr.aws/lambda/python"),
			proves(checkImage("receives/a Go handler in AWS's base image"), "FROM public.ecr.aws/lambda/provided"),
			proves(checkImage("receives/a Python handler in an image of one's own"), "FROM python:"),
			proves(checkImage("receives/a Go handler in an image from scratch"), "FROM scratch"),
		},
		"docs/scale.md": {
			proves(dryRun, "`make scale`"),
		},
		"docs/operations.md": d.operationsClaims(),
		"docs/checking.md":   d.checkingClaims(),
		"docs/local.md":      d.localClaims(),
		"docs/migrating.md":  d.migratingClaims(),
		"docs/verifying.md":  d.verifyingClaims(),
	}
	maps.Copy(claims, d.exampleClaims())
	return claims
}

// exported is the configuration of the programs that print a password.
const exported = "export DB_PASSWORD='secretsmanager://prod/db#password'\n"
