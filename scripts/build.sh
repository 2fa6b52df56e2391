#!/bin/sh
# Builds meterline, after installing what that needs.
#   scripts/build.sh           build/release/meterline, with every store
#   scripts/build.sh --local   build/local/meterline, for one machine: RocksDB only, no Rust needed
set -eu
cd "$(dirname "$0")/.."

case "${1-}" in
  "") preset=release ;;
  --local) preset=local ;;
  *)
    echo "usage: scripts/build.sh [--local]" >&2
    exit 2
    ;;
esac
scripts/install-deps.sh "$@"
export NINJA_STATUS="[%f/%t, %es] "
cmake --preset $preset --log-level=WARNING
cmake --build --preset $preset
