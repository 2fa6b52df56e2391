"""NEM13 through the real program: reads that are kept beside days, on one machine and on a
cluster; a sample of others; repeats, corrections, withdrawal, comparison, dry run, archive."""
import csv
import io
import pathlib
from decimal import Decimal

import pytest

DATA = pathlib.Path(__file__).parent / "data/nem13"
HEADER = "100,NEM13,201910021200,MDP1,RET1\n"


def record(value, stated="20191002110000", nmi="NMI1", time="20191001000000", suffix="11"):
    return (f"250,{nmi},11,1,{suffix},11,M1,E,100,20190701000000,A,,,{value},{time},A,,,"
            f"50.5,kWh,20200101,{stated},\n")


def nem13(*records):
    return HEADER + "".join(records) + "900\n"


@pytest.fixture(params=["meterline", "on_cassandra"])
def program(request):
    program = request.getfixturevalue(request.param)
    program.env.pop("METERLINE_UNIT", None)  # A file of NEM13 names its units.
    return program


def load(program, name, text, expect=0):
    path = program.folder / name
    path.write_text(text)
    return program("ingest", path, expect=expect).delivery


def values(program, meter="NMI1", *options):
    return [str(read["value"]) for read in program("registers", meter, *options).json["reads"]]


def test_a_published_file_is_read(meterline):
    delivery = meterline("ingest", DATA / "consumption_data.csv").delivery
    assert delivery["format"] == "nem13" and delivery["state"] == "stored"
    counts = {"read": 1, "stored": 1, "repeated": 0, "rejected": 0}
    assert delivery["rows"] == counts and delivery["registerReads"] == counts
    assert delivery["readings"]["read"] == 0
    (read,) = meterline("registers", "VABC005890").json["reads"]
    assert read.pop("version")["stated"] == "2004-01-08T00:03:33Z"
    assert read.pop("delivery") == delivery["id"]
    assert read == {
        "value": Decimal("7654.9"), "counted": Decimal("1312.1"),
        "previous": {"time": "2003-10-05T09:30:55+10:00", "value": Decimal("6342.8"),
                     "quality": "actual"},
        "channel": "11", "flow": "consumption", "unit": "kWh", "register": "1",
        "serial": "METSER123", "time": "2004-01-07T10:03:33+10:00", "quality": "actual",
        "nextRead": "2004-04-07"}


def test_reads_are_no_days(program):
    load(program, "a.csv", nem13(record("150.5"), record("160", time="20191101000000")))
    (meter,) = program("meters").json["meters"]
    assert meter == {"meter": "NMI1", "channels": [], "registerReads": True}
    assert program("portfolio", "--from", "2019-10-01", "--to", "2019-10-31").json[
        "channels"] == []
    assert values(program) == ["150.5", "160"]
    assert values(program, "NMI1", "--from", "2019-10-01") == ["150.5"]
    stats = program("store", "stats").json
    assert (stats["meters"], stats["channels"], stats["registerReads"]) == (1, 0, 2)
    check = program("store", "check").json
    assert (check["registerReads"], check["damageCount"]) == (2, 0)


def test_the_later_update_time_counts_wherever_it_stands(program):
    new = record("160", stated="20191003110000")
    delivery = load(program, "a.csv", nem13(new, record("150.5")))
    assert delivery["registerReads"] == {"read": 2, "stored": 1, "repeated": 1, "rejected": 0}
    assert delivery["findingCounts"] == {"read_replaced": 1}
    assert delivery["findings"][0]["line"] == 3
    load(program, "b.csv", nem13(record("170", stated="20191002120000")))
    assert values(program) == ["160"]
    newest = nem13(record("170", stated="20191004110000"))
    assert load(program, "b.csv", newest)["state"] == "stored"
    assert values(program) == ["170"]
    program("withdraw", program.folder / "b.csv", "--reason", "wrong", "--who", "ann")
    assert values(program) == ["160"]
    program("withdraw", program.folder / "b.csv", "--undo", "--who", "ann")
    assert values(program) == ["170"]


def test_faults_are_told_and_cost_their_record(meterline):
    done = meterline("ingest", DATA / "doc_faults.csv", "--rejects", "rejects.csv", expect=3)
    assert done.delivery["registerReads"] == {
        "read": 8, "stored": 1, "repeated": 0, "rejected": 7}
    assert done.delivery["rows"] == {"read": 9, "stored": 1, "repeated": 0, "rejected": 8}
    assert [finding["line"] for finding in done.delivery["findings"]] == list(range(2, 10))
    rejects = list(csv.reader(io.StringIO((meterline.folder / "rejects.csv").read_text())))
    assert len(rejects) >= 8
    table = meterline("deliveries", "--output", "table").out
    assert "register reads" in table
    (row,) = csv.DictReader(io.StringIO(meterline("deliveries", "--output", "csv").out))
    assert (row["registerReadsStored"], row["registerReadsRejected"]) == ("1", "7")


def test_a_dry_run_and_a_comparison_tell_of_reads(program):
    load(program, "a.csv", nem13(record("150.5"), record("1", nmi="NMI2"), record("2", nmi="NMI3")))
    path = program.folder / "b.csv"
    path.write_text(nem13(record("150.5", stated="20191002120000"),
                          record("5", nmi="NMI2", stated="20191002120000"),
                          record("6", nmi="NMI3", stated="20191002100000"),
                          record("7", nmi="NMI4"), record("8", nmi="NMI4", suffix="41")))
    compared = program("ingest", "--compare", path).delivery["comparison"]
    assert compared == {
        "days": {"new": 0, "replacing": 0, "notCounting": 0, "equal": 0},
        "registerReads": {"new": 2, "replacing": 1, "notCounting": 1, "equal": 1}, "sums": []}
    table = program("ingest", "--compare", path, "--output", "table").out
    assert "register reads: 2 new, 1 replacing, 1 not counting, 1 equal\n" in table
    (row,) = csv.DictReader(io.StringIO(
        program("ingest", "--compare", path, "--output", "csv").out))
    assert (row["registerReadsNew"], row["registerReadsEqual"], row["daysNew"]) == ("2", "1", "0")
    dry = program("ingest", "--dry-run", path).json
    assert dry["estimate"]["registerReads"] == 5 and dry["estimate"]["readingDays"] == 0
    assert dry["total"]["registerReads"]["stored"] == 5
    assert values(program, "NMI2") == ["1"]
    program("ingest", path)
    assert [values(program, f"NMI{i}") for i in (1, 2, 3, 4)] == [
        ["150.5"], ["5"], ["2"], ["7", "8"]]


def test_an_archive_carries_them_on(program, meterline, tmp_path):
    load(program, "a.csv", nem13(record("150.5"), record("160", time="20191101000000")))
    told = program("export", tmp_path / "a.archive", "--output", "json").json
    assert (told["registerReads"], told["days"]) == (2, 0)
    answers = [program(*question).out for question in (
        ("registers", "NMI1"), ("registers", "NMI1", "--output", "csv"), ("meters",))]
    meterline.use_store(tmp_path / "restored")
    restored = meterline("ingest", tmp_path / "a.archive").json["archives"][0]
    assert restored["registerReads"]["stored"] == 2
    assert [meterline(*question).out for question in (
        ("registers", "NMI1"), ("registers", "NMI1", "--output", "csv"), ("meters",))] == answers


def test_an_upload_and_standard_input_are_read_alike(meterline, serve):
    text = nem13(record("150.5"))
    meterline("ingest", "-", input=text.encode())
    first = meterline("registers", "NMI1").json["reads"]
    server = serve(meterline)
    assert server.upload(text.encode(), "?source=a.csv")["format"] == "nem13"
    again = server.json("/v1/meters/NMI1/registers")["reads"]
    for read in first + again:
        del read["delivery"], read["version"]["received"]
    assert again == first


def test_a_large_file_out_of_order_is_stored_whole(meterline):
    records = [record(f"{i}.5", nmi=f"NMI{i % 700:04}", suffix=f"{11 + i // 2100}",
                      time=f"20191{i // 700 % 3}01{i % 24:02}0000") for i in range(30_000)]
    delivery = load(meterline, "a.csv", nem13(*records))
    reads = delivery["registerReads"]
    assert reads["stored"] + reads["repeated"] == 30_000 and reads["rejected"] == 0
    assert meterline("store", "check").json["registerReads"] == reads["stored"]
    assert meterline("store", "stats").json["meters"] == 700
