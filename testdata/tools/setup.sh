#!/usr/bin/env bash
# Installs what the tests need on Debian or Ubuntu, and only what is missing.
# No service is started by it: the tests run their own.
set -euo pipefail

# program:package
needs=(
  podman:podman runc:runc conmon:conmon
  iptables:iptables nft:nftables ip:iproute2
  busybox:busybox-static nginx:nginx
  strace:strace tmux:tmux jq:jq curl:curl sshd:openssh-server ssh:openssh-client
  debootstrap:debootstrap systemd-analyze:systemd gcc:gcc ps:procps unshare:util-linux nsenter:util-linux
)
# file:package, for what is no program
files=(
  /usr/lib/cni/bridge:containernetworking-plugins
  /usr/lib/nginx/modules/ngx_http_lua_module.so:libnginx-mod-http-lua
  /usr/share/keyrings/debian-archive-keyring.gpg:debian-archive-keyring
  /usr/share/lua/5.1/cjson:lua-cjson
)

PATH=$PATH:/usr/sbin:/sbin
missing=()
for n in "${needs[@]}"; do command -v "${n%%:*}" >/dev/null || missing+=("${n##*:}"); done
for f in "${files[@]}"; do [ -e "${f%%:*}" ] || missing+=("${f##*:}"); done
[ "${#missing[@]}" -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
  echo "missing, and there is no apt-get to install it: ${missing[*]}" >&2
  exit 1
fi
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)

# Debian starts a service as soon as its package is installed; this policy,
# for the time of the installation, says no.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 755 "$policy"
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi

echo "Installing for the tests: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
