#!/bin/sh
# Runs every fuzz target of the module, two at a time for each processor, since building
# and minimizing wait for one: those of the plain build, then what only the layer's build
# has.
# Usage: fuzz.sh DURATION-OR-COUNT, as go test -fuzztime takes it
set -eu
cd "$(dirname "$0")/.."

# target BUILD PACKAGE NAME runs one target and prints a line about it, or all that it
# said.
if [ "${1-}" = target ]; then
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  status=0
  go test -tags "$2" -run '^$' -fuzz "^$4\$" -fuzztime "$FUZZTIME" -parallel 1 -fuzzminimizetime 10x "$3" >"$log" 2>&1 || status=$?
  tried=$(sed -n 's/.*execs: \([0-9]*\).*/\1/p' "$log" | tail -n 1)
  # All its time may go by with what earlier runs have left in Go's cache.
  if [ -z "$tried" ] && grep -q 'gathering baseline coverage' "$log"; then
    tried='known'
  fi
  # A duration that ends during a call is told as a failure: https://go.dev/issue/75804.
  # What an input made fail leaves that input.
  if [ "$status" -ne 0 ] && grep -q '^ *context deadline exceeded$' "$log" && ! grep -q 'Failing input written' "$log"; then
    status=0
  fi
  [ "$status" -eq 0 ] || cat "$log"
  printf '%s %s: %s inputs, status %d\n' "$3" "$4" "${tried:-no}" "$status"
  [ -n "$tried" ] && [ "$status" -eq 0 ]
  exit
fi

# list BUILD prints the targets of a build, a package and a name in each line.
list() {
  listing=$(go test -tags "$1" -list '^Fuzz' ./...)
  echo "$listing" | awk '
    /^Fuzz/ { names[++n] = $1 }
    $1 == "ok" { for (i = 1; i <= n; i++) print $2, names[i]; n = 0 }'
}

plain=$(list plain)
lambda=$(list lambda | grep -vxF "$plain") || true
if [ -z "$plain" ] || [ -z "$lambda" ]; then
  echo "no fuzz target in one of the builds"
  exit 1
fi
{
  echo "$plain" | sed 's/^/plain /'
  echo "$lambda" | sed 's/^/lambda /'
} | FUZZTIME=$1 xargs -P "$((2 * $(nproc)))" -L 1 "$0" target
