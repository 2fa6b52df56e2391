#!/bin/bash
# Loads 10,000 meters x 365 days as a user would, and checks the answers:
#   tests/at_scale.sh            makes the files (about 750 MB, in $TMPDIR) with bench/make_files.cc
#   tests/at_scale.sh FOLDER     takes these: wide CSV, whole numbers, each meter and day once
# Loads them twice (the second time nothing may change), compares 2,000 random daily totals with
# awk's, then kills a load with SIGKILL five times at random, lets it finish, and compares again.
# Works on build/release/meterline, or on METERLINE_BINARY. For use by hand and before a release.
set -euo pipefail
cd "$(dirname "$0")/.."

samples=2000
kills_wanted=5
memory_mib_max=300

meterline=$(realpath "${METERLINE_BINARY:-build/release/meterline}")
temp=$(mktemp -d "${TMPDIR:-/tmp}/meterline-at-scale-XXXXXX")
trap 'rm -rf "$temp"' EXIT
trap 'exit 130' INT TERM
unset "${!METERLINE_@}"

die() {
  echo "at_scale: FAILED: $*" >&2
  exit 1
}

make_files() {
  echo "making files of 10,000 meters x 365 days"
  mkdir "$temp/files"
  g++ -std=c++20 -O2 -o "$temp/make_files" bench/make_files.cc
  "$temp/make_files" --meters 10000 --days 365 --files 10 --missing 0.0005 --out "$temp/files"
}

# One line for each sample: meter, date, sum. Every row is as likely as any other.
take_samples() {
  find "$files" -name '*.csv' -print0 | sort -z | xargs -0 tail -q -n +2 |
    awk -v samples="$samples" '
      BEGIN { srand(365) }
      {
        place = NR <= samples ? NR : int(rand() * NR) + 1
        if (place <= samples) kept[place] = $0
      }
      END {
        for (place in kept) {
          cells = split(kept[place], cell, ",")
          sum = 0
          for (i = 3; i <= cells; i++) sum += cell[i]
          printf "%s %s %d\n", cell[1], cell[2], sum
        }
      }'
}

# load STORE: loads the files, report in $temp/report.json; prints seconds and peak memory in MiB.
load() {
  python3 - "$meterline" ingest "$files" --unit Wh --output json --store "rocksdb:$1" \
    3>"$temp/report.json" <<'PYTHON'
import os, subprocess, sys, time
begin = time.monotonic()
process = subprocess.Popen(sys.argv[1:], stdout=3)
_, status, usage = os.wait4(process.pid, 0)
print(f"{time.monotonic() - begin:.1f} {usage.ru_maxrss >> 10}")
sys.exit(os.waitstatus_to_exitcode(status))
PYTHON
}

# The value of a field in the totals of the report.
total_of() {
  python3 -c '
import json, sys
value = json.load(open(sys.argv[1]))["total"]
for key in sys.argv[2].split("."): value = value[key]
print(value)' "$temp/report.json" "$1"
}

# dump STORE FILE: what it answers to questions over everything.
dump() {
  local store=(--store "rocksdb:$1" --output json)
  {
    "$meterline" deliveries "${store[@]}" --limit 100000
    "$meterline" meters "${store[@]}" --limit 1000000
    "$meterline" portfolio "${store[@]}" --from 2019-01-01 --to 2019-12-31
  } >"$2"
}

# Compares all samples with what a server on the store says, on both routes.
compare_samples() {
  python3 - "$meterline" "rocksdb:$1" "$temp/samples" <<'PYTHON'
import http.client, json, subprocess, sys
meterline, store, samples = sys.argv[1:]
server = subprocess.Popen([meterline, "serve", "--listen", "127.0.0.1:0", "--store", store],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
wrong = count = 0
try:
    address = server.stdout.readline().split("//")[1].strip()
    connection = http.client.HTTPConnection(address)

    def get(path):
        connection.request("GET", path)
        response = connection.getresponse()
        return json.loads(response.read())

    for line in open(samples):
        meter, date, total = line.split()
        day_first = "-".join(reversed(date.split("-")))
        sums = (get(f"/?meterId={meter}&date={day_first}")["sum"],
                get(f"/v1/meters/{meter}/consumption?from={date}")["channels"][0]["sum"])
        count += 1
        if sums != (int(total), int(total)):
            wrong += 1
            print(f"{meter} {date}: awk {total}, meterline {sums}")
    connection.close()
finally:
    server.terminate()
    code = server.wait()
print(f"{count} daily totals asked, {wrong} wrong")
sys.exit(wrong != 0 or count == 0 or code != 0)
PYTHON
}

# Starts a load and kills it at a random moment of it; false when it had ended by then.
kill_a_load() {
  local pid status=0 delay
  delay=$(awk -v most="$seconds" -v random=$RANDOM 'BEGIN { print random / 32768 * most / 2 }')
  "$meterline" ingest "$files" --unit Wh --store "rocksdb:$1" >"$temp/killed.json" 2>&1 &
  pid=$!
  sleep "$delay"
  kill -KILL $pid 2>/dev/null || true
  wait $pid 2>/dev/null || status=$?
  [ $status = 137 ] || return 1
  echo "killed after $delay s"
}

if [ $# = 0 ]; then
  make_files
  files=$temp/files
else
  files=$(realpath "$1")
fi
take_samples >"$temp/samples"
[ "$(wc -l <"$temp/samples")" = $samples ] || die "there are fewer than $samples rows in $files"

echo "loading $(du -sh "$files" | cut -f1)"
result=$(load "$temp/store") || die "the load"
read -r seconds memory <<<"$result"
rows=$(total_of rows.stored)
echo "loaded $rows rows in $seconds s, peak memory $memory MiB," \
  "store $(du -sh "$temp/store" | cut -f1)"
[ "$memory" -lt $memory_mib_max ] || die "peak memory has to be below $memory_mib_max MiB"
compare_samples "$temp/store" || die "answers differ from awk's"

dump "$temp/store" "$temp/once"
result=$(load "$temp/store") || die "the second load"
[ "$(total_of stored) $(total_of failed)" = "0 0" ] || die "the second load stored something"
dump "$temp/store" "$temp/twice"
cmp "$temp/once" "$temp/twice" || die "the second load changed something"
echo "loaded again in ${result% *} s: nothing changed"

RANDOM=365  # The same delays in every run.
kills=0
while [ $kills -lt $kills_wanted ]; do
  if kill_a_load "$temp/killed"; then
    kills=$((kills + 1))
  else
    rm -rf "$temp/killed"  # It was through: from the start again.
  fi
done
result=$(load "$temp/killed") || die "the load after the kills"
echo "finished: $(total_of skipped) files were whole, $(total_of stored) loaded"
dump "$temp/killed" "$temp/after-kills"
cmp "$temp/once" "$temp/after-kills" || die "a killed and resumed load ends in another state"
compare_samples "$temp/killed" || die "answers differ from awk's after the kills"

echo "at_scale: all right: $rows rows in $seconds s, peak $memory MiB, loaded twice without a" \
  "change, $samples totals as awk's, $kills kills without a trace"
