"""What each meter of a list used: `query @FILE` answers as POST /v1/consumption:batch does."""
import json

import pytest

import wide
from conftest import exact

DAYS = ["--from", "2019-01-01", "--to", "2019-01-02"]


@pytest.fixture
def loaded(meterline, tmp_path):
    rows = [wide.row(meter, f"2019-01-0{day}", wide.same(day))
            for meter in ("A1", "A2", "B1") for day in (1, 2)]
    wide.write(tmp_path / "in.csv", wide.header() + "".join(rows))
    meterline("ingest", "in.csv", "--unit", "kWh")
    return meterline


def batch(server, meters, accept):
    return server.get("/v1/consumption:batch?from=2019-01-01&to=2019-01-02",
                      body=json.dumps({"meters": meters}).encode(), headers={"Accept": accept})


def test_answers_are_those_of_the_batch_in_the_order_of_the_list(loaded, tmp_path, serve):
    meters = ["B1", "XX", "A2", "A2"]
    (tmp_path / "list").write_text("B1\r\n\n XX \nA2\nA2")
    done = loaded("query", "@list", *DAYS, "--output", "json", expect=1)
    assert done.err == "meterline: not known: 1 of 4 meters\n"
    lines = done.out.splitlines()
    assert lines[1] == '{"meter":"XX","problem":"no such meter"}'
    for meter, line in zip(meters, lines):
        if meter != "XX":
            assert loaded("query", meter, *DAYS, "--output", "json").out == line + "\n"
    csv = loaded("query", "@list", *DAYS, "--output", "csv", expect=1).out

    server = serve(loaded)
    assert batch(server, meters, "application/json") == (
        '{"answers":[' + ",".join(lines) + "]}\n")
    assert batch(server, meters, "text/csv") == csv


def test_a_table_shows_each_meter_as_a_question_about_it_does(loaded, tmp_path):
    (tmp_path / "list").write_text("A1\nXX\nB1\n")
    out = loaded("query", "@list", *DAYS, "--output", "table", expect=1).out
    one, other = (loaded("query", meter, *DAYS, "--output", "table").out for meter in ("A1", "B1"))
    assert out == f"A1\n{one}\nXX\nno such meter\n\nB1\n{other}"


def test_the_list_comes_by_standard_input_too(loaded):
    done = loaded("query", "@-", *DAYS, "--resolution", "month", "--output", "json",
                  input=b"A1\nB1\n")
    sums = [exact(line)["channels"][0]["sum"] for line in done.out.splitlines()]
    assert len(sums) == 2 and sums[0] == sums[1] == 48 * 3


def test_an_export_takes_its_meters_by_standard_input_too(loaded):
    out = loaded("export", "days", "--from", "2019-01-01", "--meter", "@-", input=b"B1\nA1\n").out
    assert [line.split(",")[0] for line in out.splitlines()] == ["meter", "A1", "B1"]


@pytest.mark.parametrize("text, message", [
    ("A1\nA 2\n", 'METER, line 2: no meter id: "A 2"'),
    ("\n", "METER: there is no meter in list: want an id on each line"),
    (None, "METER: cannot read list"),
])
def test_what_is_no_list_is_told_before_anything_is_answered(loaded, tmp_path, text, message):
    if text is not None:
        (tmp_path / "list").write_text(text)
    done = loaded("query", "@list", *DAYS, expect=1 if text is None else 2)
    assert message in done.err and done.out == ""


def test_a_wrong_question_is_refused_once(loaded, tmp_path):
    (tmp_path / "list").write_text("A1\nB1\n")
    done = loaded("query", "@list", "--from", "2019-01-02", "--to", "2019-01-01", expect=2)
    assert done.out == "" and done.err.count("\n") == 1
