#!/bin/bash
# Makes the store of this folder and its answers anew: for a release whose format is a new one.
set -euo pipefail
cd "$(dirname "$0")/../../.."
cmake --preset dev --log-level=WARNING
cmake --build --preset dev --target make_store
build/dev/src/store/rocksdb/make_store tests/data/store
