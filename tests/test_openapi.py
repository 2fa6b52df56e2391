"""The HTTP API against the document that it hands out of itself, on a real server with real files.
What api_test does not: answers follow their schemas, and schemathesis finds nothing."""
import io
import json
import os
import re
import subprocess
import urllib.error
import urllib.request
import zipfile

import pytest

from aws import environment
from conftest import ROOT, Meterline, Server, exact

environment.use_packages(environment.PYTHON_OPENAPI)
import jsonschema  # noqa: E402
import openapi_spec_validator  # noqa: E402

HERE = ROOT / "tests/openapi"
HEADER = "Meter,Date," + ",".join(f"{hour}:00" for hour in range(24)) + "\n"
ROW = ",".join(["1"] * 24)
JANUARY = (HEADER + f"EE00027,2019-01-01,{ROW}\nEE00027,2019-01-02,0.5,,{ROW[4:]}\n"
           f"EE00028,2019-01-01,{ROW}\nEE00028,01/02/2019,{ROW}\n")
SPARE = HEADER + f"SPARE,2019-01-01,{ROW}\n"
FILES = [ROOT / "tests/data" / name for name in (
    "nem12/doc_plain.csv", "nem12/multiple_meters.csv", "nem12/multiple_quality.csv",
    "nem13/doc_plain.csv")]

# Of each operation that reads: what it is asked here. DELIVERY and METER are some that are there.
QUESTIONS = {
    "daySum": ["/?meterId=EE00027&date=01-01-2019", "/?meterId=XX&date=01-01-2019"],
    "meters": ["/v1/meters", "/v1/meters?limit=1&prefix=EE",
               "/v1/meters?limit=1&group=flats"],
    "meter": ["/v1/meters/METER"],
    "consumption": ["/v1/meters/METER/consumption?from=2004-01-01&to=2020-12-31",
                    "/v1/meters/EE00027/consumption?from=2019-01-01&to=2019-01-02"
                    "&resolution=interval&asOf=2199-01-01",
                    "/v1/meters/METER/consumption?from=2004-02-01&to=2004-02-02"
                    "&resolution=interval"],
    "profile": ["/v1/meters/METER/profile?from=2019-01-01&to=2019-01-02",
                "/v1/meters/METER/profile?from=2004-02-01&to=2004-02-07"],
    "portfolio": ["/v1/portfolio?from=2004-01-01&to=2020-12-31&resolution=year"],
    "top": ["/v1/top?from=2004-01-01&to=2020-12-31", "/v1/top?from=2019-01-01&order=lowest"],
    "compare": ["/v1/compare?from=2019-01-02", "/v1/compare?from=2019-01-02&against=period-before"],
    "meterCompare": ["/v1/meters/METER/compare?from=2019-01-02&againstFrom=2019-01-01"],
    "timeOfUse": ["/v1/meters/METER/time-of-use?from=2019-01-01&to=2019-01-02&tariff=t",
                  "/v1/meters/METER/time-of-use?from=2004-02-01&tariff=t&resolution=total"],
    "baseLoad": ["/v1/meters/METER/base-load?from=2019-01-01&to=2019-01-02"],
    "late": ["/v1/late?since=2019-01-02", "/v1/late?since=2020-01-01&by=receipt&limit=1"],
    "groups": ["/v1/groups"],
    "group": ["/v1/groups/flats"],
    "gaps": ["/v1/gaps?from=2019-01-01&to=2019-01-03", "/v1/gaps?date=2019-01-02&limit=1"],
    "meterGaps": ["/v1/meters/METER/gaps?from=2018-12-30&to=2019-01-02"],
    "history": ["/v1/meters/METER/history?date=2019-01-01",
                "/v1/meters/METER/history?date=2004-02-01"],
    "registers": ["/v1/meters/METER/registers", "/v1/meters/METER/registers?limit=1"],
    "changes": ["/v1/changes?since=2000-01-01", "/v1/changes?since=2000-01-01&limit=1"],
    "deliveries": ["/v1/deliveries", "/v1/deliveries?limit=1", "/v1/deliveries?withdrawn=true"],
    "delivery": ["/v1/deliveries/DELIVERY"],
    "findings": ["/v1/deliveries/DELIVERY/findings"],
    "health": ["/healthz"],
    "ready": ["/readyz"],
    "metrics": ["/metrics"],
    "openapi": ["/openapi.json"],
    "problems": ["/problems"],
}
TABLES = {"export"}  # Of which there is a test of its own.
PAGES = {"ui", "uiBelow", "docs", "docsBelow"}  # tests/test_page.py asks for these.
NEVER_THE_SAME = {"metrics"}


def text_of(answer):
    """Of tables, too, which are no text."""
    return answer.read().decode(errors="surrogateescape")


class Loaded:
    """A server with keys on a store with files of several formats."""

    def __init__(self, meterline):
        january, spare = meterline.folder / "january.csv", meterline.folder / "spare.csv"
        january.write_text(JANUARY)
        spare.write_text(SPARE)
        done = meterline("ingest", "--unit", "kWh", january, *FILES, expect=3).json  # A bad row.
        self.deliveries = [each["id"] for each in done["deliveries"] if each["state"] == "stored"]
        self.spare = meterline("ingest", "--unit", "kWh", spare).delivery["id"]
        key = meterline("keys", "create", "--scope", "admin", "--output", "json").json["key"]
        self.headers = {"Authorization": f"Bearer {key}"}
        (meterline.folder / "flats.txt").write_text("EE0*\nSPARE\n")
        meterline("groups", "set", "flats", meterline.folder / "flats.txt")
        tariffs = meterline.folder / "tariffs"
        tariffs.mkdir()
        (tariffs / "t.toml").write_text('otherwise = "all"\n')
        self.server = Server(meterline.start("serve", "--listen", "127.0.0.1:0", "--create",
                                             "--auth", "keys",
                                             "--tariffs", tariffs))
        self.meters = [meter["meter"] for meter in self.json("/v1/meters")["meters"]]
        self.document = json.loads(self.ask("/openapi.json")[2])

    def ask(self, path, headers=None, body=None, method=None):
        """Status, headers and body."""
        request = urllib.request.Request(self.server.url + path, data=body, method=method,
                                         headers=self.headers | (headers or {}))
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.headers, text_of(answer)
        except urllib.error.HTTPError as error:
            return error.code, error.headers, text_of(error)

    def json(self, path):
        status, _, body = self.ask(path)
        assert status == 200, body
        return exact(body)

    def operation(self, name):
        for item in self.document["paths"].values():
            for method, operation in item.items():
                if method != "parameters" and operation["operationId"] == name:
                    return operation
        raise KeyError(name)

    def check(self, name, answer):
        """That an answer is as the document says, and the answer of JSON."""
        status, headers, body = answer
        responses = self.operation(name)["responses"]
        response = responses.get(str(status)) or responses["default"]
        if "$ref" in response:
            response = self.document["components"]["responses"][response["$ref"].split("/")[-1]]
        kind = headers["Content-Type"].split(";")[0]
        assert kind in response["content"], f"{name}: {kind} for {status}"
        for header in headers:
            if header in ("ETag", "Link", "Location", "Retry-After"):
                assert header in response.get("headers", {}), f"{name} {status}: {header}"
        if "json" not in kind:
            return body
        schema = {**response["content"][kind]["schema"], "components": self.document["components"]}
        jsonschema.Draft202012Validator(schema).validate(exact(body))
        return exact(body)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    made = Loaded(Meterline(tmp_path_factory.mktemp("openapi")))
    yield made
    made.server.stop()


def test_the_document_is_openapi(loaded):
    openapi_spec_validator.validate(loaded.document)
    assert loaded.document["openapi"].startswith("3.1")


def test_every_operation_that_reads_is_asked_here(loaded):
    reading = {item["get"]["operationId"]
               for item in loaded.document["paths"].values() if "get" in item}
    assert reading - PAGES - TABLES == set(QUESTIONS), (
        "QUESTIONS above wants a line for each GET route")


def targets(loaded, name):
    for target in QUESTIONS[name]:
        for meter in loaded.meters if "METER" in target else [""]:
            for delivery in loaded.deliveries if "DELIVERY" in target else [""]:
                yield target.replace("METER", meter).replace("DELIVERY", delivery)


@pytest.mark.parametrize("name", QUESTIONS)
def test_answers_are_as_described_and_have_tags(loaded, name):
    kinds = list(loaded.operation(name)["responses"]["200"]["content"])
    found = 0
    for target in targets(loaded, name):
        for kind in kinds:
            answer = loaded.ask(target, {"Accept": kind})
            loaded.check(name, answer)
            status, headers, body = answer
            if status != 200:
                assert status == 404, f"{target}: {body}"  # A meter with register reads only.
                continue
            found += 1
            assert headers["Content-Type"].split(";")[0] == kind
            if name in NEVER_THE_SAME:
                continue
            asked = {"Accept": kind, "If-None-Match": f'"other", {headers["ETag"]}'}
            again, again_headers, nothing = loaded.ask(target, asked)
            assert (again, nothing, again_headers["ETag"]) == (304, "", headers["ETag"]), target
            assert loaded.ask(target, {"Accept": kind, "If-None-Match": '"other"'})[0] == 200
    assert found, f"none of {QUESTIONS[name]} has an answer"


@pytest.mark.parametrize("name", QUESTIONS)
def test_parameters_that_nobody_knows_are_refused(loaded, name):
    if name in ("daySum", "metrics"):  # These ignore them, and say so.
        return
    target = next(targets(loaded, name))
    status, _, body = loaded.ask(target + ("&" if "?" in target else "?") + "wrong=1")
    assert (status, exact(body)["type"]) == (400, "/problems#bad-request"), body
    assert 'unknown parameter \\"wrong\\"' in body


def test_a_tag_is_another_when_the_answer_is(loaded):
    target = "/v1/meters/TAGGED/consumption?from=2019-01-01"
    load = lambda value: loaded.ask(
        "/v1/deliveries?unit=kWh", body=(HEADER + f"TAGGED,2019-01-01,{value}\n").encode())
    assert load(ROW)[0] == 201
    tag = loaded.ask(target)[1]["ETag"]
    assert loaded.ask(target, {"If-None-Match": tag})[0] == 304
    assert load(ROW.replace("1", "2"))[0] == 201
    assert loaded.ask(target, {"If-None-Match": tag})[0] == 200


def zipped(files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


# What is sent -> the status of its answer. `unit` is said.
UPLOADS = {
    "stored": ((HEADER + f"UP1,2019-01-01,{ROW}\n").encode(), 201),
    "the same again": ((HEADER + f"UP1,2019-01-01,{ROW}\n").encode(), 200),
    "refused": (b"no file of any format\n", 422),
    "a zip of two": (zipped({"a.csv": HEADER + f"UP2,2019-01-01,{ROW}\n",
                             "b.csv": HEADER + f"UP3,2019-01-01,{ROW}\n"}), 201),
    "nothing": (b"", 400),
}


@pytest.mark.parametrize("case", UPLOADS)
def test_answers_to_uploads_are_as_described(loaded, case):
    body, status = UPLOADS[case]
    answer = loaded.ask(f"/v1/deliveries?unit=kWh&source={'up' if len(body) > 99 else 'x'}",
                        body=body)
    loaded.check("load", answer)
    assert answer[0] == status


def test_what_is_said_of_a_file_and_does_not_fit_it_is_refused(loaded):
    answer = loaded.ask("/v1/deliveries?feed=nz-eiep13a&meter=X", body=b"some,file\n1,2\n")
    assert loaded.check("load", answer)["state"] == "refused"
    assert answer[0] == 422


def test_answers_about_many_meters_are_as_described(loaded):
    path = "/v1/consumption:batch?from=2019-01-01"
    body = b'{"meters":["EE00027","UNKNOWN"]}'
    first, second = loaded.check("batch", loaded.ask(path, body=body))["answers"]
    assert first["channels"] and second["problem"]
    assert loaded.check("batch", loaded.ask(path, {"Accept": "text/csv"}, body=body))
    loaded.check("batch", loaded.ask(path, body=b'{"meters":[]}'))


def test_tables_are_as_described_in_every_format(loaded):
    path = "/v1/export?table=days&from=2019-01-01&to=2019-01-02"
    for named, accept, begin in (("csv", "text/csv", "meter,channel,"),
                                 ("parquet", "application/vnd.apache.parquet", "PAR1"),
                                 ("arrow", "application/vnd.apache.arrow.file", "ARROW1")):
        status, headers, body = loaded.ask(path + "&format=" + named)
        assert (status, headers["Transfer-Encoding"]) == (200, "chunked")
        assert headers["Content-Type"].startswith(accept) and body.startswith(begin)
        assert headers["Content-Disposition"] == (
            f'attachment; filename="days-2019-01-01-2019-01-02.{named}"')
        assert loaded.ask(path, {"Accept": accept})[2] == body
    for wrong, part in (("table=years&from=2019-01-01", "readings, days or months"),
                        ("from=2019-01-01", "table is missing"),
                        ("table=days&from=2019-01-02&to=2019-01-01", "before `from`"),
                        ("table=days&from=2019-01-01&wide=true", "wide"),
                        ("table=days&from=2019-01-01&meters=A1,", "meters")):
        status, _, body = loaded.ask("/v1/export?" + wrong)
        assert status == 400 and part in body
    assert loaded.ask(path, {"Accept": "image/png"})[0] == 406
    one_day = "/v1/export?table=readings&wide=true&meters=EE00028&from=2019-01-01"
    assert loaded.ask(one_day)[2].splitlines()[1].startswith(
        "EE00028,consumption,consumption,kWh,2019-01-01,60,1,1,")


def test_answers_to_withdrawals_are_as_described(loaded):
    path = f"/v1/deliveries/{loaded.spare}/withdraw"
    withdrawn = loaded.check("withdraw", loaded.ask(path, body=b'{"reason":"a test"}'))
    assert withdrawn["changed"] and withdrawn["delivery"]["state"] == "withdrawn"
    restored = loaded.check("restore", loaded.ask(path + "?who=ann", method="DELETE"))
    assert restored["changed"] and restored["delivery"]["state"] == "stored"
    loaded.check("withdraw", loaded.ask(path, body=b"no JSON"))


def test_answers_to_changes_of_groups_are_as_described(loaded):
    path, body = "/v1/groups/shops", b'{"meters":["SPARE","EE0*"]}'
    counts = loaded.check("setGroup", loaded.ask(path, body=body, method="POST"))
    assert (counts["ids"], counts["prefixes"]) == (1, 1)
    loaded.check("setGroup", loaded.ask(path, body=b"{}", method="POST"))
    status, _, text = loaded.ask(path, method="DELETE")
    assert (status, text) == (204, "")
    loaded.check("removeGroup", loaded.ask(path, method="DELETE"))


def test_an_upload_with_a_key_is_answered_once(loaded):
    target = "/v1/deliveries?unit=kWh&source=keyed"
    body = (HEADER + f"KEYED,2019-01-01,{ROW}\n").encode()
    send = lambda key, content=body, path=target: loaded.ask(
        path, {"Idempotency-Key": key}, body=content)
    first = send('"8e03978e-40d5"')
    assert first[0] == 201
    for key in ('"8e03978e-40d5"', "8e03978e-40d5"):
        status, headers, answer = send(key)
        assert (status, answer) == (201, first[2])
        assert headers["Location"] == first[1]["Location"]
    assert send('"another"')[0] == 200, "skipped: the bytes are known"
    for reused in (send('"8e03978e-40d5"', body.replace(b"KEYED", b"OTHER")),
                   send('"8e03978e-40d5"', path=target + "&strict=true")):
        problem = loaded.check("load", reused)
        assert (reused[0], problem["type"]) == (422, "/problems#idempotency-key-reused")
    assert loaded.ask("/v1/meters/OTHER")[0] == 404
    problem = loaded.check("load", send("not a key"))
    assert problem["status"] == 400 and "Idempotency-Key" in problem["detail"]


def test_requests_have_names(loaded):
    named = {"X-Request-Id": "my.request-7"}
    for path, headers in (("/healthz", {}), ("/v1/meters?wrong=1", {}), ("/nothing", {})):
        _, first, _ = loaded.ask(path, headers)
        _, second, _ = loaded.ask(path, headers)
        assert first["X-Request-Id"] and first["X-Request-Id"] != second["X-Request-Id"]
        assert loaded.ask(path, headers | named)[1]["X-Request-Id"] == "my.request-7"
    assert loaded.ask("/healthz", {"X-Request-Id": "a b"})[1]["X-Request-Id"] != "a b"


def test_problems_lead_to_a_page(loaded):
    problem = loaded.check("meters", loaded.ask("/v1/meters?limit=0"))
    page, _, slug = problem["type"].partition("#")
    status, headers, html = loaded.ask(page)
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert f'id="{slug}"' in html
    assert problem["detail"] == 'limit: want a number from 1 to 1000, got "0"'


def test_schemathesis_finds_nothing(loaded, tmp_path):
    """Every check that it has, with data that follows the schemas and data that does not."""
    real = {"meters": loaded.meters, "deliveries": loaded.deliveries, "spare": loaded.spare,
            "tariff": "t", "group": "flats"}
    command = [
        environment.checked(environment.PYTHON_OPENAPI / "bin/st"),
        "--config-file", HERE / "schemathesis.toml",
        "run", loaded.server.url + "/openapi.json", "--url", loaded.server.url,
        "--header", f"Authorization: {loaded.headers['Authorization']}",
        "--checks", "all", "--seed", "1", "--max-examples", "5", "--no-color",
        # What it makes for the pages is up to their own tests.
        "--exclude-path-regex", "^/(ui|docs)"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True,
        env=os.environ | {"METERLINE_REAL": json.dumps(real), "SCHEMATHESIS_HOOKS": "hooks",
                          "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"(\d+) generated, \1 passed", done.stdout), done.stdout
