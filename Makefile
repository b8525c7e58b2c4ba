# What programs say of themselves, from the newest heading of CHANGELOG.md.
# One in the environment is meant for something else.
VERSION = $(shell scripts/version.sh)
# How long each fuzz target runs, or how many inputs it tries (300000x).
FUZZTIME ?= 20s
# How long make soak goes on.
SOAK ?= 10m
# What the emulator tests need; `make e2e` installs what the environment does not name.
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/secretwrap
AWS_LAMBDA_RIE ?= $(CACHE)/aws-lambda-rie
E2E_PYTHON ?= $(CACHE)/venv/bin/python
BENCH_NODE_MODULES ?= $(CACHE)/node/node_modules
BENCH = AWS_LAMBDA_RIE="$(AWS_LAMBDA_RIE)" E2E_PYTHON="$(E2E_PYTHON)" BENCH_NODE_MODULES="$(BENCH_NODE_MODULES)"
# How tests run that leave a recording for `make faults`.
RECORDED = go tool -modfile "$(CURDIR)/scripts/tools/go.mod" gotestsum --format pkgname-and-test-fails --hide-summary skipped --jsonfile "$(CURDIR)/dist/tests
export CGO_ENABLED = 0

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 16

.PHONY: build
build: ## build the program for this machine: dist/secretwrap
	go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$(VERSION)" -o dist/secretwrap ./wrapper

.PHONY: test
test: ## run every test that needs nothing but Go
	go test ./...
	go test -tags lambda ./internal/... ./wrapper/...
	cd scripts/sbom && go test ./...
	cd e2e && go test -short ./...

.PHONY: race
race: ## run the unit tests with the race detector; needs a C compiler
	mkdir -p dist/tests
	CGO_ENABLED=1 $(RECORDED)/plain.json" -- -race ./...
	CGO_ENABLED=1 $(RECORDED)/lambda.json" -- -race -tags lambda ./internal/... ./wrapper/...

.PHONY: e2e
e2e: ## run every end-to-end test; installs AWS's emulator, runtimes, moto, builders
	scripts/install-e2e.sh
	scripts/install-builders.sh
	mkdir -p dist/tests
	cd e2e && E2E_REQUIRE=1 AWS_LAMBDA_RIE="$(AWS_LAMBDA_RIE)" E2E_PYTHON="$(E2E_PYTHON)" $(RECORDED)/e2e.json" -- -count=1 ./...

.PHONY: faults
faults: ## show for each fault in docs/faults.md whether its tests passed in the last make race and make e2e
	cd e2e && go run ./faults

.PHONY: demo
demo: ## show what a user sees, against a Secrets Manager on this machine
	cd e2e && go run ./demo

.PHONY: bench
bench: ## measure cold starts against other ways: dist/bench; QUICK=1: dist/bench-quick, in half a minute
	scripts/install-bench.sh
	cd e2e && go build -buildvcs=false -o ../dist/benchmark ./bench && $(BENCH) ../dist/benchmark $(if $(QUICK),-quick -out ../dist/bench-quick,-out ../dist/bench)

.PHONY: bench-check
bench-check: ## fail if a budget of speed or memory is lost by far; as root, or it cannot limit CPU
	scripts/install-e2e.sh
	cd e2e && go build -buildvcs=false -o ../dist/benchmark ./bench && $(BENCH) ../dist/benchmark -check $(if $(REQUIRE),-require)

# The program runs by itself, lest make and go run take part in how it is interrupted.
.PHONY: soak
soak: ## invoke functions in AWS's emulator for SOAK=10m, under rotations, faults, kills, a full disk, a stepped clock
	scripts/install-e2e.sh
	cd e2e && go build -buildvcs=false -o ../dist/soak ./soak && AWS_LAMBDA_RIE="$(AWS_LAMBDA_RIE)" exec ../dist/soak -for $(SOAK)

.PHONY: endure
endure: ## refresh file copies 10,000 times, with faults, in virtual time
	go test -count=1 -v -run TestManyRefreshes ./internal/refresh -refreshes 10000

.PHONY: scale
scale: ## simulate a fleet's scale-out in virtual time: docs/scale.json, docs/scale.svg
	cd e2e && go test -count=1 -v -run TestReport ./scale -report

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME
	scripts/fuzz.sh $(FUZZTIME)

.PHONY: lint
lint: ## check the format, the code, the scripts, the workflow
	scripts/lint.sh

.PHONY: fmt
fmt: ## format the code
	gofmt -w -s internal wrapper scripts e2e

.PHONY: layer
layer: export LAYER_VERSION = $(VERSION)
layer: ## build the Lambda layers: dist/*.zip
	$(SILENTLY)go run ./scripts/packlayer -version "$$LAYER_VERSION" -o dist $(ASIDE)

# The directory is emptied first, and all that it holds is published. One in the
# environment is meant for something else.
RELEASE = dist/release
.PHONY: release
release: export LAYER_VERSION = $(VERSION)
release: export RELEASE_DIR = $(abspath $(RELEASE))
release: ## build all that a release has: layers, programs for laptops, SBOMs, SHA256SUMS: dist/release
	rm -rf "$$RELEASE_DIR"
	go run ./scripts/packlayer -laptop -version "$$LAYER_VERSION" -o "$$RELEASE_DIR"
	cd scripts/sbom && go run . -version "$$LAYER_VERSION" -dist "$$RELEASE_DIR"

# Values reach the shell in its environment, where it does not run what they hold. In
# that of the user a variable may be there by chance, so that make's command line alone
# publishes and shares: docs/publishing.md.
named = $(if $(filter command,$(origin $(1))),$$$(1))
PUBLISHING = go run ./scripts/publish -version "$$LAYER_VERSION" -given "$$GIVEN" -regions "$$REGIONS" -variants "$${VARIANTS-managed os-only}" \
	-architectures "$${ARCHITECTURES-x86_64 arm64}" -name "$${LAYER_NAME-secretwrap}" -parameters "$$SSM_PREFIX" -profile "$$AWS_PROFILE" \
	-organization "$(call named,ORGANIZATION)" -accounts "$(call named,ACCOUNTS)" -publish "$(call named,PUBLISH)"

# Standard output is for commands alone.
.PHONY: publish
publish: SILENTLY = @
publish: ASIDE = >&2
publish: export LAYER_VERSION = $(VERSION)
publish: export GIVEN = $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))
publish: publish-request layer ## show what would publish the layers to REGIONS of an AWS account; PUBLISH=yes: do it
	@$(PUBLISHING)

.PHONY: publish-request
publish-request:
	@$(PUBLISHING) -check

.PHONY: clean
clean: ## remove what was built and installed
	rm -rf dist "$(CACHE)"
