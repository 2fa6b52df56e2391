"""What docs/use tells to put into other programs, run over real tables and answers."""
import csv
import datetime
import io
import json
import re
import subprocess
import urllib.parse
import urllib.request
from decimal import Decimal

import pytest

import wide
from aws import environment
from conftest import ROOT, Meterline, Server

environment.use_packages(environment.PYTHON_LINT)
environment.use_packages()
import jinja2.sandbox  # noqa: E402  pylint: disable=wrong-import-position
import yaml  # noqa: E402  pylint: disable=wrong-import-position

NOW = datetime.datetime(2019, 1, 3, 9)


def blocks(document, language):
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / document).read_text(), re.S | re.M)


@pytest.fixture(name="loaded", scope="module")
def fixture_loaded(tmp_path_factory):
    meterline = Meterline(tmp_path_factory.mktemp("recipes"))
    meterline.use_store(meterline.folder / "store")
    rows = [wide.row("EE00027", f"2019-01-{day:02}", wide.same(f"0.{day}")) for day in (1, 2)]
    wide.write(meterline.folder / "january.csv", wide.header() + "".join(rows))
    meterline("ingest", "--unit", "kWh", "january.csv")
    return meterline


@pytest.fixture(name="url", scope="module")
def fixture_url(loaded):
    server = Server(loaded.start("serve", "--listen", "127.0.0.1:0"))
    yield server.url
    server.process.terminate()
    server.process.communicate()


def fetch(address, accept):
    request = urllib.request.Request(address, headers={"Accept": accept})
    with urllib.request.urlopen(request) as answer:
        return answer.read().decode()


def test_duckdb_runs_every_statement(loaded):
    folder = loaded.folder
    loaded("export", "readings", "--from", "2019-01-01", "--to", "2019-02-28", "--by-month",
           "--format", "parquet", "-o", "readings")
    loaded("export", "days", "--from", "2019-01-01", "--to", "2019-01-31", "-o", "days.csv")
    program = ("import duckdb, json, sys\n"
               "for each in json.load(sys.stdin):\n"
               "    print(json.dumps(duckdb.sql(each).fetchall(), default=str))\n")
    python = environment.checked(environment.FOLDER / "python-tables/bin/python")
    statements = [each for each in "".join(blocks("docs/use/duckdb.md", "sql")).split(";")
                  if each.strip()]
    done = subprocess.run([python, "-c", program], input=json.dumps(statements), cwd=folder,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    largest, curve, days = map(json.loads, done.stdout.splitlines())
    assert [row[1:] for row in largest] == [["2019-01-02", "9.600000000", 48],
                                            ["2019-01-01", "4.800000000", 48]]
    assert len(curve) == 48 and curve[0] == ["00:00:00", 0.15]
    assert days == [["EE00027", "14.400000000"]]


def test_home_assistant_reads_the_sum(url):
    sensor, = yaml.safe_load(blocks("docs/use/home-assistant.md", "yaml")[0])["rest"]
    templates = jinja2.sandbox.ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
    templates.globals.update(now=lambda: NOW, timedelta=datetime.timedelta)

    def states(days_on):
        templates.globals["now"] = lambda: NOW + datetime.timedelta(days=days_on)
        address = templates.from_string(sensor["resource_template"]).render()
        text = fetch(address.replace("http://127.0.0.1:8080", url), sensor["headers"]["Accept"])
        values = {"value_json": json.loads(text)}
        of = sensor["sensor"][0]
        for name in of["json_attributes"]:
            assert name in values["value_json"]["channels"][0]
        return [templates.from_string(of[name]).render(values)
                for name in ("availability", "value_template")]

    is_available, value = states(0)
    assert (is_available, Decimal(value)) == ("True", Decimal("9.6"))
    assert states(5)[0] == "False"


def test_excel_finds_the_columns_of_its_query(url):
    query, = blocks("docs/use/excel.md", "m")
    names = dict(re.findall(r'(\w+) = "([^"]*)"', query[:query.index("Headers")]))
    names.pop("RelativePath")
    answer = fetch(f"{url}/v1/export?{urllib.parse.urlencode(names)}", "text/csv")
    assert not answer.startswith("\ufeff")  # Encoding = 65001 names it.
    rows = list(csv.DictReader(io.StringIO(answer)))
    assert len(rows) == 2
    for column, kind in re.findall(r'\{"(\w+)", ([^}]+)\}', query):
        for row in rows:
            if kind == "Int64.Type":
                int(row[column])
            elif kind == "type number":
                assert re.fullmatch(r"\d+(\.\d+)?", row[column])
            else:
                datetime.date.fromisoformat(row[column])
