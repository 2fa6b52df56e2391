#!/bin/sh
# Builds build/release/meterline, after installing what that needs.
set -eu
cd "$(dirname "$0")/.."

scripts/install-deps.sh
export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1
export NINJA_STATUS="[%f/%t, %es] "
cmake --preset release --log-level=WARNING
cmake --build --preset release
