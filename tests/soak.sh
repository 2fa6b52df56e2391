#!/bin/sh
# The long form of tests/test_faults.py and tests/test_flips.py: each system call of a life of a
# server fails in each way, and 1,000 single bits of a store are flipped. About 20 minutes. And of
# tests/test_all_at_once.py: two hours.
# The program is build/release/meterline, or METERLINE_BINARY.
set -eu
cd "$(dirname "$0")/.."

METERLINE_SOAK_POINTS=1000000 METERLINE_SOAK_FLIPS=1000 METERLINE_SOAK_SECONDS=7200 \
  exec /usr/bin/python3 -m pytest -q -p no:cacheprovider -rsx tests/test_faults.py \
  tests/test_flips.py tests/test_all_at_once.py "$@"
