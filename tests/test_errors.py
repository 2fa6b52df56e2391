"""What a newcomer does wrong, and the help that comes back."""
import ctypes
import os
import signal

import pytest

import wide

FILE = wide.header() + wide.row("A", "2019-01-01", wide.same(1))
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, PR_CAPBSET_DROP = 1, 2, 24


@pytest.fixture
def loaded(meterline):
    meterline("ingest", "-", input=FILE.encode())
    return meterline


def like_any_user():
    """For preexec_fn: root, too, may then read only what the file's mode lets it."""
    libc = ctypes.CDLL(None)
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


@pytest.mark.parametrize("args, message", [
    (["--nope"], "meterline: The following argument was not expected: --nope; "
                 "`meterline --help` tells what there is"),
    (["frob"], "meterline: The following argument was not expected: frob; "
               "`meterline --help` tells what there is"),
    (["ingest"], "meterline: PATH is required; `meterline ingest --help` tells what there is"),
    (["ingest", "f", "--nope"], "not expected: --nope; `meterline ingest --help` tells"),
    (["ingest", "f", "--threads", "0"], "--threads: Value 0 not in range 1 to 1024"),
    (["query"], "meterline: METER is required; `meterline query --help` tells what there is"),
    (["query", "A"], "meterline: --from is required"),
    (["meters", "--limit", "many"], "--limit: Value many not in range"),
    (["meters", "--output", "xml"], "--output: xml not in {table,json,csv}"),
    (["--config", "nope.toml", "meters"], "nope.toml was not readable (missing?)"),
    (["query", "A", "--from", "01-02-2019"],
     'meterline: --from: want a day as yyyy-MM-dd, like 2019-01-31, got "01-02-2019"'),
    (["query", "A", "--from", "2019-02-29"], 'like 2019-01-31, got "2019-02-29"'),
    (["query", "A", "--from", "2019-01-02", "--to", "2019-01-01"],
     "meterline: --to 2019-01-01 is before --from 2019-01-02"),
    (["query", "A", "--from", "2019-01-01", "--resolution", "decade"],
     '--resolution: want interval, hour, day, week, month, quarter or year, got "decade"'),
    (["query", "A", "--from", "2019-01-01", "--unit", "J"],
     'meterline: --unit: want Wh, kWh, MWh, kvarh, ..., got "J"'),
    (["query", "A", "--from", "2019-01-01", "--flow", "up"],
     '--flow: want consumption, generation, reactive or other, got "up"'),
    (["query", "A", "--from", "2019-01-01", "--as-of", "noon"],
     '--as-of: want a time as 2019-01-31T06:00:00Z or a day as 2019-01-31, got "noon"'),
    (["query", "A B", "--from", "2019-01-01"],
     'METER: want 1 to 64 of `A-Z a-z 0-9 _ - . :`, got "A B"'),
    (["ingest", ".", "--unit", "kwatt"], '--unit: want one of Wh, kWh, MWh, varh, kvarh, Mvarh, '
                                         'VAh, kVAh, MVAh, W, kW, MW, var, kvar, Mvar, VA, kVA, '
                                         'MVA, m3, unknown, got "kwatt"'),
    (["--store", "mysql://host/db", "meters"],
     '--store: want rocksdb:DIR, like rocksdb:./meterline-data, cassandra://HOST/KEYSPACE or '
     'keyspaces://REGION/KEYSPACE, got "mysql://host/db"'),
    (["serve", "--unit", "kwatt"], "--unit: want one of Wh, kWh"),
    (["serve", "--listen", "8080"],
     '--listen: want ADDRESS:PORT, like 127.0.0.1:8080 or [::1]:8080, got "8080"'),
    (["serve", "--listen", "0.0.0.0:0"], "with --auth none, whoever reaches"),
])
def test_wrong_usage_is_exit_2_with_what_is_wanted(loaded, args, message):
    done = loaded(*args, expect=2)
    assert message in done.err and done.out == ""
    assert done.err.count("\n") == 1


def test_without_arguments_the_help_is_shown(meterline):
    done = meterline(expect=2)
    assert "meterline ingest FOLDER" in done.err and "Exit codes:" in done.err
    assert meterline("--help").out == done.err
    assert meterline("--version").out.startswith("meterline ")
    assert "--rejects" in meterline("ingest", "--help").out


def test_a_misspelt_option_in_the_configuration_is_told(meterline, tmp_path):
    for text, message in (
            ('stroe = "rocksdb:x"\n', ":1: there is no option stroe (did you mean store?)"),
            ('output = "csv"\n\n[qurey]\nfrom = "2019-01-01"\n',
             ":3: there is no section qurey (did you mean query?)"),
            ('[query]\nto = "2019-01-01"\nfrm = "2019-01-01"\n',
             ":3: there is no option query.frm (did you mean from?)"),
            ('[store.chek]\nlimit = 3\n', ":1: there is no section chek (did you mean check?)"),
            ('[query]\nxylophone = 1\n', ":2: there is no option query.xylophone; `meterline")):
        config = wide.write(tmp_path / "c.toml", text)
        assert f"meterline: {config}{message}" in meterline("--config", config, "meters",
                                                            expect=2).err
    meterline.env["METERLINE_CONFIG"] = str(tmp_path / "nope.toml")
    assert "nope.toml" in meterline("meters", expect=2).err


def test_no_such_file(meterline, tmp_path):
    done = meterline("ingest", "nope.csv", expect=1)
    assert done.err == "meterline: nope.csv: no such file or folder; check the path\n"
    assert not (tmp_path / "store").exists()


def test_a_folder_without_files(meterline, tmp_path):
    (tmp_path / "in" / "deeper").mkdir(parents=True)
    wide.write(tmp_path / "in" / ".hidden", FILE)
    done = meterline("ingest", "in", expect=2)
    assert done.err == ("meterline: in: no files in this folder (hidden ones, *.tmp and *.part do "
                        "not count); name a folder with files, or a file\n")


def test_an_unreadable_file(meterline, tmp_path):
    file = wide.write(tmp_path / "in" / "secret.csv", FILE)
    file.chmod(0)
    wide.write(tmp_path / "in" / "open.csv", FILE)
    done = meterline("ingest", "in", expect=1, preexec_fn=like_any_user)
    assert "cannot open in/secret.csv: Permission denied" in done.err
    assert [delivery["state"] for delivery in done.json["deliveries"]] == ["stored", "failed"]
    file.chmod(0o600)
    report = meterline("ingest", "in").json
    assert [delivery["state"] for delivery in report["deliveries"]] == ["skipped", "stored"]


def test_a_folder_that_cannot_be_written(meterline, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    done = meterline("ingest", "-", "--store", "rocksdb:locked/store", input=FILE.encode(),
                     expect=6, preexec_fn=like_any_user)
    assert "no permission to make the folder locked/store (Permission denied)" in done.err


def test_an_unknown_meter(loaded):
    done = loaded.query("B", "2019-01-01", expect=1)
    assert done.err == "meterline: meter B is not known: no file loaded so far has a day of it\n"
    assert done.out == ""


@pytest.mark.parametrize("args", [["query", "A", "--from", "2019-01-01"], ["meters"],
                                  ["portfolio", "--from", "2019-01-01"], ["deliveries"],
                                  ["gaps", "--from", "2019-01-01"],
                                  ["gaps", "A", "--from", "2019-01-01"]])
def test_a_store_that_does_not_exist(meterline, tmp_path, args):
    done = meterline(*args, expect=4)
    assert f"there is no store in {tmp_path}/store; load files first" in done.err
    assert "--store" in done.err and not (tmp_path / "store").exists()


def test_a_folder_that_holds_something_else(meterline, tmp_path):
    photo = wide.write(tmp_path / "store" / "holiday.jpg", b"x")
    for args in (["ingest", "-"], ["serve", "--create"]):
        done = meterline(*args, input=FILE.encode(), expect=1)
        assert f"{tmp_path}/store holds something else than a meterline store" in done.err
        assert "--store rocksdb:DIR" in done.err
    assert os.listdir(photo.parent) == ["holiday.jpg"]


def test_a_store_of_a_newer_program(loaded, tmp_path):
    wide.write(tmp_path / "store" / "FORMAT", "meterline store format 99\n")
    done = loaded("meters", expect=1)
    assert "has format 99, written by a newer meterline" in done.err
    assert "use the newer program" in done.err


def test_a_store_in_use_names_its_owner(meterline, server):
    for args, code in ((["serve", "--listen", "127.0.0.1:0"], 5), (["store", "repair"], 1)):
        done = meterline(*args, expect=code)
        assert (f"the store in {meterline.store} is in use by process {server.process.pid} "
                "(meterline serve); wait until it has ended or stop that process") in done.err
    server.upload(FILE.encode())  # The first one goes on.


def test_a_port_that_is_taken(meterline, server, tmp_path):
    meterline.use_store(tmp_path / "other")
    done = meterline("serve", "--create", "--listen", f"127.0.0.1:{server.port}", expect=1)
    assert done.err == (f"meterline: port {server.port} on 127.0.0.1 is in use; choose another "
                        "with --listen 127.0.0.1:PORT\n")


@pytest.mark.parametrize("args", [
    ["meters"],
    ["query", "A", "--from", "2019-01-01", "--resolution", "interval"],
    ["query", "A", "--from", "2019-01-01", "--output", "table"],
])
def test_an_answer_that_cannot_be_written(loaded, args):
    """A long one, too, which fails while it is printed."""
    with open("/dev/full", "wb") as full:
        done = loaded(*args, expect=1, stdout=full)
    assert done.err == "meterline: cannot write the answer; is the disk full?\n"


def test_messages_that_cannot_be_written_change_nothing(loaded):
    with open("/dev/full", "wb") as full:
        loaded("ingest", "nope.csv", expect=1, stderr=full)
        assert loaded("meters", stderr=full).json["meters"]


def test_rejects_that_cannot_be_written(meterline, tmp_path):
    bad = wide.header() + wide.row("A", "today", wide.same(1))
    done = meterline("ingest", "-", "--rejects", "/dev/full", input=bad.encode(), expect=1)
    assert "cannot write the rejected rows to /dev/full" in done.err


def test_a_reader_that_goes_away_ends_it_quietly(loaded):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        done = loaded("meters", expect=-signal.SIGPIPE, stdout=pipe)
    assert done.err == ""


def test_a_device_that_never_ends_is_refused_at_once(meterline):
    done = meterline("ingest", "/dev/zero", "--output", "json", expect=1)
    (delivery,) = done.json["deliveries"]
    assert delivery["state"] == "refused" and delivery["bytes"] < 1 << 20
    assert delivery["reason"].endswith("it was not read to its end, so no record of it is kept")
    assert meterline("deliveries").json["deliveries"] == []
