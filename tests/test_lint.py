"""`meterline lint`: all that is found in files, of which nothing is stored."""
import csv
import io

import wide
from conftest import Meterline

GOOD = wide.header() + wide.row("A", "2019-01-01", wide.same(1))
BAD = GOOD + wide.row("B", "2019-13-01", wide.same(1)) + "C,2019-01-01,x" + ",1" * 47 + "\n"
NEM12 = ("200,NMI1,E1,1,E1,N1,M,KWH,30,\n300,20250126" + ",1.5" * 48 + ",A,,,20250127101112,\n"
         "900\n")


def lint(tmp_path, *arguments, expect=3):
    return Meterline(tmp_path)("lint", *arguments, expect=expect)


def test_each_finding_stands_in_a_line_of_its_own(tmp_path):
    wide.write(tmp_path / "bad.csv", BAD)
    done = lint(tmp_path, tmp_path / "bad.csv", "--output", "table")
    lines = done.out.replace(f"{tmp_path}/", "").splitlines()
    assert lines[0].startswith("bad.csv:3:2: loss: bad_date: ")
    assert lines[1].startswith("bad.csv:4:3: loss: bad_value: ") and lines[1].endswith(": x")
    assert lines[2:] == [
        "bad.csv: wide-csv (line 1 is a header with `Meter`, `Date` and times of day): "
        "3 rows, 144 readings, 1 rejected",
        "bad.csv: losses: 2, warnings: 0, notes: 0"]
    assert not (tmp_path / "store").exists()


def test_nothing_found_is_told_and_needs_no_unit(tmp_path):
    wide.write(tmp_path / "good.csv", GOOD)
    done = lint(tmp_path, tmp_path / "good.csv", "--output", "table", expect=0)
    assert "losses" not in done.out and "1 rows, 48 readings, 0 rejected" in done.out


def test_csv_has_a_line_for_a_file_that_is_refused(tmp_path):
    wide.write(tmp_path / "page.csv", "<html><body>Sign in</body></html>\n")
    wide.write(tmp_path / "bad.csv", BAD)
    done = lint(tmp_path, tmp_path, "--output", "csv")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [(row["line"], row["severity"], row["code"]) for row in rows] == [
        ("3", "loss", "bad_date"), ("4", "loss", "bad_value"), ("", "", "refused")]
    assert "HTML" in rows[2]["text"]


def test_json_is_that_of_an_ingest(tmp_path):
    wide.write(tmp_path / "bad.csv", BAD)
    done = lint(tmp_path, tmp_path / "bad.csv", "--findings-max", 1)
    delivery = done.json["deliveries"][0]
    assert delivery["recognisedBy"].startswith("line 1 is a header")
    assert delivery["findingCounts"] == {"bad_date": 1, "bad_value": 1}
    assert [finding["severity"] for finding in delivery["findings"]] == ["loss"]
    more = lint(tmp_path, tmp_path / "bad.csv", "--findings-max", 1, "--output", "table").out
    assert "bad.csv: and 1 more findings; --findings-max" in more


def test_strictly_a_file_is_as_its_standard_has_it(tmp_path):
    wide.write(tmp_path / "a.csv", NEM12)
    assert "not_standard" in lint(tmp_path, tmp_path / "a.csv", "--output", "table").out
    meterline = Meterline(tmp_path)
    done = meterline("ingest", tmp_path / "a.csv", "--strict", expect=1)
    report = done.json["deliveries"][0]
    assert report["state"] == "refused" and report["findingCounts"] == {"not_standard": 1}
    meterline("ingest", tmp_path / "a.csv")


def test_a_file_that_is_not_there_is_named(tmp_path):
    assert "none.csv" in lint(tmp_path, tmp_path / "none.csv", expect=1).err


def test_a_file_of_bad_readings_only_says_which_are_bad(tmp_path):
    wide.write(tmp_path / "a.csv", "Meter;Start;kWh\nM;2024-06-03T00:00Z;0:1\n"
                                   "M;2024-06-03T00:30Z;0:1\n")
    delivery = lint(tmp_path, tmp_path / "a.csv").json["deliveries"][0]
    assert delivery["reason"].startswith(
        "none of its rows could be stored (2 read: bad_value 2); the first, line 2: ")
