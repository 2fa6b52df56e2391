"""What is pruned and what is erased, and parts of a store as archives, on one machine and on a
cluster."""
import os
import pty
import select
import signal

import pytest

import wide
from conftest import DEADLINE_S, Meterline, wait_until

METERS = [f"M{number:02}" for number in range(40)]
GONE = "EE-00027"
SPAN = ("--from", "2019-01-01", "--to", "2019-03-31")


@pytest.fixture(params=["meterline", "on_cassandra"])
def program(request):
    return request.getfixturevalue(request.param)


def load(program):
    """Ninety days of many meters, half of them said three times."""
    meters = [*METERS, GONE]
    rows = {index: [wide.row(meter, wide.day(day), wide.same(index * day % 7 + 1))
                    for meter in meters for day in range(90) if index == 1 or day % 2]
            for index in (1, 2, 3)}
    for index, lines in rows.items():
        wide.write(program.folder / f"in/{index}.csv", wide.header() + "".join(lines),
                   modified=f"2019-04-0{index}T00:00:00")
        program("ingest", f"in/{index}.csv", "--unit", "kWh")


def told(program, first):
    """All that is told of days from `first` on."""
    span = ("--from", first, "--to", "2019-03-31")
    return [program("portfolio", *span, "--resolution", "day").out,
            program("gaps", *span, "--absent", "false").out,
            *(program("query", meter, *span).out for meter in (METERS[0], METERS[17]))]


def check(program):
    report = program("store", "check").json
    assert report["damageCount"] == 0, report
    return report


def test_pruned_days_go_and_the_others_stay(program):
    load(program)
    before = told(program, "2019-02-15")
    dry = program("store", "prune", "--before", "2019-02-15", "--dry-run").json
    assert dry == {"applied": False, "meters": 41, "metersChanged": 41, "metersEmptied": 0,
                   "days": 41 * (45 + 2 * 22), "registerReads": 0, "from": "2019-01-01",
                   "to": "2019-02-14"}
    assert told(program, "2019-02-15") == before
    done = program("store", "prune", "--before", "2019-02-15", "--yes", "--rate", 100_000).json
    assert done == dry | {"applied": True}
    assert told(program, "2019-02-15") == before
    (channel,) = program.query(METERS[0], "2019-01-01", "2019-03-31").json["channels"]
    assert channel["readings"] == 45 * 48
    assert check(program)["amended"]["deliveries"] == 3
    again = program("store", "prune", "--before", "2019-02-15", "--yes").json
    assert (again["days"], again["meters"]) == (0, 41)
    program("ingest", "in/1.csv", "--unit", "kWh")  # It is known, and brings nothing back.
    assert told(program, "2019-02-15") == before
    check(program)


def test_versions_go_and_answers_of_now_stay(program):
    load(program)
    before = told(program, "2019-01-01")
    done = program("store", "prune", "--keep-versions", 1, "--yes").json
    assert done["days"] == 41 * 45 * 2
    assert told(program, "2019-01-01") == before
    assert check(program)["days"] == 41 * 90
    done = program("store", "prune", "--keep-versions-for", "1d", "--yes").json
    assert done["days"] == 0


def test_what_was_ended_in_between_is_completed(program):
    load(program)
    before = told(program, "2019-03-01")
    for _ in range(3):
        process = program.start("store", "prune", "--before", "2019-03-01", "--yes", "--rate", 200)
        try:
            process.wait(0.7)
        except BaseException:
            process.send_signal(signal.SIGKILL)
        process.communicate()
    program("store", "prune", "--before", "2019-03-01", "--yes")
    assert told(program, "2019-03-01") == before
    (channel,) = program.query(METERS[5], "2019-01-01", "2019-02-28").json["channels"]
    assert channel["readings"] == 0
    check(program)


def test_an_erased_meter_is_gone_and_stays_away(program):
    load(program)
    others = program("query", METERS[3], *SPAN).out
    program("erase", GONE, expect=2)
    assert program("erase", GONE, "--dry-run").json["days"] == 180
    done = program("erase", GONE, "--yes").json
    assert done["days"] == 180 and not done["wasErased"]
    assert GONE not in program("meters", "--limit", 1000).out
    assert program("query", METERS[3], *SPAN).out == others
    assert program.query(GONE, "2019-01-01", expect=1).out == ""
    check(program)

    wide.write(program.folder / f"{GONE}.csv", wide.header() + wide.row(
        GONE, "2019-01-05", wide.same(1)) + wide.row("N", "2019-01-05", wide.same(1)))
    report = program("ingest", f"{GONE}.csv", "--unit", "kWh", expect=3).delivery
    assert report["rows"]["rejected"] == 1 and report["rows"]["stored"] == 1
    assert GONE not in program("deliveries", "--limit", 100).out
    assert GONE not in program("meters", "--limit", 1000).out
    check(program)

    dry = program("ingest", f"{GONE}.csv", "--unit", "kWh", "--dry-run", expect=3)
    assert dry.delivery["rows"] == report["rows"] and "meter_erased" in dry.out
    assert dry.json["estimate"]["readingDays"] == 1

    program("erase", GONE, "--allow")
    program("ingest", f"{GONE}.csv", "--unit", "kWh", "--delivered-at", "2019-06-01T00:00:00Z")
    assert GONE in program("meters", "--limit", 1000).out


def test_no_byte_of_an_erased_meter_is_left_in_files(meterline):
    load(meterline)
    program = meterline
    program("erase", GONE, "--yes")
    for path in program.store.rglob("*"):
        if path.is_file():
            assert GONE.encode() not in path.read_bytes(), path


def test_neither_goes_without_being_asked(meterline):
    load(meterline)
    for verb in (["store", "prune", "--before", "2019-02-01"], ["erase", METERS[0]]):
        done = meterline(*verb, expect=2)
        assert "--yes" in done.err
    meterline("store", "prune", "--yes", expect=2)
    meterline("store", "prune", "--before", "yesterday", "--yes", expect=2)
    assert meterline("store", "prune", "--before", "1d", "--dry-run").json["days"] == 41 * 180


def test_a_dry_run_tells_where_it_cannot_ask_who_was_erased(meterline):
    load(meterline)
    meterline("erase", GONE, "--yes")
    name = meterline.store / "FORMAT"
    kept = name.read_text()
    name.write_text("meterline store format 99\n")
    done = meterline("ingest", "in/1.csv", "--unit", "kWh", "--dry-run")
    assert "which meters were erased is not known" in done.err
    assert done.delivery["rows"]["rejected"] == 0
    name.write_text(kept)
    done = meterline("ingest", "in/1.csv", "--unit", "kWh", "--dry-run", expect=3)
    assert done.delivery["rows"]["rejected"] == 90 and "erased is not known" not in done.err


def on_terminal(program, answer, *args):
    """Exit code, standard output, and what the terminal shows when somebody types the answer."""
    own, terminal = pty.openpty()
    process = program.start(*args, stdin=terminal, stderr=terminal)
    os.close(terminal)
    shown = b""

    def is_asked():
        nonlocal shown
        if select.select([own], [], [], 0)[0]:
            shown += os.read(own, 65536)
        return b"Type yes: " in shown

    wait_until(is_asked, "the question")
    os.write(own, answer + b"\n")
    out, _ = process.communicate(timeout=DEADLINE_S)
    os.close(own)
    return process.returncode, out.decode(), shown.decode()


def test_a_terminal_is_asked_and_told_what_would_go(meterline):
    load(meterline)
    prune = ["store", "prune", "--before", "2019-02-15"]
    erase = ["erase", METERS[0]]
    for verb in (prune, erase):
        for answer in (b"no", b"", b"y", b"YES", b"\x04"):  # The last one: end of input.
            code, out, shown = on_terminal(meterline, answer, *verb)
            assert (code, out) == (1, ""), shown
            assert "cannot be undone" in shown
    assert check(meterline)["amended"]["deliveries"] == 0
    code, out, shown = on_terminal(meterline, b"yes", *prune)
    assert code == 0 and f'"days":{41 * (45 + 2 * 22)}' in out
    assert f"would remove {41 * (45 + 2 * 22):,} versions of days, 2019-01-01 to" in shown
    code, out, shown = on_terminal(meterline, b"yes", *erase)
    assert code == 0 and METERS[0] not in meterline("meters", "--limit", 100).out
    check(meterline)


def test_parts_make_the_whole(program, tmp_path):
    load(program)
    parts = tmp_path / "parts"
    span = ("--from", "2019-01-01", "--to", "2019-03-31")
    program("export", parts, "--by-month", *span)
    files = sorted(parts.iterdir())
    assert [path.name for path in files] == [f"2019-0{month}.archive" for month in (1, 2, 3)]
    first = files[0].read_bytes()
    files[1].unlink()
    stamp = os.stat(files[0]).st_mtime_ns
    program("export", parts, "--by-month", *span)  # Goes on where it was ended.
    assert os.stat(files[0]).st_mtime_ns == stamp and files[0].read_bytes() == first

    target = Meterline(tmp_path)
    target.use_store(tmp_path / "target")
    for path in reversed(files):
        target("ingest", path)
    assert told(target, "2019-01-01") == told(program, "2019-01-01")
    check(target)
    target("ingest", *files)  # Once more: nothing is there twice.
    assert told(target, "2019-01-01") == told(program, "2019-01-01")
    days = program("store", "check").json["days"]
    assert check(target)["days"] == days


def test_an_archive_of_some_meters(meterline, tmp_path):
    load(meterline)
    listed = tmp_path / "meters.txt"
    listed.write_text("M01\nM02\n")
    done = meterline("export", tmp_path / "two", "--meter", f"@{listed}", "--meter", "M02",
                     "--from", "2019-01-01", "--to", "2019-01-10").json
    assert (done["meters"], done["deliveries"], done["days"]) == (2, 3, 2 * (10 + 5 + 5))
    target = Meterline(tmp_path)
    target.use_store(tmp_path / "target")
    target("ingest", tmp_path / "two")
    assert [meter["meter"] for meter in target("meters").json["meters"]] == ["M01", "M02"]
    check(target)
