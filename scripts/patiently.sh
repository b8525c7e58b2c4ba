#!/bin/sh
# For scripts that download, to be read with the dot command.

# patiently COMMAND... repeats a download that fails: registries have their moments.
patiently() {
  for pause in 15 30 60 120 0; do
    if "$@"; then
      return
    fi
    if [ "$pause" -gt 0 ]; then
      echo "failed, once more in $pause s" >&2
      sleep "$pause"
    fi
  done
  return 1
}
