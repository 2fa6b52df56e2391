"""Local days: what a zone is said to be, the days on which its clock changes, and their labels."""
from decimal import Decimal

import pytest

import wide

SPRING, AUTUMN, PLAIN = "2024-03-31", "2024-10-27", "2024-10-26"
BLANK_HOUR = wide.same(1)[:2] + ["", ""] + wide.same(1)[4:]


def load(meterline, *rows, zone="Europe/London", expect=0):
    text = wide.header() + "".join(wide.row("A", day, values) for day, values in rows)
    return meterline("ingest", "-", "--unit", "kWh", "--zone", zone, input=text.encode(),
                     expect=expect).delivery


def day(meterline, date, resolution="interval"):
    return meterline.query("A", date, None, "--resolution", resolution).json["channels"][0]


def test_a_spring_day_is_complete_without_the_hour_that_was_left_out(meterline):
    delivery = load(meterline, (SPRING, BLANK_HOUR))
    assert delivery["zone"] == "Europe/London" and delivery["findingCounts"] == {}
    assert delivery["readings"] == {"read": 46, "stored": 46, "missing": 0, "repeated": 0,
                                    "rejected": 0}
    channel = day(meterline, SPRING)
    assert (channel["sum"], channel["readings"], channel["expected"]) == (46, 46, 46)
    starts = [point["start"] for point in channel["series"]]
    assert starts[1:4] == [f"{SPRING}T00:30:00+00:00", f"{SPRING}T02:00:00+01:00",
                           f"{SPRING}T02:30:00+01:00"]
    assert [point["sum"] for point in day(meterline, SPRING, "hour")["series"]] == [2] * 23
    gaps = meterline("gaps", "A", "--from", SPRING, "--to", SPRING).json
    assert gaps["channels"][0]["gaps"] == []


def test_zeros_in_that_hour_are_left_out_with_a_note(meterline):
    zeros = BLANK_HOUR[:2] + ["0", "0.000"] + BLANK_HOUR[4:]
    delivery = load(meterline, (SPRING, zeros))
    assert delivery["findingCounts"] == {"no_such_time": 2}
    assert "there is no 01:00 of 2024-03-31 in Europe/London" in delivery["findings"][0]["text"]
    assert day(meterline, SPRING)["sum"] == 46


def test_a_reading_in_that_hour_says_that_the_clock_is_another(meterline):
    delivery = load(meterline, (SPRING, wide.same(1)), (PLAIN, wide.same(2)), expect=3)
    assert delivery["findingCounts"] == {"other_zone": 1}
    assert "load the file with its offset, like --zone +00:00" in delivery["findings"][0]["text"]
    assert delivery["rows"]["rejected"] == 1 and day(meterline, PLAIN)["sum"] == 96
    load(meterline, (SPRING, wide.same(1)), (PLAIN, wide.same(2)), zone="+00:00")
    assert day(meterline, SPRING)["sum"] == 48
    assert day(meterline, SPRING)["series"][2]["start"] == f"{SPRING}T01:00:00+00:00"


def test_what_comes_twice_in_autumn_is_in_neither_place(meterline):
    delivery = load(meterline, (AUTUMN, wide.same(1)), expect=3)
    assert delivery["findingCounts"] == {"time_comes_twice": 2}
    assert delivery["readings"] == {"read": 50, "stored": 46, "missing": 2, "repeated": 0,
                                    "rejected": 2}
    channel = day(meterline, AUTUMN)
    assert (channel["sum"], channel["readings"], channel["expected"]) == (46, 46, 50)
    series = {point["start"]: point["sum"] for point in channel["series"]}
    assert len(series) == 50
    assert series[f"{AUTUMN}T00:30:00+01:00"] == 1
    assert series[f"{AUTUMN}T01:00:00+01:00"] is series[f"{AUTUMN}T01:00:00+00:00"] is None
    assert series[f"{AUTUMN}T02:00:00+00:00"] == 1


def test_absent_days_are_expected_as_the_calendar_has_them(meterline):
    load(meterline, (PLAIN, wide.same(1)))
    channel = meterline.query("A", "2024-03-01", "2024-10-31").json["channels"][0]
    expected = {point["start"]: point["expected"] for point in channel["series"]}
    assert (expected[SPRING], expected[AUTUMN], expected[PLAIN]) == (46, 50, 48)
    assert channel["expected"] == 245 * 48
    portfolio = meterline("portfolio", "--from", "2024-03-01", "--to", "2024-10-31",
                          "--resolution", "month").json["channels"][0]
    assert [point["expected"] for point in portfolio["series"]] == [
        31 * 48 - 2, 1440, 1488, 1440, 1488, 1488, 1440, 31 * 48 + 2]


def test_the_zone_is_told_wherever_a_channel_is(meterline, tmp_path):
    load(meterline, (PLAIN, wide.same(1)))
    (channel,) = meterline("meters").json["meters"][0]["channels"]
    assert channel["zone"] == "Europe/London"
    as_csv = meterline("meters", "--output", "csv").out
    assert as_csv.endswith(f",{PLAIN},{PLAIN},Europe/London,false,,,\n")
    assert "Europe/London" in meterline("meters", "--output", "table").out
    (told,) = meterline("history", "A", PLAIN).json["channels"]
    assert told["versions"][0]["zone"] == "Europe/London"
    assert "00:30+01:00" in meterline("history", "A", PLAIN, "--output", "table").out
    meterline("export", tmp_path / "copy")
    meterline.use_store(tmp_path / "other")
    meterline("ingest", tmp_path / "copy")
    (channel,) = meterline("meters").json["meters"][0]["channels"]
    assert channel["zone"] == "Europe/London"


def test_without_a_zone_all_is_as_it_was(meterline):
    text = wide.header() + wide.row("A", SPRING, wide.same(1))
    delivery = meterline("ingest", "-", "--unit", "kWh", input=text.encode()).delivery
    assert delivery["findingCounts"] == {} and "zone" not in delivery
    assert day(meterline, SPRING)["series"][2]["start"] == f"{SPRING}T01:00:00"
    assert meterline("meters").json["meters"][0]["channels"][0]["zone"] is None


def test_a_file_is_read_anew_where_another_zone_is_named(meterline, tmp_path):
    file = wide.write(tmp_path / "a.csv", wide.header() + wide.row("A", PLAIN, wide.same(1)))
    assert meterline("ingest", file).delivery["state"] == "stored"
    assert meterline("ingest", file, "--zone", "Europe/London").delivery["state"] == "stored"
    assert meterline("ingest", file, "--zone", "Europe/London").delivery["state"] == "skipped"
    assert meterline("ingest", file).delivery["state"] == "skipped", "nothing else is said of it"
    assert day(meterline, PLAIN)["series"][0]["start"] == f"{PLAIN}T00:00:00+01:00"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "localtime", "+1", "/etc/localtime", "+17:00"])
def test_what_is_no_zone_is_refused(meterline, zone):
    done = meterline("ingest", "-", "--zone", zone, input=b"", expect=2)
    assert "--zone" in done.err and "like Europe/London" in done.err


def test_uploads_name_a_zone(meterline, serve):
    server = serve(meterline, "--zone", "Europe/London")
    text = (wide.header() + wide.row("A", SPRING, BLANK_HOUR)).encode()
    assert server.upload(text)["readings"]["stored"] == 46
    assert server.upload(text, "?source=b&zone=%2B10:00")["zone"] == "+10:00"
    refused = server.upload(text, "?zone=Mars", expect=400)
    assert "like Europe/London" in refused["detail"]


def test_the_version_names_the_tz_database(meterline):
    assert "\ntime zones: tz database 20" in meterline("--version").out


def test_on_cassandra_as_well(on_cassandra):
    load(on_cassandra, (SPRING, BLANK_HOUR), (PLAIN, wide.same(Decimal("0.5"))))
    assert day(on_cassandra, SPRING)["expected"] == 46
    channel = on_cassandra.query("A", AUTUMN).json["channels"][0]
    assert channel["expected"] == 50
    portfolio = on_cassandra("portfolio", "--from", SPRING, "--to", AUTUMN, "--resolution",
                             "year").json["channels"][0]
    assert portfolio["expected"] == 211 * 48
    (channel,) = on_cassandra("meters").json["meters"][0]["channels"]
    assert channel["zone"] == "Europe/London"
