#!/bin/sh
# Prints the version of the newest heading of CHANGELOG.md, such as
# "## 1.2.0" or "## [1.2.0] - 2026-01-31". It does not ask git, so that a
# clone, an archive and a work tree give the same program.
set -eu
cd "$(dirname "$0")/.."

version=
if [ -f CHANGELOG.md ]; then
  version=$(sed -n 's/^## \[\{0,1\}v\{0,1\}\([0-9][0-9A-Za-z.+-]*\).*/\1/p' CHANGELOG.md | head -n 1)
fi
echo "${version:-0.1.0-dev}"
