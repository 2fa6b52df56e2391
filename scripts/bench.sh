#!/bin/sh
# Builds and runs every bench in the release preset.
#   scripts/bench.sh [OPTION...]   options go to Google Benchmark, e.g. --benchmark_filter=Parse
set -eu
cd "$(dirname "$0")/.."

scripts/install-deps.sh --test
cmake --preset release --log-level=WARNING
benches=$(ninja -C build/release -t targets all | sed -n 's/^\([a-z_]*_bench\): phony$/\1/p')
if [ -z "$benches" ]; then
  echo "bench: there is no bench" >&2
  exit 1
fi
ninja -C build/release $benches
for bench in $benches; do
  find build/release/src -type f -name "$bench" -exec {} "$@" \;
done
