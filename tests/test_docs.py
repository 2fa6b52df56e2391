"""The commands that documents show, run as they stand there, and the answers that they show."""
import itertools
import os
import re
import shutil
import subprocess
import textwrap

import pytest

import wide
from conftest import DEADLINE_S, ROOT, Server, binary

DOCUMENTS = [path.relative_to(ROOT).as_posix() for path in (
    ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "clients/python/README.md")
    if "decisions" not in path.parts]
SHOWN_ID = "7a7f500b161a065d982584599fe62c65"  # The delivery in examples.
SHOWN_ADDRESS = "http://127.0.0.1:8080"

CLUSTER = "a cluster: tests/test_cassandra_store.py and others run them"
AWS = "needs AWS: tests/test_local_aws.py, test_s3_source.py and test_worker.py run such"
DAY_AND_NIGHT = """otherwise = "night"
[[rule]]
band = "day"
times = "07:00-23:00"
"""
NOT_RUN = {  # Document -> how commands begin that are not run, and why.
    "README.md": {
        "$ meterline query EX00027": "tests/test_demo.py compares it with the demo",
        "build/release/meterline store init --store cassandra:": CLUSTER},
    "docs/migrating.md": {"meterline ingest": AWS},
    "docs/operate/aws.md": {"curl --aws-sigv4": AWS},
    "docs/operate/backup.md": {"meterline store init": CLUSTER, "meterline store check": CLUSTER},
    "docs/operate/cassandra.md": {
        "meterline store init": CLUSTER, "meterline ingest": CLUSTER,
        "METERLINE_STORE='cassandra:": CLUSTER},
    "docs/operate/drop-folders.md": {
        "meterline serve --create --watch drop": "wants the folder drop: tests/test_watch.py"},
    "docs/operate/install.md": {
        "meterline-0.1.0-linux-x86_64/meterline": "tests/test_packages.py runs it",
        "curl --data-binary @FILE.csv": "needs the image: tests/test_deploy_files.py looks at it"},
    "docs/operate/scale.md": {"meterline store init": CLUSTER},
    "docs/operate/security.md": {
        "meterline serve --listen 0.0.0.0:8443": "other addresses and a certificate: "
                                                 "tests/test_access.py has both",
        "curl -H 'Authorization: Bearer mlk_...'": "a name of nowhere"},
    "docs/operate/worker.md": {"meterline worker": AWS, "meterline lambda": AWS},
    "docs/use/dry-run.md": {"meterline ingest --dry-run s3:": AWS},
    "docs/use/groups.md": {"curl": "needs a server: tests/test_groups.py asks the same"},
    "docs/use/lint.md": {"meterline lint s3:": AWS},
    "docs/use/s3.md": {"meterline ingest": AWS},
    "docs/use/store.md": {
        "meterline store init --store 'cassandra:": CLUSTER,
        "meterline ingest store.archive --store 'cassandra:": CLUSTER},
}
OTHER_DATA = {  # Commands of docs/use/http-api.md whose answer shows data of other files.
    "/registers?": "the reads of tests/data/nem13/doc_plain.csv under another name",
    "/v1/changes?": "a day that came twice",
}


def commands_of(document):
    """Commands of meterline and curl, each with the text of the block of JSON or CSV behind it."""
    found = []
    lines = iter((ROOT / document).read_text().splitlines())
    for line in lines:
        if line.startswith("```"):
            block = list(itertools.takewhile(lambda each: not each.startswith("```"), lines))
            if line == "```sh":
                found += [[command, None] for command in joined(block)]
            elif line in ("```json", "```csv", "```text") and found and found[-1][1] is None:
                found[-1][1] = "\n".join(block)
        elif line.startswith("    "):
            found += [[command, None] for command in joined([line.strip(), *(
                each.strip() for each in itertools.takewhile(str.strip, lines))])]
        elif line.startswith("#") and found:
            found[-1][1] = found[-1][1] or ""  # What another section shows is of no command.
    return [(command, shown) for command, shown in found if re.match(
        r"(\$ )?([A-Z_]+=\S+ )?(\S*/)?(meterline|curl) ", command) or command.startswith("{ echo")]


def joined(lines):
    """Lines that go on are one, and so is what stands in braces."""
    text = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return re.findall(r"^\{ [^}]*\}.*|^.+", text, re.MULTILINE)


def pattern_of(shown):
    """What an answer has to match: `...` is anything; ids, hashes, times and blanks vary."""
    text = re.sub(r"\s", "", shown)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>", text)
    text = re.sub(r"[0-9a-f]{32,64}", "<id>", text)
    return (re.escape(text).replace(re.escape("..."), ".*").replace("<id>", "[0-9a-f]{32,64}")
            .replace("<time>", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"))


def prepare(meterline):
    """The files that documents name, and a store with some of them."""
    folder = meterline.folder
    meterline.use_store(folder / "meterline-data")
    rows = [wide.row(meter, day, wide.same("0.25"))
            for meter in ("EE00027", "EE00028", "EX00001", "EX00002")
            for day in (f"{year}-{month:02}-01" for year in (2019, 2025, 2026)
                        for month in range(1, 13))]
    wide.write(folder / "FOLDER/year.csv", wide.header() + "".join(rows))
    wide.write(folder / "FILE", wide.header() + wide.row("EE00029", "2019-01-01", wide.same(1)))
    wide.write(folder / "january.csv", wide.header() + wide.row("EE00027", "2019-01-01",
                                                               wide.same(2)))
    shutil.copy(folder / "FILE", folder / "FILE...")
    registers = (ROOT / "tests/data/nem13/doc_plain.csv").read_text()
    (folder / "registers.csv").write_text(registers.replace("NMI0000001", "6123456789"))
    meterline("ingest", "--unit", "kWh", "FILE", "FOLDER", "registers.csv")
    (folder / "FILE").touch()


def environment_of(meterline):
    """`meterline` and `build/release/meterline` are the program under test."""
    program = meterline.folder / "build/release/meterline"
    program.parent.mkdir(parents=True)
    program.symlink_to(binary())
    env = {key: value for key, value in os.environ.items() if not key.startswith("METERLINE_")}
    return env | {"PATH": f"{program.parent}:{env['PATH']}", "TMPDIR": str(meterline.folder)}


class Reader:
    """Somebody who types what a document says, in a folder of their own."""

    def __init__(self, meterline, serve):
        self.folder, self.start_server = meterline.folder, serve
        self.env = environment_of(meterline)
        self.meterline, self.server, self.delivery = meterline, None, SHOWN_ID

    def serve(self, *more):
        self.server = self.start_server(self.meterline, *more)

    def type(self, command):
        command = command.replace(SHOWN_ID, self.delivery).removeprefix("$ ")
        command = command.replace("/data/in/", f"{self.folder}/")
        if command.split("#")[0].split()[-2:] == ["build/release/meterline", "serve"]:
            return self.serve()
        if self.server is not None:
            command = command.replace(SHOWN_ADDRESS, self.server.url)
        done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=self.folder,
                              env=self.env, capture_output=True, text=True, timeout=DEADLINE_S,
                              stdin=subprocess.DEVNULL)
        # 3 is done, with rejected rows.
        assert done.returncode in (0, 3), f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout


    def write_files_of(self, document):
        """The files that a document shows and names."""
        text = (ROOT / document).read_text()
        if document == "docs/use/store.md":
            self.type("meterline ingest january.csv")
            (listed,) = re.findall('"id":"([^"]+)"', self.type(
                "meterline deliveries --source $PWD/january.csv --output json"))
            self.delivery = listed
        if document == "docs/use/duckdb.md":
            self.serve()
        if document == "docs/use/tariffs.md":
            shown = re.search(r"```toml\n(.*?)```", text, re.DOTALL)[1]
            (self.folder / "two-seasons.toml").write_text(shown)
        if document == "docs/use/feeds.md":
            table, self.feed = (
                re.search(rf"^    {begin}.*?(?=^\S)", text, re.DOTALL | re.MULTILINE)
                for begin in ("Plant report", "title = "))
            shutil.copy(ROOT / "tests/data/feeds/siemens-uk/sample.csv", self.folder / "FILE")
            (self.folder / "readings.csv").write_text(textwrap.dedent(table[0]).rstrip() + "\n")

    def edit_after(self, command):
        """What the text asks for between two commands."""
        if "feed draft" in command:
            (self.folder / "plant.toml").write_text(textwrap.dedent(self.feed[0]))


def why_not(document, command):
    return next((why for begin, why in NOT_RUN.get(document, {}).items()
                 if command.startswith(begin)), None)


@pytest.fixture
def reader(meterline, serve):
    prepare(meterline)
    return Reader(meterline, serve)


def test_what_is_not_run_is_still_there():
    for document, begins in NOT_RUN.items():
        commands = [command for command, _ in commands_of(document)]
        for begin in begins:
            assert any(command.startswith(begin) for command in commands), f"{document}: {begin}"
    answers = [command for command, _ in commands_of("docs/use/http-api.md")]
    assert all(any(part in command for command in answers) for part in OTHER_DATA)


def test_the_commands_are_found():
    assert len(commands_of("docs/use/http-api.md")) >= 25
    assert len([command for name in DOCUMENTS for command in commands_of(name)]) >= 90


SPECIAL = {"docs/use/http-api.md"}  # A test of its own, below.


@pytest.mark.parametrize("document", [name for name in DOCUMENTS
                                      if name not in SPECIAL and commands_of(name)])
def test_commands_run(reader, document):
    reader.write_files_of(document)
    for command, _ in commands_of(document):
        if why_not(document, command) is None:
            reader.type(command)
            reader.edit_after(command)


def test_the_http_api_answers_as_shown(meterline, serve):
    reader = Reader(meterline, serve)
    (meterline.folder / "tariffs").mkdir()
    (meterline.folder / "tariffs/day-and-night.toml").write_text(DAY_AND_NIGHT)
    reader.serve("--tariffs", meterline.folder / "tariffs")
    wrong = []
    for command, shown in commands_of("docs/use/http-api.md"):
        answer = reader.type(command.replace("curl ", "curl -s "))
        if "--data-binary" in command:
            reader.delivery = re.search('"id":"([^"]+)"', answer)[1]
        if shown and not any(part in command for part in OTHER_DATA):
            text = re.sub(r"\s", "", answer)
            if not re.fullmatch(pattern_of(shown), text):
                wrong.append(f"{command}\n{answer}\nis not\n{shown}")
    assert not wrong, "\n\n".join(wrong)
