"""Periods beside each other, time of use, base load and late meters, against what plain Python
makes of the same file: by HTTP and command line alike, as JSON, CSV and tables."""
import csv
import io
import random
import shutil
from collections import defaultdict
from datetime import date, datetime, time, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal
from zoneinfo import ZoneInfo

import pytest

import wide
from conftest import Meterline, Server, exact

LONDON = ZoneInfo("Europe/London")
FIRST, LAST = date(2024, 3, 25), date(2024, 11, 3)
GONE = date(2024, 5, 1)  # B has no readings of half of this day, and none of later ones.
MILLIONTH = Decimal("0.000001")

TARIFF = """
otherwise = "night"
holidays = ["05-06", "2024-08-26"]

[seasons]
summer = "05-01..09-30"

[[rule]]
band = "night"
days = "holiday"

[[rule]]
band = "peak"
days = "weekday"
seasons = "summer"
times = ["06:00-08:00", "17:00-20:30"]

[[rule]]
band = "peak"
days = "sun"
times = "01:00-02:00"

[[rule]]
band = "day"
times = "07:00-23:00"
"""


def dates(first, last):
    return [first + timedelta(days=index) for index in range((last - first).days + 1)]


def midnight(day):
    return datetime.combine(day, time(), LONDON).astimezone(timezone.utc)


def band_of(start):
    """Of a local time, rule by rule as the file has them."""
    day, clock = start.date(), start.strftime("%H:%M")
    holiday = day.strftime("%m-%d") == "05-06" or day == date(2024, 8, 26)
    if holiday:
        return "night"
    summer = "05-01" <= day.strftime("%m-%d") <= "09-30"
    in_peak = "06:00" <= clock < "08:00" or "17:00" <= clock < "20:30"
    if day.weekday() < 5 and summer and in_peak:
        return "peak"
    if day.weekday() == 6 and "01:00" <= clock < "02:00":  # Where the clock changes.
        return "peak"
    return "day" if "07:00" <= clock < "23:00" else "night"


class Truth:
    """Half hours of two meters over both changes of the clock."""

    def __init__(self):
        rng = random.Random(17)
        self.slots = {}  # meter -> day -> [(local start, reading or None)]
        for meter, last in (("A", LAST), ("B", GONE)):
            days = self.slots[meter] = {}
            for day in dates(FIRST, last):
                at, slots = midnight(day), []
                noon = midnight(day) + timedelta(hours=12)
                while at < midnight(day + timedelta(days=1)):
                    lost = meter == "B" and day == GONE and at >= noon
                    reading = Decimal(rng.randrange(1, 4000)).scaleb(-3)
                    slots.append((at.astimezone(LONDON), None if lost else reading))
                    at += timedelta(minutes=30)
                days[day] = slots

    def file(self):
        lines = ["meter,start,end,value,unit"]
        for meter, days in self.slots.items():
            for slots in days.values():
                for start, reading in slots:
                    end = start.astimezone(timezone.utc) + timedelta(minutes=30)
                    if reading is not None:
                        lines.append(f"{meter},{start.isoformat()},"
                                     f"{end.astimezone(LONDON).isoformat()},{reading},kWh")
        return "\n".join(lines) + "\n"

    def readings(self, meter, first, last):
        days = self.slots[meter]
        return [slot for day in dates(first, last) for slot in days.get(day, [])]

    def total(self, meter, first, last):
        values = [value for _, value in self.readings(meter, first, last) if value is not None]
        return (sum(values) if values else None), len(values)

    def expected(self, first, last):
        return (midnight(last + timedelta(days=1)) - midnight(first)) // timedelta(minutes=30)

    def bands(self, meter, first, last):
        sums = defaultdict(Decimal)
        for start, value in self.readings(meter, first, last):
            if value is not None:
                sums[band_of(start)] += value
        return dict(sums)

    def base(self, meter, first, last):
        bases = []
        for day in dates(first, last):
            values = [value for _, value in self.slots[meter].get(day, [])]
            if values and None not in values:
                bases.append(sorted(values)[1] * 2)  # The second of 46, 48 or 50.
        return rounded(sum(bases) / len(bases)), len(bases)


def rounded(number):
    return number.quantize(MILLIONTH, ROUND_HALF_EVEN)


TRUTH = Truth()


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    meterline = Meterline(tmp_path_factory.mktemp("questions"))
    (meterline.folder / "file.csv").write_text(TRUTH.file())
    meterline("ingest", "file.csv", "--zone", "Europe/London")
    folder = meterline.folder / "tariffs"
    folder.mkdir()
    (folder / "summer.toml").write_text(TARIFF)
    (folder / "README").write_text("no tariff")
    return meterline


@pytest.fixture(scope="module")
def served(loaded):
    """A server of the same store: a copy, as a process has a store for itself."""
    copy = loaded.folder / "copy"
    shutil.copytree(loaded.store, copy)
    server = Server(loaded.start("serve", "--store", f"rocksdb:{copy}", "--listen", "127.0.0.1:0",
                                 "--tariffs", "tariffs"))
    yield server
    server.stop()


def span(first, last):
    return ["--from", first.isoformat(), "--to", last.isoformat()]


def answer(loaded, served, verb, path):
    """What both say, which is the same, as JSON and CSV."""
    for output, accept in (("json", "application/json"), ("csv", "text/csv")):
        printed = loaded(*verb, "--output", output).out
        assert served.get(path, headers={"Accept": accept}) == printed
        if output == "json":
            told = exact(printed)
    assert loaded(*verb, "--output", "table").out.strip()
    return told, list(csv.DictReader(io.StringIO(printed)))


SPANS = [(FIRST, LAST), (date(2024, 3, 31), date(2024, 3, 31)),
         (date(2024, 10, 27), date(2024, 10, 27)), (date(2024, 4, 20), date(2024, 5, 10)),
         (date(2024, 8, 25), date(2024, 8, 27))]


@pytest.mark.parametrize("first,last", SPANS)
@pytest.mark.parametrize("meter", ["A", "B"])
def test_time_of_use(loaded, served, meter, first, last):
    told, rows = answer(
        loaded, served,
        ["time-of-use", meter, "--tariff", "tariffs/summer.toml", *span(first, last),
         "--resolution", "month"],
        f"/v1/meters/{meter}/time-of-use?tariff=summer&from={first}&to={last}")
    (channel,) = told["channels"]
    (plain,) = loaded.query(meter, first, last, "--resolution", "month").json["channels"]
    assert all(channel[key] == plain[key] for key in plain if key != "series")
    known = {band["band"]: band["sum"] for band in channel["bands"] if band["sum"] is not None}
    assert known == TRUTH.bands(meter, first, last)
    assert channel["sum"] == TRUTH.total(meter, first, last)[0]
    assert {band["straddling"] for band in channel["bands"]} == {0}
    for point, whole in zip(channel["series"], plain["series"], strict=True):
        assert point["start"] == whole["start"]
        assert sum(band["expected"] for band in point["bands"]) == whole["expected"]
        assert sum(band["sum"] or 0 for band in point["bands"]) == (whole["sum"] or 0)
    assert [row["band"] for row in rows[:3]] == ["night", "peak", "day"]


def test_hours_that_do_not_fit_a_band_are_told(meterline):
    (meterline.folder / "t.toml").write_text(
        'otherwise = "rest"\n[[rule]]\nband = "b"\ntimes = "06:30-07:00"\n')
    hours = [f"{hour}:00" for hour in range(24)]
    text = wide.header(hours) + wide.row("M", "2024-05-01", wide.same(1, 24))
    meterline("ingest", "-", "--unit", "kWh", input=text.encode())
    done = meterline("time-of-use", "M", "--tariff", "t.toml", "--from", "2024-05-01")
    bands = {band["band"]: band for band in done.json["channels"][0]["bands"]}
    assert (bands["rest"]["sum"], bands["rest"]["straddling"], bands["b"]["sum"]) == (24, 1, None)
    assert "consumption, kWh: 1 readings are of intervals that reach into another band" in done.err


COMPARED = [
    (["--against", "period-before"], "against=period-before", date(2024, 9, 1), date(2024, 9, 30),
     date(2024, 8, 1), date(2024, 8, 31)),
    (["--against", "period-before"], "against=period-before", date(2024, 5, 2), date(2024, 5, 4),
     date(2024, 4, 29), date(2024, 5, 1)),
    (["--against-from", "2024-03-25", "--against-to", "2024-03-31"],
     "againstFrom=2024-03-25&againstTo=2024-03-31", date(2024, 4, 1), date(2024, 4, 7),
     date(2024, 3, 25), date(2024, 3, 31)),
    ([], "", date(2024, 4, 1), date(2024, 4, 7), date(2023, 4, 1), date(2023, 4, 7)),
    (["--against", "52-weeks-before"], "against=52-weeks-before", date(2024, 4, 1),
     date(2024, 4, 7), date(2023, 4, 3), date(2023, 4, 9)),
]


def check_change(told, now, before):
    both = now is not None and before is not None
    assert told["difference"] == (now - before if both else None)
    assert told["percent"] == (rounded((now - before) * 100 / before) if both else None)


@pytest.mark.parametrize("options,query,first,last,then_first,then_last", COMPARED)
def test_compare(loaded, served, options, query, first, last, then_first, then_last):
    for meter in ("A", "B"):
        told, rows = answer(loaded, served, ["compare", meter, *span(first, last), *options],
                            f"/v1/meters/{meter}/compare?from={first}&to={last}&{query}")
        assert told["against"] == {"from": then_first.isoformat(), "to": then_last.isoformat()}
        (channel,) = told["channels"]
        sides = [TRUTH.total(meter, *days) for days in ((first, last), (then_first, then_last))]
        for said, (total, readings), days in zip((channel, channel["against"]), sides,
                                                 ((first, last), (then_first, then_last))):
            assert (said["sum"], said["readings"]) == (total, readings)
            assert said["expected"] == TRUTH.expected(*days)
        check_change(channel, *(total for total, _ in sides))
        assert rows[0]["againstReadings"] == str(sides[1][1])
    told, _ = answer(loaded, served, ["compare", *span(first, last), *options],
                     f"/v1/compare?from={first}&to={last}&{query}")
    for channel in told["channels"]:
        sides = []
        for said, days in ((channel, (first, last)), (channel["against"], (then_first, then_last))):
            sums = [TRUTH.total(meter, *days)[0] for meter in TRUTH.slots]
            known = [total for total in sums if total is not None]
            assert said["meters"] == len(known)
            sides.append(sum(known) if known else None)
            assert said["sum"] == sides[-1]
        check_change(channel, *sides)


@pytest.mark.parametrize("first,last", SPANS[:4])
def test_base_load(loaded, served, first, last):
    told, rows = answer(loaded, served, ["base-load", "A", *span(first, last)],
                        f"/v1/meters/A/base-load?from={first}&to={last}")
    (channel,) = told["channels"]
    base, days = TRUTH.base("A", first, last)
    assert (channel["base"], channel["baseUnit"], channel["complete"]) == (base, "kW", days)
    assert rows[0]["base"] == f"{base.normalize():f}"


def test_late_meters(loaded, served):
    def late(*options, query):
        told, _ = answer(loaded, served, ["late", *options], f"/v1/late?{query}")
        return [(meter["meter"], meter["channels"][0]["last"]) for meter in told["meters"]]

    assert late("--since", GONE, query=f"since={GONE}") == []
    assert late("--since", "2024-05-02", query="since=2024-05-02") == [("B", "2024-05-01")]
    assert late("--since", "2025-01-01", query="since=2025-01-01") == [
        ("A", "2024-11-03"), ("B", "2024-05-01")]
    assert late("--since", "2025-01-01", "--by", "receipt",
                query="since=2025-01-01&by=receipt") == []
    assert len(late("--since", "2100-01-01", "--by", "receipt",
                    query="since=2100-01-01&by=receipt")) == 2
    assert late("--since", "2025-01-01", "--flow", "generation",
                query="since=2025-01-01&flow=generation") == []
    page = served.json("/v1/late?since=2025-01-01&limit=1")
    assert (page["meters"][0]["meter"], page["next"]) == ("A", "A")
    rest = served.json("/v1/late?since=2025-01-01&limit=1&cursor=A")
    assert (rest["meters"][0]["meter"], rest["next"]) == ("B", None)
    assert loaded("late", "--since", "2025-01-01", "--limit", 1).json == page


def test_a_tariff_is_checked(loaded):
    verb = ["tariff", "check", "tariffs/summer.toml", "--year", "2024"]
    told = loaded(*verb).json
    assert sum(day["count"] for day in told["days"]) == 366
    minutes = defaultdict(int)
    for day in dates(date(2024, 1, 1), date(2024, 12, 31)):
        for minute in range(24 * 60):
            minutes[band_of(datetime.combine(day, time(minute // 60, minute % 60)))] += 1
    assert {band["band"]: band["minutes"] for band in told["bands"]} == minutes
    assert told["days"][0] == {"first": "2024-01-01", "count": 205, "times": [
        {"from": "00:00", "to": "07:00", "band": "night"},
        {"from": "07:00", "to": "23:00", "band": "day"},
        {"from": "23:00", "to": "24:00", "band": "night"}]}
    assert loaded(*verb, "--output", "csv").out.startswith("first,count,from,to,band\n2024-01-01,")
    assert "00:00 night, 07:00 day, 23:00 night" in loaded(*verb, "--output", "table").out


def test_faults_of_tariffs_are_told(meterline):
    bad = meterline.folder / "bad.toml"
    bad.write_text('otherwise = "a"\n[[rule]]\nband = "b"\ndays = "Monday"\n')
    done = meterline("tariff", "check", bad, expect=2)
    assert "tariff bad, line 4, column 8: want mon, tue" in done.err
    assert "cannot read" in meterline("tariff", "check", "nothing.toml", expect=2).err
    done = meterline("serve", "--create", "--listen", "127.0.0.1:0", "--tariffs", ".", expect=2)
    assert "tariff bad, line 4, column 8" in done.err
    bad.unlink()
    (meterline.folder / "a b.toml").write_text('otherwise = "a"\n')
    done = meterline("serve", "--listen", "127.0.0.1:0", "--tariffs", ".", expect=2)
    assert "a tariff is named by 1 to 32 characters" in done.err
    (meterline.folder / "empty").mkdir()
    (meterline.folder / "empty/notes.txt").write_text("")
    done = meterline("serve", "--listen", "127.0.0.1:0", "--tariffs", "empty", expect=2)
    assert "no file *.toml is in empty" in done.err


def test_wrong_usage(loaded):
    for options, told in [
            (["compare", "A", "--from", "2024-05-01", "--against", "last-year"], "--against"),
            (["compare", "A", "--from", "2024-05-01", "--against", "year-before",
              "--against-from", "2024-01-01"], "excludes"),
            (["compare", "A", "--from", "2024-05-01", "--against-to", "2024-01-01"],
             "--against-from"),
            (["compare", "A", "--from", "2024-05-01", "--against-from", "2024-01-02",
              "--against-to", "2024-01-01"], "is before"),
            (["time-of-use", "A", "--from", "2024-05-01"], "--tariff"),
            (["time-of-use", "A", "--from", "2024-05-01", "--tariff", "tariffs/summer.toml",
              "--resolution", "hour"], "want day, week, month, quarter, year or total"),
            (["late"], "--since"),
            (["late", "--since", "2024-05-01T00:00:00Z"], "--since: want a day"),
            (["late", "--since", "yesterday", "--by", "receipt"], "--since: want a time"),
            (["base-load", "A"], "--from")]:
        assert told in loaded(*options, expect=2).err
    assert "not known" in loaded("base-load", "Z", "--from", "2024-05-01", expect=1).err
