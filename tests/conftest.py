"""Fixtures to run the real program: METERLINE_BINARY, or else the release build."""
import itertools
import json
import os
import pathlib
import re
import resource
import select
import signal
import subprocess
import time
import urllib.error
import urllib.request
from decimal import Decimal

import pytest

from aws import LocalAws
from cassandra import Cluster

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEADLINE_S = 60  # For whatever has to happen; nothing waits longer than it takes.


def binary():
    path = pathlib.Path(os.environ.get("METERLINE_BINARY") or ROOT / "build/release/meterline")
    path = path.resolve()
    assert path.is_file(), f"{path} is not there: run scripts/build.sh, or set METERLINE_BINARY"
    return str(path)


def exact(text):
    """JSON with its numbers as they were written."""
    return json.loads(text, parse_float=Decimal)


def wait_until(condition, what, deadline_s=DEADLINE_S):
    """Waits for a condition and returns its value; the deadline makes it a failure."""
    end = time.monotonic() + deadline_s
    while not (value := condition()):
        assert time.monotonic() < end, f"waited {deadline_s} s for {what}"
        select.select([], [], [], 0.002)
    return value


class Done:
    """How a process ended."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out.decode(), err.decode()

    @property
    def json(self):
        return exact(self.out)

    @property
    def delivery(self):
        """The report of an ingest of one file."""
        (delivery,) = self.json["deliveries"]
        return delivery


class Meterline:
    """The program with a store of its own in a temporary folder."""

    def __init__(self, folder):
        self.folder = folder
        self.use_store(folder / "store")

    def use_store(self, store):
        self.store = store
        self.use_url(f"rocksdb:{store}")

    def use_url(self, url, password=None):
        self.env = {key: value for key, value in os.environ.items()
                    if not key.startswith("METERLINE_")}
        self.env["METERLINE_STORE"] = url
        self.env["METERLINE_UNIT"] = "unknown"  # Of files for which a test names none.
        self.env["TMPDIR"] = str(self.folder)
        if password is not None:
            self.env["METERLINE_CASSANDRA_PASSWORD"] = password

    def start(self, *args, wrapper=(), **options):
        """Starts it; the caller ends it. Options are those of subprocess.Popen."""
        env = dict(self.env)
        if args[:1] == ("store",):
            env.pop("METERLINE_UNIT", None)  # For loads: of a store itself, a test names it.
        if args[:1] == ("serve",):
            env["METERLINE_LOG_LEVEL"] = "warning"  # Most tests read nothing of it.
        settings = {"cwd": self.folder, "env": env, "stdin": subprocess.DEVNULL,
                    "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen([*wrapper, binary(), *map(str, args)], **(settings | options))

    def __call__(self, *args, input=None, expect=0, deadline_s=DEADLINE_S, **options):
        """Runs it to its end, which must have the exit code `expect`."""
        if input is not None:
            options["stdin"] = subprocess.PIPE
        process = self.start(*args, **options)
        return finish(process, expect, input, deadline_s)

    def query(self, meter, first, last=None, *more, expect=0):
        args = ["query", meter, "--from", first, "--to", last or first, *more]
        return self(*args, "--output", "json", expect=expect)

    def answers(self, meters_max=10):
        """What the store answers, to compare stores by that were loaded at other times."""
        names = [meter["meter"] for meter in self("meters", "--limit", 100_000).json["meters"]]
        year = ("2019-01-01", "2019-12-31")
        portfolio = self("portfolio", "--from", year[0], "--to", year[1], "--output", "json").out
        chosen = names[::len(names) // meters_max + 1]
        queries = (self.query(name, *year).out for name in chosen)
        texts = [self("deliveries").out, portfolio, *queries]
        return [names, *map(without_receipts, texts)]

    def archive(self, **options):
        """All that the store holds but for times of receipt, as bytes: equal for stores of equal
        content that were loaded at other times."""
        path = self.folder / "archive"
        path.unlink(missing_ok=True)
        self("export", path, **options)
        return archive_without_receipts(path)

    def day_sums(self, meter, first, last):
        """Date -> sum, of the days that have one."""
        (channel,) = self.query(meter, first, last).json["channels"]
        return {point["start"]: point["sum"] for point in channel["series"]
                if point["sum"] is not None}


def without_receipts(text):
    return re.sub(r'"(received|receivedAt)":"[^"]*"', r'"\1":""', text)


def archive_without_receipts(path):
    """The bytes of an archive (docs/formats/archive.md) without what differs between two loads."""
    data = subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True).stdout
    at = data.index(b"\n") + 1

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte, at = data[at], at + 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    varint()  # The format.
    if data[at:at + 1] == b"U":
        at += 2  # The store's unit.
    kept = [data[:at]]
    while data[at:at + 1] == b"D":
        at += 1
        size = varint()
        begin, end = at, at + size
        at += 1 + 16  # Format and id.
        source_bytes = varint()
        at += source_bytes + 32
        varint()  # Bytes.
        varint()  # Delivery time.
        kept.append(data[begin:at])
        varint()  # Receipt.
        kept.append(data[at:end])
        at = end
    kept.append(data[at:-32])  # Without the hash of it all.
    return b"".join(kept)


def finish(process, expect, input=None, deadline_s=DEADLINE_S):
    try:
        out, err = process.communicate(input, timeout=deadline_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    done = Done(process.returncode, out or b"", err or b"")
    assert done.code == expect, f"exit {done.code}, not {expect}\n{done.out}\n{done.err}"
    return done


class Server:
    """A running `meterline serve`, or another verb that serves."""

    def __init__(self, process):
        self.process = process
        self.out = ""
        self.url = self.read_until("listening on ").split()[-1]
        self.port = int(self.url.rsplit(":", 1)[1])

    def read_until(self, start):
        """Reads lines of its standard output up to one that starts so."""
        end = time.monotonic() + DEADLINE_S
        while True:
            for line in self.out.splitlines(keepends=True):
                if line.startswith(start) and line.endswith("\n"):
                    return line.rstrip("\n")
            assert select.select([self.process.stdout], [], [], end - time.monotonic())[0], self.out
            piece = os.read(self.process.stdout.fileno(), 65536)
            assert piece, f"ended early: {self.out}{self.process.stderr.read().decode()}"
            self.out += piece.decode()

    def ask(self, path, headers=None, body=None):
        """Status and body of the answer."""
        request = urllib.request.Request(self.url + path, data=body, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_S) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def get(self, path, expect=200, **options):
        """The answer's body."""
        status, answer = self.ask(path, **options)
        assert status == expect, answer
        return answer

    def json(self, path, **options):
        return exact(self.get(path, **options))

    def upload(self, content, parameters="", expect=201):
        headers = {"Content-Type": "text/csv"}
        return self.json("/v1/deliveries" + parameters, body=content, headers=headers,
                         expect=expect)

    def stop(self, signal_number=signal.SIGTERM, expect=0):
        self.process.send_signal(signal_number)
        return finish(self.process, expect)


@pytest.fixture
def meterline(tmp_path):
    return Meterline(tmp_path)


@pytest.fixture(scope="session")
def cassandra_node():
    """One node of Apache Cassandra, for all tests that neither harm it nor need a login."""
    with Cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def local_aws_process(cassandra_node):
    with LocalAws(cassandra_node) as aws:
        yield aws


@pytest.fixture
def local_aws(local_aws_process):
    """An account as new; Amazon Keyspaces in it is `cassandra_node`."""
    local_aws_process.reset()
    return local_aws_process


keyspace_numbers = itertools.count(1)


def cassandra_url(cluster, keyspace, **parameters):
    text = "&".join(f"{name.replace('_', '-')}={value}" for name, value in parameters.items())
    return f"cassandra://{cluster.addresses}/{keyspace}" + ("?" + text if text else "")


def new_cassandra_store(folder, cluster):
    """The program with a new and empty store, copied to each node; `keyspace` is its name."""
    meterline = Meterline(folder)
    meterline.keyspace = f"test_{next(keyspace_numbers)}"
    meterline.use_url(cassandra_url(cluster, meterline.keyspace))
    meterline("store", "init", "--replication", len(cluster.nodes))
    return meterline


@pytest.fixture
def on_cassandra(tmp_path, cassandra_node):
    """Like `meterline`, on a store of its own in Cassandra."""
    folder = tmp_path / "cassandra"
    folder.mkdir()
    return new_cassandra_store(folder, cassandra_node)


@pytest.fixture
def serve():
    """Starts servers: serve(meterline, ...); those still running at the end must stop well."""
    servers = []

    def start(meterline, *args, verb="serve"):
        made = ["--create"] if verb == "serve" else []
        process = meterline.start(verb, "--listen", "127.0.0.1:0", *made, *args)
        try:
            servers.append(Server(process))
        except BaseException:
            process.kill()
            process.communicate()
            raise
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture
def server(meterline, serve):
    """A server on the store of `meterline`, which is made where it is not there."""
    return serve(meterline)


@pytest.fixture(scope="session")
def failing_calls(tmp_path_factory):
    """A library to preload; failing_calls.c says how it is told which calls fail."""
    library = tmp_path_factory.mktemp("failing") / "failing_calls.so"
    source = pathlib.Path(__file__).with_name("failing_calls.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", library,
                    source, "-ldl"], check=True)
    return library


def limit_file_bytes(bytes_max):
    """For preexec_fn: no file may grow beyond it."""
    def apply():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_max, bytes_max))
    return apply
