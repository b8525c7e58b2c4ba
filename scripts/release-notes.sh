#!/bin/sh
# Prints what CHANGELOG.md says of the version of a tag, such as v1.2.0. Fails unless
# that is the newest heading.
# Usage: release-notes.sh TAG
set -eu
cd "$(dirname "$0")/.."

newest=$(sed -n 's/^## \[\{0,1\}\([^] ]*\).*/\1/p' CHANGELOG.md | head -n 1)
case $newest in
[0-9]*.[0-9]*.[0-9]*) ;;
*)
  echo "the newest heading of CHANGELOG.md, $newest, is no version" >&2
  exit 1
  ;;
esac
if [ "$1" != "v$newest" ]; then
  echo "the tag is $1, but the newest heading of CHANGELOG.md is $newest" >&2
  exit 1
fi
notes=$(awk '/^## / { if (headings++) exit; next } headings' CHANGELOG.md)
if [ -z "$notes" ]; then
  echo "CHANGELOG.md says nothing of $1" >&2
  exit 1
fi
echo "$notes"
