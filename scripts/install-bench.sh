#!/bin/sh
# Installs what the benchmark compares with, beside what the emulator tests need:
# AWS's SDK for Node.js, into the user's cache. Without Node.js the benchmark
# leaves it out.
set -eu
cd "$(dirname "$0")/.."
scripts/install-e2e.sh
cache=${XDG_CACHE_HOME:-$HOME/.cache}/secretwrap
package=@aws-sdk/client-secrets-manager
version=3.1164.0

if [ -n "${BENCH_NODE_MODULES:-}" ]; then
  exit
fi
if ! command -v npm >/dev/null; then
  echo "SDK for Node.js: left out, there is no npm"
elif grep -q "\"version\": \"$version\"" "$cache/node/node_modules/$package/package.json" 2>/dev/null; then
  echo "SDK for Node.js: there"
else
  echo "SDK for Node.js: installing into $cache/node"
  mkdir -p "$cache/node"
  npm install --silent --no-audit --no-fund --no-save --prefix "$cache/node" "$package@$version"
fi
