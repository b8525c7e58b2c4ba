#!/bin/sh
# Runs every fuzz target of the module, one after another.
# Usage: fuzz.sh DURATION-OR-COUNT, as go test -fuzztime takes it
set -eu
cd "$(dirname "$0")/.."

listing=$(go test -list '^Fuzz' ./...)
targets=$(echo "$listing" | awk '
  /^Fuzz/ { names[++n] = $1 }
  $1 == "ok" { for (i = 1; i <= n; i++) print $2, names[i]; n = 0 }')
if [ -z "$targets" ]; then
  echo "no fuzz target"
  exit 1
fi

echo "$targets" | while read -r package name; do
  echo "--- $package $name, $1"
  go test -run '^$' -fuzz "^$name\$" -fuzztime "$1" -fuzzminimizetime 10x "$package" </dev/null
done
