"""System calls that fail: nothing acknowledged is lost, nothing is acknowledged that is not there,
the process goes on or ends in order, and answers are the same afterwards.

METERLINE_SOAK_POINTS: so many failing calls for each kind of failure instead of a few.
"""
import errno
import os
import shutil
import struct
import urllib.error
import urllib.request

import pytest

import wide
from conftest import DEADLINE_S, Meterline, Server, finish

POINTS = int(os.environ.get("METERLINE_SOAK_POINTS", "3"))
SEEDED, UPLOADS = 60, 6  # A fold comes with the 64th day of one meter and month.
ALL_CALLS = ["write", "sync", "open", "rename"]
KINDS = [(call, name, lasting)
         for call in ALL_CALLS
         for name in (("EMFILE", "EIO") if call == "open" else ("EIO", "ENOSPC"))
         for lasting in ("once", "for good")]


def file_of(n):
    """What each delivery says of one day is said anew by the next."""
    return (wide.header() + wide.row("SHARED", "2019-01-01", wide.same(n)) +
            wide.row(f"M{n:03}", f"2019-01-{n % 28 + 1:02}", wide.same(n))).encode()


def parameters_of(n):
    return f"?source={n}&deliveredAt=2019-03-01T00:{n // 60:02}:{n % 60:02}Z&unit=kWh"


def upload(server, n):
    """Status, reason and headers of the answer."""
    request = urllib.request.Request(server.url + "/v1/deliveries" + parameters_of(n),
                                     data=file_of(n), headers={"Content-Type": "text/csv"})
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as response:
            return response.status, response.read().decode(), response.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


class Faults:
    """Servers on copies of one store, in which calls fail."""

    def __init__(self, folder, library):
        self.meterline, self.library = Meterline(folder), library
        self.seed, self.count = folder / "seed", folder / "count"
        self.meterline.use_store(self.seed)
        for first in range(0, SEEDED, SEEDED // 3):  # Each stop makes tables, to be compacted.
            server = Server(self.meterline.start("serve", "--listen", "127.0.0.1:0", "--create"))
            for n in range(first, first + SEEDED // 3):
                assert upload(server, n)[0] == 201
            server.stop()
        self.meterline.use_store(folder / "store")
        self.totals = {call: self.count_calls(call) for call in ALL_CALLS}
        self.wanted = self.meterline.archive()

    def begin(self):
        shutil.rmtree(self.meterline.store, ignore_errors=True)
        shutil.copytree(self.seed, self.meterline.store)

    def start(self, **fault):
        names = {f"FAIL_{name.upper()}": str(value) for name, value in fault.items()}
        env = self.meterline.env | names | {"LD_PRELOAD": str(self.library),
                                            "FAIL_BELOW": f"{self.meterline.store}/"}
        return self.meterline.start("serve", "--listen", "127.0.0.1:0", env=env)

    def count_calls(self, call):
        """How many there are when all goes well."""
        self.begin()
        self.count.unlink(missing_ok=True)
        server = Server(self.start(call=call, at=0, count=self.count))
        for n in range(SEEDED, SEEDED + UPLOADS):
            assert upload(server, n)[0] == 201
        server.stop()
        return struct.unpack("=q", self.count.read_bytes())[0]

    def uploads_while_failing(self, **fault):
        """The deliveries that were acknowledged."""
        process = self.start(**fault)
        try:
            server = Server(process)
        except AssertionError as error:
            finish(process, 1)  # It ended in order, and said why.
            assert "ended early: meterline: " in str(error)
            return set()
        try:
            acknowledged = {n for n in range(SEEDED, SEEDED + UPLOADS)
                            if upload(server, n)[0] == 201}
            assert '"meter":"SHARED"' in server.get("/v1/meters?prefix=SHARED")
        finally:
            server.stop()
        return acknowledged

    def check_after(self, acknowledged):
        server = Server(self.meterline.start("serve", "--listen", "127.0.0.1:0"))
        for n in range(SEEDED, SEEDED + UPLOADS):
            status, answer, _ = upload(server, n)
            assert status == 200 if n in acknowledged else status in (200, 201), answer
        server.stop()
        assert self.meterline("store", "check").json["damageCount"] == 0
        assert self.meterline.archive() == self.wanted


@pytest.fixture(scope="session")
def faults(tmp_path_factory, failing_calls):
    return Faults(tmp_path_factory.mktemp("faults"), failing_calls)


def test_the_calls_that_fail_are_those_of_opening_loading_folding_and_compacting(faults):
    faults.begin()
    before = set(os.listdir(faults.meterline.store / "db"))
    assert faults.meterline("store", "stats").json["figures"]["days_file_bytes"] == 0
    faults.check_after(set())
    assert faults.meterline("store", "stats").json["figures"]["days_file_bytes"] > 0
    after = set(os.listdir(faults.meterline.store / "db"))
    assert {name for name in before - after if name.endswith(".sst")}, "nothing was compacted"
    assert min(faults.totals.values()) >= 4, faults.totals
    assert sum(faults.totals.values()) * len(KINDS) // len(ALL_CALLS) >= 300, faults.totals


@pytest.mark.parametrize("call, name, lasting", KINDS)
def test_a_failing_call_costs_nothing_that_was_acknowledged(faults, call, name, lasting):
    total = faults.totals[call]
    points = min(POINTS, total)
    for at in [i * total // points + 1 for i in range(points)]:
        faults.begin()
        acknowledged = faults.uploads_while_failing(
            call=call, at=at, errno=getattr(errno, name), lasting=int(lasting == "for good"))
        try:
            faults.check_after(acknowledged)
        except AssertionError as error:
            raise AssertionError(f"{call} {at} of {total}: {name} {lasting}") from error


@pytest.fixture
def switched(faults, tmp_path):
    """A server whose syncs fail as long as a file is there: the server and the file."""
    faults.begin()
    switch = tmp_path / "switch"
    server = Server(faults.start(call="sync", at=1, lasting=1, errno=errno.EIO,
                                 **{"while": switch}))
    yield server, switch
    server.stop()


def test_a_server_tells_that_it_cannot_write_and_goes_on_when_it_can(switched):
    server, switch = switched
    assert upload(server, SEEDED)[0] == 201 and server.get("/readyz")
    switch.touch()
    for _ in range(2):
        status, answer, headers = upload(server, SEEDED + 1)
        assert status == 503 and headers["Retry-After"] == "10", answer
    assert "Input/output error" in answer and "goes on by itself" in answer
    status, answer = server.ask("/readyz")
    assert status == 503 and "takes no deliveries" in answer and "goes on by itself" in answer
    server.get("/healthz")
    server.get(f"/v1/meters/M{SEEDED:03}/consumption?from=2019-01-01&to=2019-01-31")
    switch.unlink()
    server.get("/readyz")
    assert upload(server, SEEDED + 1)[0] in (200, 201)
    assert upload(server, SEEDED + 1)[0] == 200


def test_a_server_that_cannot_go_on_says_what_to_do(switched, faults):
    server, switch = switched
    assert upload(server, SEEDED)[0] == 201
    switch.touch()
    assert upload(server, SEEDED + 1)[0] == 503
    log = max((faults.meterline.store / "db").glob("*.log"), key=lambda file: file.stat().st_size)
    data = bytearray(log.read_bytes())
    data[20] ^= 1
    log.write_bytes(data)
    switch.unlink()
    status, answer, headers = upload(server, SEEDED + 1)
    assert status == 503 and "`meterline store repair`" in answer
    assert "Retry-After" not in headers
    status, answer = server.ask("/readyz")
    assert status == 503 and f"{log} is damaged at byte" in answer
