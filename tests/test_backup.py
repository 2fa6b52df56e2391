"""Backups of a store in a folder: made beside a server, killed in the middle, restored."""
import signal
import struct
import threading
import time

import pytest

import wide
from conftest import Meterline, finish
from test_errors import like_any_user

CALLS = ("open", "write", "sync", "rename")
BUCKET = "backups"


def file_of(number, meters=20):
    """A day of some meters."""
    return wide.header() + "".join(
        wide.row(f"M{meter:03}", wide.day(number), wide.same(number + 1))
        for meter in range(meters))


def load(meterline, numbers):
    for number in numbers:
        name = f"day{number}.csv"
        wide.write(meterline.folder / name, file_of(number), modified="2019-02-01T00:00:00")
        meterline("ingest", name, "--unit", "kWh")


@pytest.fixture
def loaded(meterline):
    load(meterline, range(5))
    return meterline


@pytest.fixture
def place(tmp_path):
    return tmp_path / "backups"


def restored(meterline, place, *options, name="restored"):
    """Another store, made of a backup."""
    (meterline.folder / name).mkdir()
    other = Meterline(meterline.folder / name)
    other.use_store(meterline.folder / name / "store")
    other.env |= {key: meterline.env[key] for key in meterline.env if key.startswith("AWS_")}
    other("store", "restore", place, *options)
    return other


def test_a_backup_comes_back_as_it_was(loaded, place):
    made = loaded("store", "backup", place).json
    assert made["filesCopied"] == made["files"] and made["bytesCopied"] == made["bytes"]
    wanted = loaded.answers()
    load(loaded, [7])
    assert loaded.answers() != wanted
    other = restored(loaded, place)
    assert other.answers() == wanted
    assert other("store", "check").json["damageCount"] == 0
    load(other, [7])
    days = ("M003", wide.day(0), wide.day(7))
    assert other.day_sums(*days) == loaded.day_sums(*days)
    assert loaded("store", "backup", "check", place).json["damage"] == []


def test_the_next_one_copies_what_changed(loaded, place):
    first = loaded("store", "backup", place).json
    load(loaded, [5])
    second = loaded("store", "backup", place).json
    assert second["backup"] > first["backup"]
    listed = loaded("store", "backup", "list", place).json["backups"]
    assert [one["backup"] for one in listed] == [first["backup"], second["backup"]]
    assert [one["bytes"] for one in listed] == [first["bytes"], second["bytes"]]
    assert second["bytesCopied"] < second["bytes"]
    third = loaded("store", "backup", place, "--keep", 2).json
    assert third["forgotten"] == [first["backup"]]
    assert loaded("store", "backup", "check", place).json["backups"] == 2
    assert "no backup " + first["backup"] in loaded(
        "store", "restore", place, "--backup", first["backup"], "--store", "rocksdb:other",
        expect=1).err


def test_beside_a_server_that_loads_each_backup_is_whole(meterline, place, serve):
    server = serve(meterline, "--create")
    acknowledged, done = [], threading.Event()

    def upload():
        for number in range(60):
            server.upload(file_of(number).encode(), f"?unit=kWh&source={number}")
            acknowledged.append(number)
        done.set()

    uploading = threading.Thread(target=upload)
    uploading.start()
    backups = 0
    while True:
        was_done, before = done.is_set(), len(acknowledged)
        backup = meterline("store", "backup", place, "--keep", 3).json["backup"]
        other = restored(meterline, place, "--backup", backup, name=f"restored{backups}")
        assert len(other("deliveries", "--limit", 100).json["deliveries"]) >= before
        assert other("store", "check").json["damageCount"] == 0
        backups += 1
        if was_done:
            break
    uploading.join()
    assert backups > 1
    assert other.answers() == meterline.answers()


def test_it_needs_no_right_to_change_the_store(loaded, tmp_path):
    """As a user of its own that makes the backups."""
    place = tmp_path / "of-nobody"
    place.mkdir(mode=0o777)
    place.chmod(0o777)
    made = loaded("store", "backup", place, preexec_fn=like_any_user)
    assert made.json["files"] > 3
    assert restored(loaded, place).answers() == loaded.answers()


class Killing:
    """Runs that are killed at one of their calls below a folder."""

    def __init__(self, library, below, call):
        self.env = {"LD_PRELOAD": str(library), "FAIL_BELOW": f"{below}/", "FAIL_CALL": call,
                    "FAIL_ERRNO": "KILL"}

    def run(self, meterline, *command, at, expect=-signal.SIGKILL, count=""):
        env = meterline.env | self.env | {"FAIL_AT": str(at), "FAIL_COUNT": str(count)}
        return finish(meterline.start(*command, env=env), expect)

    def count(self, meterline, *command):
        """How many there are when all goes well."""
        file = meterline.folder / "count"
        self.run(meterline, *command, at=0, expect=0, count=file)
        return struct.unpack("=q", file.read_bytes())[0]


@pytest.mark.parametrize("call", CALLS)
def test_killed_in_the_middle_it_harms_no_backup(loaded, place, failing_calls, call):
    loaded("store", "backup", place)
    load(loaded, [5])  # So that there is something to copy.
    command = ["store", "backup", place, "--keep", 1]
    killing = Killing(failing_calls, place, call)
    calls = killing.count(loaded, *command)
    assert calls > 3
    for at in range(1, calls + 1):
        load(loaded, [5 + at])
        killing.run(loaded, *command, at=at)
        checked = loaded("store", "backup", "check", place).json
        assert checked["damage"] == [] and checked["backups"] >= 1, at
    loaded("store", "backup", place, "--keep", 1)
    assert restored(loaded, place).answers() == loaded.answers()
    # The mark, the lock, the tables and one backup.
    assert len(list(place.iterdir())) == 4


@pytest.mark.parametrize("call", CALLS)
def test_a_restore_that_is_killed_leaves_no_half_of_a_store(loaded, place, failing_calls, call):
    loaded("store", "backup", place)
    wanted = loaded.archive()
    target = loaded.folder / "target"
    command = ["store", "restore", place, "--store", f"rocksdb:{target}/store"]
    killing = Killing(failing_calls, target, call)
    target.mkdir()
    calls = killing.count(loaded, *command)
    assert calls > 3
    for at in range(1, calls + 1):
        other = Meterline(loaded.folder)
        other.use_store(target / f"store{at}")
        killing.run(other, "store", "restore", place, at=at)
        if not (other.store / "FORMAT").exists():
            assert "there is no store" in other("meters", expect=4).err
            other("store", "restore", place)
        assert other.archive() == wanted, at


def test_a_full_disk_is_told_and_harms_nothing(loaded, place, failing_calls):
    loaded("store", "backup", place)
    load(loaded, [5])
    env = loaded.env | {"LD_PRELOAD": str(failing_calls), "FAIL_BELOW": f"{place}/",
                        "FAIL_CALL": "write", "FAIL_AT": "1", "FAIL_LASTING": "1",
                        "FAIL_ERRNO": "28"}
    done = finish(loaded.start("store", "backup", place, env=env), 1)
    assert "the disk is full" in done.err
    checked = loaded("store", "backup", "check", place).json
    assert (checked["backups"], checked["damage"]) == (1, [])


def test_a_damaged_table_is_found_and_put_anew(loaded, place):
    loaded("store", "backup", place)
    table = max((place / "tables").iterdir(), key=lambda path: path.stat().st_size)
    whole = table.read_bytes()
    table.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    checked = loaded("store", "backup", "check", place, expect=1)
    assert [damage["file"] for damage in checked.json["damage"]] == [f"tables/{table.name}"]
    assert "cannot be restored" in checked.err
    assert loaded("store", "backup", "check", place, "--names-only").json["damage"] == []
    failed = loaded("store", "restore", place, "--store", "rocksdb:other", expect=1)
    assert "does not hold what it held" in failed.err
    table.unlink()
    loaded("store", "backup", place)
    assert loaded("store", "backup", "check", place).json["damage"] == []
    assert table.read_bytes() == whole


def test_a_damaged_store_is_not_taken(loaded, place):
    """Rather no new backup than one that takes the place of a whole one."""
    loaded("store", "backup", place)
    table = max((loaded.store / "db").glob("*.sst"), key=lambda path: path.stat().st_size)
    whole = table.read_bytes()
    table.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    other = loaded.folder / "elsewhere"
    failed = loaded("store", "backup", other, expect=1)
    assert "is not as it was written" in failed.err
    assert "no backup" in loaded("store", "backup", "list", other, expect=1).err
    table.write_bytes(whole)


def test_what_cannot_be_is_told(loaded, place, tmp_path):
    assert "want a place" in loaded("store", "backup", expect=2).err
    assert "there is no store" in loaded("store", "backup", place, "--store", "rocksdb:none",
                                         expect=4).err
    assert "Medusa" in loaded("store", "backup", place, "--store", "cassandra://h/k?dc=d",
                              expect=2).err
    assert "no folder" in loaded("store", "backup", "list", place, expect=1).err
    loaded("store", "backup", place)
    assert "there is a store" in loaded("store", "restore", place, expect=1).err
    (tmp_path / "another").mkdir()
    other = Meterline(tmp_path / "another")
    load(other, [1])
    assert "another store" in other("store", "backup", place, expect=1).err
    home = tmp_path / "home"
    home.mkdir()
    (home / "letter.txt").write_text("mine")
    assert "letter.txt" in loaded("store", "backup", home, expect=1).err
    assert (home / "letter.txt").read_text() == "mine"


def test_answers_come_as_tables_and_csv(loaded, place):
    made = loaded("store", "backup", place, "--output", "csv").out.splitlines()
    assert made[0] == "backup,files,bytes,filesCopied,bytesCopied,forgotten"
    backup = made[1].split(",")[0]
    listed = loaded("store", "backup", "list", place, "--output", "table").out
    assert listed.splitlines()[1].startswith(backup)
    assert loaded("store", "backup", "list", place, "--output",
                  "csv").out.splitlines()[1].startswith(backup + ",")
    assert "damage" in loaded("store", "backup", "check", place, "--output", "table").out
    assert loaded("store", "backup", "check", place, "--output",
                  "csv").out == "file,reason,backups\n"
    restore = ["store", "restore", place, "--store", "rocksdb:other", "--output", "table"]
    assert loaded(*restore).out.splitlines()[1].startswith(backup)


def test_a_server_tells_of_its_last_backup(loaded, place, serve):
    backup = loaded("store", "backup", place).json
    server = serve(loaded, "--backups", place)
    metrics = dict(line.rsplit(" ", 1) for line in server.get("/metrics").splitlines()
                   if not line.startswith("#"))
    told = float(metrics["meterline_last_backup_timestamp_seconds"])
    assert time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(told)) == backup["backup"]
    received = float(metrics["meterline_last_delivery_timestamp_seconds"])
    assert told - 60 < received < told + 1  # An id has no parts of a second.
    stats = loaded("store", "stats").json["figures"]
    assert float(metrics['meterline_store_bytes{part="recent"}']) == stats["recent_bytes"] > 0


def test_backups_in_s3_are_the_same(loaded, local_aws):
    """With the checksum of each object, so that S3 itself refuses what came otherwise."""
    loaded.env |= local_aws.env
    s3 = local_aws.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    url = f"s3://{BUCKET}/of/store"
    first = loaded("store", "backup", url).json
    load(loaded, [5])
    second = loaded("store", "backup", url, "--keep", 1).json
    assert second["forgotten"] == [first["backup"]]
    assert second["bytesCopied"] < second["bytes"]
    keys = {found["Key"] for found in s3.list_objects_v2(Bucket=BUCKET)["Contents"]}
    assert f"of/store/{second['backup']}/backup.txt" in keys
    assert not [key for key in keys if first["backup"] in key]
    assert loaded("store", "backup", "check", url).json["damage"] == []
    assert restored(loaded, url).answers() == loaded.answers()
    table = next(key for key in keys if "/tables/" in key)
    s3.delete_object(Bucket=BUCKET, Key=table)
    checked = loaded("store", "backup", "check", url, expect=1).json
    assert [damage["reason"] for damage in checked["damage"]] == ["it is not there"]
    assert "NoSuchBucket" in loaded("store", "backup", "s3://nowhere/x", expect=1).err

