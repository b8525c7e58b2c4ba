#!/bin/sh
# Builds the layers again from a copy of the tree in another directory, under
# another time zone and umask and with nothing cached, and fails unless dist/
# holds the same bytes.
set -eu
cd "$(dirname "$0")/.."

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
tar -cf "$copy/tree.tar" --exclude ./.git --exclude ./dist .
mkdir "$copy/tree"
(
  umask 077
  cd "$copy/tree"
  tar -xf ../tree.tar --no-same-permissions
  GOCACHE=$copy/cache TZ=Pacific/Kiritimati make layer
)
diff dist/SHA256SUMS "$copy/tree/dist/SHA256SUMS"
cd dist
sha256sum --check SHA256SUMS
