"""Folders whose files are loaded as they come."""
import json
import os
import signal

import pytest

import wide
from conftest import finish, limit_file_bytes, wait_until


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "drop"
    made.mkdir()
    return made


@pytest.fixture
def watch(meterline, folder):
    """Starts `meterline ingest --watch`; what still runs at the end has to stop well."""
    running = []

    def start(*options):
        running.append(meterline.start("ingest", "--watch", folder, "--settle", "0",
                                       "--log-format", "json", *options))
        return running[-1]

    yield start
    for process in running:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            finish(process, 0)


def text_of(meter, value, date="2019-01-01"):
    return wide.header() + wide.row(meter, date, wide.same(value))


def put(folder, name, text):
    """As whoever sends a file whole does."""
    (folder / f"{name}.part").write_text(text)
    os.rename(folder / f"{name}.part", folder / name)


def stopped(process):
    """What it logged: message and file's name of each line that has one."""
    process.send_signal(signal.SIGTERM)
    lines = [json.loads(line) for line in finish(process, 0).err.splitlines()]
    return [(line["message"], os.path.basename(line["file"])) for line in lines if "file" in line]


def test_files_are_moved_with_their_reports(meterline, folder, watch):
    put(folder, "before.csv", text_of("A", 1))
    process = watch("--after", "move")
    wait_until(lambda: (folder / "done/before.csv.report.json").exists(), "the first file")
    (folder / "below").mkdir()
    put(folder / "below", "later.csv", text_of("B", 2))
    put(folder, "bad.csv", "not,a,file\n")
    wait_until(lambda: (folder / "done/below/later.csv.report.json").exists(), "the second file")
    wait_until(lambda: (folder / "rejected/bad.csv.report.json").exists(), "the bad file")
    # It can be asked while the folder is watched.
    assert meterline.day_sums("A", "2019-01-01", "2019-01-01") == {"2019-01-01": 48}
    assert meterline.day_sums("B", "2019-01-01", "2019-01-01") == {"2019-01-01": 96}
    report = json.loads((folder / "done/before.csv.report.json").read_text())
    assert report["total"]["rows"]["stored"] == 1
    assert report["deliveries"][0]["source"] == str(folder / "before.csv")
    bad = json.loads((folder / "rejected/bad.csv.report.json").read_text())
    assert bad["deliveries"][0]["state"] == "refused"
    assert bad["deliveries"][0]["reason"]
    assert sorted(os.listdir(folder)) == ["below", "done", "rejected"]
    assert sorted(stopped(process)) == [("delivery refused", "bad.csv"),
                                        ("delivery stored", "before.csv"),
                                        ("delivery stored", "later.csv")]


def test_files_of_one_name_are_all_kept(meterline, folder, watch):
    watch("--after", "move")
    for number, value in enumerate((1, 2, 3), start=1):
        put(folder, "day.csv", text_of("A", value, f"2019-01-0{number}"))
        wait_until(lambda: not (folder / "day.csv").exists(), "the file to be moved")
    wait_until(lambda: (folder / "done/day.csv.3.report.json").exists(), "the third report")
    names = ["day.csv", "day.csv.2", "day.csv.3"]
    assert sorted(os.listdir(folder / "done")) == sorted(
        names + [f"{name}.report.json" for name in names])
    assert meterline.day_sums("A", "2019-01-01", "2019-01-03") == {
        "2019-01-01": 48, "2019-01-02": 96, "2019-01-03": 144}


def test_loaded_files_are_deleted_and_refused_ones_are_not(folder, watch):
    process = watch("--after", "delete")
    put(folder, "bad.csv", "not,a,file\n")
    put(folder, "good.csv", text_of("A", 1))
    wait_until(lambda: not (folder / "good.csv").exists(), "the file to be deleted")
    assert stopped(process) == [("delivery refused", "bad.csv"), ("delivery stored", "good.csv")]
    assert os.listdir(folder) == ["bad.csv"]


def test_files_that_are_kept_are_loaded_once(meterline, folder, watch):
    meterline("store", "init")
    put(folder, "a.csv", text_of("A", 1))
    process = watch()
    wait_until(lambda: meterline("deliveries").json["deliveries"], "the file to be loaded")
    put(folder, "b.csv", text_of("B", 1))
    wait_until(lambda: len(meterline("deliveries").json["deliveries"]) == 2, "the other one")
    assert stopped(process) == [("delivery stored", "a.csv"), ("delivery stored", "b.csv")]
    process = watch()  # Which reads them once more, to know that they are the same.
    put(folder, "c.csv", text_of("C", 1))
    wait_until(lambda: len(meterline("deliveries").json["deliveries"]) == 3, "the third one")
    assert stopped(process) == [("delivery skipped", "a.csv"), ("delivery skipped", "b.csv"),
                                ("delivery stored", "c.csv")]


def test_once_ends_when_all_is_loaded(meterline, folder):
    put(folder, "a.csv", text_of("A", 1))
    put(folder, "bad.csv", "not,a,file\n")
    meterline("ingest", "--watch", folder, "--after", "move", "--once", "--settle", "1")
    assert sorted(os.listdir(folder / "done")) == ["a.csv", "a.csv.report.json"]
    assert sorted(os.listdir(folder / "rejected")) == ["bad.csv", "bad.csv.report.json"]


def test_a_file_that_cannot_be_stored_stays_and_is_tried_again(meterline, folder):
    put(folder, "a.csv", wide.random_file(3, ["A", "B"], 3000))
    options = ["ingest", "--watch", folder, "--after", "move", "--once", "--settle", "0"]
    done = meterline(*options, "--log-format", "text", expect=1,
                     preexec_fn=limit_file_bytes(100_000))
    assert "error delivery failed " in done.err and "triedAgainAfterSeconds=10" in done.err
    assert (folder / "a.csv").exists() and not os.listdir(folder / "done")
    meterline(*options)
    assert sorted(os.listdir(folder / "done")) == ["a.csv", "a.csv.report.json"]


def test_links_lead_nowhere(meterline, folder, watch, tmp_path):
    (tmp_path / "secret.csv").write_text(text_of("SECRET", 1))
    os.symlink(tmp_path / "secret.csv", folder / "a.csv")
    process = watch("--after", "move")
    put(folder, "b.csv", text_of("B", 1))
    wait_until(lambda: (folder / "done/b.csv").exists(), "the file beside the link")
    assert stopped(process) == [("delivery stored", "b.csv")]
    assert [meter["meter"] for meter in meterline("meters").json["meters"]] == ["B"]


def test_a_server_loads_what_comes(meterline, folder, serve):
    server = serve(meterline, "--watch", folder, "--settle", "0", "--after", "move")
    put(folder, "a.csv", text_of("A", 1))
    wait_until(lambda: (folder / "done/a.csv").exists(), "the file to be loaded")
    assert server.json("/v1/meters")["meters"][0]["meter"] == "A"
    assert 'meterline_uploads_total{state="stored"} 1' in server.get("/metrics")
    assert server.stop().err == ""


def test_a_folder_that_is_none_is_refused(meterline, folder):
    for args in (["ingest", "--watch", folder / "none"],
                 ["serve", "--create", "--watch", folder / "none"]):
        assert ": want a folder that is there" in meterline(*args, expect=2).err
    assert "--watch" in meterline("ingest", folder, "--watch", folder, expect=2).err
    assert "--watch" in meterline("serve", "--after", "move", expect=2).err
