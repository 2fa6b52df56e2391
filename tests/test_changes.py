"""What changed since the bill, on one machine and on a cluster."""
import csv
import io
from decimal import Decimal

import pytest

import wide

FIRST = wide.header() + wide.row("A", "2019-01-01", wide.same(1)) + wide.row(
    "A", "2019-01-02", wide.same(1, 24) + [""] * 24) + wide.row("A", "2019-01-03", wide.same(1))
# Puts one reading right, completes a day, says one again, and brings a meter of its own.
SECOND = wide.header() + "".join(wide.row(*row) for row in (
    ("A", "2019-01-01", ["3"] + wide.same(1, 47)),
    ("A", "2019-01-02", [""] * 24 + wide.same(2, 24)),
    ("A", "2019-01-03", wide.same("1.00")), ("B", "2019-01-01", wide.same(9))))
CHANGED = [("A", "2019-01-01", 1, 48, 50), ("A", "2019-01-02", 24, 24, 72),
           ("B", "2019-01-01", 48, None, 432)]


@pytest.fixture(params=["meterline", "on_cassandra"])
def billed(request):
    """A store with both files; `bill` and `now` are when they were received."""
    program = request.getfixturevalue(request.param)
    wide.write(program.folder / "first.csv", FIRST)
    wide.write(program.folder / "second.csv", SECOND)
    program.bill = program("ingest", "first.csv", "--unit", "kWh").delivery["receivedAt"]
    program.now = program("ingest", "second.csv", "--unit", "kWh").delivery["receivedAt"]
    return program


def changes(program, *options):
    return program("changes", "--since", program.bill, "--output", "json", *options).json


def test_both_totals_of_each_day_that_changed_are_told(billed):
    def sum_of(total):
        return total and total["sum"]

    days = [(day["meter"], day["date"], day["readingsChanged"], sum_of(day["before"]),
             sum_of(day["after"])) for day in changes(billed)["days"]]
    assert days == CHANGED
    assert [day["meter"] for day in changes(billed, "B")["days"]] == ["B"]
    assert len(changes(billed, "A", "--from", "2019-01-02", "--to", "2019-01-31")["days"]) == 1
    assert changes(billed, "--limit", 1)["next"] == "A"
    assert changes(billed)["next"] is None
    rows = csv.DictReader(io.StringIO(
        billed("changes", "--since", billed.bill, "--output", "csv").out))
    assert [(row["meter"], row["sumBefore"] and Decimal(row["sumBefore"]),
             Decimal(row["sumAfter"])) for row in rows] == [
                 (meter, "" if before is None else before, after)
                 for meter, _, _, before, after in CHANGED]
    table = billed("changes", "--since", billed.bill, "--output", "table").out
    assert "48/48" in table and "24/48" in table


def test_nothing_changed_since_now(billed):
    assert billed("changes", "--since", billed.now, "--output", "json").json["days"] == []
    assert billed("changes", "--since", billed.now, "--output", "table").out == "nothing changed\n"
    assert "--since" in billed("changes", expect=2).err
