"""Tables for other programs: DuckDB, Polars and pandas read what meterline answers itself."""
import csv
import gzip
import json
import re
import subprocess
import urllib.request
from decimal import Decimal

import pytest
import wide
from aws import environment
from conftest import ROOT, Meterline, Server

PYTHON = environment.FOLDER / "python-tables/bin/python"
DOCS = (ROOT / "docs/use/export.md").read_text()
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
READERS = {
    "duckdb": """
import duckdb
table = duckdb.sql("SELECT meter, channel, sum({value})::VARCHAR AS sum, count(*) AS n, "
                   "count({value}) AS some FROM {source} GROUP BY 1, 2")
rows = table.fetchall()
""",
    "polars": """
import polars as pl
table = pl.{read}("{file}").group_by("meter", "channel").agg(
    pl.col("{value}").sum().cast(pl.String), pl.len(), pl.col("{value}").count().alias("some"))
rows = table.rows()
""",
    "pandas": """
import pandas as pd
table = pd.{pandas}("{file}")
rows = [(*key, str(part["{value}"].dropna().sum()), len(part), int(part["{value}"].notna().sum()))
        for key, part in table.groupby(["meter", "channel"], observed=True)]
""",
}
FORMATS = {
    "parquet": {"source": "'{file}'", "read": "read_parquet", "pandas": "read_parquet"},
    "arrow": {"source": "", "read": "read_ipc", "pandas": "read_feather"},
}


def run(folder, program):
    """The JSON that a program of other people's libraries prints."""
    environment.checked(PYTHON)
    done = subprocess.run([PYTHON, "-c", program], cwd=folder, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def read(folder, file, form, reader, value):
    words = {name: text.format(file=file) for name, text in FORMATS[form].items()}
    program = READERS[reader].format(file=file, value=value, **words)
    text = run(folder, program + "\nimport json\nprint(json.dumps([list(row) for row in rows]))")
    return {(meter, channel): (Decimal(total), rows, some)
            for meter, channel, total, rows, some in json.loads(text)}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    meterline = Meterline(tmp_path_factory.mktemp("tables"))
    meterline("demo", "--once", "--folder", meterline.folder / "demo")
    meterline.use_url(f"rocksdb:{meterline.folder}/demo/store")
    return meterline


def answered(meterline, meter, first, last):
    """(meter, channel) -> sum, intervals and readings of it, as a question is answered."""
    channels = meterline.query(meter, first, last).json["channels"]
    return {(meter, channel["channel"]): (channel["sum"] or Decimal(0), channel["readings"])
            for channel in channels}


METERS = ["EX-SOLAR-LONDON", "EX00003", "EX00027", "EX00042"]


@pytest.mark.parametrize("form, reader", [(form, reader) for form in FORMATS for reader in READERS
                                          if (form, reader) != ("arrow", "duckdb")])
def test_other_programs_read_what_is_answered(demo, form, reader):
    file = f"{form}-{reader}.{form}"
    chosen = [word for meter in METERS for word in ("--meter", meter)]
    told = demo("export", "readings", "--from", "2025-03-01", "--to", "2025-10-31", *chosen, "-o",
                file, "--output", "json").json
    assert told["meters"] == len(METERS) and told["file"] == file
    said = read(demo.folder, file, form, reader, "value")
    assert sum(rows for _, rows, _ in said.values()) == told["rows"]
    for meter in METERS:
        wanted = answered(demo, meter, "2025-03-01", "2025-10-31")
        assert {key: (total, some) for key, (total, _, some) in said.items()
                if key[0] == meter} == wanted


@pytest.mark.parametrize("table", ["days", "months"])
def test_sums_are_those_of_questions(demo, table):
    demo("export", table, "--from", "2025-03-01", "--to", "2025-10-31", "-o", f"{table}.parquet")
    said = read(demo.folder, f"{table}.parquet", "parquet", "duckdb", "sum")
    assert len({meter for meter, _ in said}) > 200
    for meter in METERS:
        wanted = answered(demo, meter, "2025-03-01", "2025-10-31")
        assert {key: total for key, (total, _, _) in said.items() if key[0] == meter} == {
            key: total for key, (total, _) in wanted.items()}


def test_columns_have_the_types_that_are_documented(demo):
    demo("export", "readings", "--from", "2025-10-26", "--meter", "EX-SOLAR-LONDON", "-o",
         "types.parquet")
    text = run(demo.folder, """
import duckdb, json
print(json.dumps(duckdb.sql("SELECT column_name, column_type FROM "
                            "(DESCRIBE SELECT * FROM 'types.parquet')").fetchall()))""")
    types = dict(json.loads(text))
    assert types == {
        **dict.fromkeys(["meter", "channel", "flow", "unit", "quality", "flag", "method",
                         "reason_code", "reason_text"], "VARCHAR"),
        "date": "DATE", "start": "TIMESTAMP", "utc_offset": "SMALLINT", "interval": "SMALLINT",
        "value": "DECIMAL(38,9)", "stated": "TIMESTAMP WITH TIME ZONE",
        "received": "TIMESTAMP WITH TIME ZONE"}
    documented = DOCS[DOCS.index("| `readings` |"):DOCS.index("`days` and `months` have")]
    assert re.findall(r"`(\w+)`(?=[^|]*\| (?:text|date|timestamp|16|decimal))", documented) == list(
        types)


def test_intervals_follow_each_other_over_a_change_of_the_clock(demo):
    demo("export", "readings", "--from", "2025-10-25", "--to", "2025-10-27", "--meter",
         "EX-SOLAR-LONDON", "-o", "autumn.parquet")
    text = run(demo.folder, """
import duckdb, json
rows = duckdb.sql("SELECT epoch(start) / 60 - utc_offset FROM 'autumn.parquet' WHERE flow = "
                  "'consumption' ORDER BY 1").fetchall()
print(json.dumps([row[0] for row in rows]))""")
    minutes = json.loads(text)
    assert len(minutes) == 48 + 50 + 48
    assert {after - before for before, after in zip(minutes, minutes[1:])} == {30}


def test_months_have_files_of_their_own(demo, tmp_path):
    args = ["export", "readings", "--from", "2025-05-30", "--to", "2025-07-01", "--meter",
            "EX00003", "--by-month", "--format", "arrow", "-o", tmp_path / "parts"]
    demo(*args)
    assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == [
        "2025-05.arrow", "2025-06.arrow", "2025-07.arrow"]
    (tmp_path / "parts/2025-06.arrow").write_bytes(b"mine")
    (tmp_path / "parts/2025-07.arrow").unlink()
    demo(*args)
    assert (tmp_path / "parts/2025-06.arrow").read_bytes() == b"mine"
    said = read(tmp_path, "parts/2025-05.arrow", "arrow", "polars", "value")
    assert said[("EX00003", "consumption")][1] == 2 * 48
    demo(*args, "--force")
    said = read(tmp_path, "parts/2025-06.arrow", "arrow", "polars", "value")
    assert said[("EX00003", "consumption")][1] == 30 * 48


def test_csv_goes_to_standard_output(demo):
    out = demo("export", "days", "--from", "2025-07-01", "--meter", "EX00003").out
    header, line = out.splitlines()
    assert header.startswith("meter,channel,flow,unit,date,sum,readings,expected,")
    assert line.startswith("EX00003,consumption,consumption,kWh,2025-07-01,")
    before = demo("export", "days", "--from", "2025-07-01", "--meter", "EX00003", "--as-of",
                  "2020-01-01").out
    assert before.splitlines() == [header]


def unpacked(packed):
    if packed.startswith(b"\x1f\x8b"):
        return gzip.decompress(packed)
    return subprocess.run(["zstd", "-dcq"], input=packed, check=True, capture_output=True).stdout


DAYS = ["export", "readings", "--from", "2025-03-01", "--to", "2025-04-30", "--meter", "EX00003",
        "--meter", "EX-SOLAR-LONDON"]


def test_csv_is_compressed_as_its_name_ends_or_as_is_said(demo, tmp_path):
    plain = demo(*DAYS).out.encode()
    assert len(plain) > 3 * (256 << 10)
    for name, args, magic in (("a.csv.gz", [], GZIP), ("a.csv.zst", [], ZSTD), ("a.zst", [], ZSTD),
                              ("a.csv", ["--compress", "gzip"], GZIP),
                              ("b.csv.gz", ["--compress", "zstd"], ZSTD)):
        demo(*DAYS, *args, "-o", tmp_path / name)
        packed = (tmp_path / name).read_bytes()
        assert packed.startswith(magic) and len(packed) < len(plain) / 8
        assert unpacked(packed) == plain
    demo(*DAYS, "--compress", "none", "-o", tmp_path / "c.csv.gz")
    assert (tmp_path / "c.csv.gz").read_bytes() == plain


def test_standard_output_and_months_are_compressed_when_it_is_said(demo, tmp_path):
    plain = demo(*DAYS).out.encode()
    process = demo.start(*DAYS, "--compress", "zstd")
    packed, err = process.communicate()
    assert process.returncode == 0, err
    assert packed.startswith(ZSTD) and unpacked(packed) == plain
    demo(*DAYS, "--by-month", "--compress", "gzip", "-o", tmp_path)
    march, april = sorted(tmp_path.iterdir())
    assert (march.name, april.name) == ("2025-03.csv.gz", "2025-04.csv.gz")
    lines = b"".join(unpacked(path.read_bytes()).partition(b"\n")[2] for path in (march, april))
    assert sorted(lines.splitlines()) == sorted(plain.splitlines()[1:])


def test_a_compressed_table_can_be_read_as_other_programs_read_it(demo):
    demo(*DAYS, "-o", "packed.csv.gz")
    assert json.loads(run(demo.folder, """
import json, pandas, duckdb
print(json.dumps([len(pandas.read_csv("packed.csv.gz")),
                  duckdb.sql("SELECT count(*) FROM 'packed.csv.gz'").fetchall()[0][0]]))""")) == [
        demo(*DAYS).out.count("\n") - 1] * 2


def test_a_server_sends_csv_compressed_and_other_tables_as_they_are(demo):
    server = Server(demo.start("serve", "--listen", "127.0.0.1:0"))
    try:
        url = server.url + "/v1/export?table=readings&from=2025-03-01&to=2025-04-30"
        for accept, magic in (("gzip", GZIP), ("gzip, deflate, br, zstd", ZSTD), ("br", b"meter")):
            for form in ("csv", "parquet"):
                request = urllib.request.Request(f"{url}&format={form}&meters=EX00003",
                                                 headers={"Accept-Encoding": accept})
                with urllib.request.urlopen(request) as answer:
                    body, coding = answer.read(), answer.headers["Content-Encoding"]
                if form == "parquet":
                    assert body.startswith(b"PAR1") and coding is None
                    continue
                assert body.startswith(magic)
                assert coding == {GZIP: "gzip", ZSTD: "zstd"}.get(magic)
                assert answer.headers["Vary"] == "Accept, Accept-Encoding"
                text = body if coding is None else unpacked(body)
                assert text.decode() == demo("export", "readings", "--from", "2025-03-01", "--to",
                                             "2025-04-30", "--meter", "EX00003").out
    finally:
        server.stop()


LONDON = ["export", "readings", "--from", "2025-03-29", "--to", "2025-10-27", "--meter",
          "EX-SOLAR-LONDON"]


def test_a_wide_table_has_each_reading_of_the_long_one_once(demo):
    days = list(csv.DictReader(demo(*LONDON, "--wide").out.splitlines()))
    long = list(csv.DictReader(demo(*LONDON).out.splitlines()))
    times = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 30)]
    names = [*times, "01:00_2", "01:30_2"]
    assert list(days[0]) == ["meter", "channel", "flow", "unit", "date", "interval", *names,
                             "quality", "stated", "received"]
    rows = {(row["channel"], row["date"]): row for row in days}
    assert len(rows) == len(days)
    seen = set()
    for reading in long:
        key = (reading["channel"], reading["date"])
        name = reading["start"][11:16]
        if (*key, name) in seen:
            name += "_2"
        seen.add((*key, name))
        row = rows[key]
        assert row[name] == reading["value"]
        assert row["quality"][names.index(name)] == reading["quality"][0].upper()
    for row in days:
        lacking = [name for name in names if (row["channel"], row["date"], name) not in seen]
        assert all(row[name] == "" and row["quality"][names.index(name)] == "-"
                   for name in lacking)
    assert {row["date"]: row["quality"].count("-") for row in days}["2025-03-30"] == 4
    assert {row["date"]: row["quality"].count("-") for row in days}["2025-10-26"] == 0


def test_months_of_a_wide_table_have_the_same_columns(demo, tmp_path):
    demo(*LONDON, "--wide", "--by-month", "--compress", "gzip", "-o", tmp_path)
    files = sorted(tmp_path.iterdir())
    headers = {unpacked(path.read_bytes()).partition(b"\n")[0] for path in files}
    assert len(files) == 8 and len(headers) == 1 and b",01:30_2," in headers.pop()


def test_a_server_sends_a_wide_table_or_tells_why_not(demo, tmp_path):
    uneven = Meterline(tmp_path)
    wide.write(tmp_path / "in/a.csv", wide.header() + wide.row("A", "2019-01-01", wide.same(1)))
    hours = wide.header([f"{hour}:00" for hour in range(24)])
    wide.write(tmp_path / "in/b.csv", hours + wide.row("B", "2019-01-01", wide.same(1, 24)))
    uneven("ingest", "in", "--unit", "kWh")
    path = "/v1/export?table=readings&from=2019-01-01&wide=true"
    server = Server(uneven.start("serve", "--listen", "127.0.0.1:0"))
    try:
        assert server.get(path + "&meters=A") == uneven(
            "export", "readings", "--from", "2019-01-01", "--meter", "A", "--wide").out
        for more, part in (("", "those of A are of 30 minutes, and those of B of 60"),
                           ("&meters=A&format=parquet", "as CSV only")):
            assert part in server.get(path + more, expect=400)
        for wrong in (path.replace("readings", "days"), path.replace("true", "yes")):
            assert "wide" in server.get(wrong, expect=400)
    finally:
        server.stop()
    done = uneven("export", "readings", "--wide", "-o", "wide.csv", expect=2)
    assert "ask for them apart" in done.err and not (tmp_path / "wide.csv").exists()


@pytest.mark.parametrize("args, part", [
    (["days", "--wide"], "the wide form is one of readings"),
    (["readings", "--wide", "--format", "arrow"], "comes as CSV only"),
    (["a.archive", "--wide"], "--wide, --compress and --as-of are for tables"),
    (["readings", "--compress", "br"], 'want none, gzip or zstd, got "br"'),
    (["days", "--format", "parquet", "--compress", "zstd"], "packed in themselves"),
    (["days", "-o", "days.parquet.gz"], "days.parquet.gz: Parquet and Arrow are packed in"),
    (["days", "-o", "days.arrow", "--compress", "gzip"], "leave --compress out"),
    (["a.archive", "--compress", "gzip"], "--compress and --as-of are for tables"),
    (["readings", "--format", "xlsx"], 'want csv, parquet or arrow, got "xlsx"'),
    (["readings", "--to", "2025-01-01"], "--to needs --from"),
    (["readings", "--by-month", "-o", "x"], "--by-month needs --from and --to"),
    (["readings", "--as-of", "once"], "--as-of"),
    (["a.archive", "--format", "csv"], "want readings, days or months before them"),
])
def test_what_cannot_be_is_told(demo, args, part):
    assert part in demo("export", *args, expect=2).err


def test_the_commands_and_programs_of_the_page_run(demo, tmp_path):
    blocks = re.findall(r"```(sh|python)\n(.*?)```", DOCS, re.DOTALL)
    assert [kind for kind, _ in blocks] == ["sh", "python", "python", "python"]
    before = demo.env["METERLINE_STORE"]
    for command in blocks[0][1].splitlines():
        words = command.split()
        assert words[0] == "meterline"
        words[words.index("-o") + 1] = str(tmp_path / words[words.index("-o") + 1])
        demo(*words[1:])
    for _, program in blocks[1:]:
        assert run(tmp_path, program)
    assert demo.env["METERLINE_STORE"] == before
    assert len(list((tmp_path / "by-month").iterdir())) == 2
