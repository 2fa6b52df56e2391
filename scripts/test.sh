#!/bin/bash
# Checks everything, what fails fast first, and stops at the first part that fails or skips a test.
# The closing lines of every runner come last; the whole output of each is in build/test-logs/.
set -euo pipefail
cd "$(dirname "$0")/.."

fuzz_runs=200000
threaded_layers=(store ingest http telemetry cli)
closing=()  # A heading and the closing lines of each part that ran, in turn.
part=

# Prints the closing lines of all parts, whatever happened.
sum_up() {
  local status=$?
  echo
  for lines in "${closing[@]}"; do echo "$lines"; done
  if [ $status != 0 ]; then
    echo "test.sh: FAILED in: $part (build/test-logs/${part// /-}.log)"
  else
    echo "test.sh: all passed, in $SECONDS s"
  fi
}
trap sum_up EXIT

# run PART LINES COMMAND...: keeps the last LINES lines that the command prints.
run() {
  part=$1
  local lines=$2 log=build/test-logs/${1// /-}.log begin=$SECONDS status=0
  shift 2
  echo "== $part"
  "$@" 2>&1 | tee "$log" || status=$?
  closing+=("== $part ($((SECONDS - begin)) s)"$'\n'"$(grep -v '^$' "$log" | tail -n "$lines")")
  return $status
}

check_format() {
  local files
  files=$(find src -name '*.h' -o -name '*.cc')
  clang-format-16 --dry-run -Werror $files || return 1
  echo "clang-format: $(wc -w <<<"$files") files, no errors"
}

check_tidy() {
  tools/tidy_test.py && tools/tidy.py
}

# build PRESET [OPTION...]
build() {
  cmake --preset "$1" --log-level=WARNING && cmake --build --preset "$@"
}

# run_ctest PRESET [OPTION...]: a skipped or disabled test is a failed one.
run_ctest() {
  local preset=$1 output
  shift
  output=$(mktemp)
  # `set -e` does not reach into a function whose status is looked at.
  ctest --preset "$preset" -j "$(nproc)" "$@" | tee "$output" || return 1
  if grep -Eq '\*\*\*(Skipped|Not Run)|Not Run \(Disabled\)' "$output"; then
    echo "test.sh: tests were skipped or not run"
    return 1
  fi
  rm "$output"
}

# Whether the harness works; the figures of stores so small say nothing.
check_scale() {
  local folder=build/bench/scale-tiny
  rm -rf "$folder"
  bench/run.sh scale --rows 2e3,3e5 --keys 20 --seconds 1 --folder "$folder" \
    --doc "$folder/scale.md"
}

# The binary under test is build/release/meterline.
run_pytest() {
  local output
  output=$(mktemp)
  /usr/bin/python3 -m pytest -q -p no:cacheprovider -rsx tests | tee "$output" || return 1
  if tail -n 1 "$output" | grep -Eq 'skipped|xfailed|xpassed|no tests ran'; then
    echo "test.sh: tests were skipped or not run"
    return 1
  fi
  rm "$output"
}

mkdir -p build/test-logs
export NINJA_STATUS="[%f/%t, %es] "
export TSAN_OPTIONS="suppressions=$PWD/tools/tsan.supp"

scripts/install-deps.sh --test
run "clang-format" 1 check_format
run "tidy" 1 check_tidy
run "dev build" 1 build dev
run "dev ctest" 3 run_ctest dev
run "clang-tidy" 1 tools/lint.py
run "fuzz" 1 scripts/fuzz.sh $fuzz_runs
run "tsan build" 1 build tsan --target "${threaded_layers[@]/%/_test}"
run "tsan ctest" 3 run_ctest tsan -R "^($(IFS='|' && echo "${threaded_layers[*]}")):"
run "release build" 1 scripts/build.sh
run "race" 1 bench/run.sh tiny
run "scale" 1 check_scale
run "instructions" 7 bench/instructions.py
run "pytest" 1 run_pytest
