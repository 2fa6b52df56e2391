"""What `meterline ingest` takes in, refuses, and reports."""
import csv
import io
import os

import pytest

import wide

ONE = wide.header() + wide.row("A", "2019-01-01", wide.same(1))
TWO = wide.header() + wide.row("A", "2019-01-02", wide.same(2))
HOURS = [f"{hour}:00" for hour in range(24)]


def states(report):
    return {os.path.basename(delivery["source"]): delivery["state"]
            for delivery in report["deliveries"]}


def test_a_folder_is_loaded_with_all_below_it_in_order(meterline, tmp_path):
    folder = tmp_path / "in"
    for index, name in enumerate(["b/2.csv", "a.csv", "b/10.csv", "c/d/e.txt"]):
        wide.write(folder / name, wide.header() + wide.row("M", wide.day(index), wide.same(index)))
    wide.write(folder / ".hidden.csv", "no")
    wide.write(folder / "b/half.csv.part", "no")
    report = meterline("ingest", folder).json
    assert [delivery["source"] for delivery in report["deliveries"]] == [
        str(folder / name) for name in ("a.csv", "b/10.csv", "b/2.csv", "c/d/e.txt")]
    assert report["total"]["stored"] == 4
    assert meterline.day_sums("M", wide.day(0), wide.day(3)) == {
        wide.day(index): 48 * index for index in range(4)}


def test_the_report_has_the_documented_shape(meterline, tmp_path):
    file = wide.write(tmp_path / "f.csv", wide.header(HOURS) + (
        wide.row("A", "2019-01-01", wide.same(1, 24)) +
        wide.row("A", "2019-01-02", ["x", ""] + wide.same(1, 22)) +
        wide.row("A B", "2019-01-03", wide.same(1, 24)) +
        wide.row("A", "2019-01-01", wide.same(2, 24))))
    delivery = meterline("ingest", file, "--unit", "Wh", expect=3).delivery
    assert len(delivery["id"]) == 32 and len(delivery["sha256"]) == 64
    wanted = {"source": str(file), "state": "stored", "reason": None, "format": "wide-csv",
              "deliveredAt": "2019-02-01T00:00:00Z", "bytes": file.stat().st_size, "unit": "Wh",
              "rows": {"read": 4, "stored": 2, "repeated": 1, "rejected": 1},
              "readings": {"read": 96, "stored": 46, "missing": 1, "repeated": 24, "rejected": 25},
              "findingCounts": {"repeated": 1, "bad_value": 1, "bad_meter_id": 1}}
    assert {key: delivery[key] for key in wanted} == wanted
    assert [(finding["line"], finding["column"], finding["code"], finding["excerpt"])
            for finding in delivery["findings"]] == [
                (2, 0, "repeated", "A,2019-01-01"), (3, 3, "bad_value", "x"),
                (4, 1, "bad_meter_id", "A B")]
    assert all(finding["text"] for finding in delivery["findings"])


def test_rejected_rows_are_written_with_their_reasons(meterline, tmp_path):
    bad_row, bad_cell = wide.row('"A ""B"""', "2019-01-01", wide.same(1)), "1e5," + "1," * 46 + "1"
    file = wide.write(tmp_path / "f.csv", wide.header() + bad_row + f"A,2019-01-02,{bad_cell}\n" +
                      wide.row("A", "2019-01-03", wide.same(1)))
    meterline("ingest", file, "--rejects", tmp_path / "rejects.csv", expect=3)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "rejects.csv").read_text())))
    assert [(row["source"], row["line"], row["row"]) for row in rows] == [
        (str(file), "2", bad_row.rstrip("\n")), (str(file), "3", f"A,2019-01-02,{bad_cell}")]
    assert "bad_meter_id: " in rows[0]["reasons"] and "bad_value: " in rows[1]["reasons"]


def test_kept_findings_are_capped_and_counts_are_not(meterline, tmp_path):
    bad = "".join(wide.row("A", f"2019-13-{index % 9}1", wide.same(1)) for index in range(1500))
    file = wide.write(tmp_path / "f.csv", wide.header() + bad)
    for options, kept in (([], 1000), (["--findings-max", 7], 7), (["--findings-max", 0], 0)):
        meterline.use_store(tmp_path / f"store-{kept}")
        delivery = meterline("ingest", file, *options, expect=1).delivery
        assert [finding["line"] for finding in delivery["findings"]] == list(range(2, kept + 2))
        assert delivery["findingCounts"] == {"bad_date": 1500}
        assert delivery["rows"]["rejected"] == 1500


@pytest.mark.parametrize("pack", [
    lambda text: text.encode(),
    lambda text: wide.gzip_members(text),
    lambda text: wide.gzip_members(text[:40_000], text[40_000:]),
    wide.zstd_frame,
], ids=["plain", "gzip", "gzip of two members", "zstd"])
def test_packed_files_are_known_by_their_content(meterline, tmp_path, pack):
    text = wide.random_file(1, ["A", "B"], 300)
    file = wide.write(tmp_path / "no-suffix", pack(text))
    assert meterline("ingest", file).delivery["rows"]["stored"] == 600
    for meter in "AB":
        assert meterline.day_sums(meter, wide.day(0), wide.day(299)) == {
            day: total for (name, day), total in wide.sums_of(text).items() if name == meter}


def test_a_damaged_file_is_refused_and_the_good_one_beside_it_stored(meterline, tmp_path):
    packed = wide.gzip_members(wide.random_file(2, ["BAD"], 200))
    flipped = packed[:-6] + bytes([packed[-6] ^ 1]) + packed[-5:]
    folder = tmp_path / "in"
    wide.write(folder / "cut.gz", packed[:len(packed) // 2])
    wide.write(folder / "flipped.gz", flipped)
    wide.write(folder / "good.csv", ONE)
    done = meterline("ingest", folder, expect=1)
    assert states(done.json) == {"cut.gz": "refused", "flipped.gz": "refused", "good.csv": "stored"}
    for delivery in done.json["deliveries"][:2]:
        assert "gzip data damaged at byte" in delivery["reason"]
        assert "fetch the file again" in delivery["reason"]
        assert f"{delivery['source']}: refused: {delivery['reason']}" in done.err
    assert [meter["meter"] for meter in meterline("meters").json["meters"]] == ["A"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_says_how_characters_are_written(meterline, tmp_path, encoding):
    done = meterline("ingest", wide.write(tmp_path / "f.csv", ONE.encode(encoding)))
    assert done.delivery["state"] == "stored" and done.delivery["findingCounts"] == {}
    assert [meter["meter"] for meter in meterline("meters").json["meters"]] == ["A"]


@pytest.mark.parametrize("content, reason", [
    (b"", "the file is empty"),
    (b"\n\r\n", "the file is empty"),
    (ONE.encode("utf-16-le"), "iconv"),
    (bytes(range(256)) * 20, "binary content"),
    (b"Meter,Date,0:00,0:30,0:30\n", "0:30"),
    (b"Meter,0:00,0:30\n", "Date"),
    (b"<html></html>\n", "HTML page"),
    (b"hello\n", "Meter"),
])
def test_what_is_no_such_file_is_refused_with_the_reason(meterline, tmp_path, content, reason):
    done = meterline("ingest", wide.write(tmp_path / "f.csv", content), expect=1)
    assert done.delivery["state"] == "refused" and reason in done.delivery["reason"]
    assert done.delivery["rows"]["read"] == 0 and done.delivery["findings"] == []
    assert meterline("meters").json["meters"] == []


def test_a_second_run_changes_nothing(meterline, tmp_path):
    folder = tmp_path / "in"
    for index in range(3):
        wide.write(folder / f"{index}.csv", wide.random_file(index, [f"M{index}"], 30))
    meterline("ingest", folder)
    before = meterline.answers()
    report = meterline("ingest", folder).json
    assert set(states(report).values()) == {"skipped"} and report["total"]["skipped"] == 3
    assert report["total"]["rows"]["read"] == 0
    assert "3 already loaded" in meterline("ingest", folder, "--output", "table").out
    assert meterline.answers() == before


def test_stdin_is_a_source_of_its_own_and_known_again(meterline, tmp_path):
    wide.write(tmp_path / "f.csv", ONE)
    meterline("ingest", tmp_path / "f.csv")
    assert meterline("ingest", "-", input=ONE.encode()).delivery["state"] == "stored"
    assert meterline("ingest", "-", input=ONE.encode()).delivery["state"] == "skipped"


def test_a_changed_file_is_a_new_delivery(meterline, tmp_path):
    file = wide.write(tmp_path / "f.csv", ONE, "2019-02-01T00:00:00")
    meterline("ingest", file)
    wide.write(file, ONE.replace(",1,", ",3,"), "2019-02-02T00:00:00")
    assert meterline("ingest", file).delivery["state"] == "stored"
    assert meterline.day_sums("A", "2019-01-01", "2019-01-01") == {"2019-01-01": 48 * 3 - 2 * 24}
    assert len(meterline("deliveries").json["deliveries"]) == 2


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_newest_version_of_each_reading_counts_in_any_order(meterline, tmp_path, order):
    empty = wide.same("", 24)
    versions = [  # Half a day, then the other half, then one reading corrected.
        ("2019-02-01T00:00:00", wide.same(1, 24) + empty),
        ("2019-02-02T00:00:00", empty + wide.same(2, 24)),
        ("2019-02-03T00:00:00", [100] + wide.same("", 47))]
    files = [wide.write(tmp_path / f"{index}.csv",
                        wide.header() + wide.row("A", "2019-01-01", values), modified)
             for index, (modified, values) in enumerate(versions)]
    def sum_of(*options):
        return [channel["sum"] for channel in
                meterline.query("A", "2019-01-01", None, *options).json["channels"]]

    then = {"2019-02-28": []}  # By when the question was asked.
    for index in order:
        received = meterline("ingest", files[index]).delivery["receivedAt"]
        then[received] = sum_of()
    (channel,) = meterline.query("A", "2019-01-01").json["channels"]
    assert (channel["sum"], channel["readings"]) == (171, 48)
    assert channel["version"]["stated"] == "2019-02-03T00:00:00Z"
    for as_of, sums in then.items():  # Not by the files' own times.
        assert [total for total in sum_of("--as-of", as_of) if total is not None] == sums


def test_delivered_at_takes_the_place_of_the_modification_time(meterline, tmp_path):
    late = wide.write(tmp_path / "late.csv", ONE, "2020-01-01T00:00:00")
    early = wide.write(tmp_path / "early.csv", ONE.replace(",1,", ",7,"), "2018-01-01T00:00:00")
    meterline("ingest", early, "--delivered-at", "2019-03-01T12:00:00Z")
    delivery = meterline("ingest", late, "--delivered-at", "2019-02-01T00:00:00Z").delivery
    assert delivery["deliveredAt"] == "2019-02-01T00:00:00Z"
    (channel,) = meterline.query("A", "2019-01-01").json["channels"]
    assert channel["version"]["stated"] == "2019-03-01T12:00:00Z"


def test_units_are_kept_and_never_mixed(meterline, tmp_path):
    meterline("ingest", wide.write(tmp_path / "1.csv", ONE), "--unit", "kWh")
    meterline("ingest", wide.write(tmp_path / "2.csv", TWO), "--unit", "kvarh")
    channels = meterline.query("A", "2019-01-01", "2019-01-02").json["channels"]
    assert sorted((channel["unit"], channel["sum"]) for channel in channels) == [
        ("kWh", 48), ("kvarh", 96)]


def test_sums_are_exact(meterline):
    values = ["0.1", "0.2", "123456789012.345", "-0.000001"] + wide.same("", 44)
    meterline("ingest", "-", input=(wide.header() + wide.row("A", "2019-01-01", values)).encode())
    assert '"sum":123456789012.644999,' in meterline.query("A", "2019-01-01").out


def test_options_come_from_the_environment_and_from_a_file(meterline, tmp_path):
    file = wide.write(tmp_path / "f.csv", ONE)
    meterline.env["METERLINE_UNIT"] = "MWh"
    assert meterline("ingest", file).delivery["unit"] == "MWh"
    config = wide.write(tmp_path / "c.toml", f'store = "rocksdb:{tmp_path}/other"\noutput = "csv"\n'
                        '[ingest]\nunit = "Wh"\n')
    del meterline.env["METERLINE_STORE"], meterline.env["METERLINE_UNIT"]
    assert ",Wh," in meterline("--config", config, "ingest", file).out
    assert (tmp_path / "other" / "FORMAT").exists()
    assert ",kWh," in meterline("meters", "--config", config).out
    meterline.env["METERLINE_CONFIG"] = str(config)
    assert "2019-01-01" in meterline("meters").out
    assert meterline("meters", "--output", "json").json["meters"]  # The command line counts most.
    meterline.env["METERLINE_OUTPUT"] = "json"
    assert meterline("meters").json["meters"]  # And the environment more than the file.
    assert "2019-01-01" in meterline("meters", "--output", "csv").out


def test_the_default_store_is_in_the_working_folder(meterline, tmp_path):
    del meterline.env["METERLINE_STORE"]
    meterline("ingest", "-", input=ONE.encode())
    assert (tmp_path / "meterline-data" / "FORMAT").exists()
