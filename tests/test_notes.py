"""What sources say of readings beside their class, from an archive to every answer."""
import hashlib
import subprocess

import pytest

import wide

HOURS = [f"{hour}:00" for hour in range(24)]
#: A day of 24 hours of 5 kWh (docs/formats/archive.md): format and grid; readings.
GRID, READINGS = bytes.fromhex("020500"), bytes.fromhex("00fcffff03")
#: Substituted for a reason in the hours 1 and 2, and a word on hour 5.
NOTES = (b"\x01\x02\x00" b"\x01S" b"\x0214" b"\x0232" + bytes([len("fuse, \u00e9teint".encode())]) +
         "fuse, \u00e9teint".encode() + b"\x02\x01\x00" b"\x01F" b"\x00\x00\x00")
NOTE = {"flag": "S", "method": "14", "reasonCode": "32", "reasonText": "fuse, \u00e9teint"}
FLAG = {"flag": "F", "method": None, "reasonCode": None, "reasonText": None}


def expanded(path):
    return subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True).stdout


def with_notes(archive, notes):
    """The archive of one day with notes put into it."""
    def sized(packed):
        return bytes([len(packed)]) + packed

    before = sized(GRID + b"\0" + READINGS)
    body = archive[:-37]
    assert body.count(before) == 1
    body = body.replace(before, sized(GRID + b"\x80" + sized(notes) + READINGS))
    return body + archive[-37:-32] + hashlib.sha256(body).digest()


@pytest.fixture
def plain(meterline, tmp_path):
    """The archive of a store with one day, expanded."""
    row = wide.row("A", wide.day(0), wide.same(5, 24))
    wide.write(tmp_path / "a.csv", wide.header(HOURS) + row)
    meterline("ingest", "a.csv", "--unit", "kWh")
    meterline("export", "a.archive")
    return expanded(tmp_path / "a.archive")


@pytest.fixture
def noted(meterline, plain, tmp_path):
    """A store whose one day has notes."""
    meterline.use_store(tmp_path / "noted")
    (tmp_path / "noted.archive").write_bytes(with_notes(plain, NOTES))
    meterline("ingest", "noted.archive")
    return meterline


def intervals(meterline, output):
    return meterline("query", "A", "--from", wide.day(0), "--resolution", "interval",
                     "--output", output)


def test_intervals_show_them(noted):
    (channel,) = intervals(noted, "json").json["channels"]
    notes = {point["start"][11:16]: point["note"] for point in channel["series"]
             if "note" in point}
    assert notes == {"01:00": NOTE, "02:00": NOTE, "05:00": FLAG}
    assert channel["sum"] == 120

    lines = intervals(noted, "csv").out.splitlines()
    assert lines[0].endswith(",stated,received,flag,method,reasonCode,reasonText")
    said = [line for line in lines[1:] if not line.endswith(",,,,")]
    assert said == [lines[2], lines[3], lines[6]]
    assert lines[2].endswith(',S,14,32,"fuse, \u00e9teint"') and lines[6].endswith(",F,,,")

    table = intervals(noted, "table").out.splitlines()
    assert table[1].endswith("  note")
    assert table[3].endswith("  S 14 32 fuse, \u00e9teint") and table[7].endswith("  F")


def test_longer_spans_do_not(noted):
    for resolution in ("hour", "day"):
        answer = noted.query("A", wide.day(0), None, "--resolution", resolution)
        assert '"note"' not in answer.out


def test_tables_without_notes_have_no_column_for_them(meterline, plain):
    assert "note" not in intervals(meterline, "table").out
    assert ",,,,\n" in intervals(meterline, "csv").out


def test_history_shows_them(noted):
    (channel,) = noted("history", "A", wide.day(0), "--output", "json").json["channels"]
    (version,) = channel["versions"]
    assert version["notes"] == [{"start": "2019-01-01T01:00:00", "intervals": 2, **NOTE},
                                {"start": "2019-01-01T05:00:00", "intervals": 1, **FLAG}]
    assert [change["start"][11:16] for change in version["changes"] if "noteAfter" in change] == [
        "01:00", "02:00", "05:00"]
    assert all("noteBefore" not in change for change in version["changes"])
    table = noted("history", "A", wide.day(0), "--output", "table").out
    assert "01:00  03:00  S 14 32 fuse, \u00e9teint\n" in table
    assert "5 (S 14 32 fuse, \u00e9teint)\n" in table
    header, line = noted("history", "A", wide.day(0), "--output", "csv").out.splitlines()
    assert dict(zip(header.split(","), line.split(",")))["notes"] == "2"


def test_the_same_over_http(noted, serve):
    told = intervals(noted, "json").json
    server = serve(noted)
    assert server.json(f"/v1/meters/A/consumption?from={wide.day(0)}&resolution=interval") == told


def test_an_archive_carries_them_on(noted, plain, tmp_path):
    assert noted("store", "check").json["damageCount"] == 0
    noted("export", "again.archive")
    assert expanded(tmp_path / "again.archive") == with_notes(plain, NOTES)


@pytest.mark.parametrize("notes", [
    b"\x00\x01\x00" b"\x01\n" b"\x00\x00\x00",  # A control character.
    b"\x18\x01\x00" b"\x01S" b"\x00\x00\x00",  # Beyond the day.
    b"\x00\x01\x00" b"\x01\xff" b"\x00\x00\x00",  # Not UTF-8.
])
def test_damaged_ones_are_refused(meterline, plain, tmp_path, notes):
    meterline.use_store(tmp_path / "other")
    (tmp_path / "bad.archive").write_bytes(with_notes(plain, notes))
    (archive,) = meterline("ingest", "bad.archive", expect=1).json["archives"]
    assert archive["state"] == "refused"
    assert "damaged notes" in archive["reason"]
