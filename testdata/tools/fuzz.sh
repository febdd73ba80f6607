#!/usr/bin/env bash
# Runs every fuzz target of the module for the time given. Usage: fuzz.sh TIME
set -euo pipefail

grep -rlE '^func Fuzz' --include='*_test.go' . | sort | while read -r file; do
  grep -oE '^func Fuzz[A-Za-z0-9_]+' "$file" | sed 's/func //' | while read -r target; do
    echo "$target (${file#./}) for $1"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$1" "./$(dirname "$file")"
  done
done
