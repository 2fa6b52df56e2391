#!/bin/bash
# Tries the scripts on a machine with nothing on it: makes a Debian in a temporary folder, clones
# the committed state of this repository into it, and runs there, on two cores,
#   tests/fresh_machine.sh             scripts/demo.sh --once, which must take below five minutes
#   tests/fresh_machine.sh --all       that, and then scripts/test.sh --all
#   tests/fresh_machine.sh COMMAND...  COMMAND instead, in the clone
# Before these, --debian CODENAME says which Debian: bookworm, where every check runs, if it is not
# given. Another than this machine's comes from the same mirrors; the package
# debian-archive-keyring here has to know its keys (that of bookworm knows those of trixie).
# Needs root and the network. For use by hand and before a release; leaves nothing behind.
set -euo pipefail
cd "$(dirname "$0")/.."

demo_seconds_max=300
debian=bookworm
if [ "${1-}" = --debian ]; then
  debian=${2:?the codename of a Debian, such as trixie}
  shift 2
fi

if [ "$(id -u)" != 0 ]; then
  echo "fresh_machine: only root can make and enter the folder; run it with sudo" >&2
  exit 1
fi
if ! command -v mmdebstrap >/dev/null; then
  apt-get -q update
  DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends mmdebstrap
fi

machine=$(mktemp -d "${TMPDIR:-/tmp}/meterline-machine-XXXXXX")
# What is mounted in it lives in a mount namespace of its own and ends with the last command there.
trap 'rm -rf --one-file-system "$machine" "$machine".*' EXIT
trap 'exit 130' INT TERM

# The package sources by which this machine reaches Debian, with the suites of the Debian that is
# made: their files, in the folder $machine.sources.
make_sources() {
  local here file
  here=$(. /etc/os-release && echo "$VERSION_CODENAME")
  mkdir "$machine.sources"
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
    /etc/apt/sources.list.d/*.sources; do
    if [ -f "$file" ] && grep -Eq "^[^#]*[[:space:]]$here([[:space:]]|\$)" "$file" &&
      grep -q '\bmain\b' "$file"; then
      sed "/^[^#]/s/\b$here\b/$debian/g" "$file" >"$machine.sources/$(basename "$file")"
    fi
  done
}

# Its proxies, certificates and the like.
host_apt_settings() {
  apt-config dump --format '%F "%v";%n' Acquire |
    grep -E '^Acquire::(https?::|ftp::|Check-|Languages |Retries )' || true
}

make_machine() {
  host_apt_settings >"$machine.conf"
  make_sources
  mmdebstrap --quiet --variant=minbase --include=git --aptopt="$machine.conf" \
    "$debian" "$machine" "$machine.sources"/*
  rm -r "$machine.conf" "$machine.sources"
  local file
  for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt \
    /etc/ssl/certs/java/cacerts; do
    if [ -e "$file" ]; then
      mkdir -p "$machine$(dirname "$file")"
      cp -L "$file" "$machine$file"
    fi
  done
  if [ -e "$machine/etc/ssl/certs/ca-certificates.crt" ]; then
    # The package ca-certificates writes that file anew when it is installed, and takes along what
    # lies here.
    mkdir -p "$machine/usr/local/share/ca-certificates"
    awk -v folder="$machine/usr/local/share/ca-certificates" '
      /BEGIN CERTIFICATE/ { file = sprintf("%s/host-%03d.crt", folder, ++count) }
      file { print > file }
      /END CERTIFICATE/ { close(file); file = "" }' "$machine/etc/ssl/certs/ca-certificates.crt"
  fi
  git clone -q --no-hardlinks . "$machine/root/meterline"
}

# in_machine COMMAND...: runs it in the clone with a clean environment.
in_machine() {
  local kept=() name
  while read -r name; do
    kept+=("$name=${!name}")
  done < <(compgen -e | grep -iE '^((http|https|ftp|no|all)_proxy|SSL_CERT_(FILE|DIR))$' || true)
  # shellcheck disable=SC2016  # The inner shell expands these.
  unshare --mount --pid --fork --kill-child --propagation private /bin/sh -euc '
    machine=$1
    shift
    mount --bind "$machine" "$machine" # A root to mount things under, as every machine has.
    mount --bind /dev "$machine/dev"
    mount -t proc proc "$machine/proc"
    mount -t tmpfs tmpfs "$machine/dev/shm"
    # Terminals of its own: those that are made there have no names in the one of this machine.
    mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$machine/dev/pts"
    mount --bind "$machine/dev/pts/ptmx" "$machine/dev/ptmx"
    exec taskset -c 0,1 chroot "$machine" /usr/bin/env -i "$@"' sh "$machine" \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    TERM="${TERM:-dumb}" "${kept[@]}" /bin/sh -c 'cd /root/meterline && exec "$@"' sh "$@"
}

timed() {
  local begin=$SECONDS
  in_machine "$@"
  took=$((SECONDS - begin))
  echo "fresh_machine: $* took $took s"
}

echo "fresh_machine: making a Debian $debian in $machine"
make_machine
if [ $# != 0 ] && [ "$1" != --all ]; then
  timed "$@"
  exit
fi
timed scripts/demo.sh --once
if [ "$took" -ge $demo_seconds_max ]; then
  echo "fresh_machine: the demo has to take below $demo_seconds_max s" >&2
  exit 1
fi
if [ "${1-}" = --all ]; then
  timed scripts/test.sh --all
fi
