#!/bin/sh
# Looks for known vulnerabilities in the programs of dist/release, in the state in which
# they are shipped.
set -eu
cd "$(dirname "$0")/.."

programs=$(mktemp -d)
trap 'rm -rf "$programs"' EXIT
found=0
for archive in dist/release/secretwrap-layer-x86_64.zip dist/release/secretwrap-layer-arm64.zip dist/release/*.tar.gz; do
  program=$programs/$(basename "$archive")
  case $archive in
  *.zip) unzip -p "$archive" extensions/secretwrap >"$program" ;;
  *) tar -xzOf "$archive" secretwrap >"$program" ;;
  esac
  echo "--- $archive"
  go tool -modfile scripts/tools/go.mod govulncheck -mode binary "$program" || found=1
done
exit "$found"
