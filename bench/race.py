#!/usr/bin/env python3
"""Races meterline against its peers on the same files, in turns, and compares their answers.

bench/run.sh installs, builds and calls it. Sizes: tiny (for tests: who runs needs no more than
DuckDB), small (1,000 meters, a year), big (10,000 meters, a year).
"""
import argparse
import collections
import dataclasses
import json
import os
import pathlib
import shutil

import contenders
import http_race
import keys
import measure
import report

READINGS_FILES = 10  # Of a set by meter.
DAILY_METERS_MAX = 1000
FIVE_MINUTES_SHARE = 10  # Six times the readings of a tenth of the meters.


@dataclasses.dataclass
class Data:
    """A set of files of make_files.cc."""
    name: str
    meters: int
    days: int
    order: str = "meter"
    files: int = 1
    minutes: int = 30
    decimals: int = 0
    paths: list = dataclasses.field(default_factory=list)
    rows: int = 0
    megabytes: float = 0

    def make(self, program, folder, missing_days):
        folder = folder / self.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        unit = "kWh" if self.decimals else "Wh"
        measure.run([program, "--model", "household", "--meters", self.meters, "--days", self.days,
                     "--order", self.order, "--files", self.files, "--minutes", self.minutes,
                     "--unit", unit, "--missing-days", missing_days, "--out", folder],
                    folder.parent / f"{self.name}.log")
        self.paths = sorted(folder.iterdir())
        self.rows = sum(count_lines(path) - 1 for path in self.paths)
        self.megabytes = sum(path.stat().st_size for path in self.paths) / 1e6

    @property
    def readings(self):
        return self.rows * 24 * 60 // self.minutes


def count_lines(path):
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


@dataclasses.dataclass
class Work:
    """What is done with a set of files. One that is asked is timed in its questions, too."""
    name: str
    text: str
    data: str
    single: str = ""  # The same rows in one file, for who can take no more.
    verb: str = "ingest"
    is_asked: bool = False


WORKS = [
    Work("meter", "files by meter", "meter", "one", is_asked=True),
    Work("day", "files by day", "day", is_asked=True),
    Work("daily", "daily files one after the other, each durable on its own", "daily",
         verb="append"),
    Work("kwh", "kWh with three decimals, one file", "kwh", "kwh"),
    Work("five", "5-minute readings, one file", "five", "five"),
]


def data_sets(meters, days):
    few = min(meters, DAILY_METERS_MAX)
    return {data.name: data for data in [
        Data("meter", meters, days, files=min(READINGS_FILES, meters)),
        Data("one", meters, days),
        Data("day", meters, days, "day", files=days),
        Data("daily", few, days, "day", files=days),
        Data("kwh", meters, days, decimals=3),
        Data("five", max(1, meters // FIVE_MINUTES_SHARE), days, minutes=5),
    ]}


class Race:
    def __init__(self, options, places):
        self.options = options
        self.folder = options.folder
        self.places = places
        self.data = data_sets(options.meters, options.days)
        self.runners = [each for each in contenders.all_contenders(places)
                        if not options.contenders or each.name in options.contenders]
        self.works = [each for each in WORKS
                      if not options.works or each.name in options.works]
        self.raw = open(self.folder / "raw.jsonl", "w", encoding="utf-8")
        self.results = []
        self.answers = collections.defaultdict(dict)  # (keys, question) -> who -> answers

    def run(self):
        names = {name for work in self.works for _, name in self.entries(work)}
        for name in sorted(names):
            self.data[name].make(self.places.build / "bench/make_files", self.folder / "data",
                                 self.options.missing_days)
        for work in self.works:
            self.race_work(work)
            self.check()
        is_there = {"meter", "meterline"} <= {each.name for each in self.works + self.runners}
        if self.options.http_seconds > 0 and is_there:
            self.race_http()

    def entries(self, work):
        """Who does this work, and from which set of files."""
        for runner in self.runners:
            if name := work.single if runner.one_file else work.data:
                yield runner, name

    def store_of(self, runner, work):
        """In a folder of its own: some databases put files beside their store."""
        return self.folder / "stores" / f"{work.name}.{runner.name}" / "store"

    def race_work(self, work):
        entries = list(self.entries(work))
        for round_number in range(self.options.rounds):
            for runner, name in rotated(entries, round_number):
                self.load(runner, work, self.data[name])
        for runner, name in entries:
            self.compact(runner, work, self.data[name])
        for round_number in range(self.options.rounds if work.is_asked else 1):
            for runner, name in rotated(entries, round_number):
                self.ask(runner, work, self.data[name])
        for runner, _ in entries:
            if not (work.name == "meter" and runner.name == "meterline"):  # HTTP asks it, too.
                remove(self.store_of(runner, work))

    def start(self, runner, work, command):
        log = self.folder / "logs" / f"{work.name}.{runner.name}.{command[0]}.log"
        verb, store, *rest = command
        return measure.run(runner.command(verb, store, *rest), log, runner.env)

    def load(self, runner, work, data):
        store = self.store_of(runner, work)
        remove(store)
        store.parent.mkdir(parents=True)
        measure.read_through(data.paths)
        os.sync()
        used = self.start(runner, work, [work.verb, store, data.paths, data])
        self.note(kind="load", work=work.name, who=runner.name, cpu_s=used.cpu_s,
                  wall_s=used.wall_s, rss_mb=used.rss_mb, rows=data.rows, readings=data.readings,
                  megabytes=data.megabytes, disk_bytes=measure.disk_bytes(store.parent))

    def compact(self, runner, work, data):
        store = self.store_of(runner, work)
        cpu_s = 0
        if runner.compacts:
            cpu_s = self.start(runner, work, ["compact", store, [], data]).cpu_s
        self.note(kind="compact", work=work.name, who=runner.name, cpu_s=cpu_s,
                  readings=data.readings, disk_bytes=measure.disk_bytes(store.parent))

    def key_file(self, data, count):
        """Contenders are compared where they were asked the same: the decimals do not count."""
        name = f"keys.{data.meters}.{count}"
        path = self.folder / name
        keys.write(path, data.meters, data.days, count)
        return path

    def ask(self, runner, work, data):
        count = self.options.keys if work.is_asked else report.KEYS_UNTIMED
        path = self.key_file(data, count)
        used = self.start(runner, work, ["ask", self.store_of(runner, work), [path], data,
                                         "--seconds", self.options.seconds])
        for line in used.output.splitlines():
            if not line.startswith("{"):
                continue
            answer = json.loads(line)
            # Readings of five minutes are not six parts of those of half an hour.
            at = (path.name, data.minutes, answer["question"])
            self.answers[at].setdefault(f"{work.name} {runner.name}", []).append(answer)
            self.note(kind="ask", work=work.name, who=runner.name, timed=work.is_asked, **answer)

    def check(self):
        """All answers to a question agree, one by one and, where all keys were asked, in sum."""
        for at, of_contenders in self.answers.items():
            for what in ("first", "sum"):
                given = collections.defaultdict(set)  # Answer -> who gave it
                for who, answers in of_contenders.items():
                    for answer in answers:
                        if answer[what] is not None:
                            given[json.dumps(answer[what])].add(who)
                if len(given) > 1:
                    raise SystemExit(f"the contenders disagree on {at}: {dict(given)}")
            if not any(any(each["first"]) for answers in of_contenders.values()
                       for each in answers):
                raise SystemExit(f"all answers to {at} are 0")

    def race_http(self):
        data = self.data["meter"]
        meterline = next(each for each in self.runners if each.name == "meterline")
        store = self.store_of(meterline, WORKS[0])
        path = self.key_file(data, self.options.keys)
        day_keys = self.read_day_keys(path)
        folder = self.folder / "http"
        folder.mkdir(exist_ok=True)
        race = http_race.HttpRace(self.places, store, folder, day_keys, self.options.http_seconds)
        checked = next(iter(self.answers[path.name, 30, "day"].values()))[0]["first"]
        if (got := race.answers(len(checked))) != checked:
            raise SystemExit(f"by HTTP the sums are {got}, not {checked}")
        for _ in range(self.options.rounds):
            for name, result in race.round().items():
                self.note(kind="http", who=name, **result)
        remove(store)

    @staticmethod
    def read_day_keys(path):
        lines = [line.split() for line in path.read_text().splitlines()]
        return [line[1:] for line in lines if line[0] == "day"]

    def note(self, **result):
        """Keeps a result, and tells of it."""
        self.results.append(result)
        self.raw.write(json.dumps(result) + "\n")
        self.raw.flush()
        shown = {name: f"{value:.4g}" if isinstance(value, float) else value
                 for name, value in result.items() if name not in ("first", "rows", "readings")}
        print(" ".join(f"{name}={value}" for name, value in shown.items()), flush=True)


def rotated(entries, count):
    """No contender is always the one behind the same other."""
    at = count % len(entries)
    return entries[at:] + entries[:at]


def remove(store):
    shutil.rmtree(store.parent, ignore_errors=True)


SIZES = {
    "tiny": {"meters": 20, "days": 30, "rounds": 1, "keys": 40, "seconds": 5, "http_seconds": 0,
             "missing_days": 0.05, "contenders": "meterline,duckdb,sqlite,rocksdb"},
    "small": {"meters": 1000, "days": 365, "rounds": 3, "keys": 2000, "seconds": 5,
              "http_seconds": 5, "missing_days": 0.001, "contenders": ""},
    "big": {"meters": 10_000, "days": 365, "rounds": 3, "keys": 2000, "seconds": 10,
            "http_seconds": 10, "missing_days": 0.001, "contenders": ""},
}


def names(text):
    return [name for name in text.split(",") if name]


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="folder of the programs")
    parser.add_argument("--python", type=pathlib.Path, required=True, help="that has the peers")
    parser.add_argument("--questdb", default="", help="class path of QuestDB and its peer")
    parser.add_argument("--folder", type=pathlib.Path, required=True,
                        help="for files, stores and raw results")
    parser.add_argument("--results", type=pathlib.Path, required=True, help="the table to write")
    parser.add_argument("--meters", type=int)
    parser.add_argument("--days", type=int)
    parser.add_argument("--missing-days", type=float, help="the share of rows that are left out")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--keys", type=int, help="of each question about a meter")
    parser.add_argument("--seconds", type=float, help="at most, for each question")
    parser.add_argument("--http-seconds", type=int, help="0: no race by HTTP")
    parser.add_argument("--contenders", help="names, joined by commas")
    parser.add_argument("--before", type=pathlib.Path,
                        help="another release build, which races as `before`")
    parser.add_argument("--works", help="names, joined by commas")
    options = parser.parse_args()
    for name, value in SIZES[options.size].items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    options.folder, options.build = options.folder.resolve(), options.build.resolve()
    options.contenders = names(options.contenders)
    options.works = names(options.works or "")
    return options


def main():
    options = parse()
    options.folder.mkdir(parents=True, exist_ok=True)
    places = contenders.Places(options.build, options.python, options.questdb, options.before)
    machine = report.Machine()
    race = Race(options, places)
    race.run()
    shutil.rmtree(race.folder / "data")
    options.results.write_text(report.write(race, machine), encoding="utf-8")
    print(f"all answers agree; {options.results} has the table")


if __name__ == "__main__":
    main()
