"""A log that is damaged: named, repaired, and what is lost is told."""
import signal

import pytest

import wide

UPLOADS = 30


def file_of(n):
    return (wide.header() + wide.row(f"M{n:02}", "2019-01-01", wide.same(n)) +
            wide.row("SHARED", f"2019-01-{n + 1:02}", wide.same(1))).encode()


def upload_all(server, expect=201):
    for n in range(UPLOADS):
        answer = server.upload(file_of(n), f"?source={n}&deliveredAt=2019-03-01T00:00:00Z",
                               expect=expect)
        assert answer["rows"]["stored"] == 2


def log_of(meterline):
    (log,) = (meterline.store / "db").glob("*.log")
    return log


@pytest.fixture
def killed(meterline, serve):
    """30 uploads were acknowledged, then the server was killed."""
    server = serve(meterline)
    upload_all(server)
    server.stop(signal.SIGKILL, expect=-signal.SIGKILL)
    return meterline


def flip(file, at):
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)


def sources(meterline):
    return {delivery["source"] for delivery in
            meterline("deliveries", "--limit", 100).json["deliveries"]}


def test_a_clean_stop_leaves_nothing_in_the_log(meterline, serve):
    server = serve(meterline)
    upload_all(server)
    server.stop()
    assert log_of(meterline).read_bytes() == b""
    assert len(sources(meterline)) == UPLOADS


def test_one_bit_of_the_log_is_named_and_one_delivery_is_lost(killed, serve):
    log = log_of(killed)
    at = log.stat().st_size // 2
    flip(log, at)
    for args in (["store", "check"], ["meters"], ["serve", "--listen", "127.0.0.1:0"]):
        done = killed(*args, expect=1)
        assert f"{log} is damaged at byte " in done.err and "`meterline store repair`" in done.err

    seen = killed("store", "repair", expect=1)
    (lost,) = seen.json["lost"]
    (delivery,) = lost["deliveries"]
    assert lost["file"] == str(log) and lost["from"] <= at < lost["to"]
    assert seen.json["writesKept"] == UPLOADS  # 29 deliveries and the store's unit.
    assert seen.json["applied"] is False and "`meterline store repair --apply`" in seen.err
    assert killed("meters", expect=1).out == ""  # Nothing was changed.
    csv = killed("store", "repair", "--output", "csv", expect=1).out.splitlines()
    assert csv[0] == "file,from,to,delivery,source,deliveredAt" and delivery["id"] in csv[1]

    done = killed("store", "repair", "--apply")
    assert done.json["applied"] is True
    assert done.json["damagedDatabase"] == f"{killed.store}/damaged-1"
    wanted = {f"upload:{n}" for n in range(UPLOADS)}
    assert wanted - sources(killed) == {delivery["source"]}
    assert killed("store", "check").json["damageCount"] == 0
    assert "nothing was changed" in killed("store", "repair", "--apply").err

    server = serve(killed)
    for n in range(UPLOADS):
        is_lost = f"upload:{n}" == delivery["source"]
        server.upload(file_of(n), f"?source={n}&deliveredAt=2019-03-01T00:00:00Z",
                      expect=201 if is_lost else 200)


def test_a_log_that_ends_early_is_no_damage(killed):
    log = log_of(killed)
    log.write_bytes(log.read_bytes()[:-5])
    assert len(sources(killed)) == UPLOADS - 1


def test_a_cluster_is_not_repaired(meterline):
    done = meterline("store", "repair", "--store", "cassandra://127.0.0.1/x", expect=2)
    assert "only a store in a folder (rocksdb:DIR) is repaired by this" in done.err
