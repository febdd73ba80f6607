#!/bin/sh
# Puts an installation in place, or takes it away: make install, make uninstall.
# Usage: install.sh install|uninstall, in the source directory, after make build.
#   PREFIX   where programs and manuals go (/usr/local)
#   DESTDIR  put before every path; nothing outside is touched, nothing started
#   PURGE=1  uninstall takes edited files, leases and logs away too
set -eu

PREFIX=${PREFIX:-/usr/local}
DESTDIR=${DESTDIR:-}
PURGE=${PURGE:-0}

here=core/setup/files
share=$DESTDIR$PREFIX/share
pristine=$share/flatnet # what /etc had from us, to tell an edited file
plugin=$DESTDIR/opt/cni/bin/flatnet
netavark=$DESTDIR$PREFIX/lib/netavark/flatnet # where Podman 5 looks for plugins
console=$DESTDIR$PREFIX/bin/flatnet-tui
unit=$DESTDIR$PREFIX/lib/systemd/system/flatnet.service
backend=$DESTDIR/etc/containers/containers.conf.d/flatnet.conf # init writes it
networks=$DESTDIR/etc/containers/networks                      # Podman 5's

# directory PATH: makes it, and writes down each that was not there before.
directory() {
  [ -d "$1" ] && return 0
  directory "$(dirname "$1")"
  mkdir -m 755 "$1"
  echo "${1#"$DESTDIR"}" >>"$new/made"
}

# put SOURCE TARGET MODE: whole at every instant, also while it is in use.
put() {
  directory "$(dirname "$2")"
  install -m "$3" "$1" "$2.new"
  mv -f "$2.new" "$2"
}

# keep NAME TARGET: puts a file into /etc unless somebody has edited the one
# that is there.
keep() {
  if [ -e "$2" ] && ! cmp -s "$2" "$pristine/$1"; then
    cmp -s "$2" "$new/$1" || echo "kept, because it was edited: $2"
  else
    put "$new/$1" "$2" 644
  fi
  put "$new/$1" "$pristine/$1" 644
}

# drop NAME TARGET: takes a file of keep away again.
drop() {
  [ -e "$2" ] || return 0
  if [ "$PURGE" = 1 ] || cmp -s "$2" "$pristine/$1" || by_init "$2"; then
    rm -f "$2"
  else
    echo "kept, because it was edited (PURGE=1 takes it away): $2"
  fi
}

# by_init FILE: it is as init writes one for Podman, three lines with our name.
by_init() { [ "$(wc -l <"$1")" -eq 3 ] && head -n 1 "$1" | grep -q '^# Flatnet .* plugin'; }

# watching: the processes that run our watch, whatever started them.
watching() {
  for p in /proc/[0-9]*; do
    case $(readlink "$p/exe" 2>/dev/null) in
    "$console" | "$console (deleted)") ;; # the second: replaced by an upgrade
    *) continue ;;
    esac
    if tr '\0' '\n' <"$p/cmdline" 2>/dev/null | grep -qx watch; then echo "${p#/proc/}"; fi
  done
}

# stop_watch: where no systemd does that. One that has not ended yet would put
# the bridge back.
stop_watch() {
  tries=0
  while pids=$(watching) && [ -n "$pids" ]; do
    [ "$tries" -lt 100 ] || { echo "flatnet-tui watch does not end, and may put things back: process" $pids; return 0; }
    kill $pids 2>/dev/null || :
    tries=$((tries + 1))
    sleep 0.1
  done
}

# forget_networks: those of our driver that init made known to Podman 5. Podman
# keeps one that a container is on.
forget_networks() {
  grep -ls '"driver": "flatnet"' "$networks"/*.json | while read -r f; do
    podman network rm "$(basename "$f" .json)" || echo "kept, because Podman does not let it go: $f"
  done
}

# live: this machine, and systemd runs it.
live() { [ -z "$DESTDIR" ] && [ -d /run/systemd/system ]; }

# owned FILE: it is the Debian package's.
owned() { [ -z "$DESTDIR" ] && dpkg-query -S "$1" >/dev/null 2>&1; }

# not_here: refuses where the package is in charge.
not_here() {
  echo "Flatnet is here from its Debian package. $1 (leases and edited files stay): sudo apt-get remove flatnet" >&2
  exit 1
}

has_portmap() {
  for d in /usr/local/libexec/cni /usr/libexec/cni /usr/local/lib/cni /usr/lib/cni /opt/cni/bin; do
    [ -x "$d/portmap" ] && return 0
  done
  return 1
}

do_install() {
  if owned "$plugin"; then not_here "Upgrade that (make deb), or take it away first"; fi
  for f in bin/flatnet bin/flatnet-tui bin/share/flatnet/flatnet.toml; do
    [ -e "$f" ] || { echo "$f is missing: run make build first" >&2; exit 1; }
  done
  cp bin/share/flatnet/flatnet.toml "$here/99-flatnet.conf" "$new"
  list=flatnet.conflist
  has_portmap && list=flatnet-portmap.conflist
  cp "$here/$list" "$new/flatnet.conflist"

  put bin/flatnet "$plugin" 755
  put bin/flatnet "$netavark" 755
  put bin/flatnet-tui "$console" 755
  (cd bin/share && find man bash-completion zsh fish doc -type f) | while read -r f; do
    put "bin/share/$f" "$share/$f" 644
  done
  # systemd takes a path in quotes, and sed no # or & as they are.
  sed "s#@PREFIX@#$(printf %s "$PREFIX" | sed 's/[#&\\]/\\&/g')#" "$here/flatnet.service" >"$new/flatnet.service"
  put "$new/flatnet.service" "$unit" 644
  keep flatnet.toml "$DESTDIR/etc/flatnet/flatnet.toml"
  keep flatnet.conflist "$DESTDIR/etc/cni/net.d/flatnet.conflist"
  keep 99-flatnet.conf "$DESTDIR/etc/sysctl.d/99-flatnet.conf"

  if [ -s "$new/made" ]; then
    cat "$new/made" >>"$pristine/made"
  fi

  if live; then
    systemctl daemon-reload
    systemctl try-restart flatnet.service
  fi
  [ -n "$DESTDIR" ] || echo "Installed. Next: sudo flatnet-tui init"
}

# remove_programs: what is below PREFIX, and directories that nobody else uses.
remove_programs() {
  made=$new/made
  sort -r "$pristine/made" >"$made" 2>/dev/null || : # the innermost first
  echo /etc/flatnet >>"$made"
  rm -rf "$netavark" "$console" "$unit" "$pristine" \
    "$share"/man/man1/flatnet-tui.1 "$share"/man/man1/flatnet-tui-*.1 "$share"/man/man5/flatnet.toml.5 "$share"/man/man8/flatnet.8 \
    "$share"/bash-completion/completions/flatnet-tui "$share"/zsh/site-functions/_flatnet-tui "$share"/fish/vendor_completions.d/flatnet-tui.fish \
    "$share"/doc/flatnet/copyright
  while read -r d; do
    rmdir "$DESTDIR$d" 2>/dev/null || :
  done <"$made"
}

# hand_over: the Debian package goes on with plugin, /etc, bridge and rules.
hand_over() {
  if owned "$console"; then not_here "To take it away"; fi
  remove_programs
  if live; then
    systemctl daemon-reload
    systemctl try-restart flatnet.service
  elif [ -n "$(watching)" ]; then
    stop_watch
    echo "flatnet-tui watch was stopped: start it again."
  fi
  echo "Taken away from $PREFIX. Flatnet's Debian package goes on with the leases and with what is in /etc."
}

do_uninstall() {
  if owned "$plugin"; then
    hand_over
    return 0
  fi
  if live && [ -e "$unit" ]; then
    systemctl disable --now flatnet.service || :
  fi
  if [ -z "$DESTDIR" ] && [ -x "$console" ]; then
    stop_watch
    "$console" bridge remove --yes || echo "bridge and rules are left: see above, or restart the machine"
    forget_networks
  fi
  drop flatnet.toml "$DESTDIR/etc/flatnet/flatnet.toml"
  drop flatnet.conflist "$DESTDIR/etc/cni/net.d/flatnet.conflist"
  drop 99-flatnet.conf "$DESTDIR/etc/sysctl.d/99-flatnet.conf"
  drop '' "$backend"
  if [ "$PURGE" = 1 ]; then
    rm -rf "$DESTDIR/var/lib/flatnet" "$DESTDIR/var/log/flatnet"
  fi
  rm -f "$plugin"
  remove_programs
  if live; then systemctl daemon-reload; fi
  if [ "$PURGE" != 1 ] && [ -e "$DESTDIR/var/lib/flatnet" ]; then
    echo "kept: leases in $DESTDIR/var/lib/flatnet (PURGE=1 takes them away)"
  fi
}

new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
case ${1:-} in
install) do_install ;;
uninstall) do_uninstall ;;
*) echo "usage: install.sh install|uninstall" >&2; exit 2 ;;
esac
