"""Files in, answers out: the three ways in and the two ways out give the same."""
import subprocess

import pytest

import wide
from conftest import ROOT

EXAMPLE = ROOT / "examples/EE00027-2019-01.csv"
METER, FIRST, LAST = "EE00027", "2019-01-01", "2019-01-31"
CONSUMPTION = f"/v1/meters/{METER}/consumption?from={FIRST}&to={LAST}"


@pytest.fixture(params=["path", "stdin", "upload"])
def loaded(request, meterline, serve):
    """A store that holds the example file, by each of the ways in."""
    if request.param == "path":
        meterline("ingest", EXAMPLE, "--unit", "kWh")
    elif request.param == "stdin":
        meterline("ingest", "-", "--unit", "kWh", input=EXAMPLE.read_bytes())
    else:
        server = serve(meterline)
        server.upload(EXAMPLE.read_bytes(), f"?source={EXAMPLE.name}&unit=kWh")
        server.stop()
    return meterline


def awk_sums():
    program = ('$1 == "%s" { sum = 0; for (i = 3; i <= NF; i++) sum += $i;'
               ' printf "%%s %%.3f\\n", $2, sum }' % METER)
    lines = subprocess.run(["awk", "-F,", program, EXAMPLE], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.split()
    return {day: wide.Decimal(total) for day, total in zip(lines[::2], lines[1::2])}


def test_all_daily_totals_are_those_of_awk(loaded, serve):
    sums = awk_sums()
    assert len(sums) == 31 and sums["2019-01-01"] == 365
    decimals = {day: total for (meter, day), total in wide.sums_of(EXAMPLE.read_text()).items()
                if meter == METER}
    assert decimals == sums

    assert loaded.day_sums(METER, FIRST, LAST) == sums
    server = serve(loaded)
    (channel,) = server.json(CONSUMPTION)["channels"]
    assert {point["start"]: point["sum"] for point in channel["series"]} == sums
    for day, total in sums.items():
        day_first = "-".join(reversed(day.split("-")))
        answer = server.json(f"/?meterId={METER}&date={day_first}")
        assert answer == {"meterId": METER, "date": day_first, "sum": total}
    assert server.get(f"/?meterId={METER}&date=01-01-2019") == (
        '{"meterId":"EE00027","date":"01-01-2019","sum":365}')


def test_http_bodies_are_what_the_command_line_prints(loaded, serve):
    dates = ["--from", FIRST, "--to", LAST]
    asked = [(["query", METER, *dates, "--resolution", resolution],
              f"{CONSUMPTION}&resolution={resolution}")
             for resolution in ("interval", "hour", "day", "week", "month", "quarter", "year")]
    asked += [(["profile", METER, *dates], f"/v1/meters/{METER}/profile?from={FIRST}&to={LAST}"),
              (["top", *dates, "--limit", "3"], f"/v1/top?from={FIRST}&to={LAST}&limit=3"),
              (["query", METER, *dates, "--unit", "MWh"], f"{CONSUMPTION}&unit=MWh"),
              (["portfolio", *dates], f"/v1/portfolio?from={FIRST}&to={LAST}"),
              (["portfolio", *dates, "--resolution", "month"],
               f"/v1/portfolio?from={FIRST}&to={LAST}&resolution=month"),
              (["query", METER, *dates, "--as-of", "2018-12-31"], f"{CONSUMPTION}&asOf=2018-12-31"),
              (["meters"], "/v1/meters"),
              (["meters", "--prefix", "EE001"], "/v1/meters?prefix=EE001")]
    kinds = {"json": "application/json", "csv": "text/csv"}
    printed = {(output, path): loaded(*args, "--output", output).out
               for args, path in asked for output in kinds}
    server = serve(loaded)
    for (output, path), text in printed.items():
        assert server.get(path, headers={"Accept": kinds[output]}) == text, (output, path)
        assert text.endswith("\n") and not text.endswith("\n\n")


def test_the_answer_has_the_documented_shape(loaded):
    answer = loaded.query(METER, "2019-01-14").json
    (channel,) = answer.pop("channels")
    assert answer == {"meter": METER, "from": "2019-01-14", "to": "2019-01-14",
                      "resolution": "day", "asOf": None}
    (point,) = channel["series"]
    total = {"sum": point["sum"], "readings": 46, "expected": 48,
             "quality": {"actual": 46, "substituted": 0, "estimated": 0, "missing": 2},
             "version": point["version"]}
    assert point == {"start": "2019-01-14"} | total
    assert channel == {"channel": "consumption", "flow": "consumption", "unit": "kWh",
                       "series": [point]} | total


def test_what_is_not_known_is_null_and_not_zero(meterline):
    meterline("ingest", EXAMPLE)
    answer = meterline.query(METER, "2019-02-01").json
    assert all(channel["sum"] is None for channel in answer["channels"])
    assert '"sum":0' not in meterline.query(METER, "2019-02-01").out


def test_portfolio_adds_up_all_meters(loaded):
    by_day = {}
    for (_, day), total in wide.sums_of(EXAMPLE.read_text()).items():
        by_day[day] = by_day.get(day, 0) + total
    answer = loaded("portfolio", "--from", FIRST, "--to", LAST, "--output", "json").json
    (channel,) = answer["channels"]
    assert {point["start"]: point["sum"] for point in channel["series"]} == by_day
    assert channel["sum"] == sum(by_day.values())


def test_meters_and_deliveries_are_listed(meterline):
    meterline("ingest", EXAMPLE, "--unit", "kWh")
    meters = meterline("meters").json["meters"]
    assert [meter["meter"] for meter in meters] == ["EE00027", "EE00028", "EE00113"]
    assert meters[0]["channels"][0]["last"] == LAST
    (delivery,) = meterline("deliveries").json["deliveries"]
    assert delivery["source"] == str(EXAMPLE) and delivery["rows"]["stored"] == 40
    assert "2019-01-31" in meterline("meters", "--output", "table").out
    assert meterline("deliveries", "--output", "csv").out.count("\n") == 2
