#!/bin/bash
# Races meterline against its peers, after installing and building what that needs.
#   bench/run.sh small [OPTION...]   1,000 meters, a year: build/bench/small/results.md
#   bench/run.sh big [OPTION...]     10,000 meters, a year: bench/results.md
#   bench/run.sh tiny [OPTION...]    20 meters, 30 days: whether the answers agree; for tests
#   bench/run.sh scale [OPTION...]   how cost grows with rows: docs/operate/scale.md; see scale.py
#   bench/run.sh formats [OPTION...] readers of each format and what is used today; see formats.py
#   bench/run.sh api [OPTION...]     the API beside FastAPI and a database; see api_race.py
#   bench/run.sh page [OPTION...]    how fast the page is in a browser; see page.py
#   bench/run.sh micro [OPTION...]   the benches beside the sources; options go to Google Benchmark
# Options of small, big and tiny are those of bench/race.py, such as --rounds 5 --contenders duckdb.
# METERLINE_BUILD: a folder that holds a release build already, instead of build/release.
set -euo pipefail
cd "$(dirname "$0")/.."

python=/usr/bin/python3
cache=${XDG_CACHE_HOME:-$HOME/.cache}/meterline
build=${METERLINE_BUILD:-build/release}
export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1

# peers REQUIREMENTS...: the path of a Python that has them, installed when it is not there.
peers() {
  local folder
  folder=$cache/bench-$(printf '%s\n' "$@" | sha256sum | cut -c 1-12)
  if [ ! -e "$folder/complete" ]; then
    rm -rf "$folder"
    "$python" -m venv "$folder" >&2
    "$folder/bin/pip" install -q --disable-pip-version-check "$@" >&2
    touch "$folder/complete"
  fi
  echo "$folder/bin/python"
}

# The class path of QuestDB and its peer.
questdb() {
  local version folder classes=build/bench/questdb
  version=$(sed -n 's:.*<artifactId>questdb</artifactId><version>\(.*\)</version>.*:\1:p' \
    bench/peers/questdb/pom.xml)
  folder=$cache/questdb-$version
  if [ ! -d "$folder" ]; then
    rm -rf "$folder.partial"
    mvn -q -B -f bench/peers/questdb/pom.xml dependency:copy-dependencies \
      -DincludeScope=runtime -DoutputDirectory="$folder.partial" >&2
    mv "$folder.partial" "$folder"
  fi
  mkdir -p "$classes"
  javac -d "$classes" -cp "$folder/*" bench/peers/questdb/QuestdbPeer.java >&2
  echo "$folder/questdb-$version.jar:$classes"
}

build_programs() {
  if [ -z "${METERLINE_BUILD-}" ]; then
    scripts/build.sh
  fi
  ninja -C "$build" bench_programs
}

# race SIZE RESULTS OPTION...
race() {
  local size=$1 results=$2
  shift 2
  bench/race.py "$size" --build "$build" --folder "build/bench/$size" --results "$results" "$@"
}

run_micro() {
  local benches bench
  scripts/install-deps.sh --test
  cmake --preset release --log-level=WARNING
  benches=$(ninja -C build/release -t targets all | sed -n 's/^\([a-z_]*_bench\): phony$/\1/p')
  if [ -z "$benches" ]; then
    echo "bench: there is no bench" >&2
    return 1
  fi
  # shellcheck disable=SC2086  # One argument for each bench.
  ninja -C build/release $benches
  for bench in $benches; do
    find build/release/src -type f -name "$bench" -exec {} "$@" \;
  done
}

size=${1-}
if [ $# -gt 0 ]; then
  shift
fi
case "$size" in
  tiny)
    build_programs
    race tiny build/bench/tiny/results.md \
      --python "$(peers "$(grep '^duckdb==' bench/requirements.txt)")" "$@"
    ;;
  small | big)
    scripts/install-deps.sh --bench
    build_programs
    results=build/bench/$size/results.md
    if [ "$size" = big ]; then
      results=bench/results.md
    fi
    mapfile -t requirements < <(grep -v '^#' bench/requirements.txt)
    race "$size" "$results" --python "$(peers "${requirements[@]}")" --questdb "$(questdb)" "$@"
    ;;
  scale)
    build_programs
    bench/scale.py --build "$build" "$@"
    ;;
  formats)
    if [ -z "${METERLINE_BUILD-}" ]; then
      scripts/build.sh
    fi
    mapfile -t requirements < <(grep -v '^#' bench/requirements.txt)
    bench/formats.py --build "$build" --python "$(peers "${requirements[@]}")" "$@"
    ;;
  api)
    scripts/install-deps.sh --bench
    build_programs
    mapfile -t requirements < <(grep -v '^#' bench/requirements.txt)
    bench/api_race.py --build "$build" --python "$(peers "${requirements[@]}")" "$@"
    ;;
  page)
    scripts/install-deps.sh --test
    build_programs
    bench/page.py --build "$build" "$@"
    ;;
  micro) run_micro "$@" ;;
  *)
    echo "usage: bench/run.sh small|big|tiny|scale|formats|api|page|micro [OPTION...]" >&2
    exit 2
    ;;
esac
