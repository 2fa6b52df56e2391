#!/bin/bash
# Makes what is installed elsewhere, out of a release build:
#   scripts/package.sh [--output FOLDER] [BINARY]
# BINARY: build/release/meterline; FOLDER: build/packages, which then holds
#   meterline_VERSION+debNN_ARCH.deb         for the Debian that this runs on, 12 or 13
#   meterline-VERSION-linux-MACHINE.tar.gz   for any other Linux: with its libraries and loader
#   meterline-VERSION.cdx.json               what it is made of (CycloneDX)
#   SHA256SUMS                               of these
# The same commit and the same program give the same files, to the byte.
set -euo pipefail
cd "$(dirname "$0")/.."
parts=$PWD/deploy/packages

fail() {
  echo "package: $*" >&2
  exit 1
}

usage() {
  sed -n '2,8s/^# *//p' "$0"
}

# fill FILE: prints a text with what it leaves open.
fill() {
  sed -e "s/@VERSION@/$deb_version/" -e "s/@ARCHITECTURE@/$architecture/" \
    -e "s/@MAINTAINER@/$maintainer/" "$1"
}

# Puts what both packages have into FOLDER, as an installed system has it.
common_files() {
  local folder=$1
  "$parts/help_texts.py" "$stripped" "$folder"
  gzip -9n "$folder/usr/share/man/man1/meterline.1"
  install -D -m 644 "$work/sbom" "$folder/usr/share/doc/meterline/sbom.cdx.json"
}

# Modes do not depend on this machine's umask, nor times on when it ran.
settle() {
  find "$1" -type d -exec chmod 755 {} +
  find "$1" -type f ! -perm -u+x -exec chmod 644 {} +
  find "$1" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
}

changelog() {
  printf 'meterline (%s) unstable; urgency=medium\n\n' "$deb_version"
  printf '  * What is new: CHANGELOG.md of the sources.\n\n'
  printf -- ' -- %s  %s\n' "$maintainer" "$(date --utc --rfc-email --date="@$SOURCE_DATE_EPOCH")"
}

# The packages whose libraries it wants, in the versions that this Debian asks for.
dependencies() (
  mkdir -p "$work/shlibdeps/debian"
  printf 'Source: meterline\n\nPackage: meterline\nArchitecture: any\n' \
    >"$work/shlibdeps/debian/control"
  cd "$work/shlibdeps"
  dpkg-shlibdeps -O -e"$stripped" | sed -n 's/^shlibs:Depends=//p'
)

make_deb() {
  local root=$work/deb
  mkdir -p "$root/DEBIAN"
  common_files "$root"
  install -D -m 755 "$stripped" "$root/usr/bin/meterline"
  install -D -m 644 "$parts/meterline.service" "$root/usr/lib/systemd/system/meterline.service"
  install -D -m 644 "$parts/meterline.toml" "$root/etc/meterline.toml"
  install -D -m 644 "$parts/copyright" "$root/usr/share/doc/meterline/copyright"
  install -D -m 644 "$parts/lintian-overrides" "$root/usr/share/lintian/overrides/meterline"
  changelog | gzip -9n >"$root/usr/share/doc/meterline/changelog.gz"

  local depends kilobytes
  depends=$(dependencies)
  [ -n "$depends" ] || fail "dpkg-shlibdeps found no libraries"
  kilobytes=$(find "$root" -path "$root/DEBIAN" -prune -o -type f -printf '%s\n' |
    awk '{ sum += int(($1 + 1023) / 1024) } END { print sum }')
  fill "$parts/control" | sed -e "s/@SIZE@/$kilobytes/" -e "s/@DEPENDS@/$depends/" \
    >"$root/DEBIAN/control"
  echo /etc/meterline.toml >"$root/DEBIAN/conffiles"
  install -m 755 "$parts"/{postinst,prerm,postrm} "$root/DEBIAN"
  (cd "$root" && find . -path ./DEBIAN -prune -o -path ./etc -prune -o -type f -printf '%P\0' |
    LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
  settle "$root"
  dpkg-deb --root-owner-group -Zgzip -z6 --build "$root" "$output/$deb" >/dev/null
}

# A script, as the loader has to be called by a path that is known only where it is unpacked.
write_start() {
  cat >"$1" <<'START'
#!/bin/sh
# Starts the program beside this script with the libraries that came along.
here=$0
while [ -L "$here" ]; do
  link=$(readlink "$here")
  case "$link" in
    /*) here=$link ;;
    *) here=${here%/*}/$link ;;
  esac
done
case "$here" in
  */*) here=$(cd "${here%/*}" && pwd) ;;
  *) here=$PWD ;;
esac
export TZDIR="${TZDIR-$here/lib/zoneinfo}"
exec "$here/lib/loader" --library-path "$here/lib" "$here/lib/meterline" "$@"
START
  chmod 755 "$1"
}

make_tarball() {
  local name=${tarball%.tar.gz}
  local root=$work/tar/$name
  deploy/collect-files.sh --flat "$stripped" "$work/flat"
  common_files "$root"
  mv "$root/usr/share" "$root/share"
  rmdir "$root/usr"
  mv "$work/flat/lib" "$root/lib"
  mv "$work/flat/zoneinfo" "$work/flat/meterline" "$root/lib/"
  write_start "$root/meterline"
  cp -r "$work/licences" "$root/share/doc/meterline/licences"
  cp LICENSE "$root/"
  install -m 644 "$parts/meterline.toml" "$root/meterline.toml.example"
  settle "$root"
  tar -C "$work/tar" --sort=name --format=gnu --owner=0 --group=0 --numeric-owner -c "$name" |
    gzip -6n >"$output/$tarball"
}

binary=build/release/meterline
output=build/packages
while [ $# -gt 0 ]; do
  case "$1" in
    --output)
      [ $# -ge 2 ] || fail "--output: want a folder"
      output=$2
      shift 2
      ;;
    --help)
      usage
      exit 0
      ;;
    -*)
      usage >&2
      exit 2
      ;;
    *)
      binary=$1
      shift
      ;;
  esac
done
[ -x "$binary" ] || fail "there is no $binary; scripts/build.sh makes it"
for tool in dpkg-deb dpkg-shlibdeps python3 strip; do
  command -v $tool >/dev/null || fail "$tool is missing; scripts/install-deps.sh --test brings it"
done

export LC_ALL=C.UTF-8 TZ=UTC
umask 022
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"
maintainer=${METERLINE_MAINTAINER:-$(git log -1 --format='%an <%ae>')}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$output"
output=$(cd "$output" && pwd)
stripped=$work/meterline
install -m 755 "$binary" "$stripped"
# Without what debuggers want; .comment and .note go, as dh_strip has it, and the build's id stays.
strip --strip-all --remove-section=.comment --remove-section=.note --enable-deterministic-archives \
  "$stripped"

version=$("$stripped" --version | sed -n '1s/^meterline //p')
# Of two Debians the later has the higher version, so that its package replaces the other's.
deb_version=$version+deb$(. /etc/os-release && echo "${VERSION_ID:?this is no release of Debian}")
architecture=$(dpkg --print-architecture)
deb=meterline_${deb_version}_$architecture.deb
tarball=meterline-$version-linux-$(uname -m).tar.gz
sbom=meterline-$version.cdx.json

"$parts/sbom.py" "$stripped" "$work/licences" >"$work/sbom"
install -m 644 "$work/sbom" "$output/$sbom"
make_deb
make_tarball
(cd "$output" && sha256sum "$deb" "$sbom" "$tarball" | tee SHA256SUMS)
