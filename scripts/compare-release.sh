#!/bin/sh
# Builds the release again from a copy of the tree, without git's data, in another
# directory, under another time zone, umask and locale, with nothing cached, and no way to
# other modules than those that are there, and settings of Go that would change the
# programs. Fails unless dist/release holds the same bytes.
set -eu
cd "$(dirname "$0")/.."

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
tar -cf "$copy/tree.tar" --exclude ./.git --exclude ./dist .
mkdir "$copy/tree"
modules=$(go env GOMODCACHE)
printf 'GOFLAGS=-trimpath=false -tags=other\nGOAMD64=v3\nGOARM64=v9.0\nGOPROXY=off\n' >"$copy/env"
(
  umask 077
  cd "$copy/tree"
  tar -xf ../tree.tar --no-same-permissions
  export GOENV="$copy/env" GOMODCACHE="$modules" GOCACHE="$copy/cache"
  export TZ=Pacific/Kiritimati LC_ALL=C.UTF-8 LANG=de_DE.UTF-8 VERSION=9.9.9 SOURCE_DATE_EPOCH=1
  make release RELEASE=elsewhere
)
diff -r dist/release "$copy/tree/elsewhere"
cd dist/release
sha256sum --check SHA256SUMS
