#!/usr/bin/env bash
# Tries the installed network with two containers (seed, stage 4): addresses,
# HTTP from this machine, traffic between containers, stop and start, what the
# network costs at a start, the gateway and Windows where there are any, removal.
# Each check prints [OK] or [NG], or [--] where there is nothing to check; the
# exit status is 0 if none is [NG].
#
# Rootful Podman is used; sudo is called where you are not root. May be set:
#   NETWORK     flatnet
#   IMAGE       docker.io/library/nginx:alpine, or any other that serves HTTP at port 80
#   GATEWAY     its address and port, where it is not found
#   COST_LIMIT  1000 milliseconds that the network may cost at a start
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
none() { echo "[--] $1"; }
finish() {
  [ "$failures" -eq 0 ] && { echo "=== Done ==="; exit 0; }
  echo "=== Failed: $failures ==="
  exit 1
}
# check TEXT COMMAND…: the command's exit status decides.
check() { local text=$1; shift; if "$@" >/dev/null 2>&1; then ok "$text"; else ng "$text"; fi; }

# Only containers with our label are ever removed.
cleanup() {
  local list left
  list=$(podman ps --all --quiet --filter "label=$label") || return 1
  mapfile -t left < <(printf '%s' "$list")
  [ "${#left[@]}" -eq 0 ] || podman rm --force --time 0 "${left[@]}" >/dev/null
}

run() { podman run --detach --name "$1" --label "$label" --network "${2:-$network}" "$image"; }
field() { podman inspect --format "{{(index .NetworkSettings.Networks \"$network\").$2}}" "$1" 2>/dev/null; }
differ() { [ -n "$1" ] && [ -n "$2" ] && [ "$1" != "$2" ]; }
same() { [ -n "$1" ] && [ "$1" = "$2" ]; }
# The web server needs a moment to listen.
fetch() { curl --silent --fail --output /dev/null --connect-timeout 5 --retry 10 --retry-delay 1 --retry-connrefused "$@"; }
gone() { ! ip link show "fn-${1:0:8}"; }

# holds NAME PROGRAM: the container's image has it.
holds() { podman exec "$1" "$2" --help >/dev/null 2>&1 || podman exec "$1" sh -c "command -v $2" >/dev/null 2>&1; }

# inside NAME PROGRAM ARG…: with the container's network, and its own program
# where the image has it, else this machine's.
inside() {
  local name=$1
  shift
  if holds "$name" "$1"; then
    podman exec "$name" "$@"
  else
    "${run_as[@]}" nsenter --net --target "$(podman inspect --format '{{.State.Pid}}' "$name")" "$@"
  fi
}
visit() { inside "$1" wget -q -O /dev/null --timeout=5 "http://$2/" || inside "$1" curl --silent --fail --output /dev/null --max-time 5 "http://$2/"; }

# cost NETWORK: the shortest of three starts, in milliseconds.
cost() {
  local best='' begin took
  for _ in 1 2 3; do
    begin=$(date +%s%N)
    run integ-cost "$1" >/dev/null || return 1
    took=$((($(date +%s%N) - begin) / 1000000))
    podman rm --force --time 0 integ-cost >/dev/null
    [ -n "$best" ] && [ "$best" -le "$took" ] || best=$took
  done
  echo "$best"
}

# gateway_address: GATEWAY, or where the deployed gateway is; nothing: none is.
gateway_address() {
  local kept
  kept=$("${run_as[@]}" flatnet-tui gateway list 2>/dev/null)
  if [ -n "${GATEWAY:-}" ]; then
    echo "$GATEWAY"
  elif grep -q '^\*' <<<"$kept"; then
    if [ -e "$route" ]; then ip -4 route show default | awk '{print $3; exit}'; else echo 127.0.0.1; fi
  fi
}
windows=/mnt/c/Windows/System32
route=$windows/route.exe

echo "=== Phase 2 Integration Test ==="
for program in podman curl ip; do
  command -v "$program" >/dev/null || { ng "$program is not installed"; finish; }
done
cleanup || { ng "Podman does not answer"; finish; }
for name in integ-web1 integ-web2 integ-cost; do
  if podman container exists "$name"; then
    ng "a container named $name is there, and is not this test's: rename or remove it"
    finish
  fi
done
podman network exists "$network" || { ng "Podman knows no network $network: sudo flatnet-tui init"; finish; }
if ! podman image exists "$image" && ! podman pull --quiet "$image" >/dev/null; then
  ng "the image $image cannot be had. IMAGE=NAME takes another one that serves HTTP at port 80; here are:"
  podman images --format '     {{.Repository}}:{{.Tag}}'
  finish
fi
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "1. Starting test containers..."
id1=$(run integ-web1) && ok "integ-web1 started" || ng "integ-web1 did not start"
id2=$(run integ-web2) && ok "integ-web2 started" || ng "integ-web2 did not start"
[ "$failures" -eq 0 ] || finish
ip1=$(field integ-web1 IPAddress)
ip2=$(field integ-web2 IPAddress)
gateway=$(field integ-web1 Gateway)
check "Different addresses: $ip1, $ip2" differ "$ip1" "$ip2"

echo "2. Testing host -> container..."
check "HTTP to $ip1" fetch "http://$ip1/"
check "HTTP to $ip2" fetch "http://$ip2/"

echo "3. Testing container -> container..."
check "HTTP from $ip1 to $ip2" visit integ-web1 "$ip2"
check "HTTP from $ip2 to $ip1" visit integ-web2 "$ip1"
if command -v ping >/dev/null || holds integ-web1 ping; then
  check "Ping from $ip1 to the gateway $gateway" inside integ-web1 ping -c 1 "$gateway"
else
  none "Neither the image nor this machine has ping"
fi

echo "4. Testing stop, start and restart..."
check "integ-web1 stopped" podman stop --time 2 integ-web1
check "integ-web1 started again" podman start integ-web1
check "Address kept: $ip1" same "$(field integ-web1 IPAddress)" "$ip1"
check "HTTP to $ip1 after start" fetch "http://$ip1/"
check "integ-web2 restarted" podman restart --time 2 integ-web2
check "HTTP to $ip2 after restart" fetch "http://$ip2/"

echo "5. Testing the way in..."
front=$(gateway_address)
if [ -n "$front" ]; then
  check "HTTP to $ip1 through the gateway at $front" fetch --header "Host: $ip1.flatnet.local" "http://$front/"
else
  none "No gateway is deployed: sudo flatnet-tui gateway apply"
fi
if [ -e "$route" ]; then
  check "HTTP from Windows to $ip1" timeout 20 "$windows/curl.exe" --silent --fail --output NUL --max-time 10 "http://$ip1/" </dev/null
else
  none "There is no Windows here"
fi

echo "6. Measuring..."
if without=$(cost none) && with=$(cost "$network"); then
  text="A start takes $with ms, without the network $without ms"
  if [ $((with - without)) -le "${COST_LIMIT:-1000}" ]; then ok "$text"; else ng "$text"; fi
else
  ng "integ-cost did not start"
fi

echo "7. Cleanup..."
check "Containers removed" cleanup
check "No interface of integ-web1 left" gone "$id1"
check "No interface of integ-web2 left" gone "$id2"
finish
