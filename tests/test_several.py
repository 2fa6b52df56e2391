"""Several processes on one embedded store: questions beside whoever owns it, and what changes it,
handed to the server that has it."""
import gzip
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import tempfile
import threading

import pytest

import wide
from conftest import Meterline, Server, finish, wait_until
from test_errors import like_any_user

NOBODY = 65534
JANUARY = ("--from", "2019-01-01", "--to", "2019-01-31")
QUESTIONS = [
    ["meters"], ["meters", "--output", "table"], ["deliveries"],
    ["query", "A", *JANUARY], ["query", "A", *JANUARY, "--resolution", "interval"],
    ["profile", "A", *JANUARY], ["top", *JANUARY], ["portfolio", *JANUARY], ["gaps", *JANUARY],
    ["gaps", "A", *JANUARY], ["history", "A", "2019-01-01"],
    ["changes", "--since", "2019-01-01"], ["registers", "A"], ["store", "stats"],
    ["store", "check"], ["export", "-"], ["ingest", "day1.csv", "--compare"],
]


def day_of(number, meters=("A", "B")):
    """A file of one day."""
    return wide.header() + "".join(
        wide.row(meter, f"2019-01-{number:02}", wide.same(number)) for meter in meters)


def write_days(folder, numbers):
    for number in numbers:
        wide.write(folder / f"day{number}.csv", day_of(number), modified="2019-02-01T00:00:00")


@pytest.fixture
def loaded(meterline):
    write_days(meterline.folder, range(1, 6))
    meterline("ingest", *[f"day{n}.csv" for n in range(1, 6)], "--unit", "kWh")
    meterline("withdraw", "day5.csv", "--reason", "wrong")
    return meterline


def answers(program, **options):
    """Of all questions; stats without the bytes of files, which differ where some are only in the
    log."""
    told = {}
    for question in QUESTIONS:
        process = program.start(*question, **options)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, (question, err.decode())
        out = re.sub(rb'"figures":.*', b"", out)
        if "--compare" in question:  # Received now.
            out = re.sub(rb'"receivedAt":"[^"]*"', b"", out)
        told[" ".join(question)] = out
    return told


def test_questions_are_answered_beside_a_server(loaded, serve):
    alone = answers(loaded)
    server = serve(loaded)
    assert answers(loaded) == alone
    more = day_of(6)
    server.upload(more.encode(), "?unit=kWh&source=day6&deliveredAt=2019-02-02T00:00:00Z")
    beside = answers(loaded)
    assert beside["meters"] != alone["meters"]
    assert loaded("portfolio", *JANUARY).out.strip() == server.get(
        "/v1/portfolio?from=2019-01-01&to=2019-01-31").strip()
    server.stop()
    assert answers(loaded) == beside


def test_many_questions_at_once(loaded, serve):
    wanted = loaded("portfolio", *JANUARY).out
    serve(loaded)
    asked = [loaded.start("portfolio", *JANUARY) for _ in range(6)]
    assert {finish(process, 0).out for process in asked} == {wanted}


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_acknowledged_is_seen_while_more_comes(meterline, serve, signal_number):
    """One uploads, and one asks: whatever was acknowledged before it asks is in the answer."""
    server = serve(meterline)
    acknowledged, uploads, ended = [], 120, threading.Event()

    def upload_all():
        try:
            for n in range(uploads):
                meters = [f"M{n:03}"] + [f"X{n:03}-{i}" for i in range(300 if n % 10 == 0 else 1)]
                server.upload(day_of(1, meters).encode(), f"?unit=kWh&source={n}")
                acknowledged.append(f"M{n:03}")
        finally:
            ended.set()

    thread = threading.Thread(target=upload_all)
    thread.start()
    questions = 0
    while not ended.is_set():
        before = set(acknowledged)
        seen = {meter["meter"] for meter in
                meterline("meters", "--prefix", "M", "--limit", 1000).json["meters"]}
        assert before <= seen
        questions += 1
    thread.join()
    assert questions > 0 and len(acknowledged) == uploads
    server.stop(signal_number, expect=0 if signal_number == signal.SIGTERM else -signal_number)
    assert len(meterline("meters", "--prefix", "M", "--limit", 1000).json["meters"]) == uploads
    assert meterline("store", "check").json["damageCount"] == 0


@pytest.fixture
def readable(loaded):
    """The store in a folder that everybody may read and nobody write into."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="meterline-readable-"))
    shutil.copytree(loaded.store, folder / "store")
    shutil.copy(loaded.folder / "day1.csv", folder)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    shutil.rmtree(folder)


def like_nobody():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


@pytest.mark.parametrize("become", [like_any_user] + [like_nobody] * (os.geteuid() == 0))
def test_questions_need_no_permission_to_write(loaded, readable, become):
    wanted = answers(loaded)
    program = Meterline(readable)
    options = {"preexec_fn": become, "cwd": readable}
    before = sorted(readable.rglob("*"))
    told = answers(program, **options)
    # A delivery's source is the path that it was loaded from.
    compare = "ingest day1.csv --compare"
    told.pop(compare), wanted.pop(compare)
    assert told == wanted
    assert sorted(readable.rglob("*")) == before
    for verb in (["ingest", "day1.csv"], ["withdraw", "day1.csv", "--reason", "x"],
                 ["erase", "A", "--yes"], ["serve", "--listen", "127.0.0.1:0"]):
        done = program(*verb, expect=6, **options)
        assert f"no permission to change the store in {readable}/store" in done.err


def test_a_folder_that_may_not_be_read_is_none_without_a_store(loaded):
    loaded.store.chmod(0)
    try:
        for verb in (["meters"], ["ingest", "day1.csv"], ["store", "check"]):
            done = loaded(*verb, expect=6, preexec_fn=like_any_user)
            assert f"no permission to read {loaded.store}/FORMAT (Permission denied)" in done.err
    finally:
        loaded.store.chmod(0o755)


def plain(done):
    """A report without the times and ids that differ between two loads."""
    changing = r"/\S*/|\b[0-9a-f]{32}\b|\d{4}-\d\d-\d\dT[\d:.]+Z"
    return re.sub(changing, "", done.out), re.sub(changing, "", done.err)


BAD = wide.header() + wide.row("A", "2019-01-09", wide.same(9)) + wide.row(
    "A", "someday", wide.same(9))
CHANGES = [
    (["ingest", "day1.csv", "day2.csv", "--unit", "kWh"], 0),
    (["ingest", "day1.csv", "--unit", "kWh"], 0),
    (["ingest", "day3.csv", "--unit", "kWh", "--output", "table"], 0),
    (["ingest", "bad.csv", "--unit", "kWh"], 3),
    (["ingest", "nope.csv"], 1),
    (["ingest", "big.csv.gz", "--unit", "kWh"], 0),
    (["withdraw", "day2.csv", "--reason", "wrong", "--who", "ann"], 0),
    (["withdraw", "day2.csv", "--undo", "--who", "ann"], 0),
    (["withdraw", "nope.csv", "--reason", "wrong"], 1),
    (["ingest", "nem12.csv"], 0),
    (["store", "prune", "--before", "2019-01-02", "--yes"], 0),
    (["erase", "B", "--yes"], 0),
    (["ingest", "day4.csv", "--unit", "kWh"], 3),
    (["erase", "B", "--allow"], 0),
    (["store", "init", "--unit", "Wh"], 1),
]


def test_changes_beside_a_server_are_reported_and_end_as_alone(tmp_path, serve):
    """The same verbs, alone and beside a server, end in the same store."""
    programs = []
    for name in ("alone", "other"):
        folder = tmp_path / name
        folder.mkdir()
        write_days(folder, range(1, 5))
        wide.write(folder / "bad.csv", BAD, modified="2019-02-02T00:00:00")
        big = wide.large_file(3, [f"L{n}" for n in range(40)], 60).encode()
        wide.write(folder / "big.csv.gz", gzip.compress(big, mtime=0),
                   modified="2019-02-03T00:00:00")
        wide.write(folder / "nem12.csv", NEM12, modified="2019-02-04T00:00:00")
        programs.append(Meterline(folder))
    alone, beside = programs
    alone("ingest", "-", input=day_of(1, ["Z"]).encode())
    beside("ingest", "-", input=day_of(1, ["Z"]).encode())
    server = serve(beside)
    for verb, code in CHANGES:
        told = plain(beside(*verb, expect=code))
        assert told == plain(alone(*verb, expect=code)), verb
        assert [meter["meter"] for meter in server.json("/v1/meters?limit=1000")["meters"]] == [
            meter["meter"] for meter in alone("meters", "--limit", 1000).json["meters"]], verb
    questions = [question for question in QUESTIONS
                 if question[0] in ("query", "portfolio", "gaps")]
    for question in questions:
        assert plain(beside(*question)) == plain(alone(*question))
    server.stop()
    for question in questions:
        assert plain(beside(*question)) == plain(alone(*question))
    assert beside("store", "check").json["damageCount"] == 0


NEM12 = "".join(line + "\r\n" for line in (
    "100,NEM12,200301011534,MDP1,Retailer1",
    "200,NEM1201009,E1,E1,E1,N1,01009,kWh,30,",
    "300,20190101," + ",".join(["1.5"] * 48) + ",A,,,20190102120000,",
    "900"))


def test_a_server_that_was_killed_leaves_nothing_in_the_way(loaded, serve):
    server = serve(loaded)
    server.stop(signal.SIGKILL, expect=-signal.SIGKILL)
    assert (loaded.store / "socket").is_socket()
    loaded("meters")
    write_days(loaded.folder, [7])
    assert loaded("ingest", "day7.csv", "--unit", "kWh").delivery["state"] == "stored"
    again = serve(loaded)
    write_days(loaded.folder, [8])
    assert loaded("ingest", "day8.csv", "--unit", "kWh").delivery["state"] == "stored"
    again.stop()
    assert not (loaded.store / "socket").exists()


def test_a_load_that_loses_its_server_says_so_and_is_repeated(loaded, serve):
    """The server is killed while the load waits for the rest of its input."""
    server = serve(loaded)
    process = loaded.start("ingest", "-", "--unit", "kWh", stdin=-1)
    text = wide.large_file(3, [f"L{n}" for n in range(60)], 365).encode()
    process.stdin.write(text[:len(text) // 2])
    process.stdin.flush()
    server.stop(signal.SIGKILL, expect=-signal.SIGKILL)
    done = finish(process, 1, input=text[len(text) // 2:])
    (failed,) = json.loads(done.out)["deliveries"]
    assert failed["state"] == "failed" and "run the same" in failed["reason"]
    assert loaded("ingest", "-", "--unit", "kWh", input=text).delivery["state"] == "stored"


def test_who_owns_the_store_without_serving_is_named(loaded):
    """A load that waits for its input has the store."""
    process = loaded.start("ingest", "-", "--unit", "kWh", stdin=-1)
    owner = loaded.store / "OWNER"
    wait_until(lambda: f"process {process.pid} " in owner.read_text(), "the owner")
    assert loaded("meters").json["meters"]
    for verb in (["ingest", "day1.csv"], ["withdraw", "day1.csv", "--reason", "x"],
                 ["serve", "--listen", "127.0.0.1:0"]):
        done = loaded(*verb, expect=5)
        assert (f"is in use by process {process.pid} (meterline ingest); wait until it has ended "
                "or stop that process") in done.err
    finish(process, 0, input=day_of(9).encode())


def test_only_the_owners_user_may_hand_changes_over(loaded, serve):
    serve(loaded)
    name = loaded.store / "socket"
    assert name.stat().st_mode & 0o777 == 0o600
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(name))
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert connection.recv(100) == b""  # What is no frame ends the connection.
    loaded("meters")


def test_a_server_makes_no_store_unless_it_is_told_to(meterline, tmp_path):
    done = meterline("serve", "--listen", "127.0.0.1:0", expect=4)
    assert f"there is no store in {tmp_path}/store" in done.err and "--create" in done.err
    assert not (tmp_path / "store").exists()
    server = Server(meterline.start("serve", "--listen", "127.0.0.1:0", "--create"))
    assert server.json("/v1/meters")["meters"] == []
    server.stop()
    again = Server(meterline.start("serve", "--listen", "127.0.0.1:0"))
    again.stop()
