"""What became of deliveries: the list by state and time, and one with its findings."""
import pytest

import wide

GOOD = wide.header() + wide.row("A", "2019-01-01", wide.same(1))
BAD = wide.header() + wide.row("A", "2019-01-02", wide.same(2)) + wide.row(
    "A", "someday", wide.same(3))


@pytest.fixture
def loaded(meterline):
    for name, text in (("good.csv", GOOD), ("bad.csv", BAD), ("none.csv", "Meter,Date\n")):
        wide.write(meterline.folder / name, text)
    meterline("ingest", "good.csv", "--unit", "kWh")
    meterline("ingest", "bad.csv", "--unit", "kWh", expect=3)
    meterline("ingest", "none.csv", expect=1)
    return meterline


def names(done):
    return [delivery["source"].rsplit("/", 1)[1] for delivery in done.json["deliveries"]]


def test_the_list_is_of_a_state_and_of_what_came_since(loaded):
    everything = loaded("deliveries").json["deliveries"]
    for state in ("stored", "refused"):
        wanted = [d["source"] for d in everything if d["state"] == state]
        assert [d["source"] for d in
                loaded("deliveries", "--state", state).json["deliveries"]] == wanted
    assert names(loaded("deliveries", "--state", "stored", "--limit", "1"))
    assert names(loaded("deliveries", "--source", "good.csv")) == ["good.csv"]
    loaded("withdraw", "good.csv", "--reason", "wrong")
    assert names(loaded("deliveries", "--state", "withdrawn")) == ["good.csv"]
    assert "good.csv" not in names(loaded("deliveries", "--state", "stored"))
    (bad,) = [d for d in everything if d["source"].endswith("bad.csv")]
    since = names(loaded("deliveries", "--since", bad["receivedAt"]))
    assert "bad.csv" in since and "good.csv" not in since
    assert names(loaded("deliveries", "--since", "2019-01-01")) == names(loaded("deliveries"))
    assert names(loaded("deliveries", "--since", "2199-01-01")) == []
    assert "--state" in loaded("deliveries", "--state", "lost", expect=2).err
    assert "--since" in loaded("deliveries", "--since", "noon", expect=2).err


def test_one_is_shown_with_its_findings(loaded):
    (bad,) = loaded("deliveries", "--source", "bad.csv").json["deliveries"]
    shown = loaded("deliveries", "show", bad["id"]).json
    assert shown["id"] == bad["id"] and shown["rows"]["rejected"] == 1
    (finding,) = shown["findings"]
    assert (finding["line"], finding["code"]) == (3, "bad_date")
    table = loaded("deliveries", "show", bad["id"], "--output", "table").out
    assert "2 read: 1 stored, 0 repeated, 1 rejected" in table
    assert "bad_date" in table and "someday" in table and str(loaded.folder) in table
    assert "bad_date" in loaded("deliveries", "show", bad["id"], "--output", "csv").out
    assert "no delivery" in loaded("deliveries", "show", "0" * 32, expect=1).err
    assert "32 hexadecimal digits" in loaded("deliveries", "show", "nope", expect=2).err
