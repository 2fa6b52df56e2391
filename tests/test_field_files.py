"""Files as they come from the field, made small: each is read as it was meant, or told of. Slot k
of most of them holds k/1000 kWh, so that a shift or a loss shows in the sum."""
import pathlib
from decimal import Decimal

import pytest

FIELD = pathlib.Path(__file__).parent / "data/field"


def load(meterline, name, expect, *options):
    return meterline("ingest", FIELD / name, "--unit", "kWh", *options, expect=expect).delivery


def meters(meterline):
    return [meter["meter"] for meter in meterline("meters").json["meters"]]


@pytest.mark.parametrize("name, words", [
    ("ends_wrap_to_midnight.csv", ["begin with 0:30 and end with 0:00", "ends of intervals"]),
    ("sep_line.csv", ["line 1 was taken", "line 2, with 50 columns", "delete the lines above"]),
    ("title_lines.csv", ["line 8, with 50 columns by `,`", "delete the lines above line 8"]),
    ("semicolons.csv", ["50 columns by `;`", "write `,` between columns"]),
    ("html_page.csv", ["HTML page"]),
    ("workbook.csv", ["Excel workbook", "save its sheet as CSV"]),
    ("nz_eiep13a.csv", ["NZ EIEP13A"]),
])
def test_what_cannot_be_read_is_refused_with_what_it_is(meterline, name, words):
    delivery = load(meterline, name, 1)
    assert delivery["state"] == "refused" and delivery["rows"]["read"] == 0
    assert [word for word in words if word not in delivery["reason"]] == []


@pytest.mark.parametrize("name, codes, words", [
    ("time_change_columns.csv", {"readings_ignored": 1, "readings_without_column": 1},
     ["`Time Change 1 Cons`", "short of it: 0.500"]),
    ("register_rows.csv", {"column_ignored": 1, "ambiguous_row": 3}, ["`Measurement Type`"]),
    ("id_scientific.csv", {"bad_meter_id": 4}, ["scientific notation"]),
    ("id_apostrophe.csv", {"bad_meter_id": 1}, ["apostrophe"]),
])
def test_a_file_of_which_every_row_is_rejected_is_refused(meterline, name, codes, words):
    delivery = load(meterline, name, 1)
    assert delivery["state"] == "refused" and delivery["findingCounts"] == codes
    assert [word for word in words if word not in delivery["reason"]] == []
    assert delivery["rows"]["read"] == delivery["rows"]["rejected"] > 0
    assert meters(meterline) == []


@pytest.mark.parametrize("name, expect, codes, meter, day, total", [
    ("flags_and_units.csv", 3, {"other_unit": 1, "flags_ignored": 1},
     "9900000000082", "2026-01-05", "1.176"),
    ("trailing_comma.csv", 0, {}, "ZZ0019", "2024-09-01", "4.656"),
    ("float_noise.csv", 0, {"noise_dropped": 3}, "ZZ0021", "2024-04-01", "121.121"),
    ("grand_total_row.csv", 3, {"summary_row": 2}, "9900000000231", "2023-10-16", "1.176"),
])
def test_what_can_be_read_is_read_as_meant(meterline, name, expect, codes, meter, day, total):
    delivery = load(meterline, name, expect)
    assert delivery["state"] == "stored" and delivery["findingCounts"] == codes
    assert meters(meterline) == [meter]
    assert meterline.day_sums(meter, day, day) == {day: Decimal(total)}


@pytest.mark.parametrize("name, count", [("thousands.csv", 2), ("zero_with_exponent.csv", 3)])
def test_a_number_in_another_spelling_is_never_another_number(meterline, name, count):
    delivery = load(meterline, name, 3)
    assert delivery["findingCounts"] == {"bad_value": count}
    assert delivery["readings"]["rejected"] == count


def test_bytes_of_another_encoding_in_a_column_left_out_cost_nothing(meterline):
    delivery = load(meterline, "latin1.csv", 0)
    assert delivery["findingCounts"] == {"column_ignored": 1}
    assert delivery["rows"]["stored"] == 1


def test_rejects_name_the_lines_of_ambiguous_rows(meterline, tmp_path):
    load(meterline, "register_rows.csv", 1, "--rejects", tmp_path / "rejects.csv")
    lines = (tmp_path / "rejects.csv").read_text().splitlines()
    assert len(lines) == 4 and all("ambiguous_row" in line for line in lines[1:])
