#!/usr/bin/env bash
# Runs every test with the race detector and says at the end what did not run.
# Tests run real programs that have time limits of their own, and a loaded
# machine is late now and then: where few fail, each is run once more, whole and
# alone, and is named at the end. A data race is never given another try.
# Usage: test.sh GOTESTSUM PACKAGE...
set -uo pipefail

gotestsum=$1
shift
PATH=$PATH:/usr/sbin:/sbin
# As root the namespace tests must run: there they fail rather than skip.
[ "$(id -u)" -eq 0 ] && export FLATNET_ROOT=1
export FLATNET_BIN=$PWD/bin
again=$(mktemp)
trap 'rm -f "$again"' EXIT
# The files of an installed Flatnet, of which no test may make one.
machine() { find /etc/flatnet /etc/cni/net.d /opt/cni /var/lib/flatnet /var/log/flatnet 2>/dev/null | sort; }
before=$(machine)

# Those that take minutes come first: at the end none is left alone with one core.
long="./tui/command ./plugin/podmantest ./plugin ./core/gateway ./tui ./testdata/setuptest"

"$gotestsum" --format pkgname --packages "$long $*" \
  --rerun-fails=1 --rerun-fails-max-failures 6 --rerun-fails-run-root-test --rerun-fails-abort-on-data-race --rerun-fails-report "$again" \
  -- -race -count=1 -timeout 20m
status=$?
# The PowerShell scripts' syntax: its grammar is C, so it is a module apart.
(cd testdata/tools/pwsh && go test ./...) || status=1
[ "$(id -u)" -eq 0 ] || echo "Not root: the tests that need real Podman were left out; they are named as skipped above."
after=$(machine)
[ "$before" = "$after" ] || { echo "The tests made files on this machine, which is a defect of theirs:"; diff <(echo "$before") <(echo "$after"); }
[ ! -s "$again" ] || { echo "Run once more after they failed:"; cat "$again"; }
exit $status
