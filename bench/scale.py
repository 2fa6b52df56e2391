#!/usr/bin/env python3
"""How the cost of an embedded store grows with its rows (meter-days of 48 readings).

bench/run.sh scale builds and calls it. A size that was measured before is not measured again, so
sizes may be added one by one; the table and the plot show all sizes that there are.
"""
import argparse
import json
import math
import os
import pathlib
import re
import shutil

import keys
import measure
import report
import scale_plot

ROOT = pathlib.Path(__file__).resolve().parent.parent
YEAR = 365
METERS_MAX = 100_000  # Of make_files.cc. Beyond that, a store grows in years.
ROWS_PER_FILE = 250_000
FILES_PER_LOAD = 4  # Loaded by one process, then removed: about 210 MB.
MISSING_DAYS = 0.001
ROW_READINGS = 48
CSV_BYTES_PER_ROW = 220
STORE_BYTES_PER_ROW = 200  # With what compaction needs beside it.
BILLION_ROWS, BILLION_METERS = 10**9, 10**6
ROWS_TELLING = 9 * 10**6  # Smaller stores are all cache, and say nothing of a billion rows.
QUESTIONS_OF_ALL = ("portfolio", "gaps")  # Cost grows with the meters.
BEGIN, END = "<!-- scale.py: begin -->\n", "<!-- scale.py: end -->\n"


class Size:
    """A store of about so many rows, loaded part by part, asked, compacted and removed."""

    def __init__(self, rows, options):
        self.options = options
        self.meters = min(METERS_MAX, max(1, round(rows / YEAR)))
        self.days = max(YEAR, round(rows / METERS_MAX))
        self.files = max(1, math.ceil(rows / ROWS_PER_FILE))
        self.folder = options.folder / name_of(rows)
        self.data, self.store = self.folder / "data", self.folder / "store"
        self.loads = []

    def measure(self):
        self.check_space()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.data.mkdir(parents=True)
        for first in range(1, self.files + 1, FILES_PER_LOAD):
            self.load(range(first, min(first + FILES_PER_LOAD, self.files + 1)))
        disk_before = measure.disk_bytes(self.store)
        before, _ = self.ask(seconds=0)
        compact = self.run("compact", self.peer("compact"))
        after, ask = self.ask(self.options.seconds)
        if first_answers(before) != first_answers(after):
            raise SystemExit(f"{self.folder}: compaction changed answers: {before} {after}")
        result = self.result(after, ask.rss_mb, compact)
        result["disk_bytes_loaded"] = disk_before
        result["disk_bytes"] = measure.disk_bytes(self.store)
        shutil.rmtree(self.folder)
        return result

    def check_space(self):
        rows = self.meters * self.days
        needed = rows * STORE_BYTES_PER_ROW + FILES_PER_LOAD * ROWS_PER_FILE * CSV_BYTES_PER_ROW
        free = shutil.disk_usage(self.options.folder).free
        if free < needed:
            raise SystemExit(f"{self.options.folder}: {rows:,} rows need about "
                             f"{needed / 1e9:.0f} GB of free space, there are {free / 1e9:.0f}")

    def run(self, name, command):
        return measure.run(command, self.folder / f"{name}.log")

    def peer(self, verb, *words):
        return [self.options.build / "bench/meterline_peer", verb, "--minutes", 30, "--decimals", 0,
                *words, self.store]

    def load(self, parts):
        for part in parts:
            self.run("make", [self.options.build / "bench/make_files", "--model", "household",
                              "--meters", self.meters, "--days", self.days, "--files", self.files,
                              "--part", part, "--missing-days", MISSING_DAYS, "--out", self.data])
        files = sorted(self.data.iterdir())
        csv_bytes = sum(path.stat().st_size for path in files)
        measure.read_through(files)
        used = self.run("ingest", [self.options.build / "meterline", "ingest", self.data,
                                   "--unit", "kWh", "--store", f"rocksdb:{self.store}"])
        rows = json.loads(used.output)["total"]["rows"]
        if not 0 < rows["read"] == rows["stored"]:
            raise SystemExit(f"{self.folder}: not all rows were stored: {rows}")
        for path in files:
            path.unlink()
        self.loads.append({"cpu_s": used.cpu_s, "wall_s": used.wall_s, "rss_mb": used.rss_mb,
                           "csv_bytes": csv_bytes, "rows": rows["stored"]})
        print(f"{self.folder.name}: {sum(load['rows'] for load in self.loads):,} rows, "
              f"{csv_bytes / 1e6 / used.cpu_s:.0f} MB per CPU s", flush=True)

    def ask(self, seconds):
        """Question -> answer of `meterline_peer ask`, and what the process took."""
        path = self.folder / "keys"
        keys.write(path, self.meters, self.days, self.options.keys)
        used = self.run("ask", [*self.peer("ask", "--seconds", seconds), path])
        answers = [json.loads(line) for line in used.output.splitlines() if line.startswith("{")]
        by_question = {answer["question"]: answer for answer in answers}
        if set(by_question) != set(keys.QUESTIONS):
            raise SystemExit(f"{self.folder}: the answers are to {sorted(by_question)}")
        if not any(by_question["portfolio"]["first"]):
            raise SystemExit(f"{self.folder}: all answers are 0")
        return by_question, used

    def result(self, answers, ask_rss_mb, compact):
        def total(what):
            return sum(load[what] for load in self.loads)

        last = self.loads[-max(1, len(self.loads) // 10):]
        return {
            "rows": total("rows"), "meters": self.meters, "days": self.days,
            "megabytes": total("csv_bytes") / 1e6,
            "ingest_cpu_s": total("cpu_s"), "ingest_wall_s": total("wall_s"),
            "last_tenth_mb_per_cpu_s": sum(load["csv_bytes"] for load in last) / 1e6
                                       / sum(load["cpu_s"] for load in last),
            "ingest_rss_mb": max(load["rss_mb"] for load in self.loads),
            "ask_rss_mb": ask_rss_mb,
            "compact_cpu_s": compact.cpu_s, "compact_wall_s": compact.wall_s,
            "compact_rss_mb": compact.rss_mb,
            "median_us": {name: answer["median_us"] for name, answer in answers.items()},
        }


def first_answers(answers):
    return {question: answer["first"] for question, answer in answers.items()}


def name_of(rows):
    return f"{rows:.0e}".replace("e+0", "e").replace("e+", "e")


def bytes_per_reading(result, what="disk_bytes"):
    return result[what] / result["rows"] / ROW_READINGS


def constant(value):
    """What is expected of a billion rows where nothing but the machine decides."""
    return lambda results: value


def by_slope(value, worse):
    """By how the figure grew from the last size but one to the largest, and never better than it.

    `worse` is min for a figure that is the better the more, else max."""
    def expected(results):
        before, last = results[-2:] if len(results) > 1 else results * 2
        if before is last:
            return value(last)
        slope = math.log(value(last) / value(before)) / math.log(last["rows"] / before["rows"])
        return worse(value(last), value(last) * (BILLION_ROWS / last["rows"]) ** slope)
    return expected


def in_proportion(value, to, billion):
    return lambda results: value(results[-1]) * billion / results[-1][to]


def table(results):
    def row(text, value, expected):
        return [text, *(report.number(value(result)) for result in results),
                report.number(expected(results))]

    def grown(text, value, worse=max):
        return row(text, value, by_slope(value, worse))

    def by_rows(text, value):
        return row(text, value, in_proportion(value, "rows", BILLION_ROWS))

    def question(name):
        def value(result):
            return result["median_us"][name]
        of_all = name in QUESTIONS_OF_ALL
        return row(f"{keys.QUESTIONS[name]}, µs", value,
                   in_proportion(value, "meters", BILLION_METERS) if of_all
                   else by_slope(value, max))

    rows = [
        row("meters", lambda r: r["meters"], constant(BILLION_METERS)),
        row("days", lambda r: r["days"], constant(BILLION_ROWS // BILLION_METERS)),
        by_rows("CSV, MB", lambda r: r["megabytes"]),
        grown("ingest, MB per CPU second", lambda r: r["megabytes"] / r["ingest_cpu_s"], min),
        grown("its last tenth", lambda r: r["last_tenth_mb_per_cpu_s"], min),
        grown("ingest, rows a second", lambda r: r["rows"] / r["ingest_wall_s"], min),
        grown("ingest, peak memory, MB", lambda r: r["ingest_rss_mb"]),
        grown("bytes per reading, as loaded",
              lambda r: bytes_per_reading(r, "disk_bytes_loaded")),
        by_rows("compaction, CPU seconds", lambda r: r["compact_cpu_s"]),
        by_rows("compaction, seconds", lambda r: r["compact_wall_s"]),
        grown("compaction, peak memory, MB", lambda r: r["compact_rss_mb"]),
        grown("bytes per reading, compacted", bytes_per_reading),
        by_rows("store on disk, compacted, GB", lambda r: r["disk_bytes"] / 1e9),
        *(question(name) for name in keys.QUESTIONS),
        grown("asking, peak memory, MB", lambda r: r["ask_rss_mb"]),
    ]
    heads = ["rows", *(f"{result['rows']:,}" for result in results), "a billion, expected"]
    if results[-1]["rows"] < ROWS_TELLING:
        heads, rows = heads[:-1], [line[:-1] for line in rows]
    return report.table(heads, rows)


def panels(results):
    def series(value):
        return [(result["rows"], value(result)) for result in results]

    return [
        scale_plot.Panel("ingest, MB per CPU second", {
            "": series(lambda r: r["megabytes"] / r["ingest_cpu_s"])}),
        scale_plot.Panel("bytes per reading, compacted", {"": series(bytes_per_reading)}),
        scale_plot.Panel("peak memory, MB", {
            "ingest": series(lambda r: r["ingest_rss_mb"]),
            "asking": series(lambda r: r["ask_rss_mb"])}),
        scale_plot.Panel("median of a question, µs", {
            name: series(lambda r, name=name: r["median_us"][name]) for name in keys.QUESTIONS},
            is_log=True),
    ]


def write(options, machine):
    paths = options.folder.glob("*.json")
    results = sorted((json.loads(path.read_text()) for path in paths), key=lambda r: r["rows"])
    plot = options.doc.with_suffix(".svg")
    plot.write_text(scale_plot.svg(panels(results)), encoding="utf-8")
    text = (f"{BEGIN}\n{table(results)}![The figures of the table, by rows]({plot.name})\n\n"
            f"{machine.text()}\n\n{END}")
    page = options.doc.read_text(encoding="utf-8") if options.doc.exists() else BEGIN + END
    marked = re.compile(re.escape(BEGIN) + ".*" + re.escape(END), re.DOTALL)
    page, count = marked.subn(lambda _: text, page)
    if count != 1:
        raise SystemExit(f"{options.doc} has no lines {BEGIN.strip()} and {END.strip()}")
    options.doc.write_text(page, encoding="utf-8")
    print(f"{options.doc} and {plot.name} show {len(results)} sizes")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default="1e6,1e7,1e8", help="sizes, joined by commas")
    parser.add_argument("--build", type=pathlib.Path, required=True, help="folder of the programs")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "build/bench/scale",
                        help="for files, stores and raw results; what is there is kept")
    parser.add_argument("--doc", type=pathlib.Path, default=ROOT / "docs/operate/scale.md",
                        help="page whose table is written anew; made when it is not there")
    parser.add_argument("--keys", type=int, default=2000, help="of each question about a meter")
    parser.add_argument("--seconds", type=float, default=10, help="at most, for each question")
    parser.add_argument("--again", action="store_true", help="measure also what has been measured")
    options = parser.parse_args()
    options.rows = [float(text) for text in options.rows.split(",")]
    options.build, options.folder = options.build.resolve(), options.folder.resolve()
    return options


def main():
    options = parse()
    options.folder.mkdir(parents=True, exist_ok=True)
    machine = report.Machine()
    for rows in options.rows:
        path = options.folder / f"{name_of(rows)}.json"
        if path.exists() and not options.again:
            print(f"{path} is there: not measured again")
            continue
        result = Size(rows, options).measure()
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(result) + "\n")
        os.replace(partial, path)
    write(options, machine)


if __name__ == "__main__":
    main()
