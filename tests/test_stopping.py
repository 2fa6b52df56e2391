"""Stopped, killed, out of room: nothing acknowledged is lost, and the same command goes on."""
import json
import os
import random
import signal
import socket
import subprocess

import pytest

import wide
from conftest import Meterline, exact, finish, limit_file_bytes, wait_until

FILE = wide.header() + wide.row("A", "2019-01-01", wide.same(1))
PAGE = 4096


@pytest.fixture(scope="module")
def big_folder(tmp_path_factory):
    """Two files that are large enough to be written as files of their own, and eight small ones."""
    folder = tmp_path_factory.mktemp("big")
    for index in range(10):
        days, meters = (365, 350) if index in (2, 6) else (30, 20)
        names = [f"M{index}-{meter:03}" for meter in range(meters)]
        wide.write(folder / f"{index}.csv", wide.large_file(index, names, days))
    return folder


@pytest.fixture(scope="module")
def undisturbed(big_folder, tmp_path_factory):
    """The answers of a store that was loaded in one go, and its size."""
    meterline = Meterline(tmp_path_factory.mktemp("undisturbed"))
    meterline("ingest", big_folder)
    return meterline.answers(), bytes_below(meterline.store)


def bytes_below(folder):
    size = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                size += os.stat(os.path.join(path, name)).st_size
            except FileNotFoundError:
                pass  # Moved on while we looked.
    return size


def kill_when(process, condition, what):
    """Kills it once the condition holds; False if it ended before."""
    wait_until(lambda: process.poll() is not None or condition(), what)
    process.kill()
    process.communicate()
    return process.returncode == -signal.SIGKILL


def test_a_load_that_waits_for_a_quiet_pipe_can_be_stopped(meterline, tmp_path):
    wide.write(tmp_path / "1.csv", FILE)
    second = tmp_path / "2.csv"
    os.mkfifo(second)
    process = meterline.start("ingest", "1.csv", "2.csv", "--threads", 1, "--output", "json")
    with open(second, "wb"):  # Opens once the program reads it, and then says nothing.
        process.send_signal(signal.SIGINT)
        done = finish(process, 1)
    assert "1 of 2 deliveries are stored" in done.err


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_load_that_is_stopped_goes_on_where_it_was(meterline, tmp_path, signal_number):
    wide.write(tmp_path / "1.csv", FILE)
    second, text = tmp_path / "2.csv", wide.random_file(5, ["B"], 300)
    command = ["ingest", "1.csv", "2.csv", "--threads", 1, "--output", "json"]
    os.mkfifo(second)
    process = meterline.start(*command)
    with open(second, "wb") as pipe:  # Opens once the first file is stored.
        pipe.write(text.encode())
        pipe.flush()
        process.send_signal(signal_number)
        while process.poll() is None:
            try:
                os.write(pipe.fileno(), wide.row("B", "2019-12-31", wide.same(1)).encode())
            except BrokenPipeError:
                break
    done = finish(process, expect=1)
    assert ("meterline: stopped: 1 of 2 deliveries are stored, none of them in part; run the same "
            "command again to load the rest\n") in done.err
    assert [delivery["state"] for delivery in done.json["deliveries"]] == ["stored", "failed"]
    assert [meter["meter"] for meter in meterline("meters").json["meters"]] == ["A"]

    second.unlink()
    wide.write(second, text)
    report = meterline(*command).json
    assert [delivery["state"] for delivery in report["deliveries"]] == ["skipped", "stored"]
    assert meterline.day_sums("B", wide.day(0), wide.day(299)) == {
        day: total for (_, day), total in wide.sums_of(text).items()}


@pytest.mark.parametrize("seed", range(6))
def test_a_load_that_is_killed_is_completed_by_the_next(meterline, big_folder, undisturbed, seed):
    answers, final_bytes = undisturbed
    rng = random.Random(seed)
    threads = rng.choice((1, 2))
    grown = rng.uniform(0.02, 0.6) * final_bytes
    process = meterline.start("ingest", big_folder, "--threads", threads)
    assert kill_when(process, lambda: bytes_below(meterline.store) >= grown, "the store to grow")
    for _ in range(2):  # What is there can be asked, and the next load may be killed as well.
        meterline("deliveries")
        grown = bytes_below(meterline.store) * rng.uniform(1.0, 1.8)
        process = meterline.start("ingest", big_folder, "--threads", threads)
        kill_when(process, lambda: bytes_below(meterline.store) >= grown, "the store to grow")
    report = meterline("ingest", big_folder).json
    assert report["total"]["stored"] + report["total"]["skipped"] == 10
    assert meterline.answers() == answers
    assert os.listdir(meterline.store / "incoming") == []
    assert bytes_below(meterline.store) < 2 * final_bytes


def test_what_an_upload_was_told_is_stored_survives_a_kill(meterline, serve):
    server = serve(meterline)
    server.upload(FILE.encode())
    server.stop(signal.SIGKILL, expect=-signal.SIGKILL)
    assert meterline.day_sums("A", "2019-01-01", "2019-01-01") == {"2019-01-01": 48}


def messages(log):
    return [json.loads(line)["message"] for line in log.splitlines()]


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_that_is_stopped_ends_well(meterline, serve, signal_number):
    server = serve(meterline, "--log-level", "info")
    with socket.create_connection(("127.0.0.1", server.port)):  # An idle one does not hold it up.
        server.get("/healthz")
        done = server.stop(signal_number)
    assert messages(done.err) == [
        "listening", "stopping: requests in flight are answered first; Ctrl-C again ends at once"]


def test_a_server_that_drains_still_answers_and_takes_connections(meterline, serve):
    server = serve(meterline, "--drain", 3600, "--log-level", "info", "--log-format", "text")
    assert b" info listening " in server.process.stderr.readline()
    assert server.ask("/readyz")[0] == 200
    server.process.send_signal(signal.SIGTERM)
    assert server.process.stderr.readline().endswith(
        b" info draining: /readyz says 503, and requests are taken for 3600 seconds more\n")
    status, answer = server.ask("/readyz")  # By a new connection, as each of these.
    assert (status, exact(answer)["detail"]) == (503, "this server is stopping")
    assert server.ask("/healthz")[0] == 200
    server.upload(FILE.encode())
    assert server.json("/v1/meters")["meters"][0]["meter"] == "A"
    done = server.stop(signal.SIGINT)  # The other signal ends the wait.
    assert done.err.endswith(" info stopping: requests in flight are answered first; Ctrl-C again "
                             "ends at once\n")


def test_an_idle_connection_is_kept_as_long_as_is_said(meterline, serve):
    server = serve(meterline, "--idle-timeout", 1)
    with socket.create_connection(("127.0.0.1", server.port), timeout=50) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = b""
        while piece := connection.recv(65536):  # Ends once the server closes it: default 60 s.
            answer += piece
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("option, value", [("--idle-timeout", 0), ("--idle-timeout", 3601),
                                           ("--drain", -1), ("--drain", 3601)])
def test_waits_of_a_server_have_limits(meterline, option, value):
    assert option in meterline("serve", option, value, expect=2).err


def test_an_upload_in_flight_is_answered_before_the_server_ends(meterline, serve):
    server = serve(meterline, "--log-level", "info")
    assert b'"listening"' in server.process.stderr.readline()
    text = wide.random_file(3, ["U"], 300).encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(b"POST /v1/deliveries HTTP/1.1\r\nHost: localhost\r\n"
                           b"Connection: close\r\nExpect: 100-continue\r\n"
                           b"Content-Length: %d\r\n\r\n" % len(text))
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(text[:len(text) // 2])
        server.process.send_signal(signal.SIGTERM)
        assert b"stopping: " in server.process.stderr.readline()
        connection.sendall(text[len(text) // 2:])
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 201 ")
    assert exact(answer.split(b"\r\n\r\n", 1)[1])["rows"]["stored"] == 300
    finish(server.process, expect=0)
    assert len(meterline.day_sums("U", wide.day(0), wide.day(299))) == 300


class SmallDisk:
    """A disk of a size, or files of a limited size where nothing can be mounted."""

    def __init__(self, folder, size):
        self.folder, self.size = folder, size
        folder.mkdir()
        self.is_mounted = self.mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs")
        self.message = "the disk is full" if self.is_mounted else "File too large"

    def mount(self, *args):
        try:
            return subprocess.run(["mount", *args, self.folder], capture_output=True,
                                  check=False).returncode == 0
        except FileNotFoundError:
            return False

    def leave(self, free_bytes):
        """Fills it but for so many bytes; returns how to run a program on it."""
        if not self.is_mounted:
            return {"preexec_fn": limit_file_bytes(free_bytes)}
        space = os.statvfs(self.folder)
        filler = space.f_bavail * space.f_frsize - free_bytes
        (self.folder / "filler").write_bytes(bytes(filler))
        return {}

    def make_room(self):
        if self.is_mounted:
            (self.folder / "filler").unlink(missing_ok=True)
            assert self.mount("-o", f"remount,size={self.size * 50}")

    def unmount(self):
        if self.is_mounted:
            subprocess.run(["umount", self.folder], check=True)


@pytest.fixture
def small_disk(tmp_path):
    disk = SmallDisk(tmp_path / "disk", 8 << 20)
    yield disk
    disk.unmount()


def test_a_full_disk_says_so_and_with_room_the_same_command_goes_on(
        meterline, small_disk, big_folder, undisturbed):
    meterline.use_store(small_disk.folder / "store")
    done = meterline("ingest", big_folder, expect=1, **small_disk.leave(6 << 20))
    assert small_disk.message in done.err
    report = done.json
    assert report["total"]["failed"] > 0
    assert report["total"]["stored"] + report["total"]["failed"] == 10
    small_disk.make_room()
    assert meterline("ingest", big_folder).json["total"]["stored"] == report["total"]["failed"]
    assert meterline.answers() == undisturbed[0]


@pytest.mark.parametrize("pages", [0, 1, 2, 3, 4, 5, 6, 8])
def test_a_disk_without_room_for_a_store_leaves_nothing_that_is_in_the_way(
        meterline, small_disk, pages):
    meterline.use_store(small_disk.folder / "store")
    text = wide.large_file(1, ["A", "B", "C", "D"], 365)
    done = meterline("ingest", "-", input=text.encode(), expect=1,
                     **small_disk.leave(pages * PAGE))
    assert small_disk.message in done.err
    small_disk.make_room()
    meterline("ingest", "-", input=text.encode())
    assert len(meterline.day_sums("D", wide.day(0), wide.day(364))) == 365


def test_rows_that_find_no_room_to_be_sorted(meterline, small_disk):
    """More rows than are held in memory go into a temporary file, which may find no room either."""
    meterline.env["TMPDIR"] = str(small_disk.folder)
    text = wide.large_file(1, [f"M{index}" for index in range(1500)], 365)
    done = meterline("ingest", "-", input=text.encode(), expect=1, **small_disk.leave(1 << 20))
    assert "cannot write the temporary file of rows" in done.err and "TMPDIR" in done.err
    assert meterline("meters").json["meters"] == []
