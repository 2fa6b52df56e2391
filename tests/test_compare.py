"""`meterline ingest --compare`, and what reports tell of times."""
import csv
import io

import pytest

import wide


def day(number, value):
    return wide.row("A", wide.day(number), wide.same(value))


OLD = wide.header() + day(0, 1) + day(1, 1) + day(2, 1)
NEW = wide.header() + day(1, 1) + day(2, "2.5") + day(3, 4)


@pytest.fixture(params=["meterline", "on_cassandra"])
def store(request, tmp_path):
    """One file is stored, as kWh, and another one that says more is at hand."""
    program = request.getfixturevalue(request.param)
    del program.env["METERLINE_UNIT"]
    wide.write(tmp_path / "old.csv", OLD)
    wide.write(tmp_path / "new.csv", NEW, "2019-03-01T00:00:00")
    program("ingest", tmp_path / "old.csv", "--unit", "kWh")
    return program


def test_a_newer_file_replaces_what_differs(store, tmp_path):
    before = store.answers()
    delivery = store("ingest", "--compare", tmp_path / "new.csv").delivery
    assert delivery["state"] == "stored" and delivery["unit"] == "kWh"
    assert delivery["comparison"] == {
        "days": {"new": 1, "replacing": 1, "notCounting": 0, "equal": 1},
        "sums": [{"flow": "consumption", "unit": "kWh", "before": 96, "after": 360}]}
    assert store.answers() == before

    store("ingest", tmp_path / "new.csv")
    assert store.day_sums("A", wide.day(1), wide.day(3)) == {
        wide.day(1): 48, wide.day(2): 120, wide.day(3): 192}
    again = store("ingest", "--compare", tmp_path / "new.csv").delivery
    assert again["state"] == "skipped"
    assert again["comparison"] == {
        "days": {"new": 0, "replacing": 0, "notCounting": 0, "equal": 0}, "sums": []}


def test_an_older_file_does_not_count_where_a_newer_one_is(store, tmp_path):
    older = ("--delivered-at", "2019-01-15T12:00:00Z")
    delivery = store("ingest", "--compare", tmp_path / "new.csv", *older).delivery
    assert delivery["comparison"]["days"] == {
        "new": 1, "replacing": 0, "notCounting": 1, "equal": 1}
    assert delivery["comparison"]["sums"][0]["after"] == 288
    assert delivery["findingCounts"] == {}  # It is the first of its source.

    wide.write(tmp_path / "old.csv", NEW, "2019-01-15T00:00:00")
    put_back = store("ingest", tmp_path / "old.csv").delivery
    assert put_back["state"] == "stored" and put_back["findingCounts"] == {"older_delivery": 1}
    assert "2019-02-01T00:00:00Z" in put_back["findings"][0]["text"]
    assert store.day_sums("A", wide.day(2), wide.day(3)) == {wide.day(2): 48, wide.day(3): 192}


def test_as_csv_and_as_a_table(store, tmp_path):
    wide.write(tmp_path / "in/a.csv", NEW, "2019-03-01T00:00:00")
    wide.write(tmp_path / "in/b.csv", "no file")
    out = store("ingest", "--compare", tmp_path / "in", "--output", "csv", expect=1).out
    good, bad = csv.DictReader(io.StringIO(out))
    assert list(good.values()) == [str(tmp_path / "in/a.csv"), "stored", "1", "1", "0", "1",
                                   "consumption", "kWh", "96", "360", "0", "0", "0", "0"]
    assert list(bad.values()) == [str(tmp_path / "in/b.csv"), "refused", "0", "0", "0", "0",
                                  "", "", "", "", "0", "0", "0", "0"]
    lines = store("ingest", "--compare", tmp_path / "in", "--output", "table",
                  expect=1).out.splitlines()
    assert lines[0].split("  ")[0] == "state" and lines[1].split() == [
        "stored", "1", "1", "0", "1", "consumption", "kWh", "96", "360",
        str(tmp_path / "in/a.csv")]
    assert lines[-1] == "Compared with the store: nothing was stored"


def test_another_quantity_shows_as_new_days(store, tmp_path):
    delivery = store("ingest", "--compare", tmp_path / "new.csv", "--unit", "kvarh").delivery
    assert delivery["comparison"] == {
        "days": {"new": 3, "replacing": 0, "notCounting": 0, "equal": 0},
        "sums": [{"flow": "consumption", "unit": "kvarh", "before": 0, "after": 360}]}
    assert delivery["findingCounts"] == {"unit_differs": 1}


def test_there_must_be_something_to_compare_with(meterline, tmp_path):
    wide.write(tmp_path / "new.csv", NEW)
    done = meterline("ingest", "--compare", tmp_path / "new.csv", expect=4)
    assert "store" in done.err and not (tmp_path / "store").exists()
    for other in ("--dry-run", "--sweep"):
        assert "excludes" in meterline("ingest", "--compare", other, "x", expect=2).err


def test_a_file_from_the_future_counts_from_its_receipt(meterline, tmp_path):
    file = wide.write(tmp_path / "a.csv", NEW, "2100-01-01T00:00:00")
    delivery = meterline("ingest", file).delivery
    assert delivery["findingCounts"] == {"delivery_in_future": 1}
    assert delivery["deliveredAt"] == delivery["receivedAt"]
    assert delivery["findings"][0]["excerpt"] == "2100-01-01T00:00:00Z"
    assert "delivery_in_future" in meterline(
        "ingest", file, "--delivered-at", "2100-01-02", "--output", "table").err


def test_an_upload_may_say_when_it_was_delivered(meterline, server):
    delivery = server.upload(OLD.encode(), "?deliveredAt=2019-02-01T00:00:00Z&source=a")
    assert delivery["deliveredAt"] == "2019-02-01T00:00:00Z" < delivery["receivedAt"]
    older = server.upload(NEW.encode(), "?deliveredAt=2019-01-01&source=a")
    assert older["findingCounts"] == {"older_delivery": 1}
    assert server.json("/?meterId=A&date=03-01-2019")["sum"] == 48
    assert "deliveredAt" in server.upload(NEW.encode(), "?deliveredAt=now", expect=400)["detail"]


def test_deliveries_tell_their_reader(meterline):
    meterline("ingest", "-", input=OLD.encode())
    (delivery,) = meterline("deliveries").json["deliveries"]
    assert delivery["reader"] == 1 and "zone" not in delivery and "feed" not in delivery
    (line,) = csv.DictReader(io.StringIO(meterline("deliveries", "--output", "csv").out))
    assert (line["reader"], line["zone"], line["feed"]) == ("1", "", "")
