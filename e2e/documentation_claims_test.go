//go:build linux

package e2e_test

// claims returns what proves the snippets of each page. A snippet that an existing
// test runs is claimed by the test's name, see tested; another one by a function that
// runs it, or compares it with what the program prints.
func (d documentation) claims() map[string][]claim {
	return map[string][]claim{
		"README.md": {
			{"AWS_LAMBDA_EXEC_WRAPPER  /opt/secretwrap", tested("TestReadmeExample")},
			{"make demo ", runByCI},
			{"`aws lambda publish-layer-version --layer-name secretwrap --compatible-architectures x86_64 --zip-file fileb://dist/secretwrap-layer-x86_64.zip`", d.checkPublished},
			{"`dist/secretwrap exec -- npm start`", d.printsPassword(exported)},
			{"`exec /opt/secretwrap /var/task/app`", tested("receives/a Go handler behind a bootstrap of its own")},
			{"`make bench`", dryRun},
			{"reference = ", tested("TestParseReads", "TestParseEnvironmentReads", "TestEveryOptionInEveryContext", "arn")},
			{"env_from:", tested("TestReadmeManifestIsOne")},
			{"[secretwrap] error:", d.checkErrorShown},
			{"secretsmanager:GetSecretValue", checkPolicy},
		},
		"CONTRIBUTING.md": {
			{"make test ", runByCI},
			{"`make bench`", dryRun},
			{"`make scale`", dryRun},
			{"`make help`", checkMakeHelp},
			{"`go run ./bench -draw ../docs`", checkDrawn},
		},
		"SECURITY.md": {
			{"`go run ./scripts/renewroots`", tested("TestRenewingFromABundleWithTheSameCertificatesChangesNothing")},
		},
		"docs/ARCHITECTURE.md": {
			{"all have registered", tested("TestEmulator/hands over", "several-problems", "budget", "answer", "files", "process")},
			{"wrapper ─┬─>", checkPackages},
		},
		"docs/neighbours.md": {
			{"fetches, execs", tested("TestEmulator/neighbours", "chain")},
			{"DD_API_KEY_SECRET_ARN", recipeTested},
			{"DD_SERVERLESS_APPSEC_ENABLED", recipeTested},
			{"OTEL_EXPORTER", recipeTested},
			{"SECRETWRAP_EXEC_WRAPPER=/opt/bootstrap", recipeTested},
			{"ldk_wrapper", recipeTested},
			{"NEW_RELIC_LICENSE_KEY_SECRET", recipeTested},
			{"LUMIGO", recipeTested},
			{"`exec \"$@\"`", tested("TestEmulator/neighbours")},
			{"`exec /opt/one /opt/two \"$@\"`", d.checkTwoWrappers},
		},
		"docs/performance.md": {
			{"`make bench`", dryRun},
			{"`make bench QUICK=1`", dryRun},
		},
		"docs/runtimes.md": {
			{"with a program called bootstrap", tested("TestEmulator/builders", "receives/a Go handler behind the layer's bootstrap")},
			{"`aws lambda update-function-configuration --layers`", d.checkLayersOption},
			{"GOARCH=amd64 go build", tested("TestRuntimesShowWhatIsBuilt", "builders/SAM, Go")},
			{"--flatten app", tested("TestRuntimesShowWhatIsBuilt", "builders/SAM, Rust")},
			{"`sam build --build-in-source`", tested("builders/SAM, Go")},
			{"commandHooks", tested("TestRuntimesShowWhatIsBuilt", "builders/CDK, Go", "builders/CDK, Rust")},
			{"cargo lambda build --release\n", tested("builders/cargo-lambda")},
			{"`cargo lambda deploy`", checkCargoLambda},
			{"exec /opt/secretwrap /var/task/app", tested("TestRuntimesShowWhatIsBuilt", "receives/a Go handler behind a bootstrap of its own")},
			{"exec /opt/secretwrap /opt/bootstrap", d.checkRuntimeOfALayer},
			{"`unzip -d opt dist/secretwrap-layer-x86_64.zip`", d.checkUnzipped},
			{"FROM public.ecr.aws/lambda/python", checkImage("receives/a Python handler in AWS's base image")},
			{"FROM public.ecr.aws/lambda/provided", checkImage("receives/a Go handler in AWS's base image")},
			{"FROM python:", checkImage("receives/a Python handler in an image of one's own")},
			{"FROM scratch", checkImage("receives/a Go handler in an image from scratch")},
		},
		"docs/scale.md": {
			{"`make scale`", dryRun},
		},
		"docs/local.md":     d.localClaims(),
		"docs/migrating.md": d.migratingClaims(),
	}
}

// exported is the configuration of the programs that print a password.
const exported = "export DB_PASSWORD='secretsmanager://prod/db#password'\n"
