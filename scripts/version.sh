#!/bin/sh
# Prints the version of the newest heading of CHANGELOG.md, such as
# "## 1.2.0" or "## [1.2.0] - 2026-01-31". Where that is of what is not released yet,
# "+dev" follows the version before. It does not ask git, so that a clone, an archive
# and a work tree give the same program.
set -eu
cd "$(dirname "$0")/.."

newest=
version=
if [ -f CHANGELOG.md ]; then
  newest=$(sed -n 's/^## \[\{0,1\}v\{0,1\}//p' CHANGELOG.md | head -n 1)
  version=$(sed -n 's/^## \[\{0,1\}v\{0,1\}\([0-9][0-9A-Za-z.+-]*\).*/\1/p' CHANGELOG.md | head -n 1)
fi
case $newest in
[0-9]*) ;;
*) version=${version:+$version+dev} ;;
esac
echo "${version:-0.1.0-dev}"
