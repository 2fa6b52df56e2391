"""NEM12 through the real program: samples of others against a plain sum of their 300 records, the
same answers from a file, standard input and an upload, and the case of the field."""
import pathlib
from collections import defaultdict
from decimal import Decimal

import pytest

DATA = pathlib.Path(__file__).parent / "data/nem12"
FACTOR = {"wh": Decimal("0.001"), "varh": Decimal("0.001"), "kwh": 1, "kvarh": 1}
FILES = sorted(file.name for file in DATA.glob("*.csv") if not file.name.startswith("doc_"))


def plain_sums(text):
    """(NMI, suffix) -> sum in kWh or kvarh of the last 300 record of each day."""
    days = {}
    for line in text.splitlines():
        fields = line.split(",")
        if fields[0] == "200":
            nmi, suffix, factor = fields[1], fields[4], FACTOR[fields[7].lower()]
            slots = 1440 // int(fields[8])
        if fields[0] == "300" and fields[2 + slots:3 + slots] and fields[2 + slots][:1].isalpha():
            values = fields[2:2 + slots]
            days[nmi, suffix, fields[1]] = sum(map(Decimal, values)) * factor
    sums = defaultdict(Decimal)
    for (nmi, suffix, _), total in days.items():
        sums[nmi, suffix] += total
    return dict(sums)


def stored_sums(meterline):
    sums = {}
    for meter in meterline("meters").json["meters"]:
        answer = meterline.query(meter["meter"], "2000-01-01", "2030-01-01", "--resolution",
                                 "month")
        for channel in answer.json["channels"]:
            values = [point["sum"] for point in channel["series"] if point["sum"] is not None]
            factor = FACTOR[channel["unit"].lower()]
            sums[meter["meter"], channel["channel"]] = sum(map(Decimal, values)) * factor
    return sums


@pytest.mark.parametrize("name", FILES)
def test_sums_are_those_of_the_300_records(meterline, name):
    done = meterline("ingest", DATA / name, expect={"30min_200_15min_300.csv": 1,
                                                    "incomplete_interval.csv": 3}.get(name, 0))
    assert done.delivery["format"] == "nem12"
    rows = done.delivery["rows"]
    assert rows["read"] == rows["stored"] + rows["repeated"] + rows["rejected"]
    text = (DATA / name).read_text()
    assert rows["read"] == sum(line.startswith("300,") for line in text.splitlines())
    wanted = plain_sums(text)
    if name != "30min_200_15min_300.csv":
        assert wanted
    assert stored_sums(meterline) == wanted


def revised(first, second):
    def row(k, stated):
        return f"300,20250126,{','.join(f'0.{k + i:03}' for i in range(288))},A,,,{stated},\n"
    return ("100,NEM12,202501271200,MDP1,RET1\n200,NMI0000052,E1,E1,E1,N1,52,KWH,5,\n" +
            row(*first) + row(*second) + "900\n")


@pytest.mark.parametrize("order", [1, -1])
def test_the_later_update_time_counts_wherever_it_stands(meterline, order):
    rows = [(0, "20250126120000"), (1, "20250127120000")][::order]
    delivery = meterline("ingest", "-", input=revised(*rows).encode()).delivery
    assert delivery["rows"] == {"read": 2, "stored": 1, "repeated": 1, "rejected": 0}
    assert delivery["findingCounts"] == {"repeated": 1}
    assert stored_sums(meterline) == {
        ("NMI0000052", "E1"): sum(Decimal(1 + i) for i in range(288)) / 1000}


def test_a_time_stated_in_the_future_counts_as_the_receipt(meterline):
    text = revised((0, "21000101000000"), (1, "21000101000000"))
    delivery = meterline("ingest", "-", input=text.encode()).delivery
    assert delivery["findingCounts"] == {"stated_in_future": 2, "repeated": 1}
    (point,) = meterline.query("NMI0000052", "2025-01-26").json["channels"][0]["series"]
    assert point["version"]["stated"] == point["version"]["received"]


def test_notes_are_shown_by_interval(meterline):
    meterline("ingest", DATA / "multiple_quality.csv")
    text = meterline.query("CCCC123456", "2004-04-17", None, "--resolution", "interval").out
    assert '"flag":"F","method":"14","reasonCode":"76"' in text


def test_a_file_that_a_spreadsheet_wrote_has_the_same_sums(meterline):
    text = (DATA / "multiple_meters.csv").read_text()
    loose = text.replace(",", ";").replace(".", ",")
    done = meterline("ingest", "-", input=loose.encode())
    assert done.delivery["format"] == "mdff-loose"
    assert done.delivery["findingCounts"]["not_standard"] >= 1
    assert stored_sums(meterline) == plain_sums(text)


def test_an_upload_can_be_strict(server):
    text = ("100,NEM12,202501271200,MDP1,RET1\n200,NMI1,E1,1,E1,N1,M,KWH,30,\n"
            "300,20250126" + ",1.5" * 48 + ",A,,,20250127101112,\n")
    whole, cut = (text + "900\n").encode(), text.encode()
    refused = server.upload(cut, "?strict=true", expect=422)
    assert refused["state"] == "refused" and refused["findingCounts"] == {"end_missing": 1}
    assert server.upload(cut)["state"] == "stored"
    assert server.upload(whole, "?strict=true")["state"] == "stored"
    assert "strict" in server.upload(whole, "?strict=yes", expect=400)["detail"]
