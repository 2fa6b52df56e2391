#!/bin/sh
# Builds every fuzz target and runs each on RUNS inputs (default: 1,000,000).
#   scripts/fuzz.sh [RUNS]        each time on others; what it finds stays in build/fuzz/corpus
#   scripts/fuzz.sh RUNS SEED     on the same ones each time, from the inputs in fuzz/ alone
# What crashes stays in build/fuzz/crashes.
set -eu
cd "$(dirname "$0")/.."
runs=${1:-1000000}
seed=${2:-}
corpus=build/fuzz/corpus
[ -z "$seed" ] || corpus=build/fuzz/corpus-of-seed

cmake --preset fuzz --log-level=WARNING
cmake --build --preset fuzz
targets=$(find build/fuzz/src -type f -name '*_fuzz' -perm -u+x | sort)
if [ -z "$targets" ]; then
  echo "fuzz: there is no target" >&2
  exit 1
fi
mkdir -p build/fuzz/crashes
rm -rf build/fuzz/corpus-of-seed
for target in $targets; do
  name=$(basename "$target")
  mkdir -p "$corpus/$name"
  # Inputs to start from: fuzz/NAME, without the _fuzz.
  seeds=fuzz/${name%_fuzz}
  [ -d "$seeds" ] || seeds=
  words=fuzz/${name%_fuzz}.dict
  [ -f "$words" ] || words=
  "$target" -runs="$runs" -max_len=4096 -timeout=10 -verbosity=0 ${words:+"-dict=$words"} \
    ${seed:+"-seed=$seed"} -artifact_prefix=build/fuzz/crashes/ "$corpus/$name" ${seeds:+"$seeds"}
  echo "fuzz: $name, $runs runs, nothing found"
done
