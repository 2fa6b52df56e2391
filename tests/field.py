#!/usr/bin/env python3
"""Runs the program over files as the field sends them, a folder for each case, and says how many
come out right: each is read as its expect.json says, or refused where that is right.

    tests/field.py FOLDER       FOLDER holds NN-name/ with the files; exit code 1 unless all are
                                right

The files are no part of this tree; small copies of many are in tests/data/field. A case that no
shipped feed is for has one of its own here, as a user would write it."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from decimal import Decimal

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = os.environ.get("METERLINE_BINARY") or ROOT / "build/release/meterline"


def wide(step=60, columns="{start}", pattern="yyyy-MM-dd", more=""):
    return (f'unit = "kWh"\nmeter.column = "Meter"\n{more}\n[wide]\nstep = {step}\n'
            f'columns = "{columns}"\ndate = {{ column = "Date", pattern = "{pattern}" }}\n')


class Day:
    """What the answer to a question must be."""

    def __init__(self, meter, day, total, readings, expected=None, channel="consumption", **more):
        self.meter, self.day, self.channel = meter, day, channel
        self.wanted = {"sum": Decimal(total), "readings": readings} | more
        if expected:
            self.wanted["expected"] = expected


class Refused:
    def __init__(self, *words):
        self.words = words


class Rejected:
    """All rows, or those readings, by this code; no meter is stored by a wrong name."""

    def __init__(self, code, count=None):
        self.code, self.count = code, count


# Case, file, options, own feed, what must come out.
RUNS = [
    ("01", "in.csv", "", None, Refused("ends of intervals")),
    ("02", "in.csv", "--feed auto", None, Day("9900000000017", "2025-01-06", "1.176", 48, 48)),
    ("02", "in.csv", "", None, Refused("--feed siemens-uk")),
    ("04", "in.csv", "--feed auto", None, Day("9900000000033", "2019-03-01", "1.176", 48, 48)),
    ("05", "in.csv", "--feed auto", None, Day("9900000000041", "2019-12-10", "1.176", 48, 48)),
    ("07", "in.csv", "--feed auto", None, Day("ZZ0007", "2024-10-27", "2.276", 50, 50)),
    ("08", "in.csv", "--feed auto", None,
     [Day("9900000000066", "2024-04-01", "1.176", 48, 48, "AI"),
      Day("9900000000066", "2024-04-01", "49.176", 48, 48, "RI"),
      Day("9900000000066", "2024-04-01", "241.176", 48, 48, "RE")]),
    ("08", "wide.csv", "", None, Rejected("ambiguous_row")),
    ("10", "in.csv", "--feed auto", None,
     [Day("9900000000082", "2026-01-05", "1.176", 48, actual=40, estimated=8),
      Day("9900000000090", "2026-01-05", "1.176", 48, actual=48)]),
    ("11", "in.csv", "", None, Rejected("bad_meter_id")),
    ("12", "in.csv", "", wide(), Day("10000000000000012", "2026-05-06", "3", 2)),
    ("12", "in.csv", "", None, Rejected("bad_meter_id")),
    ("14", "in.csv", "", wide(30), Day("ZZ0014", "2025-01-06", "1.176", 48, 48)),
    ("15", "in.csv", "--feed auto", None, Day("9900000000157", "2022-08-01", "1.176", 48, 48)),
    ("15", "wide.csv", "", None, Refused("line 8")),
    ("16", "in.csv", "", None, Refused("HTML page")),
    ("17", "in.csv", "", None, Refused("Excel workbook")),
    ("18", "bom.csv", "", None, Day("ZZ0018", "2023-08-15", "3", 2)),
    ("18", "nobom.csv", "", None, Refused("UTF-16")),
    ("18", "mangled.csv", "", None, Refused("UTF-16")),
    ("19", "ExportData_IT001E00000019_settembre.csv", "--feed auto", None,
     Day("IT001E00000019", "2024-09-01", "4.656", 96)),
    ("20", "semi.csv", "", wide(30, more='[file]\ndelimiter = ";"\n[numbers]\ndecimal = ","'),
     Day("ZZ0020", "2025-01-06", "1.176", 48, 48)),
    ("20", "tab.tsv", "", wide(30, more='[file]\ndelimiter = "tab"'),
     Day("ZZ0020", "2025-01-06", "1.176", 48, 48)),
    ("20", "semi.csv", "", None, Refused("`;`")),
    ("21", "in.csv", "", None, Day("ZZ0021", "2024-04-01", "121.121", 4)),
    ("22", "in.csv", "", None, Rejected("bad_value", 2)),
    ("23", "in.csv", "--feed auto", None, Day("9900000000231", "2023-10-16", "1.176", 48, 48)),
    ("23", "wide.csv", "", None, Rejected("summary_row")),
    ("26", "uk.csv", "", None, Rejected("bad_date")),
    ("27", "cr.csv", "", None, Day("ZZ0027", "2019-08-26", "3", None)),
    ("27", "mixed.csv", "", None, Day("ZZ0027", "2019-08-27", "7", None)),
    ("28", "in.csv", "", None, Day("ZZ0028", "2024-01-01", "3", None)),
    ("30", "in.csv", "--feed auto", None, Day("9900000000306", "2019-08-26", "1.176", 48, 48)),
    ("33", "in.csv", "--feed auto", None,
     [Day("10000000033", "2026-10-05", "1.176", 48, 48),
      Day("10000000033", "2026-10-05", "2.4", 48, 48, "generation")]),
    ("34", "in.csv", "--feed auto", None, Day("0000034", "2024-09-04", "6.911", 24)),
    ("35", "in.csv", "--feed auto", None,
     [Day("10443700000000035", "2026-05-06", "4.656", 96, 96),
      Day("10443700000000035", "2026-05-06", "0", 96, 96, "generation")]),
    ("37", "in.csv", "--feed auto", None,
     [Day("ES0000000000000037AA", "2025-01-15", "0.3", 24),
      Day("ES0000000000000037AA", "2025-10-26", "0.325", 25, 25, estimated=25),
      Day("ES0000000000000037AA", "2025-03-30", "0.276", 23, 23)]),
    ("37", "hours0.csv", "--feed datadis-hours-spain", None, Refused("named by their starts")),
    ("38", "in.csv", "--feed auto", None,
     Day("643000000000000038", "2022-11-21", "0.267", 21, 24, missing=3)),
    ("40", "in.csv", "--feed auto", None,
     [Day("AT0010000000000000001000000000040", "2023-10-29", "5.05", 100, 100),
      Day("AT0010000000000000001000000000040", "2024-03-31", "4.278", 92, 92)]),
    ("43", "in.csv", "--feed auto --meter M", None, Day("M", "2026-03-29", "0.058", 10)),
    ("44", "in.csv", "--feed auto --meter M", None, Day("M", "2023-01-01", "24.276", 24)),
    ("45", "in.csv", "--feed auto", None,
     Day("571300000000000045", "2023-10-29", "0.325", 25, 25, estimated=1)),
    ("46", "import-export.csv", "--feed auto --zone America/Los_Angeles", None,
     [Day("1234567890-Service2", "2025-06-01", "0.3", 24),
      Day("1234567890-Service2", "2025-06-01", "0", 24, None, "generation"),
      Day("1234567890-Service2", "2025-03-09", "0.276", 23, 23)]),
    ("46", "usage-units.csv", "--feed auto --zone America/Los_Angeles", None,
     Day("1234567890-Service2", "2025-06-01", "4.656", 96)),
    ("47", "in.csv", "--feed auto", None, Day("00000047", "2024-03-30", "4.656", 96)),
    ("48", "in.csv", "--feed auto", None,
     [Day("540000000000000048", "2023-10-22", "4.655", 95, 96, missing=1, estimated=1),
      Day("540000000000000048", "2023-10-22", "0", 95, None, "generation")]),
    ("49", "in.csv", "--feed auto", None,
     [Day("30000000000049", "2023-02-01", "5.364", 48),
      Day("30000000000049", "2023-02-02", "1.5", None)]),
    ("50", "in.csv", "--feed auto", None,
     Day("0000000050ZZ000", "2025-09-07", "1.176", 48, estimated=1)),
    ("52", "later-first.csv", "", None, Day("NMI0000052", "2025-01-26", "1.576", 288, None, "E1")),
    ("52", "later-last.csv", "", None, Day("NMI0000052", "2025-01-26", "1.576", 288, None, "E1")),
    ("53", "in.xml", "", None,
     [Day("User:u:UsagePoint:0", "2025-10-19", "24.276", 24, 24),
      Day("User:u:UsagePoint:0", "2025-10-19", "2.4", 24, 24, "generation")]),
    ("57", "in.csv", "--feed auto --meter M", None, Day("M", "2025-10-26", "1.239", 48, 50,
                                                       missing=2)),
    ("57", "wide.csv", "", None, Rejected("bad_value", 3)),
]
RUNS += [
    ("26", "uk.csv", "", wide(pattern="dd/MM/yyyy"),
     [Day("ZZ0026", "2024-04-03", "3", 2), Day("ZZ0026", "2024-04-13", "7", 2)]),
    ("26", "us.csv", "", wide(pattern="MM/dd/yyyy"), Day("ZZ0026", "2024-04-03", "3", 2)),
]


class Run:
    def __init__(self, folder, options, feed):
        self.store = f"rocksdb:{folder}/store"
        self.options = options.split()
        if feed:
            path = pathlib.Path(folder) / "own.toml"
            path.write_text(feed)
            self.options += ["--feed", str(path)]

    def meterline(self, *args):
        done = subprocess.run([str(BINARY), *map(str, args), "--store", self.store, "--output",
                               "json"], capture_output=True, text=True, check=False)
        return json.loads(done.stdout, parse_float=Decimal) if done.stdout else {}

    def load(self, path):
        answer = self.meterline("ingest", path, "--unit", "kWh", *self.options)
        return (answer.get("deliveries") or [{"state": "failed"}])[0]

    def fault_of(self, day):
        answer = self.meterline("query", day.meter, "--from", day.day, "--to", day.day)
        found = [channel for channel in answer.get("channels", [])
                 if channel["channel"] == day.channel]
        if not found:
            return f"{day.meter} has no {day.channel}"
        said = found[0] | found[0]["quality"]
        for name, wanted in day.wanted.items():
            if wanted is not None and said[name] != wanted:
                return f"{name} of {day.day} is {said[name]}, not {wanted}"
        return None


def fault_of(path, options, feed, wanted):
    with tempfile.TemporaryDirectory() as folder:
        run = Run(folder, options, feed)
        delivery = run.load(path)
        if isinstance(wanted, Refused):
            lacking = [word for word in wanted.words if word not in (delivery.get("reason") or "")]
            return None if delivery["state"] == "refused" and not lacking else \
                f"not refused with {lacking}: {delivery['state']}, {delivery.get('reason')}"
        if isinstance(wanted, Rejected):
            count = delivery.get("findingCounts", {}).get(wanted.code, 0)
            good = count == wanted.count if wanted.count else count > 0
            return None if good else f"{wanted.code}: {count}"
        if delivery["state"] != "stored":
            return f"{delivery['state']}: {delivery.get('reason')}"
        days = wanted if isinstance(wanted, list) else [wanted] if wanted else []
        return next((fault for day in days if (fault := run.fault_of(day))), None)


def main(folder):
    cases = {path.name[:2]: path for path in sorted(pathlib.Path(folder).iterdir())
             if path.is_dir() and path.name[:2].isdigit()}
    wrong = {number: [] for number in cases}
    for number, name, options, feed, wanted in RUNS:
        if number not in cases:
            continue
        if fault := fault_of(cases[number] / name, options, feed, wanted):
            wrong[number].append(f"{name} {options}: {fault}")
    untried = sorted(set(cases) - {run[0] for run in RUNS})
    for number, faults in wrong.items():
        told = "not tried" if number in untried else "right" if not faults else "WRONG"
        print(f"{cases[number].name:28} {told}", *faults, sep="\n    " if faults else " ")
    right = sum(not faults for faults in wrong.values()) - len(untried)
    print(f"{right} of {len(cases)} right")
    return 0 if right == len(cases) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
