"""Green Button through the real program: the case of the field, published files, days of a change
of the clock at every interval, register reads, the option that settles a clock, broken files."""
import datetime
import pathlib
import xml.etree.ElementTree as ET
from decimal import Decimal

import pytest

DATA = pathlib.Path(__file__).parent / "data/green-button"
ESPI = "{http://naesb.org/espi}"


def load(program, name, expect=0, *options):
    program.env.pop("METERLINE_UNIT", None)  # A file of Green Button names its units.
    return program("ingest", DATA / name, *options, expect=expect).delivery


def sums(program, meter, day, resolution="day"):
    answer = program.query(meter, day, None, "--resolution", resolution).json
    return {channel["channel"]: channel for channel in answer["channels"]}


@pytest.mark.parametrize("program", ["meterline", "on_cassandra"])
def test_a_multiplier_that_is_said_twice_counts_once(program, request):
    program = request.getfixturevalue(program)
    delivery = load(program, "multiplier_twice.xml", 3)
    assert delivery["format"] == "green-button" and delivery["state"] == "stored"
    assert delivery["findingCounts"] == {"not_standard": 3, "series_ignored": 1}
    (left_out,) = [f for f in delivery["findings"] if f["code"] == "series_ignored"]
    assert "MeterReading/04" in left_out["text"] and "demand" in left_out["text"]
    assert delivery["rows"] == {"read": 4, "stored": 3, "repeated": 0, "rejected": 1}
    channels = sums(program, "User:u:UsagePoint:0", "2025-10-19")
    assert {name: (channel["flow"], channel["sum"], channel["readings"])
            for name, channel in channels.items()} == {
        "consumption": ("consumption", Decimal("24.276"), 24),
        "generation": ("generation", Decimal("2.4"), 24),
        "net": ("other", Decimal("21.876"), 24)}
    (meter,) = program("meters").json["meters"]
    assert {channel["zone"] for channel in meter["channels"]} == {"America/Denver"}


@pytest.mark.parametrize("name", ["usage_data_01.xml", "usage_data_05.xml"])
def test_published_files_have_the_sum_of_their_values(meterline, name):
    delivery = load(meterline, name)
    assert delivery["state"] == "stored" and delivery["findingCounts"] == {"resource_ignored": 2}
    values = [int(reading.find(ESPI + "value").text)
              for reading in ET.parse(DATA / name).iter(ESPI + "IntervalReading")]
    start = ET.parse(DATA / name).find(f".//{ESPI}timePeriod/{ESPI}start").text
    day = datetime.datetime.fromtimestamp(int(start), datetime.timezone.utc).date()
    channel = sums(meterline, "5446AF3F", str(day), "interval")["consumption"]
    assert channel["sum"] == Decimal(sum(values)) / 1000 and channel["readings"] == len(values)
    assert channel["series"][0]["start"] == f"{day}T00:00:00-05:00"
    assert [point["sum"] for point in channel["series"]] == [Decimal(v) / 1000 for v in values]


def test_a_day_of_25_hours_is_right_to_the_interval(meterline):
    delivery = load(meterline, "doc_plain.xml")
    assert delivery["readings"] == {"read": 50, "stored": 50, "missing": 0, "repeated": 0,
                                    "rejected": 0}
    channel = sums(meterline, "5446AF3F", "2025-11-02", "interval")["consumption"]
    assert (channel["readings"], channel["expected"]) == (25, 25)
    assert [point["start"][11:] for point in channel["series"]][:4] == [
        "00:00:00-04:00", "01:00:00-04:00", "01:00:00-05:00", "02:00:00-05:00"]
    assert [point["sum"] for point in channel["series"]] == [
        Decimal(hour) / 1000 for hour in range(1, 26)]
    assert channel["series"][2]["note"]["flag"] == "8"
    hours = sums(meterline, "5446AF3F", "2025-11-02", "hour")["generation"]
    assert len(hours["series"]) == 25 and hours["sum"] == Decimal("0.0495")


def test_the_stated_time_counts_whichever_file_comes_first(meterline):
    text = (DATA / "doc_plain.xml").read_text()
    later = text.replace("2025-11-04T07:00:00Z", "2025-11-06T07:00:00Z").replace(
        "<espi:value>25<", "<espi:value>1025<")
    meterline("ingest", "-", input=later.encode())
    meterline("ingest", "-", input=text.encode())
    channel = sums(meterline, "5446AF3F", "2025-11-02")["consumption"]
    assert channel["sum"] == Decimal("1.325")


def test_long_intervals_are_register_reads(meterline):
    delivery = load(meterline, "doc_registers.xml")
    assert delivery["registerReads"]["stored"] == 3 == delivery["rows"]["stored"]
    reads = meterline("registers", "5446AF3F").json["reads"]
    assert [(read["register"], read["unit"], read["time"], read.get("counted"), read.get("value"))
            for read in reads] == [
        ("04", "Wh", "2025-01-01T00:00:00-05:00", None, 12345000),
        ("03", "Wh", "2025-01-02T00:00:00-05:00", 24500, None),
        ("03", "Wh", "2025-01-03T00:00:00-05:00", 23100, None)]


def without_clock():
    text = (DATA / "doc_plain.xml").read_text()
    clock = text.index("<entry>", text.index("LocalTimeParameters/01"))
    return text[:clock] + text[text.index("</entry>\n", clock) + 9:]


def test_a_clock_that_the_file_does_not_tell_is_settled_by_the_option(meterline):
    meterline.env.pop("METERLINE_UNIT", None)
    refused = meterline("ingest", "-", input=without_clock().encode(), expect=1).delivery
    assert refused["state"] == "refused" and refused["findingCounts"] == {"zone_unknown": 3}
    assert "--zone" in refused["reason"]
    meterline("ingest", "-", "--zone", "America/Toronto", input=without_clock().encode())
    channel = sums(meterline, "5446AF3F", "2025-11-02")["consumption"]
    assert channel["readings"] == channel["expected"] == 25


def test_a_broken_file_is_read_up_to_its_fault(meterline):
    delivery = load(meterline, "doc_faults.xml", 3)
    (broken,) = [f for f in delivery["findings"] if f["code"] == "broken_off"]
    lines = (DATA / "doc_faults.xml").read_text().splitlines()
    assert "</value>" in lines[broken["line"] - 1] and "mismatched tag" in broken["text"]
    rows = delivery["rows"]
    assert rows["read"] == rows["stored"] + rows["repeated"] + rows["rejected"] == 6


@pytest.mark.parametrize("text, words", [
    ('<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><feed '
     'xmlns="http://www.w3.org/2005/Atom"/>', "DTD"),
    ('<feed xmlns="http://www.w3.org/2005/Atom"></fed>', "mismatched tag"),
    ('<feed xmlns="http://www.w3.org/2005/Atom"></feed>', "no IntervalBlock"),
])
def test_a_file_without_readings_is_refused(meterline, text, words):
    delivery = meterline("ingest", "-", input=text.encode(), expect=1).delivery
    assert delivery["state"] == "refused" and words in delivery["reason"]


def test_one_line_that_is_uploaded_gives_the_same(meterline, serve):
    text = (DATA / "doc_plain.xml").read_text().replace("\n", "")
    server = serve(meterline)
    assert server.upload(text.encode())["rows"]["stored"] == 2
    server.stop()
    channel = sums(meterline, "5446AF3F", "2025-11-02")["consumption"]
    assert channel["sum"] == Decimal("0.325")


def without_names():
    """The readings of a file in resources without feed, entries or links."""
    root = ET.parse(DATA / "usage_data_01.xml").getroot()
    batch = ET.Element("batch")
    for kind in ("LocalTimeParameters", "ReadingType", "IntervalBlock"):
        found = root.findall(f".//{ESPI}{kind}")
        batch.extend(found if kind == "IntervalBlock" else found[:1])
    return ET.tostring(batch)


def test_the_option_names_the_meter_of_a_file_that_names_none(meterline, serve, tmp_path):
    path, named = tmp_path / "bare.xml", DATA / "usage_data_01.xml"
    path.write_bytes(without_names())
    refused = load(meterline, path, 1)
    assert "--meter" in refused["findings"][0]["text"]
    assert load(meterline, path, 0, "--meter", "HOME")["state"] == "stored"
    assert load(meterline, path, 0, "--meter", "HOME")["state"] == "skipped"
    assert load(meterline, path, 0, "--meter", "OTHER")["state"] == "stored"
    told = {delivery.get("feed", {}).get("name")
            for delivery in meterline("deliveries").json["deliveries"]}
    assert told == {None, "green-button"}
    assert "--stamp" in load(meterline, path, 1, "--meter", "HOME", "--stamp", "end")["reason"]
    contradicted = load(meterline, named, 1, "--meter", "HOME")
    assert "leave out --meter" in contradicted["reason"]
    assert load(meterline, named)["state"] == "stored"
    with_server = serve(meterline)
    with_server.upload(path.read_bytes(), "?meter=UPLOADED")
    with_server.stop()
    first = meterline("meters").json["meters"][0]["channels"][0]["first"]
    wanted = sums(meterline, "5446AF3F", first)
    for meter in ("HOME", "OTHER", "UPLOADED"):
        assert sums(meterline, meter, first)["consumption"]["sum"] == wanted["consumption"]["sum"]
