#!/bin/bash
# Runs the tests, what fails fast first, and stops at the first part that fails or skips a test.
#   scripts/test.sh               every functional test; what a change needs while it is made
#   scripts/test.sh --all         that, and lint, ThreadSanitizer, fuzzers and benches; as .ci/run
#   scripts/test.sh --soak [RUNS] only the property tests, on RUNS (default: 2,000) inputs each in
#                                 place of 100, the model on a cluster on a fortieth of that, the
#                                 fuzzers, on 10,000,000, and tests/soak.sh: for a night
# The closing lines of every runner come last; the whole output of each is in build/test-logs/.
# On Debian 13 the functional tests are run: what formats the sources and what fuzzes is of
# LLVM 16, and instructions are counted as GCC 12 compiles, so --all and --soak want Debian 12.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  echo "usage: scripts/test.sh [--all | --soak [RUNS]]" >&2
  exit 2
}

mode=${1-}
soak_runs=2000
case "$mode:$#" in
  :0 | --all:1 | --soak:1) ;;
  --soak:2)
    soak_runs=$2
    [[ $soak_runs =~ ^[1-9][0-9]*$ ]] || usage
    ;;
  *) usage ;;
esac

debian=$(. /etc/os-release && echo "${VERSION_ID-}")
if [ -n "$mode" ] && [ "$debian" != 12 ]; then
  echo "test.sh: $mode wants Debian 12; without it, the functional tests are run" >&2
  exit 2
fi

fuzz_runs=200000
seed=1  # Of fuzzers and property tests but in a soak, so that what fails once fails again.
soak_fuzz_runs=10000000
threaded_layers=(access api events http ingest lambda store tables telemetry)
closing=()  # A heading and the closing lines of each part that ran, in turn.
part=
beside_pid=

# Ends what still runs beside, and prints the closing lines of all parts, whatever happened.
sum_up() {
  local status=$?
  if [ -n "$beside_pid" ]; then
    kill -INT -- "-$beside_pid" 2>/dev/null || true
    wait "$beside_pid" || true
  fi
  echo
  for lines in "${closing[@]}"; do echo "$lines"; done
  if [ $status != 0 ]; then
    echo "test.sh: FAILED in: $part (build/test-logs/${part// /-}.log)"
  else
    echo "test.sh: all passed, in $SECONDS s"
  fi
}

# close PART LINES SECONDS: keeps the last LINES lines of its log.
close() {
  closing+=("== $1 ($3 s)"$'\n'"$(grep -v '^$' "build/test-logs/${1// /-}.log" | tail -n "$2")")
}

# run PART LINES COMMAND...: keeps the last LINES lines that the command prints.
run() {
  part=$1
  local lines=$2 log=build/test-logs/${1// /-}.log begin=$SECONDS status=0
  shift 2
  echo "== $part"
  "$@" 2>&1 | tee "$log" || status=$?
  close "$part" "$lines" $((SECONDS - begin))
  return $status
}

# begin_beside PART COMMAND...: begins what mostly waits, while parts that compute run. One at a
# time, in a group of processes of its own; its output goes to its log only.
begin_beside() {
  local log=build/test-logs/${1// /-}.log begin=$SECONDS
  echo "== $1 (beside what follows)"
  shift
  set -m
  (
    status=0
    "$@" || status=$?
    echo $((SECONDS - begin)) >"$log.seconds"
    exit $status
  ) >"$log" 2>&1 </dev/null &
  beside_pid=$!
  set +m
}

# end_beside PART LINES: waits for it.
end_beside() {
  part=$1
  local log=build/test-logs/${1// /-}.log status=0
  echo "== $part (waiting for its end)"
  wait "$beside_pid" || status=$?
  beside_pid=
  [ $status = 0 ] || cat "$log"
  close "$part" "$2" "$(cat "$log.seconds")"
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

# build PRESET [OPTION...]: behind what runs beside, which waits for servers with a deadline.
build() {
  cmake --preset "$1" --log-level=WARNING && nice -n 5 cmake --build --preset "$@"
}

# run_ctest PRESET [OPTION...]: a skipped or disabled test is a failed one. Two more at once than
# there are cores, as some wait for servers.
run_ctest() {
  local preset=$1 output
  shift
  output=$(mktemp)
  # `set -e` does not reach into a function whose status is looked at.
  ctest --preset "$preset" -j $(($(nproc) + 2)) "$@" | tee "$output" || return 1
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

# The binary under test is build/release/meterline. Two files of tests at once: half of their time
# they wait.
run_pytest() {
  local output
  output=$(mktemp)
  /usr/bin/python3 -m pytest -q -p no:cacheprovider -rsx -n 2 --dist loadfile tests |
    tee "$output" || return 1
  if tail -n 1 "$output" | grep -Eq 'skipped|xfailed|xpassed|no tests ran'; then
    echo "test.sh: tests were skipped or not run"
    return 1
  fi
  rm "$output"
}

# Every test program once, as ctest's limits of time are those of 100 inputs.
run_properties() {
  local program programs
  programs=$(find build/dev/src -type f -name '*_test' ! -name '*_live_test' -perm -u+x | sort)
  [ -n "$programs" ] || return 1
  for program in $programs; do
    echo "$(basename "$program"):"
    RC_PARAMS="max_success=$soak_runs" "$program" --gtest_brief=1 \
      --gtest_filter='-*/cassandra' || return 1
  done
  echo "soak: $(wc -w <<<"$programs") programs, properties on $soak_runs inputs each"
}

# The reference model against a cluster, on a fortieth of that.
run_model_on_cassandra() {
  RC_PARAMS="max_success=$soak_runs" tests/with_cassandra.py build/dev/src/query/query_test \
    --gtest_filter='*/cassandra'
}

functional_tests() {
  [ "$debian" != 12 ] || run "clang-format" 1 check_format
  run "tidy" 1 check_tidy
  begin_beside "downloads" scripts/install-deps.sh --test-downloads
  run "release build" 1 scripts/build.sh
  end_beside "downloads" 1
  begin_beside "pytest" run_pytest
  run "dev build" 1 build dev
  run "dev ctest" 3 run_ctest dev
  end_beside "pytest" 1
}

other_checks() {
  run "clang-tidy" 1 tools/lint.py
  run "fuzz" 1 scripts/fuzz.sh $fuzz_runs $seed
  run "tsan build" 1 build tsan --target "${threaded_layers[@]/%/_test}"
  # Not against a live node: the CQL driver is Rust, whose atomics ThreadSanitizer does not see.
  # Races are looked for here, and not wrong answers: a few inputs of each property do.
  RC_PARAMS="$RC_PARAMS max_success=10" run "tsan ctest" 3 \
    run_ctest tsan -LE live -R "^($(IFS='|' && echo "${threaded_layers[*]}")):"
  run "race" 1 bench/run.sh tiny
  run "scale" 1 check_scale
  run "instructions" 7 bench/instructions.py
}

mkdir -p build/test-logs
export NINJA_STATUS="[%f/%t, %es] "
export TSAN_OPTIONS="suppressions=$PWD/tools/tsan.supp"
trap sum_up EXIT

part="install-deps"
scripts/install-deps.sh --test-packages
if [ "$mode" = --soak ]; then
  run "downloads" 1 scripts/install-deps.sh --test-downloads
  run "dev build" 1 build dev
  run "properties" 1 run_properties
  run "model on cassandra" 3 run_model_on_cassandra
  run "fuzz" 1 scripts/fuzz.sh $soak_fuzz_runs
  run "release build" 1 scripts/build.sh
  run "faults" 1 tests/soak.sh
  exit
fi
export RC_PARAMS="seed=$seed"
functional_tests
[ "$mode" != --all ] || other_checks
