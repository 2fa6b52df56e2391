"""One file of every format, by every way into a store and on every store: the same answers."""
import base64
import gzip
import pathlib
import re
import urllib.parse

import pytest

import wide
from aws.emulated import Emulated, object_event, url_event
from conftest import Meterline, binary, exact

DATA = pathlib.Path(__file__).parent / "data"
LONG = "meter,start,value,unit,channel\n" + "".join(
    f"LONG1,2024-03-31T{hour:02}:{minute:02}Z,{hour}.{minute},kWh,{channel}\n"
    for channel in ("import", "export") for hour in range(24) for minute in (0, 30))
WIDE = wide.header() + wide.row("WIDE1", "2019-01-01", [*range(47), ""]) + \
    wide.row("WIDE2", "2019-01-02", wide.same("1.25"))
NMI, POINT = "NMI0000001", "5446AF3F"


def text_of(path, old="", new=""):
    """The text of a golden file; for a file that stands beside it, with another meter."""
    return (DATA / path).read_text().replace(old, new)


def utf16(text):
    return text.replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16")


# What is in no file of another name, so that no answer hangs on which came later.
FILES = {
    "wide.csv": WIDE.encode(),
    "long.csv": LONG.encode(),
    "feed.csv": (DATA / "feeds/siemens-uk/sample.csv").read_bytes(),
    "nem12.csv": text_of("nem12/doc_plain.csv").encode(),
    "nem13.csv": text_of("nem13/doc_plain.csv", NMI, "NEM13").encode(),
    "asexml.xml": text_of("nem12/doc_asexml.xml", NMI, "ASEXML").encode(),
    "green-button.xml": text_of("green-button/doc_plain.xml").encode(),
    "registers.xml": text_of("green-button/doc_registers.xml", POINT, "REGISTERS").encode(),
    "utf16.csv": utf16(WIDE.replace("WIDE", "UTF16-")),
    "utf16.xml": utf16(text_of("green-button/doc_plain.xml", POINT, "UTF16-GB")),
    "several.zip": wide.zipped([("a.csv", WIDE.replace("WIDE", "ZIP")),
                                ("b/c.csv", text_of("nem12/doc_plain.csv", NMI, "ZIP-NEM12"))]),
    "wide.csv.gz": gzip.compress(WIDE.replace("WIDE", "GZIP").encode(), mtime=0),
    "nem12.csv.zst": wide.zstd_frame(text_of("nem12/doc_plain.csv", NMI, "ZSTD-NEM12")),
}
OPTIONS = {"unit": "kWh", "feed": "auto"}
VARIABLES = {f"METERLINE_{name.upper()}": value for name, value in OPTIONS.items()}
EXPECTED = {"asexml.xml": 3, "feed.csv": 3}  # Readings or rows are rejected.
METERS = 19


def without_delivery(text, delivered):
    """An answer without what tells of the way that a file took, and when."""
    text = re.sub(r'"stated":"([^"]*)"', lambda found: '"stated":"as delivered"'
                  if found[1] in delivered else found[0], text)
    return re.sub(r'"(received|receivedAt|id|delivery|source)":"[^"]*"', r'"\1":""', text)


def by_command(meterline):
    def ask(verb, *words, **parameters):
        options = [text for name, value in parameters.items() for text in (f"--{name}", value)]
        return meterline(verb, *words, *options).out
    return ask


def by_path(get):
    """Asks by the paths of the HTTP API for what the command line answers."""
    paths = {"meters": "/v1/meters", "deliveries": "/v1/deliveries",
             "query": "/v1/meters/{}/consumption", "registers": "/v1/meters/{}/registers",
             "history": "/v1/meters/{}/history"}

    def ask(verb, *words, **parameters):
        if verb == "history":
            parameters["date"] = words[1]
        return get(paths[verb].format(*words[:1]), urllib.parse.urlencode(parameters))
    return ask


def by_server(server):
    return by_path(lambda path, query: server.get(f"{path}?{query}"))


def by_function(function):
    def get(path, query):
        answer, _ = function.invoke(url_event(path, query))
        assert answer["statusCode"] == 200, answer
        body = answer["body"]
        return base64.b64decode(body).decode() if answer.get("isBase64Encoded") else body
    return by_path(get)


def answers(ask):
    """What is answered of every meter: readings, reads of registers, how each day came to be."""
    meters = exact(ask("meters"))["meters"]
    delivered = {delivery["deliveredAt"] for delivery in exact(ask("deliveries"))["deliveries"]}
    found = {"meters": meters}
    for meter in meters:
        name, channels = meter["meter"], meter["channels"]
        days = sorted({channel[end] for channel in channels for end in ("first", "last")
                       if channel.get(end)})
        texts = [ask("registers", name)]
        if days:
            texts.append(ask("query", name, **{"from": days[0], "to": days[-1],
                                               "resolution": "interval"}))
        texts += [ask("history", name, day) for day in days]
        found[name] = [without_delivery(text, delivered).rstrip("\n") for text in texts]
    return found


class Ways:
    """Each way loads all files into the store of `meterline`."""

    def __init__(self, folder, request):
        self.folder, self.request = folder, request

    def load_files(self, meterline):
        for name, content in FILES.items():
            take_all(meterline("ingest", wide.write(self.folder / "in" / name, content),
                               expect=EXPECTED.get(name, 0)).json)

    def load_stdin(self, meterline):
        for name, content in FILES.items():
            take_all(meterline("ingest", "-", input=content, expect=EXPECTED.get(name, 0)).json)

    def load_uploads(self, meterline):
        server = self.request.getfixturevalue("serve")(meterline)
        parameters = urllib.parse.urlencode(OPTIONS)
        for name, content in FILES.items():
            answer = server.upload(content, f"?{parameters}&source={name}")
            take_all(answer if "deliveries" in answer else {"deliveries": [answer]})
        server.stop()

    def bucket(self):
        aws = self.request.getfixturevalue("local_aws")
        aws.client("s3").create_bucket(Bucket="ways")
        for name, content in FILES.items():
            aws.client("s3").put_object(Bucket="ways", Key=name, Body=content)
        return aws

    def load_s3(self, meterline):
        meterline.env |= self.bucket().env
        take_all(meterline("ingest", "s3://ways/", expect=3).json)

    def load_function(self, meterline):
        variables = self.bucket().env | VARIABLES | {
            "METERLINE_STORE": meterline.env["METERLINE_STORE"], "TMPDIR": str(self.folder)}
        with Emulated([binary(), "lambda", "processor"], variables) as function:
            for name, content in FILES.items():
                function.invoke(object_event("ways", name, len(content)))
        return variables


def take_all(report):
    for delivery in report["deliveries"]:
        assert delivery["state"] == "stored", delivery


@pytest.fixture(scope="module")
def wanted(tmp_path_factory):
    """By the command line, from files, in the embedded store."""
    folder = tmp_path_factory.mktemp("wanted")
    meterline = Meterline(folder)
    meterline.env |= VARIABLES
    Ways(folder, None).load_files(meterline)
    found = answers(by_command(meterline))
    assert len(found) == 1 + METERS, sorted(found)
    return found


@pytest.mark.parametrize("way", ["stdin", "uploads", "s3"])
def test_in_the_embedded_store(meterline, wanted, tmp_path, request, serve, way):
    meterline.env |= VARIABLES
    getattr(Ways(tmp_path, request), f"load_{way}")(meterline)
    assert answers(by_server(serve(meterline))) == wanted


@pytest.mark.parametrize("way", ["files", "stdin", "uploads", "s3", "function"])
def test_on_a_cluster(on_cassandra, wanted, tmp_path, request, serve, way):
    on_cassandra.env |= VARIABLES
    variables = getattr(Ways(tmp_path, request), f"load_{way}")(on_cassandra)
    if way != "function":
        assert answers(by_server(serve(on_cassandra))) == wanted
        return
    with Emulated([binary(), "lambda", "api"], variables) as function:
        assert answers(by_function(function)) == wanted
