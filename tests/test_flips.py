"""One flipped bit anywhere in a store's files is named, or harmless; never silent.

METERLINE_SOAK_FLIPS: so many of them instead of a few.
"""
import os
import random
import shutil
import signal

import pytest

import wide
from conftest import DEADLINE_S, Meterline, Server

FLIPS = int(os.environ.get("METERLINE_SOAK_FLIPS", "90"))
UPLOADS = 24


def file_of(n):
    return (wide.header() + wide.row(f"M{n % 7}", f"2019-01-{n + 1:02}", wide.same(n)) +
            wide.row("SHARED", f"2019-01-{n + 1:02}", wide.same(1))).encode()


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A store with tables, and with acknowledged uploads in its log; the archive of what it has."""
    meterline = Meterline(tmp_path_factory.mktemp("flips"))
    meterline.use_store(meterline.folder / "whole")
    for last in (UPLOADS // 2, UPLOADS):
        server = Server(meterline.start("serve", "--listen", "127.0.0.1:0", "--create"))
        for n in range(last - UPLOADS // 2, last):
            server.upload(file_of(n), f"?source={n}&deliveredAt=2019-03-01T00:00:00Z")
        is_last = last == UPLOADS
        server.stop(signal.SIGKILL if is_last else signal.SIGTERM,
                    expect=-signal.SIGKILL if is_last else 0)
    begin(meterline)
    return meterline, meterline.archive()


def begin(meterline):
    """Uses a copy of the whole store."""
    whole, copy = meterline.folder / "whole", meterline.folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(whole, copy, ignore=shutil.ignore_patterns("socket"))
    meterline.use_store(copy)


def flips_of(folder):
    """File and bit, the same at each run; every file has its turns, however short it is."""
    files = sorted(path.relative_to(folder) for path in folder.rglob("*")
                   if path.is_file() and path.stat().st_size > 0)
    chosen = random.Random(14)
    for i in range(FLIPS):
        file = files[i % len(files)]
        yield file, chosen.randrange(8 * (folder / file).stat().st_size)


def flip(file, bit):
    data = bytearray(file.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    file.write_bytes(data)


def outcome(meterline, wanted):
    """What is told of the store; nothing where all is well."""
    process = meterline.start("store", "check")
    out, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode in (0, 1), err.decode()
    if process.returncode == 1:
        return out.decode() + err.decode()
    assert meterline.archive() == wanted, "the damage was silent"
    return ""


def test_a_flipped_bit_is_named_or_harmless(stored):
    meterline, wanted = stored
    told = {}
    for file, bit in flips_of(meterline.folder / "whole"):
        begin(meterline)
        flip(meterline.store / file, bit)
        try:
            text = outcome(meterline, wanted)
        except AssertionError as error:
            raise AssertionError(f"bit {bit} of {file}") from error
        if text:
            assert file.name in text or str(file) == "FORMAT", f"bit {bit} of {file}: {text}"
        told.setdefault(file.name, []).append(bool(text))
    for name, named in told.items():
        assert all(named) or not name.endswith((".log", ".sst")), f"{name}: {named}"
