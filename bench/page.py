#!/usr/bin/env python3
"""Measures the page in a real browser, on a store of many meters: page.mjs does what users do.

bench/run.sh page installs, builds and calls it. Server and browser share the machine. Each round
has a browser context of its own, with nothing in its cache, and other meters.
"""
import argparse
import json
import pathlib
import shutil
import statistics

import http_race
import measure
from race import Data

HERE = pathlib.Path(__file__).resolve().parent
# What page.mjs measures -> what it is, and its goal in milliseconds.
TIMES = {
    "paint": ("first paint", 200),
    "first": ("the list of the first meters", None),
    "key": ("a key typed in the search, answered", 30),
    "year": ("a meter's year, from Enter in the search", 300),
    "link": ("a meter's year, from opening a link to it", 300),
}
BYTES_MAX = 150_000


def make_store(options):
    """A new one, unless one is given."""
    if options.store:
        return options.store
    data = Data("meter", options.meters, options.days, files=min(10, options.meters))
    data.make(options.build / "bench/make_files", options.folder / "data", 0.001)
    store = f"rocksdb:{options.folder}/store"
    measure.run([options.build / "meterline", "ingest", "--store", store, "--unit", "Wh",
                 *data.paths], options.folder / "ingest.log")
    return store


def report(results):
    lines = ["| | median, ms | worst, ms | of | goal, ms |", "|---|---|---|---|---|"]
    for name, (text, goal) in TIMES.items():
        times = results[name]
        lines.append(f"| {text} | {statistics.median(times):.0f} | {max(times):.0f} | {len(times)}"
                     f" | {goal or ''} |")
    return "\n".join([*lines, "", f"All files of the page, packed: {results['bytes'] / 1000:.1f} KB"
                                  f"; goal {BYTES_MAX / 1000:.0f} KB."])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--build", type=pathlib.Path, default="build/release")
    parser.add_argument("--folder", type=pathlib.Path, default="build/bench/page")
    parser.add_argument("--store", help="one of make_files with the same --meters; default: new")
    parser.add_argument("--meters", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    if not options.store:
        shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True, exist_ok=True)
    with http_race.server([options.build / "meterline", "serve", "--listen", "127.0.0.1:0",
                           "--log-level", "warning", "--store", make_store(options)],
                          options.folder / "serve.log",
                          r"listening on http://[^ ]*:(\d+)") as (_, url):
        done = measure.run(["node", HERE / "page.mjs", url, options.rounds, options.meters],
                           options.folder / "page.log")
    print(report(json.loads(done.output)))


if __name__ == "__main__":
    main()
