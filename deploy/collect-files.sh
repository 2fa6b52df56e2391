#!/bin/bash
# Collects what the program needs to run on its own: itself, its libraries, the loader, time zones.
#   deploy/collect-files.sh BINARY FOLDER          the root file system of an image
#   deploy/collect-files.sh --flat BINARY FOLDER   binary and lib/, as package-lambda.sh packs them
# The same files come out the same, to the byte and with the same times.
set -euo pipefail

fail() {
  echo "collect-files: $*" >&2
  exit 1
}

# Prints the paths of the libraries and of the loader, as the program asks for them.
libraries_of() {
  local listed
  listed=$(ldd "$1") || fail "ldd cannot read $1; is it the release build?"
  if grep -q 'not found' <<<"$listed"; then
    fail "libraries are missing here:"$'\n'"$(grep 'not found' <<<"$listed")"
  fi
  awk '$2 == "=>" { print $3; next } $1 ~ /^\// { print $1 }' <<<"$listed" | sort -u
}

# By its names, without the copies that count leap seconds and this machine's own setting.
copy_zones() {
  mkdir -p "$1"
  tar -C /usr/share/zoneinfo --exclude=./posix --exclude=./right --exclude=./localtime \
    --exclude=./posixrules -c . | tar -C "$1" -x --no-same-owner
}

copy_root() {
  local binary=$1 folder=$2 library
  install -D -m 755 "$binary" "$folder/meterline"
  for library in $(libraries_of "$binary"); do
    install -D -m 755 "$library" "$folder$library"
  done
  copy_zones "$folder/usr/share/zoneinfo"
  install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/ca-certificates.crt"
  echo 'meterline:x:65532:65532:meterline:/tmp:/sbin/nologin' >"$folder/etc/passwd"
  echo 'meterline:x:65532:' >"$folder/etc/group"
  install -d -m 1777 "$folder/tmp"
}

copy_flat() {
  local binary=$1 folder=$2 library
  install -D -m 755 "$binary" "$folder/meterline"
  copy_zones "$folder/zoneinfo"
  for library in $(libraries_of "$binary"); do
    case "${library##*/}" in
      # The script that starts it all names the loader, whatever the processor.
      ld-linux*) install -D -m 755 "$library" "$folder/lib/loader" ;;
      *) install -D -m 755 "$library" "$folder/lib/${library##*/}" ;;
    esac
  done
}

layout=root
if [ "${1-}" = --flat ]; then
  layout=flat
  shift
fi
if [ $# != 2 ]; then
  echo "usage: deploy/collect-files.sh [--flat] BINARY FOLDER" >&2
  exit 2
fi
[ -x "$1" ] || fail "there is no $1; scripts/build.sh makes it"
[ -s /etc/ssl/certs/ca-certificates.crt ] ||
  fail "there are no CA certificates; install the package ca-certificates"
[ -s /usr/share/zoneinfo/tzdata.zi ] || fail "there is no tz database; install the package tzdata"

rm -rf "$2"
mkdir -p "$2"
"copy_$layout" "$1" "$2"
strip --strip-all "$2/meterline"
# Modes are as the image wants them, whatever this machine's umask is.
find "$2" -type d ! -name tmp -exec chmod 755 {} +
[ ! -d "$2/etc" ] || chmod 644 "$2/etc/passwd" "$2/etc/group"
find "$2" -exec touch --no-dereference --date=@0 {} +
