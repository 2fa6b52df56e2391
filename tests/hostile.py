"""What takes all of a server that has no limits, and how the others fare meanwhile."""
import contextlib
import http.client
import pathlib
import re
import resource
import socket
import subprocess
import threading
import time

import wide
from conftest import wait_until

CHUNKED = (b"POST /v1/deliveries HTTP/1.1\r\nHost: localhost\r\n"
           b"Transfer-Encoding: chunked\r\n\r\n")
INTERVALS = "/v1/meters/HEAVY/consumption?from=2019-01-01&to=2019-03-24&resolution=interval"
PORTFOLIO = "/v1/portfolio?from=1990-01-01&to=2029-12-31"
DESCRIPTORS = 1024


def heavy_file():
    """A meter with a reading a minute, which makes answers of 20 MB, and one for the others."""
    names = [f"{minute // 60}:{minute % 60:02}" for minute in range(24 * 60)]
    rows = "".join(f"{meter},{wide.day(index)}," + ",".join(
        f"{(index * 7 + minute) % 90}.{minute % 1000:03}" for minute in range(24 * 60)) + "\n"
        for meter in ("HEAVY", "OTHER") for index in range(83))
    return "Meter,Date," + ",".join(names) + "\n" + rows


def bomb(frames=100):
    """A few MB of zstd that expand to 64 MB for each frame, out of order."""
    tail = ",1" * 23 + "\n"
    lines = "".join(f"M{index},2019-01-01,{index}.5{tail}" for index in range(5000))
    header = "Meter,Date," + ",".join(f"{hour}:00" for hour in range(24)) + "\n"
    return zstd(header.encode()) + zstd((lines * ((64 << 20) // len(lines))).encode()) * frames


def zstd(data):
    return subprocess.run(["zstd", "-qc", "-3", "--long=23"], input=data, check=True,
                          capture_output=True).stdout


def peak_mib(server):
    """The most memory that the process had so far."""
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) >> 10


def metric(server, name):
    for line in server.get("/metrics").splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    raise AssertionError(f"no {name} in /metrics")


def few_descriptors():
    """For preexec_fn."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))


def p99_ms(server, seconds=10, path="/v1/meters/OTHER/consumption?from=2019-01-01"):
    """Of somebody who asks small questions for so long, each on a connection of its own."""
    took, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        connection.close()
        took.append(time.monotonic() - began)
    return sorted(took)[len(took) * 99 // 100] * 1000


def connect(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


def answer_of(connection):
    """All until the server closes."""
    heard = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(1 << 16):
            heard += piece
    return heard


def send_without_end(server, begin, bytes_max=400 << 20):
    """What the server says to it."""
    piece, sent = b"a" * (1 << 20), 0
    with connect(server) as connection:
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            connection.sendall(begin)
            while sent < bytes_max:
                connection.sendall(piece)
                sent += len(piece)
        return answer_of(connection)


@contextlib.contextmanager
def slow_readers(server, count=60, path=INTERVALS):
    """Those who ask for much and read nothing; yields their connections."""
    with contextlib.ExitStack() as stack:
        connections = []
        for _ in range(count):
            one = stack.enter_context(socket.socket())
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.settimeout(60)
            one.connect(("127.0.0.1", server.port))
            one.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            connections.append(one)
        yield connections


@contextlib.contextmanager
def long_questions(server, count=200, path=PORTFOLIO):
    """Asks them all at once; yields the list of statuses, which grows, and waits for all."""
    statuses = []

    def ask():
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    yield statuses
    for thread in threads:
        thread.join()


@contextlib.contextmanager
def idle_connections(server, count=1000):
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(connect(server))
        yield


def until_gone(server):
    """Waits until nothing of uploads lies in temporary files."""
    wait_until(lambda: metric(server, "meterline_temporary_bytes") == 0,
               "temporary files to be removed")
