#!/bin/sh
# Checks the format, both builds of each module, the scripts and the workflows.
set -eu
cd "$(dirname "$0")/.."
tools=$PWD/scripts/tools/go.mod

echo "gofmt"
unformatted=$(gofmt -l -s internal wrapper scripts e2e)
if [ -n "$unformatted" ]; then
  echo "not formatted, run make fmt:"
  echo "$unformatted"
  exit 1
fi

for module in . e2e scripts/sbom; do
  for build in "" lambda; do
    echo "vet and staticcheck: module $module, build ${build:-plain}"
    (
      cd "$module"
      go vet -tags "$build" ./...
      go tool -modfile "$tools" staticcheck -tags "$build" ./...
    )
  done
done

echo "vet: plain build for macOS"
GOOS=darwin go vet ./...

if command -v shellcheck >/dev/null; then
  echo "shellcheck"
  shellcheck -x .ci/run scripts/*.sh
elif [ -n "${CI:-}" ]; then
  echo "shellcheck is not installed"
  exit 1
else
  echo "shellcheck is not installed, scripts are not checked"
fi

echo "actionlint"
go tool -modfile "$tools" actionlint .github/workflows/*.yml
