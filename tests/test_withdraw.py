"""Deliveries that are taken back and brought back, on one machine and on a cluster."""
import csv
import io
import json
import urllib.request

import pytest

import wide

GOOD = wide.header() + wide.row("A", "2019-01-01", wide.same(1)) + wide.row(
    "A", "2019-01-02", wide.same(1, 24) + [""] * 24)
# Corrects the first day, completes the second, and brings a day and a meter of its own.
WRONG = wide.header() + "".join(wide.row(*row) for row in (
    ("A", "2019-01-01", wide.same(9)), ("A", "2019-01-02", [""] * 24 + wide.same(9, 24)),
    ("A", "2019-01-03", wide.same(9)), ("B", "2019-01-01", wide.same(9))))
SPAN = ("--from", "2019-01-01", "--to", "2019-01-03")


@pytest.fixture(params=["meterline", "on_cassandra"])
def loaded(request):
    """A store with both files, of which `wrong` came last."""
    program = request.getfixturevalue(request.param)
    wide.write(program.folder / "good.csv", GOOD, modified="2019-02-01T00:00:00")
    wide.write(program.folder / "wrong.csv", WRONG, modified="2019-02-02T00:00:00")
    program("ingest", "good.csv", "--unit", "kWh")
    program.wrong = program("ingest", "wrong.csv", "--unit", "kWh").delivery
    return program


def told(program, *options):
    """What questions say of a time, to be compared. Which meters are known is a matter of now."""
    answers = [program("portfolio", *SPAN, "--output", output, *options).out
               for output in ("json", "csv")]
    answers.append(program("gaps", *SPAN, "--absent", "false", *options).out)
    answers += [program(*verb, *SPAN, *options).out for verb in (
        ["query", "A", "--resolution", "interval"], ["query", "A", "--resolution", "month"],
        ["gaps", "A"])]
    return [without_as_of(answer) for answer in answers]


def without_as_of(answer):
    if not answer.startswith("{"):
        return answer
    parsed = json.loads(answer)
    parsed.pop("asOf")
    return parsed


def known(program):
    return [program("meters").out, program("gaps", *SPAN).out]


def days_of(program, *options):
    return {day["start"]: (day["sum"], day["readings"]) for day in
            program.query("A", "2019-01-01", "2019-01-03", *options).json["channels"][0]["series"]}


def test_from_then_on_it_does_not_count_until_it_is_brought_back(loaded):
    before, known_before = told(loaded), known(loaded)
    assert days_of(loaded) == {"2019-01-01": (432, 48), "2019-01-02": (240, 48),
                               "2019-01-03": (432, 48)}
    done = loaded("withdraw", "wrong.csv", "--reason", "of others", "--who", "ann").json
    assert done["changed"] and done["delivery"]["id"] == loaded.wrong["id"]
    assert done["delivery"]["rows"]["stored"] == 4
    (withdrawn,) = done["delivery"]["events"]
    assert (withdrawn["kind"], withdrawn["who"], withdrawn["reason"]) == (
        "withdrawn", "ann", "of others")
    without = told(loaded)
    assert days_of(loaded) == {"2019-01-01": (48, 48), "2019-01-02": (24, 24),
                               "2019-01-03": (None, 0)}
    for verb in ("query", "gaps"):
        assert "meter B is not known" in loaded(verb, "B", *SPAN, expect=1).err
    assert [meter["meter"] for meter in loaded("meters").json["meters"]] == ["A"]
    loaded("store", "check")

    undone = loaded("withdraw", loaded.wrong["id"], "--undo").json
    restored = undone["delivery"]["events"][1]
    assert undone["changed"] and restored["kind"] == "restored" and restored["who"]
    assert (told(loaded), known(loaded)) == (before, known_before)
    assert told(loaded, "--as-of", loaded.wrong["receivedAt"]) == before
    assert told(loaded, "--as-of", withdrawn["at"]) == without != before
    assert told(loaded, "--as-of", restored["at"]) == before
    loaded("store", "check")


def test_it_stays_withdrawn_when_it_is_sent_again(loaded):
    loaded("withdraw", loaded.wrong["id"], "--reason", "of others", "--who", "ann")
    wide.write(loaded.folder / "wrong.csv", WRONG, modified="2019-02-09T00:00:00")
    for again in (["wrong.csv"], ["wrong.csv", "--delivered-at", "2019-02-10"]):
        done = loaded("ingest", *again, "--unit", "kWh")
        assert (done.delivery["state"], done.delivery["id"]) == ("skipped", loaded.wrong["id"])
        assert " by ann: of others; `meterline withdraw " in done.delivery["reason"]
        assert "wrong.csv: skipped: withdrawn " in done.err
    table = loaded("ingest", "wrong.csv", "--unit", "kWh", "--output", "table")
    assert "\nwithdrawn " in table.out and "of others" in table.err
    assert loaded("ingest", "good.csv", "--unit", "kWh").delivery["state"] == "skipped"
    assert days_of(loaded)["2019-01-01"] == (48, 48)


def test_deliveries_and_history_show_it(loaded):
    loaded("withdraw", "wrong.csv", "--reason", 'of "others"', "--who", "ann")
    (listed,) = loaded("deliveries", "--withdrawn").json["deliveries"]
    assert (listed["id"], listed["state"]) == (loaded.wrong["id"], "withdrawn")
    rows = list(csv.DictReader(io.StringIO(loaded("deliveries", "--output", "csv").out)))
    assert [(row["state"], row["withdrawnBy"], row["withdrawnReason"]) for row in rows] == [
        ("withdrawn", "ann", 'of "others"'), ("stored", "", "")]
    table = loaded("deliveries", "--output", "table").out
    assert f"{listed['id']} was withdrawn " in table and ' by ann: of "others"\n' in table

    (channel,) = loaded("history", "A", "2019-01-01").json["channels"]
    versions = [(version["delivery"]["state"], version["counts"])
                for version in channel["versions"]]
    assert versions == [("withdrawn", False), ("stored", True)]
    assert "withdrawn" in loaded("history", "B", "2019-01-01", "--output", "table").out


def test_an_archive_keeps_it(loaded, meterline, tmp_path):
    loaded("withdraw", "wrong.csv", "--reason", "of others", "--who", "ann")
    loaded("export", tmp_path / "archive")
    meterline.use_store(tmp_path / "restored")
    meterline("ingest", tmp_path / "archive")
    assert (told(meterline), known(meterline)) == (told(loaded), known(loaded))
    assert meterline("deliveries").json == loaded("deliveries").json
    meterline("store", "check")
    meterline("withdraw", loaded.wrong["id"], "--undo")
    assert days_of(meterline)["2019-01-01"] == (432, 48)


def test_what_cannot_be_withdrawn_is_told(loaded):
    unknown = "0" * 32
    cases = [((unknown, "--reason", "x"), 1, f"no delivery {unknown}"),
             (("nowhere.csv", "--reason", "x"), 1, 'no delivery of source "nowhere.csv" is stored'),
             (("wrong.csv", "--undo"), 1, "is withdrawn: `meterline deliveries` lists them"),
             (("wrong.csv",), 2, "--reason is missing"),
             (("wrong.csv", "--reason", "x" * 1001), 2, "reason: want 1 to 1000 bytes"),
             (("wrong.csv", "--reason", "x", "--who", "a\nb"), 2, "who: want 1 to 100 bytes")]
    for args, code, text in cases:
        assert text in loaded("withdraw", *args, expect=code).err
    assert loaded("deliveries", "--withdrawn").json["deliveries"] == []
    once = loaded("withdraw", loaded.wrong["id"], "--reason", "x", "--output", "table").out
    assert "does not count from then on" in once
    again = loaded("withdraw", loaded.wrong["id"], "--reason", "y", "--output", "table").out
    assert "nothing was done" in again
    (listed,) = loaded("deliveries", "--withdrawn").json["deliveries"]
    assert [event["reason"] for event in listed["events"]] == ["x"]


def test_a_server_that_owns_the_store_does_it(meterline, serve):
    wide.write(meterline.folder / "good.csv", GOOD)
    meterline("ingest", "good.csv")
    server = serve(meterline)
    assert server.json("/?meterId=A&date=01-01-2019")["sum"] == 48
    assert meterline("withdraw", "good.csv", "--reason", "x").json["changed"]
    assert server.json("/?meterId=A&date=01-01-2019")["sum"] == 0
    assert meterline("withdraw", "good.csv", "--undo").json["changed"]
    assert server.json("/?meterId=A&date=01-01-2019")["sum"] == 48


def test_over_http(loaded, serve):
    server = serve(loaded)
    path = f"/v1/deliveries/{loaded.wrong['id']}/withdraw"

    def ask(method, body=None, query=""):
        request = urllib.request.Request(server.url + path + query, data=body, method=method)
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.loads(response.read())

    def daily():
        return server.json("/?meterId=A&date=01-01-2019")["sum"]

    def month():
        return server.json("/v1/portfolio?from=2019-01-01&to=2019-01-31")["channels"][0]["sum"]

    assert (daily(), month()) == (432, 1536)
    assert ask("POST", b'{"reason":"of others","who":"ann"}')["changed"]
    assert (daily(), month()) == (48, 72)
    assert server.json("/v1/deliveries?withdrawn=true")["deliveries"][0]["state"] == "withdrawn"
    assert ask("DELETE", query="?who=bob")["delivery"]["events"][1]["who"] == "bob"
    assert (daily(), month()) == (432, 1536)
    assert server.ask(path, body=b"{}")[0] == 400
    assert server.ask(path)[0] == 405
