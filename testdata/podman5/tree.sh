#!/usr/bin/env bash
# The tree of a Debian 13 with Podman 5 and netavark, for tests on machines
# that have an older one. Usage:
#   tree.sh path   prints where it is, or would be
#   tree.sh make   makes it if it is not there (needs root, and a Debian mirror)
set -euo pipefail

suite=trixie
packages=podman,netavark,aardvark-dns,iptables,nftables,runc,crun,ca-certificates,iproute2
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
key=$(printf '%s %s' "$suite" "$packages" | sha256sum | cut -c1-12)
tree=${XDG_CACHE_HOME:-/var/tmp}/flatnet-podman5-$key

case ${1:-} in
path) echo "$tree" ;;
make)
  [ -e "$tree" ] && exit 0
  echo "Making a Debian 13 with Podman 5 for the tests: $tree"
  mkdir -p "${tree%/*}"
  new=$(mktemp -d "$tree.XXXXXX")
  trap 'rm -rf "$new"' EXIT
  # An older debootstrap has no script of this suite's name; all are sid's.
  PATH=$PATH:/usr/sbin:/sbin debootstrap --variant=minbase --include="$packages" \
    "$suite" "$new" "$mirror" /usr/share/debootstrap/scripts/sid >"$new.log" 2>&1 ||
    { tail -n 20 "$new.log" >&2; rm -f "$new.log"; exit 1; }
  rm -rf "$new.log" "$new"/var/cache/apt/archives/*.deb
  chmod 755 "$new"
  mv -T "$new" "$tree"
  ;;
*) sed -n '2,6s/^# //p' "$0" >&2; exit 2 ;;
esac
