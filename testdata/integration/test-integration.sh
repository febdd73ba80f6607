#!/usr/bin/env bash
# Tries the installed network with two containers (seed, stage 4): addresses,
# HTTP from this machine, traffic between containers, stop and start, removal.
# Each check prints [OK] or [NG]; the exit status is 0 if all are [OK].
#
# Rootful Podman is used; sudo is called where you are not root.
# NETWORK (flatnet) and IMAGE (docker.io/library/nginx:alpine) may be set.
set -uo pipefail

network=${NETWORK:-flatnet}
image=${IMAGE:-docker.io/library/nginx:alpine}
label=flatnet.test=integration
failures=0

run_as=(command)
[ "$(id -u)" -eq 0 ] || run_as=(sudo)
podman() { "${run_as[@]}" podman "$@"; }

ok() { echo "[OK] $1"; }
ng() { echo "[NG] $1"; failures=$((failures + 1)); }
# check TEXT COMMAND…: the command's exit status decides.
check() { local text=$1; shift; if "$@" >/dev/null 2>&1; then ok "$text"; else ng "$text"; fi; }

# Only containers with our label are ever removed.
cleanup() {
  local list left
  list=$(podman ps --all --quiet --filter "label=$label") || return 1
  mapfile -t left < <(printf '%s' "$list")
  [ "${#left[@]}" -eq 0 ] || podman rm --force --time 0 "${left[@]}" >/dev/null
}

run() { podman run --detach --name "$1" --label "$label" --network "$network" "$image"; }
field() { podman inspect --format "{{(index .NetworkSettings.Networks \"$network\").$2}}" "$1" 2>/dev/null; }
differ() { [ -n "$1" ] && [ -n "$2" ] && [ "$1" != "$2" ]; }
same() { [ -n "$1" ] && [ "$1" = "$2" ]; }
# The web server needs a moment to listen.
fetch() { curl --silent --fail --output /dev/null --connect-timeout 5 --retry 10 --retry-delay 1 --retry-connrefused "http://$1/"; }
gone() { ! ip link show "fn-${1:0:8}"; }

echo "=== Phase 2 Integration Test ==="
for program in podman curl ip; do
  command -v "$program" >/dev/null || { ng "$program is not installed"; exit 1; }
done
cleanup || { ng "Podman does not answer"; exit 1; }
trap cleanup EXIT

echo "1. Starting test containers..."
id1=$(run integ-web1) && ok "integ-web1 started" || ng "integ-web1 did not start"
id2=$(run integ-web2) && ok "integ-web2 started" || ng "integ-web2 did not start"
[ "$failures" -eq 0 ] || { echo "=== Failed: $failures ==="; exit 1; }
ip1=$(field integ-web1 IPAddress)
ip2=$(field integ-web2 IPAddress)
gateway=$(field integ-web1 Gateway)
check "Different addresses: $ip1, $ip2" differ "$ip1" "$ip2"

echo "2. Testing host -> container..."
check "HTTP to $ip1" fetch "$ip1"
check "HTTP to $ip2" fetch "$ip2"

echo "3. Testing container -> container..."
check "HTTP from $ip1 to $ip2" podman exec integ-web1 wget -q -O /dev/null --timeout=5 "http://$ip2/"
check "HTTP from $ip2 to $ip1" podman exec integ-web2 wget -q -O /dev/null --timeout=5 "http://$ip1/"
check "Ping from $ip1 to the gateway $gateway" podman exec integ-web1 ping -c 1 "$gateway"

echo "4. Testing stop, start and restart..."
check "integ-web1 stopped" podman stop --time 2 integ-web1
check "integ-web1 started again" podman start integ-web1
check "Address kept: $ip1" same "$(field integ-web1 IPAddress)" "$ip1"
check "HTTP to $ip1 after start" fetch "$ip1"
check "integ-web2 restarted" podman restart --time 2 integ-web2
check "HTTP to $ip2 after restart" fetch "$ip2"

echo "5. Cleanup..."
check "Containers removed" cleanup
check "No interface of integ-web1 left" gone "$id1"
check "No interface of integ-web2 left" gone "$id2"

if [ "$failures" -gt 0 ]; then
  echo "=== Failed: $failures ==="
  exit 1
fi
echo "=== Done ==="
