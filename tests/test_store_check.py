"""Care of a store: made, checked, measured."""
import pytest

import wide


@pytest.fixture
def loaded(meterline, tmp_path):
    wide.write(tmp_path / "in/a.csv", wide.random_file(1, ["A", "B", "C"], 40))
    wide.write(tmp_path / "in/b.csv", wide.header() +
               wide.row("A", "2019-01-01", ["x"] + wide.same(1, 47)) +
               wide.row("A", "01/02/2019", wide.same(1)))
    meterline("ingest", "in", "--unit", "kWh", expect=3)
    return meterline


def test_a_healthy_store(loaded):
    done = loaded("store", "check")
    report = done.json
    assert done.err == ""
    assert (report["meters"], report["days"], report["totals"]) == (3, 121, 120)
    assert report["deliveries"] == 2 and report["unfinished"] == {"deliveries": 0, "days": 0}
    assert report["damageCount"] == 0 and report["damage"] == []
    assert loaded("store", "check", "--output", "csv").out == "kind,where,text\n"
    assert "damage               0\n" in loaded("store", "check", "--output", "table").out


def test_an_empty_store(meterline):
    assert meterline("store", "init").json == {"made": [meterline.env["METERLINE_STORE"]]}
    assert meterline("store", "check").json["days"] == 0
    stats = meterline("store", "stats").json
    assert stats["meters"] == 0 and stats["first"] is None


def test_damaged_files_are_found(loaded, tmp_path):
    """One byte of each table file in turn; restored, all is well again."""
    loaded("store", "check")
    tables = sorted((tmp_path / "store/db").glob("*.sst"))
    assert tables
    for table in tables:
        whole = table.read_bytes()
        table.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
        done = loaded("store", "check", expect=1)
        assert "meterline: " in done.err
        table.write_bytes(whole)
    assert loaded("store", "check").json["damageCount"] == 0


def test_stats_count_what_the_reports_say(loaded):
    report = loaded("ingest", "in", "--unit", "kWh").json
    stored = sum(each["readings"]["stored"] for each in report["deliveries"])
    stats = loaded("store", "stats").json
    assert (stats["meters"], stats["channels"], stats["deliveries"]) == (3, 3, 2)
    assert (stats["first"], stats["last"]) == ("2019-01-01", "2019-02-09")
    assert stats["rows"] == 121 and stats["readings"] == stored
    assert stats["figures"]["days_file_bytes"] >= 0
    rows = loaded("store", "stats", "--output", "csv").out.splitlines()
    assert rows[:3] == ["what,value", "meters,3", "channels,3"]
    table = loaded("store", "stats", "--output", "table").out.splitlines()
    assert [line.split()[0] for line in table] == [row.split(",")[0] for row in rows]


def test_init_tells_what_it_made(meterline):
    assert meterline("store", "init", "--output", "table").out.startswith("made rocksdb:")
    done = meterline("store", "init", "--output", "table")
    assert done.out == "" and "nothing was made" in done.err
    wide_file = wide.header() + wide.row("A", "2019-01-01", wide.same(1))
    meterline("ingest", "-", input=wide_file.encode())


@pytest.mark.parametrize("args, message", [
    (["store"], "`meterline store --help` tells what there is"),
    (["store", "check", "--nope"], "--nope; `meterline store check --help` tells what there is"),
    (["store", "check", "--limit", "0"], "--limit: Value 0 not in range"),
    (["store", "init", "--replication", "0"], "--replication: Value 0 not in range 1 to 100"),
    (["store", "init", "--replication", "3"], "only a store on a cluster has replicas"),
    (["store", "init", "--data-centres", "dc1=3"], "only a store on a cluster has replicas"),
    (["store", "init", "--data-centres", "dc1"], "want NAME=N,NAME=N, like dc1=3,dc2=2"),
    (["store", "init", "--replication", "3", "--data-centres", "dc1=3"], "excludes"),
    (["store", "init", "--store", "mysql://host/db"], "--store: want rocksdb:DIR"),
    (["export"], "FILE is required"),
])
def test_wrong_usage(meterline, args, message):
    done = meterline(*args, expect=2)
    assert message in done.err and done.err.count("\n") == 1 and done.out == ""


def test_an_option_of_a_verb_of_store_from_the_environment(loaded):
    loaded.env["METERLINE_LIMIT"] = "none"
    assert "--limit" in loaded("store", "check", expect=2).err
