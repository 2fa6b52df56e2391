#!/bin/sh
# Builds every fuzz target and runs each on RUNS inputs (default: 1,000,000).
# What it finds stays in build/fuzz/corpus, and a crash in build/fuzz/crashes.
set -eu
cd "$(dirname "$0")/.."
runs=${1:-1000000}

cmake --preset fuzz --log-level=WARNING
cmake --build --preset fuzz
targets=$(find build/fuzz/src -type f -name '*_fuzz' -perm -u+x | sort)
if [ -z "$targets" ]; then
  echo "fuzz: there is no target" >&2
  exit 1
fi
mkdir -p build/fuzz/crashes
for target in $targets; do
  name=$(basename "$target")
  mkdir -p "build/fuzz/corpus/$name"
  # Inputs to start from: fuzz/NAME, without the _fuzz.
  seeds=fuzz/${name%_fuzz}
  [ -d "$seeds" ] || seeds=
  words=fuzz/${name%_fuzz}.dict
  [ -f "$words" ] || words=
  "$target" -runs="$runs" -max_len=4096 -timeout=10 -verbosity=0 ${words:+"-dict=$words"} \
    -artifact_prefix=build/fuzz/crashes/ "build/fuzz/corpus/$name" ${seeds:+"$seeds"}
  echo "fuzz: $name, $runs runs, nothing found"
done
