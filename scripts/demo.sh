#!/bin/sh
# Builds meterline for one machine, then shows it at work on a year of example meters.
#   scripts/demo.sh          ends with a server to try; Ctrl-C stops it
#   scripts/demo.sh --once   ends after the answers
set -eu
cd "$(dirname "$0")/.."

scripts/build.sh --local
exec build/local/meterline demo "$@"
