#!/bin/sh
# Runs every fuzz target of the module, as many at a time as there are processors.
# Usage: fuzz.sh DURATION-OR-COUNT, as go test -fuzztime takes it
set -eu
cd "$(dirname "$0")/.."

# target PACKAGE NAME runs one target and prints a line about it, or all that it said.
if [ "${1-}" = target ]; then
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  status=0
  go test -run '^$' -fuzz "^$3\$" -fuzztime "$FUZZTIME" -parallel 1 -fuzzminimizetime 10x "$2" >"$log" 2>&1 || status=$?
  tried=$(sed -n 's/.*execs: \([0-9]*\).*/\1/p' "$log" | tail -n 1)
  # A duration that ends during a call is told as a failure: https://go.dev/issue/75804.
  # What an input made fail leaves that input.
  if [ "$status" -ne 0 ] && grep -q '^ *context deadline exceeded$' "$log" && ! grep -q 'Failing input written' "$log"; then
    status=0
  fi
  [ "$status" -eq 0 ] || cat "$log"
  printf '%s %s: %s inputs, status %d\n' "$2" "$3" "${tried:-no}" "$status"
  [ -n "$tried" ] && [ "$status" -eq 0 ]
  exit
fi

listing=$(go test -list '^Fuzz' ./...)
targets=$(echo "$listing" | awk '
  /^Fuzz/ { names[++n] = $1 }
  $1 == "ok" { for (i = 1; i <= n; i++) print $2, names[i]; n = 0 }')
if [ -z "$targets" ]; then
  echo "no fuzz target"
  exit 1
fi
echo "$targets" | FUZZTIME=$1 xargs -P "$(nproc)" -L 1 "$0" target
