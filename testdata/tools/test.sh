#!/usr/bin/env bash
# Runs every test with the race detector and says at the end what did not run.
# Usage: test.sh GOTESTSUM PACKAGE...
set -uo pipefail

gotestsum=$1
shift
PATH=$PATH:/usr/sbin:/sbin
# As root the namespace tests must run: there they fail rather than skip.
[ "$(id -u)" -eq 0 ] && export FLATNET_ROOT=1
export FLATNET_BIN=$PWD/bin

"$gotestsum" --format pkgname -- -race -count=1 -timeout 20m "$@"
status=$?
# The PowerShell scripts' syntax: its grammar is C, so it is a module apart.
(cd testdata/tools/pwsh && go test ./...) || status=1
[ "$(id -u)" -eq 0 ] || echo "Not root: the tests that need real Podman were left out; they are named as skipped above."
exit $status
