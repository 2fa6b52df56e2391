"""Feeds through the program: by name, by file, found by the header, and as part of what a delivery
is; long CSV without a feed. What each shipped feed reads is tested beside the formats."""
import json
import pathlib
import re
import shlex

import pytest

ROOT = pathlib.Path(__file__).parent.parent
FEEDS = ROOT / "tests/data/feeds"
SIEMENS = FEEDS / "siemens-uk/sample.csv"
OCTOPUS = FEEDS / "octopus-uk/sample.csv"

LONG = "meter,start,value,unit\nM1,2024-04-03T00:00+01:00,1,kWh\nM1,2024-04-03T00:30+01:00,2,kWh\n"


def day_sum(meterline, meter, day):
    return str(meterline.day_sums(meter, day, day)[day])


def test_a_shipped_feed_reads_its_layout_and_is_kept_with_the_delivery(meterline):
    delivery = meterline("ingest", SIEMENS, "--feed", "siemens-uk", expect=3).delivery
    assert delivery["state"] == "stored" and delivery["format"] == "feed"
    listed = meterline("deliveries").json["deliveries"][0]
    assert listed["feed"]["name"] == "siemens-uk"
    assert day_sum(meterline, "9900000000017", "2024-04-03") == "1.176"


def test_auto_finds_the_feed_and_the_same_file_is_skipped_whichever_way(meterline):
    first = meterline("ingest", SIEMENS, "--feed", "auto", expect=3).delivery
    assert first["state"] == "stored"
    for feed in ("auto", "siemens-uk"):
        assert meterline("ingest", SIEMENS, "--feed", feed).delivery["state"] == "skipped"


def test_the_environment_names_a_feed_or_none(meterline):
    meterline.env["METERLINE_FEED"] = "none"
    assert meterline("ingest", SIEMENS, expect=1).delivery["state"] == "refused"
    meterline.env["METERLINE_FEED"] = "auto"
    assert meterline("ingest", SIEMENS, expect=3).delivery["state"] == "stored"


def test_a_refused_file_is_told_of_the_feed_that_has_its_columns(meterline):
    delivery = meterline("ingest", SIEMENS, "--unit", "kWh", expect=1).delivery
    assert delivery["state"] == "refused" and "--feed siemens-uk" in delivery["reason"]


def test_what_a_feed_cannot_know_is_asked_for_by_its_option(meterline):
    refused = meterline("ingest", OCTOPUS, "--feed", "octopus-uk", expect=1).delivery
    assert "--meter" in refused["reason"]
    meterline("ingest", OCTOPUS, "--feed", "octopus-uk", "--meter", "HOME")
    # 48 of 50 half hours, and two that have no row.
    assert day_sum(meterline, "HOME", "2024-10-27") == "1.264"
    # The same file of another meter is another delivery.
    other = meterline("ingest", OCTOPUS, "--feed", "octopus-uk", "--meter", "OTHER").delivery
    assert other["state"] == "stored"


def test_a_feed_of_ones_own_is_a_file(meterline, tmp_path):
    feed = tmp_path / "mine.toml"
    feed.write_text('unit = "kWh"\nmeter.column = "Id"\n[wide]\nstep = 60\ncolumns = "h{n}"\n'
                    'date = { column = "Day", pattern = "dd.MM.yyyy" }\n')
    sample = tmp_path / "sample.csv"
    sample.write_text("Id,Day," + ",".join(f"h{n}" for n in range(1, 25)) + "\n" +
                      "M1,31.01.2024," + ",".join(["1"] * 24) + "\n")
    meterline("ingest", sample, "--feed", feed)
    assert day_sum(meterline, "M1", "2024-01-31") == "24"


@pytest.mark.parametrize("toml, words", [
    ('zone = "Europe/Lodnon"\n[wide]\n', ["line 1, column 8", "Europe/Lodnon"]),
    ('[file]\ndelimiter = ":"\n[wide]\n', ["line 2, column 13", '"," ', '"tab"'.strip()]),
    ('colour = 1\n', ["line 1", "`colour` is no key", "zone"]),
    ('title = \n', ["line 1"]),
    ('[wide]\ndate = { column = "D", pattern = "dd/QQ" }\n', ["line 2", "dd/QQ", "yyyy"]),
    ('title = "x"\n', ["want one of [wide]", "[long]"]),
])
def test_a_wrong_feed_is_told_by_line_column_and_what_may_stand_there(meterline, tmp_path, toml,
                                                                        words):
    feed = tmp_path / "wrong.toml"
    feed.write_text(toml)
    told = meterline("ingest", SIEMENS, "--feed", feed, expect=2).err
    assert [word.strip() for word in words if word.strip() not in told] == []


def test_feeds_are_listed_shown_and_checked(meterline):
    names = [feed["name"] for feed in meterline("feed", "list", "--output", "json").json["feeds"]]
    assert len(names) >= 40 and "siemens-uk" in names
    assert 'columns = "{end}"' in meterline("feed", "show", "siemens-uk").out
    told = json.loads(meterline("feed", "check", "siemens-uk", SIEMENS, expect=0).out)
    assert told["days"] == 3 and told["findings"] == "time_comes_twice 2"
    assert told["rows"][1]["read"][0]["first"] == "00:00:00+01:00 0.001 kWh"
    unknown = meterline("feed", "check", "nobody", SIEMENS, expect=2).err
    assert "there is no feed `nobody`" in unknown and "siemens-uk" in unknown


def test_a_check_tells_of_totals_once_for_the_file(meterline):
    sample = FEEDS / "sdge-us/sample.csv"
    told = json.loads(meterline("feed", "check", "sdge-us", sample).out)
    assert told["findings"] == "none" and {*map(str, told["rows"][0]["findings"])} == set()
    other = meterline.folder / "other.csv"
    other.write_text(sample.read_text().replace("Total Usage: 0", "Total Usage: 1"))
    told = json.loads(meterline("feed", "check", "sdge-us", other).out)
    assert told["findings"] == "file_total_differs 1"
    (finding,) = meterline("ingest", other, "--feed", "sdge-us").delivery["findings"]
    assert (finding["code"], finding["line"]) == ("file_total_differs", 2)


def test_a_draft_is_written_told_and_checked(meterline, tmp_path):
    sample = tmp_path / "unknown.csv"
    sample.write_text("Point;Start;kWh\nZZ1;13/04/2024 00:00;0,125\nZZ1;13/04/2024 01:00;1,5\n")
    drafted = meterline("feed", "draft", sample)
    assert 'decimal = ","' in drafted.out and "decided long.start: " in drafted.err
    assert 'open zone: ' in drafted.err and 'zone = "Europe/London"' in drafted.err
    feed = tmp_path / "drafted.toml"
    assert meterline("feed", "draft", sample, "-o", feed).out == ""
    assert feed.read_text() == drafted.out
    assert "is there already" in meterline("feed", "draft", sample, "-o", feed, expect=2).err
    # A draft with questions is a feed all the same where options answer them; they are told.
    told = meterline("feed", "check", feed, sample, "--zone", "UTC", "--meter", "M1")
    assert "open in the feed, line " in told.err and ": zone: " in told.err
    assert json.loads(told.out)["rows"][0]["read"][0]["first"] == "00:00:00+00:00 0.125 kWh"


def test_a_draft_names_the_shipped_feed_and_says_what_it_cannot_draft(meterline, tmp_path):
    drafted = meterline("feed", "draft", SIEMENS)
    assert drafted.err.startswith("`--feed siemens-uk` reads this file")
    nothing = tmp_path / "nothing.csv"
    nothing.write_text("a,b\n1,2\n")
    assert "no line has fields" in meterline("feed", "draft", nothing, expect=1).err
    assert "cannot read" in meterline("feed", "draft", tmp_path / "absent.csv", expect=2).err


def worked_example():
    """The blocks of the page's example, each without its indent."""
    page = (ROOT / "docs/use/feeds.md").read_text(encoding="utf-8")
    section = page.split("## From an unknown file to a loaded day\n")[1].split("\n## ")[0]
    blocks = re.findall(r"(?m)(?:^    .*\n(?:\n(?=    ))?)+", section)
    return ["".join(line[4:] or "\n" for line in block.splitlines(keepends=True))
            for block in blocks]


def test_the_worked_example_is_true(meterline):
    file, draft, feed, load = worked_example()
    (meterline.folder / "readings.csv").write_text(file)

    def run(block):
        return [meterline(*shlex.split(line)[1:]) for line in block.splitlines()]
    (drafted,) = run(draft)
    assert {line.split(":")[0] for line in drafted.err.splitlines() if line.startswith("open ")} \
        == {"open meter", "open zone", "open unit", "open wide.autumn"}
    written = (meterline.folder / "plant.toml").read_text()
    said = [line for line in written.splitlines() if line and not line.startswith(("#", "title"))]
    assert [line for line in said if line not in feed.splitlines()] == ['other = ["Point"]']
    (meterline.folder / "plant.toml").write_text(feed)
    checked, loaded, queried = run(load)
    assert json.loads(checked.out)["findings"] == "none" and checked.err == ""
    assert loaded.delivery["state"] == "stored" and not loaded.delivery["findings"]
    (channel,) = queried.json["channels"]
    assert len(channel["series"]) == 24
    assert str(channel["series"][0]["sum"]) == "0.07"


def test_uploads_name_their_feed(server):
    parameters = "?feed=octopus-uk&meter=HOME"
    assert server.upload(OCTOPUS.read_bytes(), parameters)["state"] == "stored"
    assert server.upload(SIEMENS.read_bytes(), "?feed=auto")["state"] == "stored"
    assert "no feed" in str(server.upload(SIEMENS.read_bytes(), "?feed=x", expect=400))


def test_long_csv_needs_no_feed(meterline, tmp_path):
    sample = tmp_path / "long.csv"
    sample.write_text(LONG)
    delivery = meterline("ingest", sample, "--zone", "Europe/London").delivery
    assert delivery["format"] == "long-csv" and delivery["rows"]["stored"] == 1
    assert day_sum(meterline, "M1", "2024-04-03") == "3"


def test_a_long_csv_that_names_export_is_generation(meterline, tmp_path):
    sample = tmp_path / "long.csv"
    sample.write_text("meter,start,value,unit,channel\n"
                      "M1,2024-04-03T00:00Z,1,kWh,Import\nM1,2024-04-03T01:00Z,2,kWh,Import\n"
                      "M1,2024-04-03T00:00Z,3,kWh,Export\nM1,2024-04-03T01:00Z,4,kWh,Export\n")
    meterline("ingest", sample)
    channels = meterline.query("M1", "2024-04-03").json["channels"]
    assert sorted((channel["flow"], str(channel["series"][0]["sum"])) for channel in channels) \
        == [("consumption", "3"), ("generation", "7")]


@pytest.mark.parametrize("text, options, words", [
    ("Meter,Timestamp,kWh\nM1,2024-04-03T00:00Z,1\nM1,2024-04-03T01:00Z,2\n", [], ["--stamp"]),
    ("Meter,Start,kWh\nM1,03/04/2024 00:00,1\nM1,03/04/2024 01:00,2\n", [],
     ["--dates", "not to be seen"]),
    ("Meter,Start,kWh\nM1,13/04/2024 00:00,1\nM1,13/04/2024 01:00,2\n", [], ["days come first"]),
    ("Meter,Start,kWh\nM1,2024-04-03T00:00,1\nM1,2024-04-03T01:00,2\n", [], ["--zone"]),
    ("Start,kWh\n2024-04-03T00:00Z,1\n2024-04-03T01:00Z,2\n", [], ["--meter"]),
    ("Meter,Start,kWh\nM1,2024-04-03T00:00Z,1\n", [], ["--step"]),
])
def test_what_long_csv_leaves_open_is_asked_for(meterline, tmp_path, text, options, words):
    sample = tmp_path / "long.csv"
    sample.write_text(text)
    delivery = meterline("ingest", sample, *options, expect=1).delivery
    assert [word for word in words if word not in delivery["reason"]] == []


def test_options_settle_what_long_csv_leaves_open(meterline, tmp_path):
    sample = tmp_path / "long.csv"
    sample.write_text("TIME_STAMP;Value\n03/04/2024 01:00;1.5\n")
    meterline("ingest", sample, "--stamp", "end", "--dates", "dd/MM/yyyy", "--step", "60",
              "--meter", "M1", "--zone", "Europe/London", "--unit", "kWh")
    assert day_sum(meterline, "M1", "2024-04-03") == "1.5"
