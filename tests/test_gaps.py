"""Which days are missing: what was left out of the files, and nothing else."""
import csv
import io
import random

import pytest

import wide

METERS = [f"EE{number:05}" for number in range(60)]
DAYS = 70
KINDS = {"json": "application/json", "csv": "text/csv"}


class Truth:
    """What was put into the files."""

    def __init__(self):
        rng = random.Random(7)
        self.readings = {}  # meter -> day index -> readings of 48; without those of no row
        for meter in METERS:
            holes = meter > "EE00020"
            self.readings[meter] = {
                index: rng.choice((48, 48, 48, 47, 0)) if holes else 48
                for index in range(DAYS) if not holes or rng.random() < 0.9}

    def file(self, first, last):
        """The rows of those days, by day."""
        rows = [wide.row(meter, wide.day(index), ["1"] * days[index] + [""] * (48 - days[index]))
                for index in range(first, last + 1)
                for meter, days in self.readings.items() if index in days]
        return wide.header() + "".join(rows)

    def lines(self, first, last, absent=True):
        """Meters that lack a day or reading: days, stored, complete, first gap, as texts."""
        lines = {}
        for meter, days in self.readings.items():
            stored = [index for index in days if first <= index <= last]
            complete = [index for index in stored if days[index] == 48]
            gaps = [index for index in range(first, last + 1) if index not in complete]
            if gaps and (stored or absent):
                lines[meter] = [str(last - first + 1), str(len(stored)), str(len(complete)),
                                wide.day(gaps[0])]
        return lines


TRUTH = Truth()


@pytest.fixture
def loaded(meterline):
    for first in range(0, DAYS, 30):
        path = meterline.folder / "in" / f"{first}.csv"
        wide.write(path, TRUTH.file(first, min(first + 29, DAYS - 1)))
    meterline("ingest", "in", "--unit", "kWh")
    return meterline


def dates(first, last):
    return ["--from", wide.day(first), "--to", wide.day(last)]


def lines_of(text):
    return {row["meter"]: [row["days"], row["stored"], row["complete"], row["firstGap"]]
            for row in csv.DictReader(io.StringIO(text))}


@pytest.mark.parametrize("first,last", [(0, DAYS - 1), (0, 27), (25, 52), (31, 31), (60, 90)])
def test_meters_with_gaps_are_those_of_the_files(loaded, first, last):
    for absent in (True, False):
        done = loaded("gaps", *dates(first, last), "--absent", str(absent).lower(),
                      "--output", "csv")
        assert lines_of(done.out) == TRUTH.lines(first, last, absent)


def test_the_days_that_each_meter_lacks(loaded):
    for meter in METERS[15:35]:
        days, found = TRUTH.readings[meter], {}
        (channel,) = loaded("gaps", meter, *dates(0, DAYS - 1)).json["channels"]
        assert (channel["days"], channel["stored"]) == (DAYS, len(days))
        for gap in channel["gaps"]:
            first = [index for index in range(DAYS) if wide.day(index) == gap["from"]][0]
            assert gap["to"] == wide.day(first + gap["days"] - 1)
            for index in range(first, first + gap["days"]):
                found[index] = (gap["kind"], gap["readings"], gap["expected"])
        expected = {index: ("incomplete", days[index], 48) if index in days
                    else ("missing", 0, None)
                    for index in range(DAYS) if days.get(index) != 48}
        assert found == expected
        missing = [index for index in range(DAYS) if index not in days]
        runs = sum(index - 1 not in missing for index in missing)
        assert sum(gap["kind"] == "missing" for gap in channel["gaps"]) == runs


def test_a_meter_without_any_of_the_days_counts_unless_it_is_left_out(loaded):
    loaded("ingest", "-", "--unit", "kWh",
           input=(wide.header() + wide.row("LATE", "2020-01-01", wide.same(1))).encode())
    asked = ["gaps", *dates(0, 5), "--limit", 1000]
    answer = loaded(*asked).json
    assert answer["total"]["meters"] == len(METERS) + 1
    assert answer["meters"][-1]["meter"] == "LATE"
    assert answer["meters"][-1]["channels"][0] | {"stored": 0, "complete": 0, "days": 6} == \
        answer["meters"][-1]["channels"][0]
    without = loaded(*asked, "--absent", "false").json
    assert without["total"]["meters"] == len(METERS)
    assert without["meters"] == answer["meters"][:-1]


def test_http_bodies_are_what_the_command_line_prints(loaded, serve):
    span = f"from={wide.day(3)}&to={wide.day(50)}"
    asked = [(["gaps", *dates(3, 50)], f"/v1/gaps?{span}"),
             (["gaps", *dates(3, 50), "--limit", 7, "--absent", "false"],
              f"/v1/gaps?{span}&limit=7&absent=false"),
             (["gaps", *dates(9, 9)], f"/v1/gaps?date={wide.day(9)}"),
             (["gaps", "EE00042", *dates(3, 50)], f"/v1/meters/EE00042/gaps?{span}"),
             (["gaps", "EE00042", *dates(3, 50), "--as-of", "2018-12-31"],
              f"/v1/meters/EE00042/gaps?{span}&asOf=2018-12-31")]
    printed = {(output, path): loaded(*args, "--output", output).out
               for args, path in asked for output in KINDS}
    server = serve(loaded)
    for (output, path), text in printed.items():
        assert server.get(path, headers={"Accept": KINDS[output]}) == text, (output, path)


def test_the_pages_are_the_list(loaded, serve):
    server = serve(loaded)
    path = f"/v1/gaps?from={wide.day(0)}&to={wide.day(40)}&limit=7"
    whole = server.json(f"/v1/gaps?from={wide.day(0)}&to={wide.day(40)}&limit=1000")
    assert len(whole["meters"]) > 30 and whole["next"] is None
    meters, cursor = [], ""
    while cursor is not None:
        page = server.json(path + cursor)
        assert page["total"] == whole["total"] and 1 <= len(page["meters"]) <= 7
        meters += page["meters"]
        cursor = page["next"] and f"&cursor={page['next']}"
    assert meters == whole["meters"]


def test_tables_for_people(meterline):
    rows = [wide.row("A", wide.day(0), wide.same(1)), wide.row("A", wide.day(2), wide.same(1)),
            wide.row("B", wide.day(1), [""] + wide.same(1, 47)),
            *(wide.row("C", wide.day(index), wide.same(1)) for index in range(3))]
    meterline("ingest", "-", "--unit", "kWh", input=(wide.header() + "".join(rows)).encode())
    table = meterline("gaps", *dates(0, 2), "--output", "table").out
    assert table == """\
meter  channel           days  stored  complete  first gap
A      consumption, kWh     3       2         2  2019-01-02
B      consumption, kWh     3       1         0  2019-01-01

2 of 3 meters have gaps; 6 of 9 days stored, 5 complete
"""
    more = meterline("gaps", *dates(0, 2), "--limit", 1, "--output", "table").out
    assert "... and more; --limit 2 shows twice as many\n2 of 3 meters have gaps" in more
    assert meterline("gaps", "B", *dates(0, 2), "--output", "table").out == """\
consumption, kWh: 1 of 3 days stored, 0 complete
from        to          days  readings
2019-01-01  2019-01-01     1         -
2019-01-02  2019-01-02     1     47/48
2019-01-03  2019-01-03     1         -
"""
    assert meterline("gaps", "C", *dates(0, 2), "--output", "table").out == (
        "consumption, kWh: 3 of 3 days stored, 3 complete\n")


def test_what_is_refused(loaded):
    done = loaded("gaps", "nobody", *dates(0, 1), expect=1)
    assert "meter nobody is not known" in done.err and done.out == ""
    assert "METER: want 1 to 64" in loaded("gaps", "a b", *dates(0, 1), expect=2).err
    assert "is before" in loaded("gaps", *dates(1, 0), expect=2).err
    assert "--from" in loaded("gaps", expect=2).err
    loaded("gaps", *dates(0, 1), "--absent", "maybe", expect=2)
    loaded("gaps", *dates(0, 1), "--limit", 0, expect=2)
    assert "40 years" in loaded("gaps", "--from", "1950-01-01", "--to", "1999-01-01", expect=1).err
