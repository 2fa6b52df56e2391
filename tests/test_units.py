"""A unit is asked for once: the store remembers it for files that name none."""
import subprocess
from decimal import Decimal

import pytest

import wide

ONE = (wide.header() + wide.row("A", "2019-01-01", wide.same(1))).encode()
TWO = (wide.header() + wide.row("A", "2019-01-02", wide.same(2))).encode()
ADVICE = "say what its readings are in with --unit kWh or the like"


@pytest.fixture(params=["meterline", "on_cassandra"])
def store(request):
    """A new store that knows no unit, and a program whose environment names none."""
    program = request.getfixturevalue(request.param)
    del program.env["METERLINE_UNIT"]
    return program


def channels(store):
    found = store.query("A", "2019-01-01", "2019-01-31").json["channels"]
    return sorted((channel["unit"] or "", channel["sum"]) for channel in found)


def unit(store):
    return store("store", "stats").json["unit"]


def test_a_file_without_a_unit_is_refused_and_what_to_do_is_said(store, tmp_path):
    wide.write(tmp_path / "in/1.csv", ONE.decode())
    wide.write(tmp_path / "in/2.csv", TWO.decode())
    done = store("ingest", tmp_path / "in", expect=2)
    assert "1.csv: refused: the file names no unit, and the store has none to take" in done.err
    assert ADVICE in done.err
    assert [delivery["state"] for delivery in done.json["deliveries"]] == ["refused"]
    assert store("deliveries").json["deliveries"] == [] and unit(store) is None
    assert "1 refused" in store("ingest", tmp_path / "in", "--output", "table", expect=2).out
    assert store("ingest", tmp_path / "in", "--dry-run").json["total"]["stored"] == 2


def test_the_first_unit_is_remembered(store):
    store("ingest", "-", "--unit", "kwh", input=ONE)
    assert unit(store) == "kWh"
    assert store("ingest", "-", input=TWO).delivery["unit"] == "kWh"
    assert channels(store) == [("kWh", 144)]
    assert store("ingest", "-", input=TWO).delivery["state"] == "skipped"


def test_a_store_may_be_told_its_unit_before_any_file(store):
    assert "unit kWh" in store("store", "init", "--unit", "kWh").json["made"]
    assert store("store", "init", "--unit", "KWH").json["made"] == []
    done = store("store", "init", "--unit", "Wh", expect=1)
    assert "--unit Wh: the store's unit is kWh, for good" in done.err
    assert store("ingest", "-", input=ONE).delivery["unit"] == "kWh"
    assert ("unit                " in store("store", "stats", "--output", "table").out and
            "unit,kWh\n" in store("store", "stats", "--output", "csv").out)


def test_another_unit_splits_no_meter_in_silence(store):
    store("ingest", "-", "--unit", "kWh", input=ONE)
    other = store("ingest", "-", "--unit", "kvarh", input=TWO).delivery
    assert other["state"] == "stored" and other["findingCounts"] == {"unit_differs": 1}
    assert "loaded as kvarh, while the store's unit is kWh" in other["findings"][0]["text"]
    assert store("ingest", "-", input=ONE).delivery["unit"] == "kWh"
    assert channels(store) == [("kWh", 48), ("kvarh", 96)]


def test_units_of_one_quantity_are_one_channel(store):
    store("ingest", "-", "--unit", "kWh", input=ONE)
    other = store("ingest", "-", "--unit", "Wh", input=TWO).delivery
    assert other["unit"] == "Wh" and other["findingCounts"] == {}
    assert channels(store) == [("kWh", Decimal("48.096"))]
    store("ingest", "-", "--unit", "MWh", input=TWO)
    assert channels(store) == [("kWh", 96048)]


def test_power_is_told_and_never_added_up(store):
    def day(resolution):
        answer = store.query("A", "2019-01-01", None, "--resolution", resolution).json
        return answer["channels"][0]

    store("ingest", "-", "--unit", "W", input=ONE)
    channel = day("interval")
    assert channel["unit"] == "kW" and channel["sum"] is None and channel["readings"] == 48
    assert {point["sum"] for point in channel["series"]} == {Decimal("0.001")}
    for resolution in ("hour", "day", "month"):
        channel = day(resolution)
        assert {point["sum"] for point in channel["series"]} == {None}
    all_meters = store("portfolio", "--from", "2019-01-01", "--to", "2019-01-01")
    channel = all_meters.json["channels"][0]
    assert channel["sum"] is None and channel["average"] is None and channel["meters"] == 1


def test_unknown_is_a_choice(store):
    store("ingest", "-", "--unit", "unknown", input=ONE)
    assert unit(store) == "unknown"
    assert store("ingest", "-", input=TWO).delivery["unit"] is None
    assert channels(store) == [("", 144)]


def test_uploads_are_asked_as_well(store, serve):
    server = serve(store)
    refused = server.upload(ONE, expect=422)
    assert refused["state"] == "refused" and "unit=kWh for an upload" in refused["reason"]
    assert server.upload(ONE, "?unit=unknown")["unit"] is None
    assert server.upload(TWO, "?source=two")["unit"] is None
    assert server.json("/?meterId=A&date=02-01-2019")["sum"] == 96
    assert "unit: want one of" not in server.get("/v1/deliveries?limit=1")
    assert "unknown" in server.upload(ONE, "?unit=litre", expect=400)["detail"]


def test_a_server_may_be_told_the_unit_of_uploads(store, serve):
    server = serve(store, "--unit", "MWh")
    assert server.upload(ONE)["unit"] == "MWh"
    server.stop()
    assert unit(store) == "MWh"


def test_a_copy_of_a_store_knows_its_unit(store, tmp_path):
    store("ingest", "-", "--unit", "varh", input=ONE)
    store("export", tmp_path / "copy")
    store.use_store(tmp_path / "other")
    del store.env["METERLINE_UNIT"]
    assert store("ingest", tmp_path / "copy").json["total"]["deliveries"] == 0
    assert unit(store) == "varh"
    assert store("ingest", "-", input=TWO).delivery["unit"] == "varh"


def test_programs_that_begin_at_once_end_in_one_unit(on_cassandra):
    store = on_cassandra
    del store.env["METERLINE_UNIT"]
    started = [store.start("ingest", "-", "--unit", name, stdin=subprocess.PIPE)
               for name in ("kWh", "Wh", "MWh")]
    for process in started:
        process.communicate(ONE, timeout=60)
        assert process.returncode == 0
    chosen = unit(store)
    assert chosen in ("kWh", "Wh", "MWh")
    assert store("ingest", "-", input=TWO).delivery["unit"] == chosen
    assert {name for name, _ in channels(store)} == {"kWh"}
