"""A whole store as one file, and back."""
import os
import signal

import pytest

import wide

MAGIC = b"\x28\xb5\x2f\xfd"


@pytest.fixture
def loaded(meterline, tmp_path):
    """Deliveries that correct each other, one with no good row, and one that is no file."""
    meters = [f"M{number}" for number in range(20)]
    wide.write(tmp_path / "in/a.csv", wide.random_file(1, meters, 40))
    wide.write(tmp_path / "in/b.csv", wide.random_file(2, meters[:5], 40), "2019-03-01T00:00:00")
    wide.write(tmp_path / "in/c.csv", wide.header() + wide.row("A B", "2019-01-01", wide.same(1)))
    wide.write(tmp_path / "in/d.csv", "no file\n")
    meterline("ingest", "in", "--unit", "kWh", expect=1)
    return meterline


def export(meterline, name, *args):
    return meterline("export", name, "--output", "json", *args).json


def test_another_store_gives_the_same_answers_and_the_same_archive(loaded, tmp_path):
    told = export(loaded, "a.archive")
    assert told == {"file": "a.archive", "bytes": (tmp_path / "a.archive").stat().st_size,
                    "deliveries": 4, "meters": 20, "days": 1000, "registerReads": 0,
                    "daysLeftOut": 0, "registerReadsLeftOut": 0}
    answers = loaded.answers()
    stats = loaded("store", "stats").json

    loaded.use_store(tmp_path / "other")
    report = loaded("ingest", "a.archive").json
    (archive,) = report["archives"]
    assert archive["source"] == str(tmp_path / "a.archive") and archive["state"] == "stored"
    assert (archive["restored"], archive["skipped"]) == (4, 0)
    assert archive["rows"]["stored"] == 1000 and archive["rows"]["rejected"] == 1
    assert report["deliveries"] == [] and report["total"]["deliveries"] == 0
    assert loaded.answers() == answers
    other = loaded("store", "stats").json
    assert {**other, "figures": None} == {**stats, "figures": None}

    export(loaded, "b.archive")
    assert (tmp_path / "b.archive").read_bytes() == (tmp_path / "a.archive").read_bytes()

    (again,) = loaded("ingest", "a.archive").json["archives"]
    assert (again["state"], again["restored"], again["skipped"]) == ("skipped", 0, 4)
    assert loaded.answers() == answers
    assert loaded("store", "check").json["damageCount"] == 0


def test_files_already_loaded_are_known_after_a_restore(loaded, tmp_path):
    export(loaded, "a.archive")
    loaded.use_store(tmp_path / "other")
    loaded("ingest", "a.archive")
    states = [each["state"] for each in
              loaded("ingest", "in", "--unit", "kWh", expect=1).json["deliveries"]]
    assert states == ["skipped", "skipped", "refused", "refused"]


def test_through_a_pipe(loaded, tmp_path):
    done = loaded.start("export", "-")
    out, err = done.communicate()
    assert done.returncode == 0 and out.startswith(MAGIC)
    assert (b"exported 4 deliveries, 20 meters, 1,000 days and 0 register reads to standard output"
            in err)
    answers = loaded.answers()
    loaded.use_store(tmp_path / "other")
    done = loaded("ingest", "-", "--output", "table", input=out)
    assert "stdin: an archive: 4 deliveries restored, 0 already loaded" in done.err
    assert loaded.answers() == answers


def test_beside_other_files_in_a_folder(loaded, tmp_path):
    export(loaded, "in/whole.archive")
    loaded.use_store(tmp_path / "other")
    report = loaded("ingest", "in", "--unit", "kWh", expect=1).json
    assert [each["state"] for each in report["deliveries"]] == ["stored"] * 2 + ["refused"] * 2
    (archive,) = report["archives"]
    assert archive["restored"] + archive["skipped"] == 4


def test_a_damaged_one_is_refused_and_leaves_no_trace(loaded, tmp_path):
    export(loaded, "a.archive")
    whole = (tmp_path / "a.archive").read_bytes()
    loaded.use_store(tmp_path / "other")
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    for damaged in (whole[:len(whole) // 2], whole[:-1], bytes(flipped), whole + b"more"):
        wide.write(tmp_path / "bad.archive", damaged)
        done = loaded("ingest", "bad.archive", expect=1)
        (archive,) = done.json["archives"]
        assert archive["state"] == "refused" and archive["reason"] in done.err
        assert loaded("deliveries").json["deliveries"] == []
        assert loaded("meters").json["meters"] == []
        done = loaded("ingest", "-", input=damaged, expect=1)
        assert done.json["archives"][0]["state"] == "refused"
        assert loaded("meters").json["meters"] == []
    wide.write(tmp_path / "bad.archive", whole)
    loaded("ingest", "bad.archive")


def test_an_upload_is_refused(loaded, tmp_path, serve):
    export(loaded, "a.archive")
    server = serve(loaded)
    answer = server.upload((tmp_path / "a.archive").read_bytes(), expect=422)
    assert "this is an archive of a whole store" in answer["reason"]


def test_no_file_is_replaced_unless_asked_to(loaded, tmp_path):
    wide.write(tmp_path / "a.archive", "mine")
    done = loaded("export", "a.archive", expect=2)
    assert done.err == ("meterline: a.archive exists; name another file, or add --force to replace "
                        "it\n")
    assert (tmp_path / "a.archive").read_text() == "mine"
    export(loaded, "a.archive", "--force")
    assert (tmp_path / "a.archive").read_bytes().startswith(MAGIC)


def test_an_export_that_cannot_be_written_leaves_nothing(loaded, tmp_path):
    with open("/dev/full", "wb") as full:
        done = loaded("export", "-", expect=1, stdout=full)
    assert "cannot write" in done.err
    done = loaded("export", "no/folder/a.archive", expect=1)
    assert "cannot make no/folder/a.archive: No such file or directory" in done.err
    assert "is no file" in loaded("export", "in", expect=2).err
    assert not [name for name in os.listdir(tmp_path) if "archive" in name]


def test_a_terminal_gets_no_bytes(loaded):
    terminal, end = os.openpty()
    with os.fdopen(end, "wb") as out:
        done = loaded("export", "-", expect=2, stdout=out)
    os.close(terminal)
    assert "standard output is a terminal" in done.err


def test_a_store_that_does_not_exist(meterline, tmp_path):
    for args in (["export", "a.archive"], ["store", "check"], ["store", "stats"]):
        assert "there is no store in" in meterline(*args, expect=4).err
    assert os.listdir(tmp_path) == []


def test_an_export_can_be_stopped(loaded, tmp_path):
    """Into a pipe that nobody reads on: it waits there, and ends when asked to."""
    loaded("ingest", "-", input=wide.large_file(3, [f"L{n}" for n in range(60)], 365).encode())
    process = loaded.start("export", "-")
    assert process.stdout.read(1) == MAGIC[:1]
    process.send_signal(signal.SIGTERM)
    rest, err = process.communicate()
    assert process.returncode == 1 and b"stopped on request" in err
    loaded.use_store(tmp_path / "other")
    loaded("ingest", "-", input=MAGIC[:1] + rest, expect=1)
    assert loaded("meters").json["meters"] == []
