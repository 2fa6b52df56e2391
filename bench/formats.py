#!/usr/bin/env python3
"""Races the readers of each format against what people read such files with today.

    bench/run.sh formats [--mb 100] [--rounds 3] [--only nem12-30,long] [--no-peers]

Files of --mb megabytes each are made in build/bench/formats. meterline reads a file twice: `lint`,
which reads it and stores nothing, and `ingest` into a new store. CPU seconds are those of the whole
process. Sums must agree. The table goes to build/bench/formats/results.md.
"""
import argparse
import dataclasses
import json
import pathlib
import random
import shutil
import statistics
from datetime import date, timedelta
from decimal import Decimal

import measure
import report

HERE = pathlib.Path(__file__).resolve().parent
FIRST_DAY = date(2024, 1, 1)
DAYS = 366

WIDE_FEED = """
title = "Half hours by their ends, with flags and decimal commas"
zone = "+01:00"
unit = "kWh"
meter.column = "Meter"
[file]
delimiter = ";"
[numbers]
decimal = ","
[quality]
flags = { W = "actual" }
[wide]
date = { column = "Datum", pattern = "dd.MM.yyyy" }
step = 30
columns = "{end}"
flags = "after"
"""
LONG_FEED = """
title = "A reading a row"
zone = "+10:00"
unit = "kWh"
meter.column = "Meter"
[quality]
column = "Flag"
flags = { A = "actual" }
[long]
start = { column = "Start", pattern = "yyyy-MM-dd HH:mm" }
step = 30
value = "kWh"
"""


class Readings:
    """Random Wh, and their texts, chosen of a few thousand."""

    def __init__(self, text):
        self.random = random.Random(1)
        values = [int(self.random.expovariate(1 / 300)) for _ in range(4096)]
        self.pairs = [(text(value), value) for value in values]
        self.count = self.sum = 0

    def take(self, count):
        chosen = self.random.choices(self.pairs, k=count)
        self.count += count
        self.sum += sum(value for _, value in chosen)
        return [text for text, _ in chosen]


def kwh(wh):
    return f"{wh // 1000}.{wh % 1000:03}"


def days():
    for day in range(DAYS):
        yield FIRST_DAY + timedelta(days=day)


def nem12(minutes):
    def write(file, bytes_wanted, readings):
        file.write("100,NEM12,202501010000,MDP1,RETAIL\n")
        for meter in range(10**9):
            if file.tell() > bytes_wanted:
                break
            file.write(f"200,{6102000000 + meter},E1,1,E1,N1,M{meter:06},KWH,{minutes},\n")
            for day in days():
                values = ",".join(readings.take(1440 // minutes))
                file.write(f"300,{day:%Y%m%d},{values},A,,,{day:%Y%m%d}235900,\n")
        file.write("900\n")
    return write


def entry(link, related, content):
    return (f'<entry><link rel="self" href="{link}"/><link rel="up" '
            f'href="{link.rsplit("/", 1)[0]}"/><link rel="related" href="{related}"/>'
            f"<content>{content}</content><updated>2025-01-01T00:00:00Z</updated></entry>\n")


def green_button(file, bytes_wanted, readings):
    file.write('<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" '
               'xmlns:espi="http://naesb.org/espi">')
    file.write(entry("/LocalTimeParameters/1", "",
                     "<espi:LocalTimeParameters><espi:tzOffset>36000</espi:tzOffset>"
                     "</espi:LocalTimeParameters>"))
    file.write(entry("/ReadingType/1", "",
                     "<espi:ReadingType><espi:commodity>1</espi:commodity><espi:flowDirection>1"
                     "</espi:flowDirection><espi:intervalLength>1800</espi:intervalLength>"
                     "<espi:uom>72</espi:uom></espi:ReadingType>"))
    midnight = 1704031200  # Of FIRST_DAY, at +10:00.
    for meter in range(10**9):
        if file.tell() > bytes_wanted:
            break
        point = f"/UsagePoint/{12000000 + meter}"
        file.write(entry(point, "/LocalTimeParameters/1", "<espi:UsagePoint/>"))
        file.write(entry(f"{point}/MeterReading/1", "/ReadingType/1", "<espi:MeterReading/>"))
        for day in range(DAYS):
            block = "".join(
                "\n <espi:IntervalReading>\n  <espi:timePeriod>\n   <espi:duration>1800"
                f"</espi:duration>\n   <espi:start>{midnight + day * 86400 + slot * 1800}"
                f"</espi:start>\n  </espi:timePeriod>\n  <espi:value>{value}</espi:value>\n"
                " </espi:IntervalReading>" for slot, value in enumerate(readings.take(48)))
            file.write(entry(f"{point}/MeterReading/1/IntervalBlock/{day}", "",
                             f"<espi:IntervalBlock>{block}</espi:IntervalBlock>"))
    file.write("</feed>\n")


def long_csv(file, bytes_wanted, readings):
    times = [f"{slot // 2:02}:{slot % 2 * 30:02}" for slot in range(48)]
    file.write("Meter,Start,kWh,Flag\n")
    for meter in range(10**9):
        if file.tell() > bytes_wanted:
            break
        for day in days():
            file.write("".join(f"{61020000 + meter},{day} {time},{value},A\n"
                               for time, value in zip(times, readings.take(48))))


def wide_csv(file, bytes_wanted, readings):
    ends = [f"{slot // 2:02}:{slot % 2 * 30:02}" for slot in range(1, 49)]
    file.write("Meter;Datum;" + ";".join(f"{end};Status" for end in ends) + "\n")
    for meter in range(10**9):
        if file.tell() > bytes_wanted:
            break
        for day in days():
            file.write(f"DE{meter:031};{day:%d.%m.%Y};" + ";W;".join(readings.take(48)) + ";W\n")


@dataclasses.dataclass
class Format:
    name: str
    label: str
    write: object
    text: object = kwh  # Of a reading.
    feed: str = ""
    peers: tuple = ()
    goal: int = 250  # MB a CPU second.
    times: float = 0  # What the best peer takes, at least.


FORMATS = [
    Format("nem12-30", "NEM12 of 30 minutes", nem12(30), peers=("nemreader",), times=10),
    Format("nem12-5", "NEM12 of 5 minutes", nem12(5), peers=("nemreader",), times=10),
    Format("green-button", "Green Button of 30 minutes", green_button, text=str,
           peers=("elementtree",), goal=150, times=10),
    Format("long", "long CSV by a feed", long_csv, feed=LONG_FEED, peers=("duckdb", "polars"),
           goal=200, times=1),
    Format("wide", "wide CSV by a feed: decimal comma, flags", wide_csv,
           text=lambda wh: kwh(wh).replace(".", ","), feed=WIDE_FEED),
]


class Race:
    def __init__(self, options):
        self.options = options
        self.folder = options.folder
        self.meterline = options.build / "meterline"
        self.python = options.python

    def make(self, form):
        """The file of a format, with what is in it, made once for each size."""
        path = self.folder / f"{form.name}-{self.options.mb}.txt"
        known = path.with_suffix(".json")
        if not known.exists():
            readings = Readings(form.text)
            with open(path, "w", encoding="ascii") as file:
                form.write(file, self.options.mb * 1_000_000, readings)
            known.write_text(json.dumps([readings.count, readings.sum]))
        count, wh = json.loads(known.read_text())
        return path, count, Decimal(wh) / 1000

    def lint(self, path, feed):
        return measure.run([self.meterline, "lint", path, "--output", "json", *feed],
                           self.folder / "logs/lint.log")

    def ingest(self, path, feed, expected):
        store = self.folder / "store"
        shutil.rmtree(store, ignore_errors=True)
        usage = measure.run([self.meterline, "ingest", path, "--store", f"rocksdb:{store}",
                             "--output", "json", *feed], self.folder / "logs/ingest.log")
        asked = measure.run([self.meterline, "portfolio", "--store", f"rocksdb:{store}",
                             "--from", FIRST_DAY, "--to", FIRST_DAY + timedelta(days=DAYS - 1),
                             "--resolution", "year", "--output", "json"],
                            self.folder / "logs/portfolio.log")
        self.agree("meterline", path, self.answer(json.loads(asked.output, parse_float=Decimal)),
                   expected)
        shutil.rmtree(store)
        return usage

    @staticmethod
    def answer(portfolio):
        channels = portfolio["channels"]
        return (sum(channel["readings"] for channel in channels),
                sum(Decimal(channel["sum"]) / {"Wh": 1000, "kWh": 1}[channel["unit"]]
                    for channel in channels))

    def peer(self, name, path, expected):
        store = self.folder / f"{name}.store"
        store.unlink(missing_ok=True)
        usage = measure.run([self.python, HERE / "peers/format_peer.py", name, path, store],
                            self.folder / f"logs/{name}.log", env={"POLARS_MAX_THREADS": "1"})
        count, total = usage.output.split()
        self.agree(name, path, (int(count), Decimal(total)), expected)
        store.unlink(missing_ok=True)
        return usage

    @staticmethod
    def agree(name, path, answer, expected):
        if answer != expected:
            raise SystemExit(f"formats: {name} read {answer} in {path}, which has {expected}")

    def run(self, form):
        """The usages of each contender, a round each."""
        path, *expected = self.make(form)
        expected = tuple(expected)
        feed = []
        if form.feed:
            feed_file = self.folder / f"{form.name}.toml"
            feed_file.write_text(form.feed)
            feed = ["--feed", feed_file]
        contenders = {"lint": lambda: self.lint(path, feed),
                      "ingest": lambda: self.ingest(path, feed, expected)}
        if not self.options.no_peers:
            for name in form.peers:
                contenders[name] = lambda name=name: self.peer(name, path, expected)
        usages = {name: [] for name in contenders}
        for turn in range(self.options.rounds):
            names = list(contenders)
            random.Random(turn).shuffle(names)
            for name in names:
                measure.read_through([path])
                usages[name].append(contenders[name]())
        return path.stat().st_size / 1e6, usages


def line(form, name, megabytes, usages):
    cpu = statistics.median(usage.cpu_s for usage in usages[name])
    memory = max(usage.rss_mb for usage in usages[name])
    ours = statistics.median(usage.cpu_s for usage in usages["ingest"])
    label = {"lint": "meterline lint", "ingest": "meterline ingest"}.get(name, name)
    return (f"| {form.label} | {label} | {report.number(megabytes / cpu)} | "
            f"{report.number(cpu / ours)} | {report.number(memory)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default="build/release")
    parser.add_argument("--python", default="python3", help="that has the peers")
    parser.add_argument("--folder", type=pathlib.Path, default="build/bench/formats")
    parser.add_argument("--mb", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", type=lambda text: text.split(","))
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    machine = report.Machine()
    race = Race(options)
    lines, missed = [], []
    for form in FORMATS:
        if options.only and form.name not in options.only:
            continue
        megabytes, usages = race.run(form)
        lines += [line(form, name, megabytes, usages) for name in usages]
        cpu = {name: statistics.median(usage.cpu_s for usage in all_of)
               for name, all_of in usages.items()}
        if megabytes / cpu["lint"] < form.goal:
            missed.append(f"{form.label}: {megabytes / cpu['lint']:.0f} of {form.goal} MB a CPU s")
        for name in form.peers:
            if name in cpu and cpu[name] < form.times * cpu["ingest"]:
                missed.append(f"{form.label}: {cpu[name] / cpu['ingest']:.1f} times {name}, "
                              f"want {form.times:g}")
        print("\n".join(lines[-len(usages):]), flush=True)
    (options.folder / "results.md").write_text(
        f"Files of {options.mb} MB, medians of {options.rounds} rounds. {machine.text()}\n\n"
        "| file | | MB a CPU second | CPU of an ingest | peak MB |\n|---|---|---|---|---|\n"
        + "\n".join(lines) + "\n")
    for text in missed:
        print(f"formats: not reached: {text}")
    print("formats: all sums agree")


if __name__ == "__main__":
    main()
