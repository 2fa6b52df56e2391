#!/usr/bin/env python3
"""What hostile clients cost a server and the others: docs/operate/limits.md has the table."""
import argparse
import contextlib
import pathlib
import resource
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import hostile  # noqa: E402  Of the tests, as is what follows.
import wide  # noqa: E402
from conftest import Meterline, Server  # noqa: E402

BEGIN, END = "<!-- limits.py: begin -->\n", "<!-- limits.py: end -->\n"


@contextlib.contextmanager
def served(meterline, **options):
    server = Server(meterline.start("serve", "--listen", "127.0.0.1:0", **options))
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def meanwhile(work):
    """Does it over and over."""
    is_over = threading.Event()

    def run():
        while not is_over.is_set():
            work()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def extensions(server):
    def send():
        for begin in (b"5;", b"5\r\nhello\r\n0\r\nX: "):
            hostile.send_without_end(server, hostile.CHUNKED + begin)
    with meanwhile(send):
        return hostile.p99_ms(server)


def bombs(server):
    content = hostile.bomb()
    connections = []
    for _ in range(4):
        connection = hostile.connect(server)
        connection.sendall(b"POST /v1/deliveries HTTP/1.1\r\nHost: localhost\r\n"
                           b"Content-Length: %d\r\n\r\n" % len(content) + content)
        connections.append(connection)
    hostile.wait_until(lambda: hostile.metric(server, "meterline_temporary_bytes") > 0, "a spill")
    p99 = hostile.p99_ms(server, seconds=20)
    for connection in connections:
        connection.close()
    hostile.until_gone(server)
    return p99


def slow_readers(server):
    with hostile.slow_readers(server):
        return hostile.p99_ms(server, seconds=20)


def portfolios(server):
    def ask():
        with hostile.long_questions(server):
            pass
    with meanwhile(ask):
        return hostile.p99_ms(server, seconds=20)


def idle(server):
    with hostile.idle_connections(server, 240):
        return hostile.p99_ms(server)


def row_of(meterline, name, attack, **options):
    with served(meterline, **options) as server:
        p99 = attack(server)
        return f"| {name} | {hostile.peak_mib(server)} | {p99:.1f} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into the document")
    write = parser.parse_args().write
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    with tempfile.TemporaryDirectory() as folder:
        meterline = Meterline(pathlib.Path(folder))
        meterline("ingest", "-", input=hostile.heavy_file().encode())
        meterline("ingest", "-", input=wide.large_file(1, [f"M{i}" for i in range(500)],
                                                       365).encode())
        lines = ["| attack | peak memory, MiB | p99 of others, ms |", "|---|---|---|",
                 row_of(meterline, "none", hostile.p99_ms),
                 row_of(meterline, "extensions of chunks and trailers without end", extensions),
                 row_of(meterline, "4 uploads of a few MB that expand to 6 GB each", bombs),
                 row_of(meterline, "60 slow readers of 20 MB each", slow_readers),
                 row_of(meterline, "200 portfolios of 40 years at once", portfolios),
                 row_of(meterline, "240 idle connections, 1,024 descriptors", idle,
                        preexec_fn=hostile.few_descriptors)]
    table = "\n".join(lines) + "\n"
    print(table, end="")
    if write:
        page = ROOT / "docs/operate/limits.md"
        text = page.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        page.write_text(f"{before}{BEGIN}{table}{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
