"""The Python client, installed as its users install it, against a real server."""
import dataclasses
import datetime
import inspect
import io
import json
import re
import shutil
import subprocess
import sys
import typing
import zipfile
from decimal import Decimal

import pytest

from aws import environment
from conftest import ROOT, Meterline, Server

PYTHON = environment.PYTHON_CLIENT / "bin/python"
HEADER = "Meter,Date," + ",".join(f"{hour}:00" for hour in range(24)) + "\n"
ROW = ",".join(["0.1"] * 24)
JANUARY = (HEADER + f"EE00027,2019-01-01,{ROW}\nEE00027,2019-01-02,0.5,,{ROW[8:]}\n"
           f"EE00028,2019-01-01,{ROW}\nEE00028,01/02/2019,{ROW}\n").encode()
FILES = [ROOT / "tests/data" / name for name in (
    "nem12/multiple_quality.csv", "nem13/doc_plain.csv")]
PAGES = {"problems": "/problems", "uiBelow": "/ui", "ui": "/ui/", "docsBelow": "/docs",
         "docs": "/docs/"}
METHODS = {"load": "upload", **dict.fromkeys(PAGES, "page")}  # Of other names than the operations.

TABLES_PYTHON = environment.FOLDER / "python-tables/bin/python"
TABLES = """
import os
import pyarrow.compute
from meterline import Client, to_pandas, to_polars
client = Client(os.environ["URL"])
table = client.readings("2019-01-01", "2019-01-31")
value = table["value"]
print(len(table), len(value.drop_null()), pyarrow.compute.sum(value))
days = to_pandas(client.days("2019-01-01", "2019-01-31", meters=["EE00027", "EE00028"]))
print(len(days), days["sum"].sum())
months = to_polars(client.months("2019-01-01", "2019-01-31"))
print(sorted(months["meter"]), months["sum"].sum())
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """What pip makes of clients/python: a folder to import from."""
    folder = tmp_path_factory.mktemp("client")
    source = shutil.copytree(ROOT / "clients/python", folder / "source",
                             ignore=shutil.ignore_patterns("__pycache__", ".mypy_cache"))
    environment.checked(PYTHON)
    subprocess.run([PYTHON, "-m", "pip", "-q", "--disable-pip-version-check", "install",
                    "--no-index", "--no-build-isolation", "--no-compile",
                    "--target", folder / "installed", source], check=True)
    return folder / "installed"


@pytest.fixture(scope="module")
def client_module(package):
    sys.path.insert(0, str(package))
    import meterline
    assert meterline.__file__.startswith(str(package))
    yield meterline
    sys.path.remove(str(package))


@pytest.fixture(scope="module")
def loaded(tmp_path_factory, client_module):
    """A client of a server with keys, and files of several formats."""
    meterline = Meterline(tmp_path_factory.mktemp("served"))
    january = meterline.folder / "january.csv"
    january.write_bytes(JANUARY)
    meterline("ingest", "--unit", "kWh", january, *FILES, expect=3)  # A bad row.
    key = meterline("keys", "create", "--scope", "admin", "--output", "json").json["key"]
    (meterline.folder / "t.toml").write_text('otherwise = "all"\n')
    server = Server(meterline.start("serve", "--listen", "127.0.0.1:0", "--auth", "keys",
                                    "--tariffs", meterline.folder))
    yield client_module.Client(server.url, key)
    server.stop()


@pytest.fixture
def client(server, client_module):
    return client_module.Client(server.url)


def operations(document):
    """Operation id -> method, path, names of its parameters."""
    named = document["components"]["parameters"]

    def name(parameter):
        return (named[parameter["$ref"].split("/")[-1]] if "$ref" in parameter
                else parameter)["name"]

    return {each["operationId"]: (method.upper(), path, {
        name(parameter) for parameter in each.get("parameters", []) + item.get("parameters", [])})
        for path, item in document["paths"].items()
        for method, each in item.items() if method != "parameters"}


def snake(name):
    return re.sub("[A-Z]", lambda found: "_" + found[0].lower(), name)


def test_every_operation_has_a_method_that_takes_all_of_its_parameters(loaded):
    from meterline.answers import member_of
    for operation, (_, _, wanted) in operations(loaded.openapi()).items():
        method = getattr(loaded, METHODS.get(operation, snake(operation)))
        taken = {member_of(name) for name in inspect.signature(method).parameters}
        taken |= {"Idempotency-Key"} if "idempotencyKey" in taken else set()
        assert operation in PAGES or wanted <= taken, f"{operation} lacks {wanted - taken}"


def test_every_operation_answers(loaded, monkeypatch):
    """Each is asked on a real server, and the list of what was asked is that of the document."""
    document = loaded.openapi()
    asked = set()
    send = loaded.transport.send

    def noted(method, target, *more):
        asked.add((method, target.split("?")[0]))
        return send(method, target, *more)

    monkeypatch.setattr(loaded.transport, "send", noted)
    days = {"from_": "2019-01-01", "to": datetime.date(2019, 1, 2)}
    known = loaded.meters().meters
    for meter in [each.meter for each in known]:
        assert loaded.meter(meter) in known
        loaded.registers(meter)
    for meter in [each.meter for each in known if each.channels]:
        loaded.consumption(meter, "2004-01-01", "2020-12-31", resolution="year")
        loaded.consumption(meter, "2004-02-01", "2004-02-02", resolution="interval")
        for question in (loaded.profile, loaded.base_load, loaded.meter_gaps, loaded.meter_compare):
            question(meter, **days)
        loaded.time_of_use(meter, **days, tariff="t")
        loaded.history(meter, "2019-01-01")
    for question in (loaded.portfolio, loaded.compare, loaded.gaps, loaded.top):
        question(**days)
    table = io.BytesIO()
    loaded.export(table, "days", **days, format="csv", meters=["EE00027", "EE00028"])
    assert table.getvalue().count(b"\n") == 4
    table = io.BytesIO()
    loaded.export(table, "readings", **days, format="csv", meters=["EE00027"], wide=True)
    assert table.getvalue().count(b"\n") == 3 and b",22:00,23:00,quality," in table.getvalue()
    loaded.day_sum("EE00027", datetime.date(2019, 1, 1))
    loaded.batch(["EE00027"], **days)
    loaded.changes(datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc))
    loaded.late("2020-01-01", by="receipt")
    assert loaded.set_group("flats", ["EE00027"]).ids == 1
    assert [each.group for each in loaded.groups().groups] == ["flats"]
    assert loaded.group("flats").meters == ["EE00027"]
    assert [each.meter for each in loaded.meters(group="flats").meters] == ["EE00027"]
    loaded.remove_group("flats")
    assert loaded.groups().groups == []
    delivery = loaded.upload(io.BytesIO(JANUARY.replace(b"EE", b"FF")), unit="kWh")
    loaded.withdraw(delivery.id, "a test", who="ann")
    loaded.restore(delivery.id, who="bob")
    assert [each.kind for each in loaded.delivery(delivery.id).events] == ["withdrawn", "restored"]
    assert loaded.findings(delivery.id).findings[0].code == "bad_date"
    loaded.deliveries()
    assert (loaded.health().status, loaded.ready().status) == ("ok", "ready")
    assert "meterline_upload_rows_total" in loaded.metrics()
    loaded.openapi()
    for path in PAGES.values():
        file = re.search(r'(?:href|src)="([\w.-]+)"', loaded.page(path))
        assert file is None or loaded.page(f"{path.rstrip('/')}/{file[1]}")

    for operation, (method, path, _) in operations(document).items():
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
        assert any(method == sent and re.fullmatch(pattern, target) for sent, target in asked), \
            f"{operation}: {method} {path} was not asked"


def differences(kind, schema, document, where):
    """What the type of an answer and its schema do not have in common."""
    from meterline.answers import member_of
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].split("/")[-1]]
    if "anyOf" in schema:
        kinds = [each for each in typing.get_args(kind) if each is not type(None)]
        schemas = [each for each in schema["anyOf"] if each.get("type") != "null"]
        if len(schemas) == 1 and not kinds:
            yield f"{where} may be null"
        for each, one in zip(kinds or [kind], schemas):
            yield from differences(each, one, document, where)
        return
    if isinstance(schema.get("type"), list) and type(None) not in typing.get_args(kind):
        yield f"{where} may be null"
    given = typing.get_args(kind) if typing.get_origin(kind) is typing.Union else (kind,)
    (kind,) = given[:1]
    if "number" in (schema.get("type"), *schema.get("type", [])) and kind is not Decimal:
        yield f"{where} is a number and no Decimal"
    if schema.get("type") == "array":
        yield from differences(typing.get_args(kind)[0], schema["items"], document, where + "[]")
    if "properties" not in schema:
        return
    fields = {member_of(name): hint for name, hint in typing.get_type_hints(kind).items()}
    if fields.keys() != schema["properties"].keys():
        yield f"{where}: {sorted(fields.keys() ^ schema['properties'].keys())}"
    for name in fields.keys() & schema["properties"].keys():
        yield from differences(fields[name], schema["properties"][name], document,
                               f"{where}.{name}")


def test_answers_have_the_members_of_the_document(loaded):
    from meterline import answers
    document = loaded.openapi()
    compared = 0
    for name, schema in document["components"]["schemas"].items():
        kind = getattr(answers, name, None)
        if dataclasses.is_dataclass(kind):
            compared += 1
            assert list(differences(kind, schema, document, name)) == []
    assert compared > 30


def test_sums_are_exact_and_what_is_missing_is_none(client):
    client.upload(io.BytesIO(JANUARY), unit="kWh", source="january.csv")
    answer = client.consumption("EE00027", "2019-01-01", "2019-01-03")
    (channel,) = answer.channels
    assert channel.sum == Decimal("5.1") and isinstance(channel.sum, Decimal)
    assert [point.sum for point in channel.series] == [Decimal("2.4"), Decimal("2.7"), None]
    assert channel.series[0].start == datetime.date(2019, 1, 1)
    assert channel.version.received.utcoffset() == datetime.timedelta(0)
    whole = client.day_sum("EE00028", "02-01-2019").sum
    assert whole == 0 and isinstance(whole, Decimal)
    hours = client.consumption("EE00027", "2019-01-02", resolution="hour").channels[0].series
    assert hours[1].start == datetime.datetime(2019, 1, 2, 1) and hours[1].sum is None
    first, second = client.batch(["EE00027", "unknown"], "2019-01-01").answers
    assert first.channels[0].sum == Decimal("2.4")
    assert (second.meter, second.problem) == ("unknown", "no such meter")


def test_pages_follow_each_other(client):
    client.upload(io.BytesIO(JANUARY), unit="kWh")
    pages = client.pages(client.meters, prefix="EE", limit=1)
    assert [[each.meter for each in page.meters] for page in pages] == [["EE00027"], ["EE00028"]]


def test_a_problem_says_what_is_wrong(client, client_module):
    def problem(question, *args, **parameters):
        with pytest.raises(client_module.Problem) as caught:
            question(*args, **parameters)
        return caught.value

    assert problem(client.consumption, "a/b?c", "2019-01-01").status == 404
    unknown = problem(client.consumption, "XX", "2019-01-01")
    assert (unknown.status, unknown.type, unknown.title, unknown.parameter) == (
        404, "/problems#not-found", "Not Found", None)
    assert unknown.detail.startswith("meter XX is not known")
    wrong = problem(client.consumption, "XX", "2019-02-30")
    assert (wrong.status, wrong.parameter) == (400, "from")
    assert problem(client.top, "2019-01-01", limit=0).parameter == "limit"
    assert problem(client.day_sum, "XX", "2019").status == 400
    with pytest.raises(ValueError, match="time zone"):
        client.portfolio("2019-01-01", as_of=datetime.datetime(2020, 1, 1))


def test_a_table_becomes_a_file_that_is_whole_or_absent(client, client_module, tmp_path):
    client.upload(io.BytesIO(JANUARY), unit="kWh")
    client.export(tmp_path / "days.parquet", "days", "2019-01-01", "2019-01-31")
    assert (tmp_path / "days.parquet").read_bytes()[-4:] == b"PAR1"
    with pytest.raises(client_module.Problem):
        client.export(tmp_path / "wrong.csv", "hours", "2019-01-01", format="csv")
    assert [path.name for path in tmp_path.glob("*.*")] == ["days.parquet"]


def test_tables_are_exact_in_pyarrow_pandas_and_polars(client, package):
    client.upload(io.BytesIO(JANUARY), unit="kWh")
    done = subprocess.run([TABLES_PYTHON, "-"], input=TABLES, text=True, capture_output=True,
                          env={"PYTHONPATH": str(package), "URL": client.transport.url})
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n") == [
        "72 71 7.500000000", "3 7.500000000", "['EE00027', 'EE00028'] 7.500000000", ""]


def test_an_upload_tells_how_far_it_is(client, tmp_path):
    file = tmp_path / "large.csv"
    file.write_bytes(JANUARY + b"".join(
        b"M%05d,2019-01-01,%s\n" % (number, ROW.encode()) for number in range(5000)))
    told = []
    delivery = client.upload(file, unit="kWh", progress=lambda *seen: told.append(seen))
    size = file.stat().st_size
    assert (delivery.source, delivery.rows.stored) == ("upload:large.csv", 5003)
    assert told[-1] == (size, size) and len(told) >= size // 65536
    assert [done for done, _ in told] == sorted({done for done, _ in told})


def test_an_upload_of_unknown_size(client):
    packed = subprocess.Popen(["gzip", "-c"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    packed.stdin.write(JANUARY)
    packed.stdin.close()
    told = []
    with packed.stdout:
        delivery = client.upload(packed.stdout, unit="kWh",
                                 progress=lambda *seen: told.append(seen))
    assert packed.wait() == 0
    assert delivery.rows.stored == 3 and told[-1][1] is None


def test_a_key_makes_an_upload_safe_to_repeat(client):
    first, second = (client.upload(io.BytesIO(JANUARY), unit="kWh", idempotency_key="one")
                     for _ in range(2))
    assert (first, first.state) == (second, "stored")
    assert client.upload(io.BytesIO(JANUARY), unit="kWh").state == "skipped"


def test_a_zip_of_several_files_is_a_report(client):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", JANUARY)
        archive.writestr("b.csv", JANUARY.replace(b"EE", b"FF"))
    packed.seek(0)
    report = client.upload(packed, unit="kWh")
    assert (report.total.stored, [each.state for each in report.deliveries]) == (2, ["stored"] * 2)


def test_a_file_that_is_refused_is_a_problem_with_its_report(client, client_module):
    with pytest.raises(client_module.Problem) as caught:
        client.upload(io.BytesIO(b"nothing that is known\n"), unit="kWh", source="x")
    assert (caught.value.status, caught.value.loaded.state) == (422, "refused")
    assert caught.value.loaded.reason in caught.value.detail


def test_a_refusal_before_the_body_is_sent_is_told(meterline, serve, client_module):
    meterline("keys", "create", "--scope", "read")
    server = serve(meterline, "--auth", "keys")
    with pytest.raises(client_module.Problem) as caught:
        client_module.Client(server.url, "wrong").upload(io.BytesIO(bytes(20_000_000)), unit="kWh")
    assert caught.value.status == 401


def test_what_comes_too_often_is_asked_again(meterline, serve, client_module):
    key = meterline("keys", "create", "--scope", "admin", "--output", "json").json["key"]
    server = serve(meterline, "--auth", "keys", "--rate-limit", "1")
    once = client_module.Client(server.url, key, retries=0)
    impatient = client_module.Client(server.url, key, retry_wait_max_s=0)
    patient = client_module.Client(server.url, key)
    for client in (once, impatient):
        with pytest.raises(client_module.Problem) as caught:
            for _ in range(1000):
                client.meters()
        assert caught.value.status == 429
    assert patient.meters().meters == []
    assert patient.upload(io.BytesIO(JANUARY), unit="kWh").rows.stored == 3


def test_nobody_there_is_unreachable(server, client_module):
    client = client_module.Client(server.url)
    server.stop()
    with pytest.raises(client_module.Unreachable):
        client.meters()


def test_the_client_is_typed(package, tmp_path):
    assert (package / "meterline/py.typed").exists()
    done = subprocess.run([PYTHON, "-m", "mypy", "--cache-dir", tmp_path],
                          cwd=ROOT / "clients/python", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_runs(meterline, serve, package):
    """The notebook's cells one after another, as Jupyter runs them."""
    (meterline.folder / "january.csv").write_bytes(JANUARY)
    server = serve(meterline)
    notebook = json.loads((ROOT / "clients/python/example.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(cells) >= 3
    done = subprocess.run([PYTHON, "-"], input="\n\n".join(cells), text=True, capture_output=True,
                          cwd=meterline.folder, env={"PYTHONPATH": str(package),
                                                     "METERLINE_URL": server.url})
    assert done.returncode == 0, done.stderr
    assert "5.1" in done.stdout
