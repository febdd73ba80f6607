#!/usr/bin/env bash
# Runs every fuzz target below the folders given (the whole module if none is)
# for the time given. Usage: fuzz.sh TIME [FOLDER...]
set -euo pipefail

time=$1
shift
[ $# -gt 0 ] || set -- .
grep -rlE '^func Fuzz' --include='*_test.go' "$@" | sort | while read -r file; do
  grep -oE '^func Fuzz[A-Za-z0-9_]+' "$file" | sed 's/func //' | while read -r target; do
    echo "$target (${file#./}) for $time"
    # Minimizing what is merely interesting would take the whole time.
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 500ms "./$(dirname "$file")"
  done
done
