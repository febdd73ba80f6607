#!/usr/bin/env bash
# Runs every fuzz target below the folders given (the whole module if none is)
# for the time given. Usage: fuzz.sh TIME [FOLDER...]
set -euo pipefail

time=$1
shift
[ $# -gt 0 ] || set -- .
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Minimizing what is merely interesting would take the whole time. When the
# time is up in the middle of an input, go test says "context deadline
# exceeded" and fails without having found anything: that is no failure.
run() {
  go test -run '^$' -fuzz "^$1\$" -fuzztime "$time" -fuzzminimizetime 500ms "./$2" | tee "$log" && return
  grep -q 'context deadline exceeded' "$log" && ! grep -qE 'Failing input|panic:|_test\.go:' "$log"
}

grep -rlE '^func Fuzz' --include='*_test.go' "$@" | sort | while read -r file; do
  grep -oE '^func Fuzz[A-Za-z0-9_]+' "$file" | sed 's/func //' | while read -r target; do
    echo "$target (${file#./}) for $time"
    run "$target" "$(dirname "$file")"
  done
done
