"""`ingest --dry-run`: what it reports, that it stores nothing, and how good its estimate is."""
import json
import re

import pytest

import wide
from conftest import Meterline, without_receipts

ONE = wide.header() + wide.row("A", "2019-01-01", wide.same(1)) + wide.row(
    "B", "2018-12-31", wide.same("1.5"))


def by_meter(folder):
    """A year of many meters, files by meter."""
    for number in range(4):
        meters = [f"METER{number}{index:02}" for index in range(25)]
        wide.write(folder / f"{number}.csv", wide.large_file(number, meters, 365))


def by_day(folder):
    """A month of some meters, a file a day: more files than are loaded together."""
    for number in range(120):
        rows = wide.random_file(number, [f"M{index}" for index in range(40)], 1)
        wide.write(folder / f"{number:03}.csv", rows.replace(wide.day(0), wide.day(number)),
                   modified=f"2019-06-{number % 28 + 1:02}T00:00:00")


def many_findings(folder):
    """Few meters, and a report of more than half a megabyte."""
    bad = "".join(wide.row("A" * 60, f"2019-13-{index:05}", wide.same(1)) for index in range(8000))
    wide.write(folder / "bad.csv", ONE + bad)
    wide.write(folder / "good.csv", wide.random_file(5, ["A", "B"], 365))


SHAPES = [by_meter, by_day, many_findings]
FINDINGS = ["--findings-max", 10_000]

# Table -> its columns: how many are of the partition key, of the clustering key, other ones.
TABLES = {
    "reading_days": ("meter, year, date, channel, version, day", 2, 3, 1),
    "day_totals": ("period, bucket, version, first_meter, last_meter, totals", 2, 3, 1),
    "meters": ("bucket, meter, channel, year", 1, 3, 0),
    "deliveries": ("id, content, part, record", 1, 2, 1),
    "deliveries_by_time": ("month, delivered_at, id", 1, 2, 0),
    "deliveries_by_receipt": ("month, received_at, id", 1, 2, 0),
    "deliveries_by_source": ("source, delivered_at, id", 1, 2, 0),
    "catalogue": ("kind, name", 1, 1, 0),
}


def units_of(row, partition, clustering, others):
    """Keyspaces' developer guide, "Estimate row size": a unit for each KB begun."""
    sizes = [len(cell) for cell in row]
    keys, rest = sizes[:partition + clustering], sizes[partition + clustering:]
    assert len(rest) == others
    size = 100 + 2 * sum(keys) + 3 * partition + sum(rest) + others
    size += sum(-(-key // 5) for key in keys[partition:])
    return -(-size // 1024)


def rows_and_units(cluster, keyspace):
    """Of all that the tables hold, but for the lines that tell of schema, buckets and unit."""
    rows = units = 0
    with cluster.cql() as cql:
        for table, (columns, *shape) in TABLES.items():
            for row in cql(f"SELECT {columns} FROM {keyspace}.{table}"):
                if table == "catalogue" and row[0] in (b"schema", b"buckets", b"unit"):
                    continue
                rows += 1
                units += units_of(row, *shape)
    return rows, units


def told_by(done):
    """What a load, or a dry run, says of its files, but for when they were received."""
    report = json.loads(without_receipts(done.out))
    return {key: report[key] for key in ("deliveries", "total")}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_estimate_is_what_a_load_writes(on_cassandra, cassandra_node, tmp_path, shape):
    folder = tmp_path / "files"
    shape(folder)
    expect = 3 if shape is many_findings else 0
    dry = on_cassandra("ingest", folder, "--dry-run", *FINDINGS, expect=expect)
    estimate = dry.json["estimate"]["keyspaces"]
    assert rows_and_units(cassandra_node, on_cassandra.keyspace) == (0, 0)
    loaded = on_cassandra("ingest", folder, *FINDINGS, expect=expect)
    rows, units = rows_and_units(cassandra_node, on_cassandra.keyspace)
    assert estimate == {"rows": rows, "writeUnits": units}
    assert told_by(dry) == told_by(loaded)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_embedded_bytes_are_about_those_of_a_load(meterline, tmp_path, shape):
    folder = tmp_path / "files"
    shape(folder)
    expect = 3 if shape is many_findings else 0
    estimate = meterline("ingest", folder, "--dry-run", expect=expect).json["estimate"]
    meterline("ingest", folder, expect=expect)
    figures = meterline("store", "stats").json["figures"]
    real = sum(figures[name] for name in ("days_file_bytes", "totals_file_bytes", "recent_bytes"))
    assert 0.8 * real <= estimate["embeddedBytes"] <= 1.25 * real


def test_nothing_is_stored_and_no_store_is_needed(meterline, tmp_path):
    file = wide.write(tmp_path / "f.csv", ONE)
    meterline.use_url("cassandra://127.0.0.1:1/nowhere")
    done = meterline("ingest", file, "--dry-run", "--unit", "kWh")
    assert done.delivery["state"] == "stored" and done.delivery["unit"] == "kWh"
    estimate = done.json["estimate"]
    assert estimate | {"packedBytes": 0, "embeddedBytes": 0, "keyspaces": 0} == {
        "readingDays": 2, "registerReads": 0, "meters": 2, "from": "2018-12-31", "to": "2019-01-01",
        "packedBytes": 0, "embeddedBytes": 0, "keyspaces": 0}
    assert 0 < estimate["packedBytes"] < estimate["embeddedBytes"]
    meterline.use_store(tmp_path / "store")
    meterline("ingest", file, "--dry-run")
    assert not meterline.store.exists()
    assert meterline("ingest", file).delivery["state"] == "stored"


def test_findings_and_refusals_are_told_as_by_a_load(meterline, tmp_path):
    folder = tmp_path / "in"
    wide.write(folder / "a.csv", ONE + wide.row("A", "2019-13-01", wide.same(1)))
    wide.write(folder / "b.csv", "no such file")
    rejects = tmp_path / "rejects.csv"
    dry = meterline("ingest", folder, "--dry-run", "--rejects", rejects, expect=1)
    told = rejects.read_text()
    assert "bad_date" in told
    loaded = meterline("ingest", folder, "--rejects", rejects, expect=1)
    assert rejects.read_text() == told
    assert told_by(dry) == told_by(loaded)
    assert dry.err == loaded.err


def test_the_table_tells_the_estimate(meterline, tmp_path):
    file = wide.write(tmp_path / "f.csv", ONE)
    out = meterline("ingest", file, "--dry-run", "--output", "table").out
    assert "A dry run: nothing was stored. 2 reading days of 2 meters, 2018-12-31 to" in out
    assert re.search(r"[\d,]+ bytes packed; embedded about [\d,]+; on Amazon Keyspaces \d+ write "
                     r"units for \d+ rows", out)
    done = meterline("ingest", file, "--dry-run", "--output", "csv")
    assert len(done.out.splitlines()) == 2 and "A dry run" in done.err


def test_of_a_file_without_rows_there_are_no_dates(meterline, tmp_path):
    file = wide.write(tmp_path / "f.csv", wide.header())
    estimate = meterline("ingest", file, "--dry-run").json["estimate"]
    assert (estimate["readingDays"], estimate["from"], estimate["to"]) == (0, None, None)


def test_an_archive_is_counted_with_all_its_versions(meterline, tmp_path):
    meterline("ingest", wide.write(tmp_path / "1.csv", ONE))
    meterline("ingest", wide.write(tmp_path / "2.csv", ONE.replace(",1,1", ",2,2")))
    meterline("export", tmp_path / "archive.bin")
    other = Meterline(tmp_path / "other")
    other.folder = tmp_path
    dry = other("ingest", tmp_path / "archive.bin", "--dry-run").json
    assert dry["archives"][0]["restored"] == 2
    assert dry["estimate"]["readingDays"] == 4


def test_a_sweep_cannot_be_dry(meterline):
    assert "--dry-run" in meterline("ingest", "s3://bucket/x", "--sweep", "--dry-run",
                                    expect=2).err
